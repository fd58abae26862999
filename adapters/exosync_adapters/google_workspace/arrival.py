"""What became of a message that was sent, as the recipient's mailbox at Google tells it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from exosync.core.target import Knowledge
from exosync.core.trace import Sent, Stage, Sure
from exosync.core.units import duration_text
from exosync.core.words import one_line, short
from exosync_adapters.google_workspace.headers import Handover, handovers, results
from exosync_adapters.google_workspace.mailbox import MOST, Found

Knows = Callable[[str], Knowledge]
"""What the target's own setting says of an address."""

_INBOX, _SPAM, _TRASH = "INBOX", "SPAM", "TRASH"
_WHY_MISSING = (
    "it may still be on its way, held in a quarantine, refused, or put elsewhere by a routing "
    "rule: the Admin console's Email Log Search tells"
)
_FEW_LABELS, _FEW_SERVERS = 8, 8


def stages(found: Found, recipient: str, knows: Knows) -> Iterator[Stage]:
    """Where it is, from which address Google took it, and what Google made of its sender."""
    yield _place(found, recipient)
    if way := handovers(found.headers):
        yield _taken(way[:_FEW_SERVERS], knows)
    if told := results(found.headers):
        yield _judged(told)


def missing(sent: Sent, *, within: timedelta, is_whole: bool) -> Stage:
    """It was not found. Why, nothing here can tell."""
    when = f" within {duration_text(within)}" if within > timedelta(0) else ""
    says = [_WHY_MISSING]
    if not is_whole:
        says.append(f"only the {MOST} messages that Gmail lists first were looked at")
    says += ["to look again:", sent.again]
    title = f"it was not found in the mailbox of {sent.recipient}{when}"
    return Stage("mailbox", sent.recipient, title, None, Sure.SEEN, tuple(says))


def spared(recipient: str) -> Stage:
    """It is somebody's own message: that is between the two."""
    title = f"the mailbox of {recipient} was not looked into"
    says = ("that is done for exosync's own messages alone, and by its id this is none",)
    return Stage("mailbox", recipient, title, None, Sure.UNPROVEN, says)


def _place(found: Found, recipient: str) -> Stage:
    labels = found.labels
    ok: bool | None = True
    place, says = "in the inbox", []
    if _SPAM in labels:
        ok, place = False, "among the spam"
        says.append("Gmail, or somebody's rule, takes it for spam")
    elif _TRASH in labels:
        ok, place = None, "in the bin"
        says.append("a filter of the mailbox, or a person, put it there")
    elif _INBOX not in labels:
        place = "beside the inbox"
        says.append("a filter of the mailbox, or a person, put it there")
    if found.at is not None:
        says.append(f"taken by Google at {found.at:%Y-%m-%d %H:%M:%S} UTC")
    if labels:
        more = f" and {len(labels) - _FEW_LABELS} more" if len(labels) > _FEW_LABELS else ""
        says.append(f"labels: {', '.join(_plain(one) for one in labels[:_FEW_LABELS])}{more}")
    title = f"it is {place} of {recipient}"
    return Stage("mailbox", recipient, title, ok, Sure.SEEN, tuple(says))


def _taken(way: Sequence[Handover], knows: Knows) -> Stage:
    """By whom it was handed to Google, and whether the setting holds that address.

    Behind a gateway it is the address before which counts: what the gateway's own header says.
    """
    first = way[0]
    title = f"Google took it from {first.address}, which calls itself {_plain(first.name)}"
    told = [(one, knows(one.address)) for one in way]
    held = next((both for both in told if both[1].knows), None)
    if held is not None:
        one, known = held
        before = () if one is first else (f"{_plain(one.by)} says that it came from {one.address}",)
        return Stage("received", first.address, title, True, Sure.SEEN, (*before, *known.says))
    says = told[0][1].says
    if told[0][1].knows is False:
        says = ("the setting holds neither this address nor one before it: it was let in without",)
    return Stage("received", first.address, title, None, Sure.SEEN, says)


def _judged(told: Mapping[str, str]) -> Stage:
    said = ", ".join(
        f"{name.upper()} {told[name]}" for name in ("spf", "dkim", "dmarc") if name in told
    )
    ok = _is_proven(told)
    says = () if ok else ("it was let in all the same; such mail may end among the spam",)
    return Stage(
        "authentication", "Authentication-Results", f"Google says: {said}", ok, Sure.SEEN, says
    )


def _is_proven(told: Mapping[str, str]) -> bool | None:
    """DMARC's result says it all; without it, either of the others will do."""
    dmarc = told.get("dmarc", "none")
    return True if "pass" in ([dmarc] if dmarc != "none" else told.values()) else None


def _plain(text: str) -> str:
    return one_line(short(text, 80))
