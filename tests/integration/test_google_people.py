"""What supports and replaces reading: the audit log, acknowledgements, and a person's task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Draft,
)
from tests.standins.google_switches import (
    ADMIN_SDK,
    READ_POLICIES,
    Switches,
)
from tests.support.google_bench import (
    AUDIT,
    FIRST,
    FOREIGN,
    LIST,
    TOKEN,
    Make,
    benches,
    desired,
    results,
    rules,
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make benches."""
    with benches(tmp_path) as made:
        yield made


# The audit log


@pytest.mark.parametrize("schema", ["new", "legacy", "both"])
def test_the_audit_log_tells_who_changed_the_list(make: Make, schema: Any) -> None:
    """By new names and by legacy ones, each save once; other people's doing is left out."""
    switches = Switches(audit_schema=schema, propagation=timedelta(hours=1))
    bench = make({"allowlist": [], "switches": switches})
    bench.do(bench.plan(*FIRST))

    observed = bench.look()

    assert ["changed_in_console"] == rules(observed.findings)
    told = observed.findings[0].message
    assert "1 change" in told
    assert "postmaster@example.com" in told
    assert ("EMAIL_SPAM_ALLOWLIST" in told) is (schema == "legacy")


def test_the_audit_log_is_read_only_while_a_step_is_open(make: Make) -> None:
    """Not before, and not after it was seen to be done."""
    bench = make({"allowlist": []})

    draft = bench.plan(*FIRST)
    before = bench.calls()
    bench.look()
    during = bench.calls()
    bench.do(draft)
    bench.plan(*FIRST)
    bench.calls()
    bench.look()

    assert AUDIT not in before
    assert [LIST, TOKEN, AUDIT] == during
    assert [LIST] == bench.calls()


@pytest.mark.parametrize(
    "standin",
    [
        {"delegated": [READ_POLICIES]},
        {"switches": Switches(disabled_apis=(ADMIN_SDK,))},
        {"switches": Switches(reports_privilege=False)},
    ],
)
def test_an_audit_log_that_cannot_be_read_fails_nothing(
    make: Make, standin: dict[str, Any]
) -> None:
    """It is told as a finding."""
    bench = make({"allowlist": [], **standin})
    bench.do(bench.plan(*FIRST))

    observed = bench.look()

    assert ["audit_unavailable"] == rules(observed.findings)
    assert IpRanges.parse(FIRST) == observed.owned


def test_an_audit_log_that_is_switched_off_is_not_read(make: Make) -> None:
    """Its scope is not needed then."""
    bench = make({"allowlist": [], "delegated": [READ_POLICIES]}, audit=False)
    bench.do(bench.plan(*FIRST))

    assert [] == rules(bench.look().findings)


def test_the_audit_log_supports_a_verification(make: Make) -> None:
    """It agrees, or says nothing yet."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))

    assert True is results(bench.verify(*FIRST))["audit"]
    bench.google.audit.activities.clear()
    assert None is results(bench.verify(*FIRST))["audit"]


# The inbound gateway


def test_a_gateway_is_asked_for_acknowledged_and_asserted(make: Make) -> None:
    """Nothing is read; what a person said is called asserted, never verified."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)

    draft = bench.plan(*FIRST)
    bench.acknowledge(draft)
    after = bench.plan(*FIRST)
    verification = bench.verify(*FIRST)

    (step,) = draft.steps
    assert step.task is not None
    assert "\n".join(FIRST) == step.task.box
    assert () == after.steps
    assert None is verification.ok
    assert ["ada"] == [one.by for one in verification.asserted]
    assert [] == bench.calls()


def test_a_changed_gateway_is_asked_for_again(make: Make) -> None:
    """With what comes and what goes."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)
    bench.acknowledge(bench.plan(*FIRST))

    (step,) = bench.plan(FIRST[0], "104.47.0.0/17").steps

    assert step.task is not None
    assert IpRanges.parse("104.47.0.0/17") == step.task.added
    assert IpRanges.parse(FIRST[1]) == step.task.removed
    assert False is bench.verify(FIRST[0]).ok


def test_what_a_gateway_was_asked_for_and_nobody_acknowledged_is_taken_out(make: Make) -> None:
    """It may have been entered; once the newest step is acknowledged, it is gone."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)
    bench.plan(*FIRST)
    bench.plan(FIRST[1], "104.47.0.0/17")
    draft = bench.plan(FIRST[1], "104.47.0.0/17")
    bench.acknowledge(draft)
    bench.plan(FIRST[1], "104.47.0.0/17")
    (later,) = bench.plan(FIRST[1]).steps

    (step,) = draft.steps
    assert step.task is not None
    assert later.task is not None
    assert any(f"if it is there: {FIRST[0]}." in one for one in step.task.instructions)
    assert not any("if it is there" in one for one in later.task.instructions)


