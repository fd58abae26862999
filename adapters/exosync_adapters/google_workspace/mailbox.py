"""Looking for one message in a mailbox, with the least that Gmail offers for it.

The scope gmail.metadata gives headers and labels, no bodies; it also forbids to search (`q`:
Gmail's discovery document), so the messages that Gmail lists first are looked at one by one. Of
those that are not looked for only the id and the time are asked for, and nothing is kept.

In which order Gmail lists is not documented. The newest come first, as everybody sees; where they
do not, the whole of what may be looked at is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from exosync.core.trace import Sent
from exosync_adapters.google_workspace.headers import WANTED, Headers
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.waiting import look_until

MOST: Final = 100
"""Messages that are looked at. Each costs 20 of a user's 6,000 units a minute at most (Google,
"Gmail API usage limits", May 2026)."""

_PAGE: Final = 25
_OLDER: Final = 10
"""So many in falling order that are older than the message: what follows is older still."""

_EARLIER: Final = timedelta(minutes=5)
"""The clocks of Google and of this machine may differ by so much."""

_LONGEST: Final = 1000  # of an id (RFC 5322, section 2.1.1: 998 characters)


@dataclass(frozen=True, slots=True)
class Found:
    """A message in a mailbox. `at` is when Google took it ("internalDate"); None: not told."""

    labels: tuple[str, ...]
    at: datetime | None
    headers: Headers


class Mailbox:
    """One mailbox; what was looked at once is not asked for again.

    `is_whole` tells whether the last look was at all that may be the message.
    """

    def __init__(self, google: Google, address: str) -> None:
        self._google, self._session = google, google.mailbox(address)
        self._looked_at: dict[str, _Brief] = {}
        self.is_whole = False

    def wait_for(self, sent: Sent, *, within: timedelta) -> Found | None:
        """Look until the message is there or the time is over. Raises the errors of targets."""
        return look_until(lambda: self.find(sent), within=within, pause=self._google.pause)

    def find(self, sent: Sent) -> Found | None:
        """Look once. Raises the errors of targets."""
        wanted, fall = _plain(sent.message_id), _Fall(sent.at and sent.at - _EARLIER)
        self.is_whole = False
        number = 0
        for number, ident in enumerate(islice(self._listed(), MOST), 1):  # noqa: B007
            brief = self._brief(ident)
            if wanted in brief.ids and (found := self._found(ident)) is not None:
                return found
            if fall.is_below(brief.at):
                self.is_whole = True
                return None
        self.is_whole = number < MOST
        return None

    def _listed(self) -> Iterator[str]:
        def page(service: Any, /, *, page_token: str | None) -> Any:
            more = {"pageToken": page_token} if page_token else {}
            return (
                service.users()
                .messages()
                .list(
                    userId="me",
                    includeSpamTrash=True,
                    maxResults=_PAGE,
                    fields="messages/id,nextPageToken",
                    **more,
                )
            )

        for each in self._google.pages(self._session, page):
            for one in _list(each.get("messages")):
                if isinstance(one, dict) and isinstance(one.get("id"), str):
                    yield one["id"]

    def _brief(self, ident: str) -> _Brief:
        if ident not in self._looked_at:
            told = self._get(ident, ("Message-ID",), "internalDate,payload/headers")
            ids = {_plain(value) for name, value in _headers(told) if name.lower() == "message-id"}
            self._looked_at[ident] = _Brief(frozenset(ids), _moment(told))
        return self._looked_at[ident]

    def _found(self, ident: str) -> Found | None:
        told = self._get(ident, WANTED, "labelIds,internalDate,payload/headers")
        if not told:
            return None
        labels = tuple(str(one) for one in _list(told.get("labelIds")))
        return Found(labels, _moment(told), _headers(told))

    def _get(self, ident: str, headers: tuple[str, ...], fields: str) -> Mapping[str, Any]:
        """Parts of a message; nothing if it is gone."""
        told = self._google.find(
            self._session,
            lambda service: (
                service.users()
                .messages()
                .get(
                    userId="me",
                    id=ident,
                    format="metadata",
                    metadataHeaders=list(headers),
                    fields=fields,
                )
            ),
        )
        return told or {}


@dataclass(frozen=True, slots=True)
class _Brief:
    ids: frozenset[str]
    at: datetime | None


class _Fall:
    """Whether a listing falls from new to old, and has come below a time for good.

    Never, if that time is not known.
    """

    def __init__(self, since: datetime | None) -> None:
        self._since, self._last, self._older = since, datetime.max.replace(tzinfo=UTC), 0

    def is_below(self, at: datetime | None) -> bool:
        """Whether what follows this message is older than that time."""
        if at is None or self._since is None:
            return False
        falls = at <= self._last
        self._older = self._older + 1 if falls and at < self._since else 0
        self._last = at
        return self._older >= _OLDER


def _headers(told: Mapping[str, Any]) -> Headers:
    payload = told.get("payload")
    given = _list(payload.get("headers")) if isinstance(payload, dict) else []
    return tuple(
        (one["name"], one["value"])
        for one in given
        if isinstance(one, dict)
        and isinstance(one.get("name"), str)
        and isinstance(one.get("value"), str)
    )


def _moment(told: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(told["internalDate"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _plain(message_id: str) -> str:
    return message_id[:_LONGEST].strip().removeprefix("<").removesuffix(">")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
