"""What the smart hosts themselves show over several runs: where they are, and what they say. Pure.

The messages hold nothing that differs from look to look (addresses, greetings, certificates):
`exosync check` and `exosync trace` tell these as they are now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exosync.core.target import Finding, Severity
from exosync_adapters.exchange.findings.connector import few
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.standing import Standing, Trouble

TOLD_AS = {
    Trouble.UNRESOLVED: "host_unresolved",
    Trouble.UNTOLD: "host_unresolved",
    Trouble.SILENT: "host_silent",
    Trouble.NO_STARTTLS: "host_no_starttls",
    Trouble.EXPIRED: "host_certificate",
    Trouble.MISNAMED: "host_certificate",
    Trouble.UNTRUSTED: "host_certificate",
    Trouble.STRANGER: "host_not_far_side",
}
"""The finding that tells of a trouble."""

_LOOK = "exosync check tells how it is now"


def of_standing(standing: Standing, settings: ExchangeSettings) -> Iterator[Finding]:
    """What is told of the configured hosts by now; each thing once, with the hosts it is of."""
    yield from _of_names(standing)
    yield from _of_answers(standing, settings)
    if names := standing.having(Trouble.NO_STARTTLS):
        yield Finding(
            "host_no_starttls",
            f"no STARTTLS is offered by {few(names)}, and the connector sends by TLS alone, so mail "
            "for there is held (450 4.4.317, STARTTLS is required to send mail): whoever looks after "
            "the host must offer it. Seen from where exosync runs: a firewall in between that takes "
            f"STARTTLS out looks the same; {_LOOK}",
        )
    yield from _of_certificates(standing, settings)
    if names := standing.having(Trouble.STRANGER):
        yield Finding(
            "host_not_far_side",
            f"a certificate without any name of Google's is shown by {few(names)}, and far_side is "
            "google_workspace: the mailboxes may not be known there; far_side or smart_hosts is "
            f"wrong, or the name leads elsewhere by now; {_LOOK}",
        )


def of_own(names: Sequence[str]) -> Iterator[Finding]:
    """Hosts that lead to Exchange Online itself by now."""
    if names:
        yield Finding(
            "loop_possible",
            f"the name of a smart host leads to Exchange Online itself: {few([*names])}. Mail comes back "
            "until it is refused (554 5.4.14): correct smart_hosts, or ask whoever looks after the name",
        )


def _of_names(standing: Standing) -> Iterator[Finding]:
    if names := standing.having(Trouble.UNRESOLVED):
        yield Finding(
            "host_unresolved",
            f"DNS has no address of {few(names)}, so nothing can be sent there: correct "
            "smart_hosts, or ask whoever looks after the name",
        )
    if names := standing.having(Trouble.UNTOLD):
        yield Finding(
            "host_unresolved",
            f"name servers give no answer on {few(names)}, at one run after the other: Exchange Online may "
            "not find it either. If it is so of every name, look at the resolvers that exosync "
            f"asks (resolvers); {_LOOK}",
        )


def _of_answers(standing: Standing, settings: ExchangeSettings) -> Iterator[Finding]:
    if names := standing.having(Trouble.SILENT):
        alike = (
            "No host answers any more, so look first whether the machine that exosync runs on is "
            "still let out on port 25"
            if len(names) == len(settings.hosts)
            else "Others answer, or did: ask whoever looks after it"
        )
        yield Finding(
            "host_silent",
            f"nobody answers on port 25 at {few(names)}, at one run after the other, seen from where "
            f"exosync runs; Exchange Online may still reach it. {alike}; {_LOOK}",
        )
    if settings.try_hosts == "talk" and standing.is_mute:
        yield Finding(
            "hosts_out_of_reach",
            "no smart host ever answered this machine on port 25, as in most networks that let "
            "nobody out there: whether they answer, offer STARTTLS and show the right certificate "
            "cannot be told from here. exosync tries once a day; try_hosts: resolve leaves it",
            Severity.INFO,
        )


def _of_certificates(standing: Standing, settings: ExchangeSettings) -> Iterator[Finding]:
    held = "so mail for there is held; whoever looks after the host must put up another"
    if names := standing.having(Trouble.EXPIRED):
        yield Finding(
            "host_certificate",
            f"a certificate that has expired is shown by {few(names)}, and the connector looks at it "
            f"(tls: {settings.tls}), {held}; {_LOOK}",
        )
    if names := standing.having(Trouble.MISNAMED):
        yield Finding(
            "host_certificate",
            f"a certificate that is not for {settings.tls_name} is shown by {few(names)}, and the "
            f"connector wants that name (450 4.7.320, SubjectMismatch), {held}, or tls_name is wrong; "
            f"{_LOOK}",
        )
    if names := standing.having(Trouble.UNTRUSTED):
        yield Finding(
            "host_certificate",
            f"a certificate that this machine does not trust is shown by {few(names)}, and the "
            f"connector wants one of a public authority (tls: {settings.tls}); Exchange Online has its "
            f"own list of authorities, and may hold mail for there; {_LOOK}",
        )
