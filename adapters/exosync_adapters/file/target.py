"""A file target: observe, plan, rehearse, apply, verify, check, explain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exosync.core.desired import Desired, Extra, Leaving
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Action,
    Capabilities,
    Check,
    Draft,
    Finding,
    Foreign,
    Knowledge,
    Observed,
    Phase,
    Step,
    Verification,
    split,
)
from exosync.core.tasks import NOTHING_KNOWN, Known
from exosync.core.words import plural
from exosync.errors import ConfigError, ExosyncError, TargetConflict
from exosync_adapters.file import atomic, probes, rules
from exosync_adapters.file.formats import render
from exosync_adapters.file.mark import Mark
from exosync_adapters.file.reading import Reading, line_with, read
from exosync_adapters.file.settings import KEYS_OF, FileSettings, Format


@dataclass(frozen=True, slots=True)
class Seen:
    """What `observe` read: the file (None if there is none) and the template's text."""

    reading: Reading | None
    source: str = ""

    @property
    def text(self) -> str:
        """The file's text, empty if there is none."""
        return self.reading.text if self.reading else ""


class FileTarget:
    """One file that holds the desired ranges. `hook` is told how far a write has come."""

    kind = "file"
    capabilities = Capabilities(compare_and_swap=False)

    def __init__(
        self,
        name: str,
        settings: FileSettings,
        *,
        owner: str,
        base: Path,
        hook: atomic.Hook = lambda _point: None,
    ) -> None:
        self.name = name
        self.path = base / settings.path
        self.mark = Mark(owner, name)
        self._settings = settings
        self._template = base / settings.template if settings.template else None
        self._hook = hook

    @property
    def resource(self) -> str:
        """The one resource that steps write."""
        return f"file:{self.path}"

    def configuration(self) -> Mapping[str, Any]:
        """The keys that mean something for the format."""
        values = self._settings.model_dump(mode="json")
        form = self._settings.format
        return {key: value for key, value in values.items() if form in KEYS_OF.get(key, (form,))}

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read the file, and the template if there is one.

        Raises TargetDenied or TargetError, ConfigError if the template cannot be read.
        """
        data = atomic.read(self.path)
        seen = Seen(None if data is None else self._read(data), self._source())
        token = _token(data)
        reading = seen.reading
        if reading is None or reading.blank:
            return Observed(IpRanges(), {self.resource: token}, detail=seen)
        if reading.belongs_to(self.mark):
            return Observed(reading.ranges, {self.resource: token}, detail=seen)
        foreign = Foreign(str(self.path), rules.described(reading), reading.ranges)
        return Observed(IpRanges(), {self.resource: token}, (foreign,), detail=seen)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """At most two steps: the text with what is added, then the text without what goes."""
        base = observed.owned
        if adopting:
            base = base.union(*(one.ranges for one in observed.foreign))
        elif observed.foreign:
            refusal = rules.foreign_owner(self.path, self.mark, observed.detail.reading)
            return Draft(base, base, refusals=(refusal,))
        if not desired.ranges:
            return Draft(base, base, refusals=(rules.EMPTY,))
        text = self._render(desired, observed)
        final = self._read(text)
        if not final.belongs_to(self.mark):
            return Draft(base, base, refusals=(rules.markless(self._template),))
        stages = [
            (phase, text if one is desired else self._render(one, observed))
            for phase, one in split(desired, _comparable(base, desired.ranges, final.ranges))
        ]
        return Draft(
            base,
            final.ranges,
            steps=tuple(self._steps(stages, observed)),
            findings=tuple(rules.unreadable(self._template, desired.ranges, final.ranges)),
        )

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Tell what stands in the way of writing; the run that writes may have more rights."""
        if not draft.steps:
            return draft
        size = max(len(step.after.encode()) for step in draft.steps)
        told = [
            Finding(check.name, f"{check.message}: {check.remedy}")
            for check in probes.writable(atomic.real(self.path), size)
            if not check.ok
        ]
        return replace(draft, findings=(*draft.findings, *told))

    def apply(self, step: Step) -> None:
        """Replace the file by the step's text.

        Raises TargetConflict if it is not as the step expects, TargetDenied or TargetError.
        """
        if _token(atomic.read(self.path)) == step.gives:
            return

        def unchanged() -> None:
            if _token(atomic.read(self.path)) != step.expects:
                raise TargetConflict(
                    f"{self.path}: was changed by somebody else since the plan was made; nothing "
                    "was written: run again to plan from what is there now"
                )

        unchanged()
        atomic.write(
            self.path,
            step.after.encode(),
            permissions=self._settings.mode,
            unchanged=unchanged,
            hook=self._hook,
        )

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Compare what was read back, byte for byte and address for address."""
        expected = self._render(desired, observed)
        wanted, found = self._read(expected).ranges, observed.owned
        same = observed.resources[self.resource] == _token(expected)
        content = Check("content", ok=True, message=f"{self.path} holds exactly the text wanted")
        if not same:
            content = Check("content", ok=False, message=f"{self.path} holds another text")
        held = Check(
            "ranges",
            ok=True,
            message=f"{self.path} holds what is wanted: {plural(len(wanted), 'range')}",
        )
        if found != wanted:
            lacks, more = rules.few(wanted - found), rules.few(found - wanted)
            told = f"{self.path} lacks {lacks} and holds {more} besides"
            held = Check("ranges", ok=False, message=told)
        return Verification((content, held))

    def check(self) -> Iterator[Check]:
        """Try reading, ownership, the format or template, the folder and free space."""
        try:
            observed = self.observe()
        except ExosyncError as error:
            yield Check("readable", ok=False, message=str(error))
            return
        yield self._owner_check(observed)
        try:
            size = len(self._render(_SAMPLE, observed))
        except ConfigError as error:
            yield Check("template", ok=False, message=str(error), remedy="correct the template")
            return
        if self._template:
            yield self._template_check(observed)
        yield from probes.writable(atomic.real(self.path), max(size, len(observed.detail.text)))

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """Whether the file holds the address, whoever wrote it, and in which line."""
        reading: Reading | None = observed.detail.reading
        if reading is None:
            return Knowledge(knows=False, says=(f"{self.path} does not exist",))
        if not address <= reading.ranges:
            return Knowledge(knows=self._surely_not(address, reading))
        found = line_with(reading.text, address, first_only=self._first_only)
        note = f" ({found.note})" if found and found.note else ""
        told = (f"{self.path}, line {found.number}: {found.text}{note}",) if found else ()
        if observed.foreign:
            told = (*told, f"{self.path} is not this target's file: {reading.owner_words}")
        return Knowledge(knows=True, says=told)

    def _surely_not(self, address: IpRanges, reading: Reading) -> bool | None:
        """False, or None where a template shows no CIDR of that family at all."""
        families = [version for version in (4, 6) if address.family(version)]
        hidden = any(not reading.ranges.family(version) for version in families)
        return None if self._template and hidden else False

    @property
    def _first_only(self) -> bool:
        return self._settings.format is Format.POSTFIX

    def _read(self, data: bytes) -> Reading:
        return read(data, first_only=self._first_only)

    def _source(self) -> str:
        if self._template is None:
            return ""
        try:
            return self._template.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{self._template}: the template is not UTF-8 text") from None
        except OSError as error:
            told = f"{self._template}: the template cannot be read: {error.strerror}"
            raise ConfigError(told) from error

    def _render(self, desired: Desired, observed: Observed) -> bytes:
        return render(
            desired,
            owner=self.mark.owner,
            target=self.name,
            settings=self._settings,
            source=observed.detail.source,
        )

    def _steps(self, stages: list[tuple[Phase, bytes]], observed: Observed) -> Iterator[Step]:
        seen: Seen = observed.detail
        before, token = seen.text, observed.resources[self.resource]
        held = seen.reading.ranges if seen.reading else IpRanges()
        for phase, data in stages:
            gives, after = _token(data), data.decode()
            if gives == token:
                continue
            holds = self._read(data).ranges
            action = Action.CREATE if token == ABSENT else Action.UPDATE
            summary = f"{action} {self.path}: {rules.difference(held, holds)}"
            yield Step(self.resource, phase, action, summary, before, after, token, gives)
            before, token, held = after, gives, holds

    def _owner_check(self, observed: Observed) -> Check:
        reading: Reading | None = observed.detail.reading
        if reading is None:
            return Check("owner", ok=True, message=f"{self.path} does not exist yet")
        if observed.foreign:
            refusal = rules.foreign_owner(self.path, self.mark, reading)
            return Check("owner", ok=False, message=refusal.message)
        if reading.blank:
            return Check("owner", ok=True, message=f"{self.path} is empty")
        return Check("owner", ok=True, message=f"{self.path} carries this target's mark")

    def _template_check(self, observed: Observed) -> Check:
        if not self._read(self._render(_SAMPLE, observed)).belongs_to(self.mark):
            return Check("template", ok=False, message=rules.markless(self._template).message)
        return Check("template", ok=True, message=f"{self._template} can be filled")


_SAMPLE = Desired(
    instance="Worldwide",
    version="0000000000",
    microsoft=IpRanges.parse(["192.0.2.0/25", "2001:db8::/48"]),
    extras=(Extra(IpRanges.parse("198.51.100.0/24"), "a name", "a reason"),),
    leaving=(
        Leaving(
            IpRanges.parse("203.0.113.0/24"),
            since=datetime(2000, 1, 1, tzinfo=UTC),
            until=datetime(2000, 1, 31, tzinfo=UTC),
        ),
    ),
)
"""One entry of each origin in documentation space (RFC 5737, RFC 3849), to try a template."""


def _comparable(base: IpRanges, wanted: IpRanges, shown: IpRanges) -> IpRanges:
    """What is held, as `split` can compare it with what is wanted.

    A template may show addresses of its own, which never go, and hide ranges, which never
    come. In every other format `shown` is what is wanted, and this is `base`.
    """
    return (base - (shown - wanted)) | (wanted - shown)


def _token(data: bytes | None) -> str:
    return ABSENT if data is None else hashlib.sha256(data).hexdigest()
