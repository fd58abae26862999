"""The Gmail API: users.getProfile, users.messages.list and get, over the mailboxes of the mail flow.

"discovery" is Google's discovery document of the API (in the google-api-python-client wheel). That a
search is refused with gmail.metadata, and in which words, is seen (qualman/gmail_delete_by_filter#5);
that a body is, too (Slava/meteor-gmail#7). A user without Gmail gets 400 "Mail service not enabled"
(seen). Newest first is how the list comes (seen, not documented); `Switches.oldest_first` is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.standins import google_pages
from tests.standins import google_replies as replies
from tests.standins.google_switches import READ_HEADERS, Switches
from tests.standins.mailflow_letter import Letter
from tests.standins.web import Reply, Request

Json = Any

_OTHER_USER = "Delegation denied for {user}"  # seen
_NO_SEARCH = "Metadata scope does not support 'q' parameter"
_NO_BODIES = "Metadata scope doesn't allow format {format}"
_MOST = 500  # discovery: "The maximum allowed value for this field is 500"


@dataclass(frozen=True, slots=True)
class Kept(Letter):
    """A message in a mailbox; `at` is when Google took it."""

    at: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    labels: tuple[str, ...] = ("UNREAD", "INBOX")

    @property
    def headers(self) -> list[Json]:
        """The headers as the API gives them: folded lines in one."""
        return [
            {"name": name, "value": " ".join(str(value).split())}
            for name, value in self.message.raw_items()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What Google notes of a message on its arrival; `judged` is the address that SPF is about."""

    at: datetime
    recipient: str
    source: str
    name: str
    judged: str
    spf: str
    tls: str = ""

    def headers(self, sender: str) -> bytes:
        """The headers that Gmail puts above the message, in its own order."""
        when = format_datetime(self.at - timedelta(microseconds=self.at.microsecond))
        with_tls = f"\r\n        (version={self.tls.replace('v', '').replace('.', '_')})"
        does = "designates" if self.spf == "pass" else "does not designate"
        said = f"google.com: domain of {sender} {does} {self.judged} as permitted sender"
        spf = f"{self.spf} ({said})"
        how = "ESMTPS" if self.tls else "ESMTP"
        taken = (
            f"Received: from {self.name} ({self.name}. [{self.source}])",
            f"        by mx.google.com with {how} id l1si1wrb",
            f"        for <{self.recipient}>{with_tls if self.tls else ''};",
            f"        {when}",
        )
        lines = (
            f"Delivered-To: {self.recipient}",
            f"Received: by 2002:a05:6000:2a1:0:0:0:1 with SMTP id l1csp1wrb;\r\n        {when}",
            f"Return-Path: <{sender}>",
            *taken,
            f"Received-SPF: {spf} client-ip={self.judged};",
            f"Authentication-Results: mx.google.com;\r\n       spf={spf} smtp.mailfrom={sender}",
        )
        return "".join(f"{one}\r\n" for one in lines).encode("ascii")


class Gmail:
    """The mailboxes by their owners' addresses: the mail flow's own, where there is one."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, list[Kept]] = {}

    def answer(self, called: str, request: Request, parts: Mapping[str, str], who: Caller) -> Reply:
        """Answer a method; that the scope is one of the method's was settled before."""
        user = parts["userId"]
        if user not in ("me", who.user):
            return replies.forbidden(_OTHER_USER.format(user=user))
        box = self.mailboxes.get(who.user.lower())
        if box is None or who.user in who.switches.no_gmail:
            return replies.no_gmail()
        answered: Callable[..., Reply] = {
            "gmail.users.getProfile": self._profile,
            "gmail.users.messages.list": self._listed,
            "gmail.users.messages.get": self._get,
        }[called]
        return answered(box, request, parts, who)

    def _profile(
        self, box: Sequence[Kept], request: Request, _: Mapping[str, str], who: Caller
    ) -> Reply:
        told = {"emailAddress": who.user, "messagesTotal": len(box), "historyId": "1"}
        return _partial(told, request)

    def _listed(
        self, box: Sequence[Kept], request: Request, _: Mapping[str, str], who: Caller
    ) -> Reply:
        query = request.query
        if "q" in query and READ_HEADERS in who.scopes:
            return replies.forbidden(_NO_SEARCH)
        try:
            place = google_pages.place(query) or google_pages.Place()
        except ValueError:
            return replies.error(400, "Invalid pageToken")  # words ours
        with_all = query.get("includeSpamTrash") == "true"
        shown = [
            number
            for number, one in enumerate(box)
            if with_all or not {"SPAM", "TRASH"} & set(one.labels)
        ]
        shown.sort(key=lambda number: box[number].at, reverse=not who.switches.oldest_first)
        size = min(int(query.get("maxResults", "100")), _MOST)
        page = shown[place.at : place.at + size]
        told: Json = {"resultSizeEstimate": len(shown)}
        if page:
            told["messages"] = [{"id": _id(one), "threadId": _id(one)} for one in page]
        if place.at + size < len(shown):
            further = google_pages.Place(place.at + size)
            told["nextPageToken"] = google_pages.token(further, query)
        return _partial(told, request)

    def _get(
        self, box: Sequence[Kept], request: Request, parts: Mapping[str, str], who: Caller
    ) -> Reply:
        wanted = request.query.get("format", "full")
        if READ_HEADERS in who.scopes and wanted in ("full", "raw"):
            return replies.forbidden(_NO_BODIES.format(format=wanted.upper()))
        found = next((n for n in range(len(box)) if _id(n) == parts["id"]), None)
        if found is None:
            return replies.entity_not_found()
        one = box[found]
        headers = {value.lower() for name, value in request.pairs if name == "metadataHeaders"}
        told = {
            "id": _id(found),
            "threadId": _id(found),
            "labelIds": list(one.labels),
            "internalDate": str(int(one.at.timestamp() * 1000)),
            "sizeEstimate": len(one.content),
            "historyId": "1",
        }
        if wanted == "metadata":
            shown = [h for h in one.headers if not headers or h["name"].lower() in headers]
            told["payload"] = {"mimeType": "text/plain", "headers": shown}
        return _partial(told, request)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with which scopes, and what holds for the answer."""

    user: str
    scopes: frozenset[str]
    switches: Switches


def _id(number: int) -> str:
    return f"19a{number:013x}"


def _partial(value: Json, request: Request) -> Reply:
    """The answer, or the parts of it that `fields` names: a,b/c (Google, "Performance tips")."""
    asked = request.query.get("fields")
    paths = [one.split("/") for one in asked.split(",")] if asked else []
    return replies.success(_cut(value, paths) if paths else value)


def _cut(value: Json, paths: Sequence[Sequence[str]]) -> Json:
    if isinstance(value, list):
        return [_cut(one, paths) for one in value]
    if not isinstance(value, dict) or any(not one for one in paths):
        return value
    return {
        name: _cut(held, [one[1:] for one in paths if one[0] == name])
        for name, held in value.items()
        if any(one[0] == name for one in paths)
    }
