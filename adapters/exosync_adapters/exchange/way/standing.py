"""How the smart hosts of a target stand, over all runs: what is told of them, and from when on.

One look proves little: a host may be restarted just then, a name server may be slow. So what is
told of a host changes only once two looks at least `LASTS` apart saw the same and none between them
saw something else. A fact that the very first look at a host shows (no such name, no STARTTLS, a
certificate that does not do) is told at once: there is nothing that it could flap against. Silence
is no fact, and counts only where this machine has been seen to reach some host of the target. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from exosync_adapters.exchange import moments
from exosync_adapters.exchange.aim import TLS
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen

LASTS = timedelta(minutes=10)
"""How long something must have been so until it is told, or is told no more."""

MUTE = timedelta(days=1)
"""How long port 25 is left alone where it never answered anybody here."""

TRUSTING = ("", "EncryptionOnly")
"""TlsSettings of a connector that looks at no certificate."""

_GOOGLES = (".google.com", ".gmail.com", ".googlemail.com")
"""How the names in the certificates of Google's mail servers end: CN=mx.google.com in public logs."""


class Trouble(StrEnum):
    """What is wrong with a host, the first of what a message meets."""

    NONE = ""
    UNRESOLVED = "unresolved"
    UNTOLD = "untold"
    SILENT = "silent"
    NO_STARTTLS = "no_starttls"
    EXPIRED = "expired"
    MISNAMED = "misnamed"
    UNTRUSTED = "untrusted"
    STRANGER = "stranger"


_NOTHING, _NAME, _PORT, _TLS, _CERTIFICATE = range(5)
"""How far a look came: not even the name, the name, port 25, STARTTLS, the certificate."""

