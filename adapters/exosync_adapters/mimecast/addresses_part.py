"""The setting `permitted_addresses`: managed senders, sender addresses permitted for recipients.

`POST /api/managedsender/permit-or-block-sender` with action permit, at most a hundred pairs a
call (scraped developer portal). No published call reads or takes away what was permitted, so
what Mimecast's answer confirmed is remembered, and stays asserted by that answer. A permission
that is asked for twice is taken for harmless: what a second one does is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Action,
    Actor,
    Check,
    Draft,
    Finding,
    Knowledge,
    Observed,
    Phase,
    Step,
    Verification,
    digest,
)
from exosync.core.tasks import Asserted, Confirmation, Known, Task
from exosync.core.words import plural
from exosync.errors import TargetError
from exosync_adapters.mimecast.account import MOST_SENDERS, Account
from exosync_adapters.mimecast.faults import SENDERS, RejectedError
from exosync_adapters.mimecast.remembered import LEAVING, PAIRS, remembered_times
from exosync_adapters.mimecast.senders_part import PROPAGATION

SETTING = "permitted_addresses"
LEFT = "permitted-addresses:left"

_NOTHING = IpRanges()

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """Pairs that Mimecast confirmed with when, and pairs that the configuration no longer names."""

    confirmed: Mapping[Pair, datetime]
    leaving: Mapping[Pair, datetime]


class AddressesPart:
    """Sender addresses that are permitted for recipients."""

    prefix = "permitted-addresses"

    def __init__(self, target: str, pairs: tuple[Pair, ...], account: Account) -> None:
        self._target, self._wanted, self._account = target, pairs, account
        self._confirmed: dict[Pair, datetime] = {}

    def observe(self, known: Known) -> Observed:
        """What is remembered; nothing can be read."""
        every = _by_pair(remembered_times(known, PAIRS)) | self._confirmed
        since = _by_pair(remembered_times(known, LEAVING))
        claim = known.acknowledged.get(SETTING)
        gone = {one for one, at in since.items() if claim is not None and claim.at >= at}
        leaving = {
            one: since.get(one, known.now)
            for one in {**every, **since}
            if one not in self._wanted and one not in gone
        }
        confirmed = {one: at for one, at in every.items() if one in self._wanted}
        if not self._wanted and not leaving:
            return Observed(_NOTHING, {}, detail=Seen({}, {}))
        return Observed(
            owned=_NOTHING,
            resources={self.prefix: _token(confirmed), LEFT: _token(leaving)},
            findings=tuple(_told(leaving)),
            unread=frozenset({self.prefix, LEFT}),
            remember={PAIRS: _texts(confirmed), LEAVING: _texts(leaving)},
            detail=Seen(confirmed, leaving),
        )

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """One step that permits what is not confirmed yet, one for a person for what left. Pure."""
        seen: Seen = observed.detail
        missing = tuple(one for one in self._wanted if one not in seen.confirmed)
        steps = [self._permit(seen, missing)] if missing else []
        steps += [self._take_away(seen)] if seen.leaving else []
        return Draft(_NOTHING, _NOTHING, steps=tuple(steps))

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """Nothing can be tried."""
        return draft

    def apply(self, step: Step) -> None:
        """Permit pairs, a hundred a call; what Mimecast confirmed counts even if others fail.

        Raises TargetError with what was not confirmed, and what the account raises.
        """
        pairs = [one for one in step.detail if one not in self._confirmed]
        wrong = [
            told
            for start in range(0, len(pairs), MOST_SENDERS)
            if (told := self._send(pairs[start : start + MOST_SENDERS]))
        ]
        if wrong:
            raise TargetError(f"target {self._target}: {'; '.join(wrong)}")

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """What Mimecast's answers confirmed, as such."""
        seen: Seen = observed.detail
        if not self._wanted:
            return Verification(())
        missing = [one for one in self._wanted if one not in seen.confirmed]
        if missing:
            told = f"not confirmed for {plural(len(missing), 'pair')}: {_few(missing)}"
            return Verification((Check(SETTING, False, told),))
        told = f"{plural(len(self._wanted), 'pair')} of sender and recipient confirmed"
        by, at = "Mimecast's answer", max(seen.confirmed.values())
        return Verification((Check(SETTING, True, told),), (Asserted(SETTING, by, at),))

    def check(self) -> Iterator[Check]:
        """Its permission cannot be tried: every call writes."""
        if self._wanted:
            told = f"the application needs {SENDERS.both}, which cannot be tried without writing"
            yield Check(SETTING, ok=None, message=told)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge | None:
        """It is about senders' names, not about IP addresses."""
        return None

    def _send(self, pairs: list[Pair]) -> str:
        """One call; gives what is wrong with it in words."""
        why = "the answer does not name them"
        try:
            # An answer without any fault that does not name the pairs confirms them all.
            good = confirmed(self._account.permit(pairs), pairs) or pairs
        except RejectedError as error:
            good, why = confirmed(error.answer, pairs), str(error)
        self._confirmed |= dict.fromkeys(good, datetime.now(UTC))
        left = [one for one in pairs if one not in self._confirmed]
        return f"Mimecast does not permit {_few(left)}: {why}" if left else ""

    def _permit(self, seen: Seen, missing: tuple[Pair, ...]) -> Step:
        after = {*seen.confirmed, *missing}
        return Step(
            resource=self.prefix,
            phase=Phase.ADD,
            action=Action.UPDATE if seen.confirmed else Action.CREATE,
            summary=f"permit {plural(len(missing), 'pair')} of sender and recipient: {_few(missing)}",
            before=_lines(seen.confirmed),
            after=_lines(after),
            expects=_token(seen.confirmed),
            gives=_token(after),
            detail=missing,
        )

    def _take_away(self, seen: Seen) -> Step:
        """What exosync permitted and cannot take away: no call for it is published."""
        pairs = sorted(seen.leaving)
        return Step(
            resource=LEFT,
            phase=Phase.REMOVE,
            action=Action.DELETE,
            summary=f"take away {plural(len(pairs), 'permitted sender')}: {_few(pairs)}",
            before=_lines(pairs),
            after="",
            expects=_token(pairs),
            gives=ABSENT,
            by=Actor.PERSON,
            task=self._task(pairs),
        )

    def _task(self, pairs: list[Pair]) -> Task:
        return Task(
            setting=SETTING,
            title="Take away permitted senders that are no longer wanted",
            place="Mimecast Administration Console: Gateway | Managed Senders",
            box=_lines(pairs).rstrip(),
            who="an administrator of Mimecast who may edit managed senders",
            confirmation=Confirmation.ACKNOWLEDGED,
            ranges=_NOTHING,
            instructions=(
                "Find each sender and recipient below (one pair a line) and take the permission away",
            ),
            reasons=(
                "The configuration no longer names these pairs, which exosync once permitted",
                "Mimecast publishes no call that takes a permission away",
            ),
            delay=PROPAGATION,
        )


