"""A google_workspace target with a stand-in, and what the service keeps of it between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync.core.target import (
    Context,
    Draft,
    Observed,
    Step,
    Target,
    Verification,
)
from exosync.core.tasks import Asked, Asserted, Known
from exosync_adapters.google_workspace import kind
from tests.standins.google import GoogleStandIn
from tests.standins.web import Request

START = datetime.now(UTC).replace(microsecond=0)
FOREIGN = "198.51.100.7"
FIRST = ("40.92.0.0/15", "2a01:111:f403::/48")
ACCOUNT = "exosync@project.iam.gserviceaccount.com"
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

    def apply(self, step: Step) -> None:
        """Do a step; what it claims is remembered from its intent on, as the service does."""
        if step.remember is not None:
            self.known = replace(self.known, remembered=dict(step.remember))
        self.target.apply(step)

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


BASIC: dict[str, Any] = {
    "customer": "C01abcdef",
    "admin": "postmaster@example.com",
    "credentials": {"kind": "key_file", "file": {"file": "service-account.json"}},
    "setting": "email_allowlist",
    "timeout": "30s",
}

Make = Callable[..., Bench]


@contextmanager
def benches(folder: Path) -> Iterator[Make]:
    """Makes benches; `standin` are options of the stand-in, the rest settings of the target.

    At the end every request and answer must have been as the discovery documents say.
    """
    started: list[GoogleStandIn] = []

    def made(standin: dict[str, Any] | None = None, **settings: Any) -> Bench:
        google = GoogleStandIn(**(standin or {}))
        google.__enter__()
        started.append(google)
        google.key_file(folder)
        google.source_credentials_file(folder)
        return Bench(google, {**BASIC, "url": google.url, **settings}, folder)

    try:
        yield made
    finally:
        for google in started:
            google.__exit__()
    assert [] == [one for google in started for one in google.violations]


def header(request: Request, name: str) -> str:
    """A header's value, whatever the case of its name."""
    return {key.lower(): value for key, value in request.headers.items()}[name]


def rules(found: Sequence[Any]) -> list[str]:
    """The names of findings or refusals."""
    return [one.rule for one in found]


def results(verification: Verification) -> dict[str, bool | None]:
    """What each check came to."""
    return {one.name: one.ok for one in verification.checks}
