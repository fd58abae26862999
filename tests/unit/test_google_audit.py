"""Events of the Admin audit log, matched loosely: which tell of a change, and which do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync.core.tasks import Asked, Asserted, Known
from exosync_adapters.google_workspace.audit import (
    WORDS,
    Changed,
    Log,
    changes,
    check,
    findings,
    start,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AT = "2026-11-25T11:00:00.000Z"
ADA = "ada@example.com"


def activity(
    name: str,
    *,
    kind: str = "APPLICATION_SETTINGS",
    application: str | None = "Gmail",
    actor: Any = ADA,
    at: str = AT,
) -> dict[str, Any]:
    """One activity about a setting of that name."""
    parameters = [{"name": "SETTING_NAME", "value": name}, {"name": "X", "boolValue": True}]
    if application is not None:
        parameters.append({"name": "APPLICATION_NAME", "value": application})
    return {
        "id": {"time": at},
        "actor": {"email": actor},
        "events": [{"type": kind, "name": "CHANGE_SOMETHING", "parameters": parameters}],
    }


@pytest.mark.parametrize(
    ("given_activity", "is_told"),
    [
        (activity("GmailIpWhitelistSpamFilteringProto is_empty"), True),
        (activity("gmailipwhitelist ranges"), True),
        (activity("EMAIL_SPAM_ALLOWLIST", kind="EMAIL_SETTINGS", application=None), True),
        (activity("EMAIL_SPAM_ALLOWLIST", kind="OTHER_SETTINGS", application="Drive"), False),
        (activity("EMAIL_SPAM_ALLOWLIST", kind="OTHER_SETTINGS", application=None), False),
        (activity("RuleState rule_state[14] enabled"), False),
        ({}, False),
        ({"events": [None, {"parameters": None}, {"parameters": ["x"]}]}, False),
        ("an activity", False),
    ],
)
def test_a_setting_is_found_by_words_of_its_name(given_activity: Any, *, is_told: bool) -> None:
    """In Gmail's settings alone, whatever else the log holds."""
    assert is_told is bool(changes([given_activity], WORDS["email_allowlist"]))


def test_a_save_is_told_once() -> None:
    """It gives several activities, and may be told by both schemas."""
    name = "GmailIpWhitelistSpamFilteringProto is_empty"
    both = [
        activity(name),
        activity(name),
        activity("EMAIL_SPAM_ALLOWLIST", kind="EMAIL_SETTINGS", application=None),
    ]

    assert (Changed(AT, ADA, name),) == changes(both, WORDS["email_allowlist"])


def test_a_legacy_event_counts_where_there_is_no_new_one() -> None:
    """Of another time or by somebody else."""
    older = activity(
        "EMAIL_SPAM_ALLOWLIST", kind="EMAIL_SETTINGS", application=None, at="2026-11-24T11:00:00Z"
    )
    newer = activity("GmailIpWhitelistSpamFilteringProto is_empty")

    told = changes([newer, older], WORDS["email_allowlist"])

    assert [True, False] == [one.is_legacy for one in told]


def test_somebody_unknown_is_called_so() -> None:
    """An actor without an address."""
    (told,) = changes([activity("INBOUND_GATEWAY", actor=None)], WORDS["inbound_gateway"])

    assert f"{AT} by somebody unknown: “INBOUND_GATEWAY”" == told.words


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": ANY_JSON,
                "actor": ANY_JSON,
                "events": st.lists(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "type": ANY_JSON,
                            "parameters": st.lists(
                                st.fixed_dictionaries(
                                    {"name": st.sampled_from(["SETTING_NAME", "APPLICATION_NAME"])},
                                    optional={"value": ANY_JSON},
                                )
                            ),
                        },
                    )
                    | ANY_JSON
                ),
            },
        )
    )
)
def test_no_form_of_the_log_is_too_strange(activities: list[Any]) -> None:
    """It only supports, so it must not fail."""
    changes(activities, ("gateway",))


def asked(*, is_open: bool, days: float = 1) -> Asked:
    """A task that was asked for some days ago."""
    return Asked(IpRanges(), NOW - timedelta(days=days), is_open=is_open)


def said(days: float) -> Asserted:
    """An acknowledgement of some days ago."""
    return Asserted("inbound_gateway", "ada", NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("task", "acknowledged", "days"),
    [
        (None, None, None),
        (asked(is_open=True), None, 1),
        (asked(is_open=False), None, None),
        (asked(is_open=False, days=2), said(1), 2),
        (asked(is_open=False, days=30), said(1), 4),
        (None, said(1), 4),
        (asked(is_open=False, days=5), said(4), None),
        (asked(is_open=True, days=0.5), said(30), 0.5),
    ],
)
def test_the_log_matters_while_a_step_is_open_or_it_may_lag(
    task: Asked | None, acknowledged: Asserted | None, days: float | None
) -> None:
    """And is read since it was asked for, or for as long as the log may be behind."""
    known = Known(
        now=NOW,
        asked={"inbound_gateway": task} if task else {},
        acknowledged={"inbound_gateway": acknowledged} if acknowledged else {},
    )

    expected = None if days is None else NOW - timedelta(days=days)
    assert expected == start(known, "inbound_gateway")


def test_what_the_log_says_is_told_in_one_line() -> None:
    """Whatever names somebody gives to settings; only the last ones of many."""
    strange = tuple(Changed(f"2026-11-2{at}", ADA, "a\nb\x1b[31m") for at in range(5))

    (finding,) = findings(Log(strange))

    assert finding.message.isprintable()
    assert "5 changes" in finding.message
    assert "2026-11-20" not in finding.message
    assert "2026-11-24" in finding.message


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (None, []),
        (Log(), [None]),
        (Log((Changed(AT, ADA, "x"),)), [True]),
        (Log(problem="denied"), [None]),
        (Log(is_whole=False), [None]),
    ],
)
def test_the_log_agrees_or_says_nothing(log: Log | None, expected: list[bool | None]) -> None:
    """It never fails a proof."""
    assert expected == [one.ok for one in check(log)]