def confirmed(answer: Any, pairs: list[Pair]) -> list[Pair]:
    """The pairs that an answer names as permitted; addresses are compared without case."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    named = {
        (str(one.get("sender", "")).lower(), str(one.get("to", "")).lower())
        for one in (data if isinstance(data, list) else [])
        if isinstance(one, Mapping) and str(one.get("type", "permit")).lower() == "permit"
    }
    return [one for one in pairs if (one[0].lower(), one[1].lower()) in named]


def _told(leaving: Mapping[Pair, datetime]) -> Iterator[Finding]:
    if leaving:
        yield Finding(
            "permitted_address_left",
            f"{plural(len(leaving), 'pair')} of sender and recipient that exosync once permitted "
            f"and the configuration no longer names: {_few(leaving)}; Mimecast publishes no call "
            "that takes them away",
        )


def _by_pair(times: Mapping[str, datetime]) -> dict[Pair, datetime]:
    found = {}
    for name, at in times.items():
        sender, blank, to = name.partition(" ")
        if blank:
            found[sender, to] = at
    return found


def _texts(pairs: Mapping[Pair, datetime]) -> dict[str, str]:
    return {" ".join(one): at.isoformat() for one, at in sorted(pairs.items())}


def _token(pairs: Any) -> str:
    return digest(sorted(" ".join(one) for one in pairs)) if pairs else ABSENT


def _lines(pairs: Any) -> str:
    return "".join(f"{sender} {to}\n" for sender, to in sorted(pairs))


def _few(pairs: Any, most: int = 4) -> str:
    told = [f"{sender} for {to}" for sender, to in pairs]
    more = f" and {len(told) - most:,} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more
