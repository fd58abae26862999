"""The google_workspace target against a stand-in of Google's services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync.core.target import (
    Actor,
    Context,
    Draft,
    Observed,
    Phase,
    Target,
    Verification,
)
from exosync.core.tasks import Asked, Asserted, Known
from exosync_adapters.google_workspace import kind
from tests.standins.google import GoogleStandIn

START = datetime.now(UTC).replace(microsecond=0)
FOREIGN = "198.51.100.7"
FIRST = ("40.92.0.0/15", "2a01:111:f403::/48")
LIST, TOKEN, SIGN = "GET /v1/policies", "POST /token", "POST /v1/projects/-/serviceAccounts/"
AUDIT = "GET /admin/reports/v1/activity/users/all/applications/admin"


def desired(*cidrs: str) -> Desired:
    """These ranges, as Microsoft publishes them."""
    return Desired("Worldwide", "2026112300", IpRanges.parse(cidrs))


@dataclass
class Bench:
    """A target, and what the service keeps of it between runs."""

    google: GoogleStandIn
    settings: dict[str, Any]
    folder: Path
    now: datetime = START
    pauses: list[float] = field(default_factory=list)
    known: Known = field(default_factory=Known)

    def __post_init__(self) -> None:
        self.target = self.made()

    def made(self, **changes: Any) -> Target:
        """A new object of the target, as the next run has."""
        settings = kind.settings.model_validate({**self.settings, **changes})
        context = Context(
            owner="exosync",
            families="both",
            instance="Worldwide",
            base=self.folder,
            reveal=self._reveal,
            pause=self.pauses.append,
        )
        self.target = kind.build("google", settings, context)
        return self.target

    def _reveal(self, ref: SecretRef) -> str:
        assert ref.file is not None
        return (self.folder / ref.file).read_text()

    def look(self) -> Observed:
        """Observe, and remember what the target gives."""
        self.known = replace(self.known, now=self.now)
        observed = self.target.observe(self.known)
        self.known = replace(self.known, remembered=dict(observed.remember))
        return observed

    def plan(self, *cidrs: str) -> Draft:
        """Observe and plan; a step for a person is asked for."""
        observed = self.look()
        draft = self.target.plan(desired(*cidrs), observed)
        assert draft == self.target.rehearse(desired(*cidrs), observed, draft)
        self.ask(draft)
        return draft

    def ask(self, draft: Draft) -> None:
        """Keep the tasks of a draft, as the service does."""
        tasks = [step.task for step in draft.steps if step.task]
        asked = {
            name: replace(one, is_open=False) if not tasks else one
            for name, one in self.known.asked.items()
        }
        asked |= {one.setting: Asked(one.added, self.now, is_open=True) for one in tasks}
        self.known = replace(self.known, asked=asked)

    def do(self, draft: Draft) -> None:
        """What a person does: paste the box's text and save."""
        (step,) = draft.steps
        assert step.task is not None
        self.google.set_allowlist(step.task.box.split(", "))

    def acknowledge(self, draft: Draft, *, by: str = "ada") -> None:
        """What a person says: that it is done."""
        (step,) = draft.steps
        assert step.task is not None
        said = Asserted(step.task.setting, by, self.now, step.task.ranges)
        self.known = replace(self.known, acknowledged={step.task.setting: said})

    def verify(self, *cidrs: str) -> Verification:
        """Observe and prove."""
        return self.target.verify(desired(*cidrs), self.look())

    def calls(self) -> list[str]:
        """What was asked since the last time that this was asked."""
        calls = self.google.calls()
        self.google.requests.clear()
        return calls

    @property
    def strangers(self) -> list[str]:
        """The texts of the foreign entries."""
        return [one.text for one in self.look().foreign]


Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make a bench; `standin` are options of the stand-in, the rest settings of the target."""
    started: list[GoogleStandIn] = []

    def made(standin: dict[str, Any] | None = None, **settings: Any) -> Bench:
        google = GoogleStandIn(**(standin or {}))
        google.__enter__()
        started.append(google)
        google.key_file(tmp_path)
        google.source_credentials_file(tmp_path)
        basic = {
            "customer": "C01abcdef",
            "admin": "postmaster@example.com",
            "credentials": {"kind": "key_file", "file": {"file": "service-account.json"}},
            "setting": "email_allowlist",
            "url": google.url,
            "timeout": "2s",
        }
        return Bench(google, {**basic, **settings}, tmp_path)

    yield made
    for google in started:
        google.__exit__()
        assert [] == google.violations


def rules(found: Sequence[Any]) -> list[str]:
    """The names of findings or refusals."""
    return [one.rule for one in found]


def results(verification: Verification) -> dict[str, bool | None]:
    """What each check came to."""
    return {one.name: one.ok for one in verification.checks}


def test_a_person_pastes_the_box_and_the_list_is_read_back(make: Make) -> None:
    """Nothing, then a step; then the list is as desired, ours are known and nothing is left."""
    bench = make({"allowlist": [FOREIGN]})

    draft = bench.plan(*FIRST)
    (step,) = draft.steps
    bench.do(draft)
    after = bench.plan(*FIRST)

    assert Actor.PERSON is step.by
    assert Phase.ADD is step.phase
    assert step.task is not None
    assert f"{FOREIGN}, {', '.join(FIRST)}" == step.task.box
    assert FOREIGN == step.before
    assert f"{FOREIGN}\n" + "\n".join(FIRST) == step.after
    assert () == after.steps
    observed = bench.look()
    assert step.gives == observed.resources["email-allowlist"]
    assert IpRanges.parse(FIRST) == observed.owned
    assert [FOREIGN] == bench.strangers
    verification = bench.verify(*FIRST)
    assert {"ranges": True, "propagation": None} == results(verification)
    assert True is verification.ok