_DEPTH = {
    Trouble.NONE: _NOTHING,
    Trouble.UNRESOLVED: _NAME,
    Trouble.UNTOLD: _NAME,
    Trouble.SILENT: _PORT,
    Trouble.NO_STARTTLS: _TLS,
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a host tells; nothing of what lies beyond `depth`."""

    trouble: Trouble
    depth: int


@dataclass(frozen=True, slots=True)
class HostStanding:
    """What is told of a host (`trouble`), and what it seems to be since then instead."""

    trouble: Trouble = Trouble.NONE
    turning: Trouble | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of the hosts of one target.

    `basis` are the settings that decide what is trouble. `named`: DNS has told this machine some
    host's name, or that there is none. `reached`: some host has answered it on port 25. Where none
    ever has, `mute_since` is when that was first tried, and `tried` when last.
    """

    basis: str = ""
    named: bool = False
    reached: bool = False
    mute_since: datetime | None = None
    tried: datetime | None = None
    hosts: Mapping[str, HostStanding] = field(default_factory=dict)

    @property
    def is_mute(self) -> bool:
        """Whether port 25 seems to be closed to this machine, whatever the host."""
        if self.mute_since is None or self.tried is None:
            return False
        return self.tried - self.mute_since >= LASTS

    def having(self, trouble: Trouble) -> list[str]:
        """The hosts of which this is told."""
        return [name for name, one in self.hosts.items() if one.trouble is trouble]

    @classmethod
    def read(cls, raw: object) -> Standing:
        """From what `remembered` gave; what cannot be read was never known."""
        if not isinstance(raw, Mapping):
            return cls()
        try:
            return cls(
                basis=str(raw["basis"]),
                named=raw["named"] is True,
                reached=raw["reached"] is True,
                mute_since=moments.remembered(raw["mute_since"]),
                tried=moments.remembered(raw["tried"]),
                hosts={str(name): _standing(*one) for name, one in raw["hosts"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()

    @property
    def remembered(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "basis": self.basis,
            "named": self.named,
            "reached": self.reached,
            "mute_since": _text(self.mute_since),
            "tried": _text(self.tried),
            "hosts": {
                name: [one.trouble.value, one.turning, _text(one.since)]
                for name, one in self.hosts.items()
            },
        }


NOT_LOOKED = Standing()
"""Of hosts that no run looked at."""


def may_talk(before: Standing, settings: ExchangeSettings, at: datetime) -> bool:
    """Whether a look may go on to port 25: where nobody ever answered, it does so once a day."""
    if settings.try_hosts != "talk" or before.tried is None or not before.is_mute:
        return settings.try_hosts == "talk"
    return not timedelta(0) <= at - before.tried < MUTE


def stood(
    before: Standing, seen: Mapping[str, HostSeen], settings: ExchangeSettings, at: datetime
) -> Standing:
    """What is told after one more look at all configured hosts.

    Nothing is kept of what was told under settings that called something else trouble.
    """
    basis = f"{settings.try_hosts} {settings.tls} {settings.tls_name or ''} {settings.far_side}"
    told = before.hosts if before.basis == basis else {}
    looks = [one for one in seen.values() if one.name in settings.hosts]
    now = Standing(
        basis=basis,
        named=before.named or any(_is_named(one) for one in looks),
        reached=before.reached or any(one.answers for one in looks),
    )
    hosts = {}
    for one in looks:
        sight = seen_as(one, settings, at, named=now.named, reached=now.reached)
        hosts[one.name] = _after(told.get(one.name), sight, at)
    since, tried = before.mute_since, before.tried
    if any(one.answers is not None for one in looks):
        since, tried = since or at, max(at, tried or at)
    if now.reached or settings.try_hosts != "talk":
        since = tried = None
    return Standing(basis, now.named, now.reached, since, tried, hosts)


def seen_as(
    one: HostSeen,
    settings: ExchangeSettings,
    at: datetime,
    *,
    named: bool = True,
    reached: bool = True,
) -> Sight:
    """What one look tells. Without `named` or `reached`, silence tells nothing of the other end."""
    if one.exists is False:
        return Sight(Trouble.UNRESOLVED, _NAME)
    if one.exists is None:
        return Sight(Trouble.UNTOLD, _NAME) if named else Sight(Trouble.NONE, _NOTHING)
    if one.answers is False and reached:
        return Sight(Trouble.SILENT, _PORT)
    if not one.answers:
        return Sight(Trouble.NONE, _NAME)
    if one.starttls is None:
        return Sight(Trouble.NONE, _PORT)
    if not one.starttls:
        return Sight(Trouble.NO_STARTTLS, _TLS)
    if one.certificate is None or not one.certificate.names:
        return Sight(Trouble.NONE, _TLS)
    trouble = of_certificate(
        one.certificate, tls=TLS[settings.tls], name=settings.tls_name or "", at=at
    )
    if not trouble and _is_strange(one.certificate, settings):
        trouble = Trouble.STRANGER
    return Sight(trouble, _CERTIFICATE)


def of_certificate(shown: Certificate, *, tls: str, name: str, at: datetime) -> Trouble:
    """What a connector with these TlsSettings and this TlsDomain has against a certificate."""
    if tls in TRUSTING:
        return Trouble.NONE
    if shown.until is not None and shown.until <= at:
        return Trouble.EXPIRED
    if tls == "DomainValidation" and not shown.is_for(name):
        return Trouble.MISNAMED
    return Trouble.NONE if shown.trusted else Trouble.UNTRUSTED


def _is_strange(shown: Certificate, settings: ExchangeSettings) -> bool:
    """Only of Google is it known which names its hosts show."""
    if settings.far_side != "google_workspace":
        return False
    return not any(f".{one}".endswith(_GOOGLES) for one in shown.names)


def _is_named(one: HostSeen) -> bool:
    """Whether DNS said something: an address needs nobody's answer."""
    return one.exists is not None and one.name not in one.addresses


def _after(before: HostStanding | None, now: Sight, at: datetime) -> HostStanding:
    """What is told of a host after one more look."""
    if before is None:
        if now.trouble not in (Trouble.SILENT, Trouble.UNTOLD):
            return HostStanding(now.trouble)
        before = HostStanding()
    if now.trouble is before.trouble:
        return HostStanding(before.trouble)
    if now.trouble is Trouble.NONE and now.depth < _depth(before.trouble):
        # It did not come as far as the trouble is, but perhaps beyond what seemed to take its place.
        beyond = before.turning and _depth(before.turning) <= now.depth
        return HostStanding(before.trouble) if beyond else before
    if before.turning is not now.trouble or before.since is None or before.since > at:
        return HostStanding(before.trouble, now.trouble, at)
    return HostStanding(now.trouble) if at - before.since >= LASTS else before


def _depth(trouble: Trouble) -> int:
    return _DEPTH.get(trouble, _CERTIFICATE)


def _standing(trouble: object, turning: object, since: object) -> HostStanding:
    turns = None if turning is None else Trouble(str(turning))
    return HostStanding(Trouble(str(trouble)), turns, moments.remembered(since))


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
