"""What a run saw of the smart hosts, kept for the way that is told without asking anybody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exosync_adapters.exchange import moments
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen

HOSTS, LOOKS = "hosts", "looks"
"""Under which keys it is remembered how hosts stand, and what was last seen of them."""

_MOST_ADDRESSES = 20
_MOST_NAMES = 50


def kept(looks: Iterable[HostSeen], settings: ExchangeSettings) -> list[dict[str, Any]]:
    """Each look as JSON, however much a host shows."""
    return [_json(one, settings.tls_name or "") for one in looks]


def recalled(raw: object) -> dict[str, HostSeen]:
    """The looks by host, from what `kept` gave; what cannot be read was never seen."""
    found = {}
    for one in raw if isinstance(raw, list) else ():
        try:
            seen = _seen(one)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if seen.at is not None:
            found[seen.name] = seen
    return found


def _json(seen: HostSeen, tls_name: str) -> dict[str, Any]:
    shown = seen.certificate
    return {
        "name": seen.name,
        "at": seen.at.isoformat() if seen.at else None,
        "addresses": list(seen.addresses[:_MOST_ADDRESSES]),
        "whole": seen.whole and len(seen.addresses) <= _MOST_ADDRESSES,
        "exists": seen.exists,
        "answers": seen.answers,
        "greeting": seen.greeting,
        "starttls": seen.starttls,
        "trouble": seen.trouble,
        "certificate": None if shown is None else _certificate_json(shown, tls_name),
    }


def _certificate_json(shown: Certificate, tls_name: str) -> dict[str, Any]:
    wanted = (one for one in shown.names if tls_name and Certificate((one,)).is_for(tls_name))
    return {
        "names": [*dict.fromkeys((*shown.names[:_MOST_NAMES], *wanted))],
        "until": shown.until.isoformat() if shown.until else None,
        "trusted": shown.trusted,
        "trouble": shown.trouble,
    }


def _seen(raw: Mapping[str, Any]) -> HostSeen:
    shown = raw["certificate"]
    return HostSeen(
        name=str(raw["name"]),
        addresses=tuple(map(str, raw["addresses"])),
        whole=raw["whole"] is True,
        exists=_truth(raw["exists"]),
        answers=_truth(raw["answers"]),
        greeting=str(raw["greeting"]),
        starttls=_truth(raw["starttls"]),
        certificate=None if shown is None else _certificate(shown),
        trouble=str(raw["trouble"]),
        at=moments.remembered(raw["at"]),
    )


def _certificate(raw: Mapping[str, Any]) -> Certificate:
    return Certificate(
        names=tuple(map(str, raw["names"])),
        until=moments.remembered(raw["until"]),
        trusted=raw["trusted"] is True,
        trouble=str(raw["trouble"]),
    )


def _truth(raw: object) -> bool | None:
    return raw if isinstance(raw, bool) else None