def test_a_gateway_is_looked_at_once_more_after_a_while(make: Make) -> None:
    """Nothing changes, and another acknowledgement ends it."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)
    bench.acknowledge(bench.plan(*FIRST))
    said = bench.known.acknowledged["inbound_gateway"]
    old = {"inbound_gateway": replace(said, due_again=True)}
    bench.known = replace(bench.known, acknowledged=old)

    draft = bench.plan(*FIRST)
    (step,) = draft.steps
    bench.acknowledge(draft)

    assert step.before == step.after
    assert step.expects == step.gives
    assert draft.base == draft.goal
    assert "once more" in step.summary
    assert () == bench.plan(*FIRST).steps


def test_the_audit_log_supports_an_acknowledgement_for_some_days(make: Make) -> None:
    """Then it is left alone."""
    bench = make(setting="inbound_gateway")
    draft = bench.plan(*FIRST)
    bench.google.set_inbound_gateway("ada@example.com")
    bench.acknowledge(draft)
    bench.ask(Draft(IpRanges(), IpRanges()))

    verification = bench.verify(*FIRST)
    bench.calls()
    bench.now += timedelta(days=4)
    later = bench.verify(*FIRST)

    assert {"audit": True} == results(verification)
    assert None is verification.ok
    assert "ada@example.com" in verification.checks[0].message
    assert {} == results(later)
    assert [] == bench.calls()


def test_a_gateway_of_another_name_is_found_by_configured_words(make: Make) -> None:
    """Which name the log gives it is unknown."""
    switches = Switches(inbound_gateway_name="PerimeterProto gate_ips")
    bench = make({"switches": switches}, setting="inbound_gateway", audit_words=["GATE_IPS"])
    bench.plan(*FIRST)
    bench.google.set_inbound_gateway("ada@example.com")

    assert ["changed_in_console"] == rules(bench.look().findings)


def test_a_gateway_cannot_be_explained_for_certain(make: Make) -> None:
    """Only what was said can be told."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)
    nothing = bench.target.explain(IpRanges.parse("40.92.0.1"), bench.look())
    bench.acknowledge(bench.plan(*FIRST))
    observed = bench.look()

    inside = bench.target.explain(IpRanges.parse("40.92.0.1"), observed)
    outside = bench.target.explain(IpRanges.parse("192.0.2.1"), observed)

    assert [None] * 3 == [one.knows for one in (nothing, inside, outside)]
    assert inside.says[0].startswith("among")
    assert outside.says[0].startswith("not among")


def test_a_gateway_that_google_forbids_is_refused(make: Make) -> None:
    """Private addresses are not taken there either."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)

    draft = bench.plan(*FIRST, "10.0.0.0/13")

    assert (["private_addresses"], ()) == (rules(draft.refusals), draft.steps)


def test_a_gateway_has_nothing_to_adopt(make: Make) -> None:
    """Nothing of it is read."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)

    assert () == bench.target.plan(desired(*FIRST), bench.look(), adopting=True).steps


def test_a_task_says_everything_that_a_person_needs(make: Make) -> None:
    """Where, what, why, and what it lets through."""
    bench = make({"allowlist": [FOREIGN]})
    (step,) = bench.plan(*FIRST).steps
    (gate,) = make(setting="inbound_gateway").plan(*FIRST).steps

    task, gateway = step.task, gate.task
    assert task is not None
    assert gateway is not None
    assert "Spam, Phishing and Malware > Email allowlist" in task.place
    assert timedelta(hours=24) == task.delay
    for one in (task, gateway):
        told = " ".join(one.reasons)
        for word in ("SPF", "DMARC", "every Microsoft 365 customer", "Safer"):
            assert word in told
    options = dict(gateway.fields)
    assert options["Automatically detect external IP"].startswith("tick")
    assert "do NOT" in options["Reject all mail not from gateway IPs"]
