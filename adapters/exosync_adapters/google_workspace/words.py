"""What a person reads: the tasks, with Google's own words for places and options. Pure.

Sources: Google Workspace Admin Help, answers 60751 (email allowlist) and 60730 (inbound
gateway); CISA, "Secure Configuration Baseline for Gmail", GWS.GMAIL.14.1v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.tasks import Confirmation, Task
from exosync.core.words import plural
from exosync_adapters.google_workspace.entries import box_text, lines
from exosync_adapters.google_workspace.rules import few
from exosync_adapters.google_workspace.settings import EMAIL_ALLOWLIST, INBOUND_GATEWAY

_SPAM_PAGE = "Admin console: Apps > Google Workspace > Gmail > Spam, Phishing and Malware"
ALLOWLIST_PLACE = f"{_SPAM_PAGE} > Email allowlist"
GATEWAY_PLACE = f"{_SPAM_PAGE} > Inbound gateway"

WHO = "a Google Workspace administrator who may change Gmail's settings"

DELAY = timedelta(hours=24)
"""Google: "It can take up to 24 hours for your changes to take effect." (60751)"""

SHARED = (
    "Exchange Online sends from these ranges for every Microsoft 365 customer: whatever is let in "
    "by address is let in for all of them, not for your organization alone"
)
_SAFER = (
    "Safer, and by a person too, since no API writes it: a content compliance rule that takes "
    "these ranges together with a header that only your own Microsoft 365 adds, or a list of "
    "approved senders for whom authentication is required"
)
_SKIPS_ALLOWLIST = (
    "What it bypasses: Gmail's spam filter lets mail from these addresses past; CISA advises "
    "against email allowlists (GWS.GMAIL.14.1v1), since such senders “bypass important security "
    "mechanisms, such as SPF, DKIM, and DMARC”; an audit will name each entry"
)
_SKIPS_GATEWAY = (
    "What it bypasses: “Gmail doesn't do SPF or DMARC checks on incoming messages from the IP "
    "addresses you specify in the setting” (60730)"
)


def reasons(desired: Desired, bypass: str) -> tuple[str, ...]:
    """Why it is asked for, what it lets through, and what would be safer."""
    why = (
        f"These are the ranges that Exchange Online sends mail from (version {desired.version} of "
        f"Microsoft's list, {desired.instance})"
    )
    return (why, bypass, SHARED, _SAFER)


def change(added: IpRanges, removed: IpRanges) -> str:
    """`add …; remove …`."""
    parts = [f"add {few(added.cidrs())}"] if added else []
    parts += [f"remove {few(removed.cidrs())}"] if removed else []
    return "; ".join(parts) or "the same ranges"


def allowlist_task(
    desired: Desired,
    texts: Sequence[str],
    *,
    added: IpRanges,
    removed: IpRanges,
    found: Sequence[str],
    kept: int,
    is_whole: bool,
) -> Task:
    """The email allowlist's box for a person, who finds `found` in it.

    `kept` of its entries are not exosync's. Not `is_whole`: what the box shows could not be
    told, so nothing in it may be replaced.
    """
    return Task(
        setting=EMAIL_ALLOWLIST,
        title=f"Gmail's email allowlist: {change(added, removed)}",
        place=ALLOWLIST_PLACE,
        box=box_text(texts),
        found=box_text(found) if is_whole else "",
        who=WHO,
        confirmation=Confirmation.READ,
        ranges=desired.ranges,
        added=added,
        removed=removed,
        instructions=_allowlist_instructions(found, kept, removed, is_whole=is_whole),
        reasons=reasons(desired, _SKIPS_ALLOWLIST),
        delay=DELAY,
    )


def _allowlist_instructions(
    found: Sequence[str], kept: int, removed: IpRanges, *, is_whole: bool
) -> tuple[str, ...]:
    first = (
        f"In the Google {_SPAM_PAGE}, leave the top organization selected on the left: the "
        "email allowlist is always of the whole domain."
    )
    last = (
        "Save. exosync reads the list back and sees when it is done; Google says that a change "
        "can take up to 24 hours to take effect."
    )
    if not is_whole:
        taken = f" Take out {', '.join(removed.cidrs())}." if removed else ""
        add = (
            "Add to the box what of the text is not yet in it, and keep what else it holds: the "
            f"list is set at several places, so exosync cannot tell what this box shows.{taken}"
        )
        return (first, add, last)
    replace = "Replace the whole text of the box with addresses by the text given here."
    if kept:
        replace += f" What is not exosync's stands in it unchanged ({plural(kept, 'entry')})."
    gateway = (
        "Google does not add an address that an inbound gateway holds: what is missing after "
        "saving is held there, so choose one of the two."
    )
    shown = (
        "does not show what is there now as far as exosync knows (“There now”; the order means "
        "nothing)"
        if found
        else "is not empty"
    )
    other = (
        f"If the box {shown}, stop and run exosync again: what was added meanwhile would be lost."
    )
    return (first, other, replace, last, gateway)


_OPTIONS = (
    (
        "Automatically detect external IP",
        "tick it, as Google recommends: Gmail then judges mail by where it came to the gateway from",
    ),
    (
        "Reject all mail not from gateway IPs",
        "do NOT tick it: it refuses all other mail, also from ranges that Microsoft has just added",
    ),
    (
        "Require TLS for connections from the email gateways",
        "as your policy has it: if ticked, Gmail refuses connections from them without TLS",
    ),
    ("Message tagging", "leave it as it is; exosync does not need it"),
    (
        "Disable Gmail spam evaluation on mail from this gateway",
        "do NOT tick it: every Microsoft 365 customer sends from these addresses, spammers too",
    ),
)
"""The options of the inbound gateway, and which to tick and why."""


_ACKNOWLEDGE = "Acknowledge it with exosync ack: no API of Google's reads this setting."


def gateway_task(
    desired: Desired,
    texts: Sequence[str],
    *,
    added: IpRanges,
    removed: IpRanges,
    doubtful: IpRanges,
    again: bool,
) -> Task:
    """The inbound gateway for a person; `again`: nothing changes, but it is to be looked at.

    `doubtful` was asked for once, is not wanted any more, and may have been entered.
    """
    what = "look once more that it is so" if again else change(added, removed)
    return Task(
        setting=INBOUND_GATEWAY,
        title=f"Gmail's inbound gateway: {what}",
        place=GATEWAY_PLACE,
        box=lines(texts),
        who=WHO,
        confirmation=Confirmation.ACKNOWLEDGED,
        ranges=desired.ranges,
        added=added,
        removed=removed,
        fields=_OPTIONS,
        instructions=_gateway_instructions(removed, doubtful, again=again),
        reasons=reasons(desired, _SKIPS_GATEWAY),
        delay=DELAY,
    )


_EARLIER = (
    "Take out, if it is there: {}. It was asked for earlier, and nobody has acknowledged that."
)


def _gateway_instructions(removed: IpRanges, doubtful: IpRanges, *, again: bool) -> tuple[str, ...]:
    past = (_EARLIER.format(", ".join(doubtful.cidrs())),) if doubtful else ()
    first = f"In the Google {_SPAM_PAGE}, select the top organization on the left."
    if again:
        compare = (
            "Compare “Gateway IPs” with the ranges given here, one a line, and mend what differs. "
            "Leave the gateways that are not exosync's."
        )
        return (first, compare, *past, _ACKNOWLEDGE)
    mx = (
        "Google asks that the domain's MX records lead to the gateway before it is set up: see "
        "that this is how your mail comes in."
    )
    add = (
        "Under “Gateway IPs”, add each range that is not there yet: Add, enter one line of the "
        "text given here, Save. Leave the gateways that are not exosync's."
    )
    take = (f"Take out {', '.join(removed.cidrs())}.",) if removed else ()
    return (first, mx, add, *take, *past, "Save.", _ACKNOWLEDGE)
