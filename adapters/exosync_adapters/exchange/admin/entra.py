"""What Microsoft Entra says when it gives no token, and what to do about it. Pure.

Codes: Microsoft Learn, "Microsoft Entra authentication and authorization error codes". They may
change: nothing is decided by them, they only choose the advice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from exosync.core.words import one_line, short
from exosync.errors import TargetDenied
from exosync_adapters.exchange.clouds import CLOUDS

_TENANT = "see whether `tenant` is this organization's id, and `cloud` the one that it is in"
_SECRET = "put a client secret that has not ended into credentials.secret: its value, not its id"  # noqa: S105
_CERTIFICATE = "upload the certificate to the application, and see that it has not ended"
_FEDERATED = (
    "see whether issuer, subject and audience of the token are those of a federated credential of "
    "the application"
)

ADVICE: Final[Mapping[str, str]] = {
    "90002": _TENANT,
    "900023": _TENANT,
    "700016": "see whether `client_id` is the id of an application of this tenant",
    "7000112": "the application is disabled: enable it, or name another",
    "7000215": _SECRET,
    "7000222": _SECRET,
    "700027": _CERTIFICATE,
    "700021": _FEDERATED,
    "700024": "the token of the other issuer has ended, or a clock is wrong: let it be renewed",
    "70021": _FEDERATED,
    "700211": _FEDERATED,
    "700212": _FEDERATED,
    "700213": _FEDERATED,
    "500011": "see whether `cloud` is right, and Exchange Online is part of this tenant",
    "53003": "Conditional Access forbids it: let the application sign in from here",
}

_CODE = re.compile(r"AADSTS(\d+)")
_TAIL = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)


def denied(host: str, answer: Mapping[str, Any]) -> TargetDenied:
    """The error for an answer without a token; its ids and times are not told again."""
    said = _text(answer.get("error_description"))
    code = _CODE.search(said)
    words = one_line(short(_TAIL.sub("", said), 300)) or _text(answer.get("error"))
    advice = ADVICE.get(code[1], "") if code else ""
    todo = advice or "see the application's credentials, and whether they are allowed for it"
    return TargetDenied(f"{host} gives no token: {words or 'it does not say why'}; {todo}")


def elsewhere(host: str, url: str) -> str:
    """What is said where Entra gives the tenant's tokens at a host that is not the cloud's own.

    A login host tells of a tenant in another cloud where that one is.
    """
    try:
        named = urlsplit(url).hostname or "no host"
    except ValueError:
        named = "no host"
    told = f"{host} names {named}, which is none of its own: nothing is sent there"
    clouds = [one.name for one in CLOUDS.values() if urlsplit(one.login).hostname == named]
    return (
        f"{told}; the tenant is in the cloud {' or '.join(clouds)}: set `cloud`" if clouds else told
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
