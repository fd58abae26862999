"""What an answer of Mimecast says is wrong, in every shape that it is known to use. Pure.

The gateway answers with a real status and a flat `{"fail": [{"code", "message"}]}`; the functions
behind it also with status 200 and `{"fail": [{"errors": [{"code", "message", "field"}]}]}`
(rapid7/insightconnect-plugins, Azure/Azure-Sentinel, demisto/content). Public clients also read
`message`, `error`, `failures` and `errors`. The codes of most errors are not published.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from exosync.core.words import one_line, short
from exosync.errors import TargetError, TargetUnreachable

_MOST_SHOWN = 300
_MOST_WRONGS = 5
_DEEPEST = 4


class Trouble(Enum):
    """What kind of trouble an answer tells of."""

    EXPIRED = auto()
    DENIED = auto()
    THROTTLED = auto()
    MISSING = auto()
    REJECTED = auto()
    BROKEN = auto()


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error of an answer, as the vendor words it."""

    message: str
    code: str = ""
    field: str = ""

    @property
    def told(self) -> str:
        """The error for people, in one line."""
        parts = [
            f"{self.field}:" if self.field else "",
            self.message,
            self.code and f"({self.code})",
        ]
        return one_line(short(" ".join(one for one in parts if one), _MOST_SHOWN))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong. `wait` are the seconds that the vendor asks to wait for, if it says so."""

    trouble: Trouble
    status: int
    wrongs: tuple[Wrong, ...] = ()
    wait: float | None = None

    @property
    def told(self) -> str:
        """The vendor's words, or the status alone where it says nothing."""
        words = "; ".join(dict.fromkeys(one.told for one in self.wrongs[:_MOST_WRONGS]))
        more = len(self.wrongs) - _MOST_WRONGS
        return (f"{words}; and {more} more" if more > 0 else words) or f"HTTP status {self.status}"

    def names(self, field: str) -> bool:
        """Whether an error names a field."""
        return any(field in f"{one.field} {one.message}" for one in self.wrongs)


@dataclass(frozen=True, slots=True)
class Needs:
    """What an application must have for a kind of call: a product, and a permission of its role.

    Permissions: the scraped developer portal, December 2025. Products, `policymanagement` and
    `cloudgateway`: the ledger of Scriptception/terraform-provider-mimecast, August 2026.
    """

    product: str
    permission: str

    @property
    def both(self) -> str:
        """In words."""
        return f"the product {self.product} and the permission “{self.permission}”"


POLICIES = Needs("Policy Management", "Gateway | Policies | Edit")
SENDERS = Needs("Cloud Gateway", "Gateway | Managed Senders | Edit")
OUTBOUND = Needs("Cloud Gateway", "Account | Settings | Read")

_BY_STATUS = {
    401: Trouble.EXPIRED,
    403: Trouble.DENIED,
    404: Trouble.MISSING,
    408: Trouble.BROKEN,
    410: Trouble.MISSING,
    429: Trouble.THROTTLED,
}


def forbidden(needs: Needs) -> str:
    """What a refusal for want of rights may mean.

    Product, permission and route cannot be told apart (a probe of August 2026, published
    without a name).
    """
    return (
        f"the product {needs.product} or the permission “{needs.permission}” of the application's "
        "role is missing, or there is no such route: Mimecast gives the same answer for all three"
    )


class RejectedError(TargetError):
    """Mimecast did not take what was sent, or a part of it.

    `fault` is what it says of it, `answer` the JSON of the whole answer.
    """

    def __init__(self, message: str, *, fault: Fault, answer: Any = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.answer = answer


class MissingError(RejectedError):
    """There is no such thing as was asked for or named."""


class UnansweredError(TargetUnreachable):
    """Something was sent to be written, and whether it was is not known."""


def judge(status: int, headers: Mapping[str, str], body: bytes) -> tuple[Any, Fault | None]:
    """The JSON of an answer (None if it has none), and what is wrong with it, if anything.

    The names of `headers` are in lower case.
    """
    value, is_json = _decoded(body)
    good = 200 <= status < 300
    if good and not is_json:
        return None, Fault(Trouble.BROKEN, status, (Wrong("the answer is not JSON"),))
    wrongs = tuple(_wrongs(value, strict=good))
    inner = _inner_status(value)
    if good and not wrongs and (inner is None or inner < 400):
        return value, None
    trouble = _trouble(status if not good or inner is None else inner, wrongs)
    wait = _wait(headers) if trouble is Trouble.THROTTLED else None
    return value, Fault(trouble, status, wrongs, wait)


def _decoded(body: bytes) -> tuple[Any, bool]:
    if not body.strip():
        return None, True
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False


def _inner_status(value: object) -> int | None:
    """The status inside: it may be an error where that of HTTP is none."""
    meta = value.get("meta") if isinstance(value, dict) else None
    status = meta.get("status") if isinstance(meta, dict) else None
    return status if isinstance(status, int) else None


def _trouble(status: int, wrongs: tuple[Wrong, ...]) -> Trouble:
    """What the codes say, where they are known, else what the status says."""
    codes = {one.code for one in wrongs}
    if "token_expired" in codes:
        return Trouble.EXPIRED
    if "app_forbidden" in codes:
        return Trouble.DENIED
    if any(code.endswith("not_found") for code in codes):
        return Trouble.MISSING
    return _BY_STATUS.get(status, Trouble.BROKEN if status >= 500 else Trouble.REJECTED)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Milliseconds, as text, or nothing (integrations.mimecast.com; elastic/integrations)."""
    text = headers.get("x-ratelimit-reset", "").strip()
    return int(text) / 1000 if re.fullmatch("[0-9]{1,10}", text) else None


def _wrongs(value: object, *, strict: bool) -> Iterator[Wrong]:
    """Every error in a body. `strict`: the status says that all is well, so `message` is none."""
    if not isinstance(value, Mapping):
        return
    for name in ("fail", "failures", "errors", "error"):
        yield from _listed(value.get(name), _DEEPEST)
    if isinstance(value.get("error_description"), str):
        yield Wrong(value["error_description"])
    if not strict and isinstance(value.get("message"), str):
        yield Wrong(value["message"], _text(value.get("code")))


def _listed(value: object, depth: int) -> Iterator[Wrong]:
    """Errors in a list, an object or a text, with those that lie inside of them."""
    if depth == 0 or not value:
        return
    if isinstance(value, (str, bool)):
        yield Wrong(value if isinstance(value, str) else "an error without words")
    elif isinstance(value, list):
        for one in value:
            yield from _listed(one, depth)
    elif isinstance(value, Mapping):
        inner = [*_listed(value.get("errors"), depth - 1)]
        yield from inner
        message = _text(value.get("message")) or _text(value.get("error"))
        code = _text(value.get("code"))
        if message or code or not inner:
            yield Wrong(
                message or code or "an error without words", code, _text(value.get("field"))
            )


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) else ""
