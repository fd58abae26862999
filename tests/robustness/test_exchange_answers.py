"""Whatever Exchange Online's interface answers: no crash, no false absence, nothing made twice.

Each honest answer of the stand-in may be broken on its way, after what was asked for was done.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exosync.cli import run
from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Context, Draft, Step
from exosync.core.tasks import Known
from exosync.errors import ExosyncError
from exosync_adapters.exchange import kind
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_requests import command_of
from tests.standins.exchange_switches import MANAGE
from tests.standins.web import Reply, Request
from tests.support.cli import Shell

Json = Any
DOMAIN, SECRET = "example.com", "the-secret-of-exchange"
DESIRED = Desired("Worldwide", "2026081400", IpRanges.parse(["40.92.0.0/15"]))
DEEP = b"[" * 100_000
NEW_RULE = "New-TransportRule"
NAMES = {"connector": "New-OutboundConnector", "rule": NEW_RULE}


class Tenant(ExchangeStandIn):
    """Breaks answers to commands, by how many came before them, or the first of that name."""

    breaking: dict[Any, Breaking]
    commands = 0

    def reply(self, request: Request) -> Reply:
        """The honest answer, or what becomes of it."""
        honest = super().reply(request)
        command = command_of(request)
        if command is None:
            return honest
        self.commands += 1
        change = self.breaking.get(self.commands - 1) or self.breaking.pop(command.cmdlet, None)
        return change(honest) if change else honest

    @contextmanager
    def broken(self, breaking: dict[Any, Breaking]) -> Iterator[None]:
        """Break the answers from now on."""
        self.breaking, self.commands = breaking, 0
        try:
            yield
        finally:
            self.breaking = {}

    @property
    def made(self) -> dict[str, int]:
        """How often each of the two was asked to be made."""
        return {name: self.cmdlets.count(cmdlet) for name, cmdlet in NAMES.items()}


# How an answer breaks


@dataclass(frozen=True)
class Breaking:
    """What becomes of an answer."""

    how: str
    what: Any

    def __call__(self, honest: Reply) -> Reply:
        """The answer that arrives."""
        match self.how:
            case "body":
                return replace(honest, body=self.what)
            case "cut":
                return replace(honest, body=honest.body[: int(len(honest.body) * self.what)])
            case "manner":
                return replace(honest, manner=self.what)
            case "declared":
                headers = {**honest.headers, "Content-Encoding": self.what}
                return replace(honest, headers=headers)
            case "status":
                return replace(honest, status=self.what)
            case _:
                return replace(honest, body=_put(honest.body, *self.what))


def _places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something else can be put: anywhere below `value`, and `value` itself."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, below in pairs:
        yield (*path, key)
        yield from _places(below, (*path, key))


def _put(body: bytes, where: float, junk: Json) -> bytes:
    """Something else in one place of the JSON, without taking a record out of its list."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    places = [one for one in _places(value) if one[0] in ("value", "@adminapi.warnings")]
    *path, last = places[min(int(len(places) * where), len(places) - 1)] if places else [""]
    if not places or (not path and junk == []):
        return body  # an empty listing is an honest one
    inner = value
    for key in path:
        inner = inner[key]
    inner[last] = junk
    return json.dumps(value).encode()


JUNK: tuple[Json, ...] = (
    *(None, True, 0, -1, 10**30, 1.5, "", "\0", "\ud800", "x" * 5000, [], {}, [None], [[]]),
    *({"value": []}, [{"Name": 1}], "false", "9999-99-99T00:00:00"),
)
BODIES = (
    *(b"", b"null", b"[]", b"{}", b"0", b'"x"', b"{", b"\xff\xfe", b"\0" * 4096, DEEP),
    *(b'{"value": null}', b'{"value": {}}', b'{"value": 0}', b'{"value": [null]}'),
    *(b"<html>Sign in</html>", b'{"error": {}}', b'{"error": {"details": [null, 1]}}'),
    *(b'{"value": ' + DEEP, b'{"value": [{"Name": ' + b"1" * 5000 + b"}]}", b" " * 2_000_000),
    b'{"value": [], "@odata.nextLink": "http://["}',
    b'{"value": [], "@odata.nextLink": {"a": 1}}',
)

breakings = st.one_of(
    st.builds(Breaking, st.just("body"), st.sampled_from(BODIES)),
    st.builds(Breaking, st.just("cut"), st.floats(0, 0.99)),
    st.builds(
        Breaking, st.just("manner"), st.sampled_from(["truncated", "truncated_chunks", "reset"])
    ),
    st.builds(
        Breaking,
        st.just("declared"),
        st.sampled_from(["gzip", "deflate", "br", "no such coding"]),
    ),
    st.builds(
        Breaking,
        st.just("status"),
        st.sampled_from([204, 302, 304, 400, 401, 403, 404, 409, 500, 502, 503]),
    ),
    st.builds(Breaking, st.just("put"), st.tuples(st.floats(0, 1), st.sampled_from(JUNK))),
)
WHERE = st.integers(0, 25)


# The installation


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits, waits no time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """A tenant that holds the group of those who are here."""
    with Tenant(DOMAIN, client_secret=SECRET, app_roles={MANAGE}) as made:
        made.breaking = {}
        made.org.add_group(f"here@{DOMAIN}", [f"ada@{DOMAIN}"])
        yield made


def keys(tenant: Tenant) -> dict[str, Any]:
    """The target's configuration."""
    return {
        "url": tenant.url,
        "tenant": tenant.tenant,
        "client_id": tenant.client_id,
        "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
        "write": "rest",
        "domain": DOMAIN,
        "far_side": "other",
        "smart_hosts": ["127.0.0.2"],
        "routed": {"everyone_but": f"here@{DOMAIN}"},
        "accepted_domain": "leave",
        "timeout": "30s",
        "settle": "2s",
    }


@dataclass
class Target:
    """A target, as each run of a command makes one."""

    tenant: Tenant
    remembered: dict[str, Any]
    errors: list[str] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    timeout: str = "30s"

    def run(self) -> Draft | None:
        """Look, plan, and write what may be written; None if it could not."""
        context = Context("exosync", "both", "Worldwide", Path(), lambda _: SECRET, lambda _: None)
        told = kind.settings.model_validate({**keys(self.tenant), "timeout": self.timeout})
        target = kind.build("exchange", told, context)
        known = Known(datetime(2026, 11, 26, tzinfo=UTC), {}, {}, self.remembered)
        try:
            seen = target.observe(known)
            self.remembered = json.loads(json.dumps(seen.remember))
            draft = target.plan(DESIRED, seen)
            self.drafts.append(draft)
            for step in draft.steps:
                if not any(one.covers(step) and not one.approvable for one in draft.refusals):
                    target.apply(step)
        except ExosyncError as error:
            self.errors.append(str(error))
            return None
        return draft

    def settle(self) -> None:
        """Run until nothing is left to do."""
        for _ in range(4):
            draft = self.run()
            if draft is not None and not draft.steps:
                return
        raise AssertionError("never at rest")


def empty(tenant: Tenant) -> None:
    """Nothing is there, and nothing was asked: an earlier example may have ended anywhere."""
    for things in (tenant.org.connectors, tenant.org.rules, tenant.asked):
        things.clear()


def is_making(step: Step) -> bool:
    """Whether a step makes something new."""
    return step.action == "create"


EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
GENEROUS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=EXAMPLES,
)


@GENEROUS
@example(at={NEW_RULE: Breaking("status", 401)})
@given(at=st.dictionaries(WHERE, breakings, min_size=1, max_size=3))
def test_nothing_is_made_twice_whatever_is_answered(
    tenant: Tenant, at: dict[Any, Breaking]
) -> None:
    """One of each in the end, made by one command each, however the first runs went."""
    empty(tenant)
    target = Target(tenant, {})
    with tenant.broken(at):
        target.run()
        target.run()
    target.settle()

    assert SECRET not in "".join(target.errors)
    assert {"connector": 1, "rule": 1} == tenant.made
    assert (1, 1) == (len(tenant.org.connectors), len(tenant.org.rules))
    assert "Enabled" == tenant.org.rules[0]["State"]
    assert [] == tenant.dangerous


@GENEROUS
@example(at={2: Breaking("body", b'{"value": null}')})
@example(at={3: Breaking("body", b'{"value": null}')})
@given(at=st.dictionaries(WHERE, breakings, min_size=1, max_size=3))
def test_what_is_there_is_never_taken_for_absent(tenant: Tenant, at: dict[int, Breaking]) -> None:
    """Nothing is made where both are there, and nothing is lost."""
    empty(tenant)
    Target(tenant, {}).settle()
    tenant.asked.clear()
    remembered = Target(tenant, {})  # known by its mark alone: nothing is remembered
    with tenant.broken(at):
        remembered.run()

    assert [] == [step for one in remembered.drafts for step in one.steps if is_making(step)]
    assert {"connector": 0, "rule": 0} == tenant.made
    remembered.settle()
    assert (1, 1) == (len(tenant.org.connectors), len(tenant.org.rules))


@pytest.mark.parametrize("cmdlet", ["Get-TransportRule", NEW_RULE])
@pytest.mark.parametrize("manner", ["dripping", "dripping_headers", "hang"])
def test_an_answer_without_end_is_cut(tenant: Tenant, cmdlet: str, manner: str) -> None:
    """By the time-out, reading and writing alike."""
    target = Target(tenant, {}, timeout="1s")
    with tenant.broken({cmdlet: Breaking("manner", manner)}):
        target.run()
    target.timeout = "30s"
    target.settle()
    assert {"connector": 1, "rule": 1} == tenant.made


@pytest.fixture
def shell(
    tenant: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> Iterator[Shell]:
    """A folder with the configuration; connector and rule are there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", SECRET)
    Target(tenant, {}).settle()
    with EndpointsStandIn() as feed:
        made = Shell(tmp_path, capsys)
        target = {"name": "exchange", "kind": "exchange", "mode": "apply", **keys(tenant)}
        made.configure(feed={"url": feed.url}, targets=[target])
        assert 0 == run(["sync"])
        yield made


@settings(GENEROUS, max_examples=EXAMPLES // 2)
@given(at=st.dictionaries(st.integers(0, 7), breakings, min_size=1, max_size=2))
def test_a_plan_never_fails_by_a_fault_of_exosync(
    shell: Shell, tenant: Tenant, at: dict[int, Breaking]
) -> None:
    """It is a plan or an error with words; the plan makes nothing that is there."""
    with tenant.broken(at):
        ended = shell.run("--debug", "plan", "--json")

    (told,) = ended.json["targets"]
    assert [] == [one for one in told["steps"] if one["action"] == "create"]
    assert told["state"] != "failed" or told["error"]
    assert "Traceback" not in ended.err
