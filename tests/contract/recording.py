"""Cassettes of what goes over the wire: recorded from a stand-in, replayed without one (vcrpy).

A cassette holds one whole conversation in its order. Replaying it, each request must be the
next one that was recorded, by method, path, query and body; what differs is shown as a diff.
Nothing in a cassette depends on when, where or by whom it was recorded: ports, dates, secrets,
tokens and headers without meaning are left out, and JSON is laid out for people.
"""

from __future__ import annotations

import base64
import difflib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import vcr
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

Json = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "cassettes"
RECORD = "EXOSYNC_RECORD"
"""The environment variable that makes pytest record anew."""

FILTERED = "FILTERED"
_KEPT_OF_REQUESTS = (
    *("accept", "authorization", "content-type"),
    *("prefer", "x-anchormailbox", "commandname"),
)
_KEPT_OF_ANSWERS = ("content-type", "cache-control", "location")


@dataclass(frozen=True)
class Conversation:
    """What may be said with whom: the base address, its name in the cassette, and the secrets.

    `secrets` are asked for anew each time, since tokens are given out on the way. `passing` are
    patterns of what is another one with each recording, and what stands for it.
    """

    name: str
    base: str
    secrets: Callable[[], tuple[str, ...]]
    passing: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path:
        """The cassette."""
        return FOLDER / f"{self.name}.yaml"

    @property
    def host(self) -> str:
        """The stand-in as the cassette names it."""
        return f"http://{self.name.partition('-')[0]}.stand-in"

    def request(self, request: Any) -> Any | None:
        """A request as the cassette has it; None for another host's, which just goes through."""
        parts, base = urlsplit(request.uri), urlsplit(self.base)
        if f"{parts.scheme}://{parts.netloc}" not in (self.base, self.host):
            return None
        assert parts.netloc in (base.netloc, urlsplit(self.host).netloc)
        request.uri = self._clean(request.uri.replace(self.base, self.host))
        body = _readable(_text(request.body), request.headers)
        request.body = laid_out(self._clean(_without_signature(body)))
        kept = {name.lower(): value for name, value in request.headers.items()}
        request.headers = {name: _text(kept[name]) for name in _KEPT_OF_REQUESTS if name in kept}
        if "authorization" in request.headers:
            request.headers["authorization"] = FILTERED
        return request

    def answer(self, answer: Json) -> Json:
        """An answer as the cassette has it."""
        body = laid_out(self._clean(_text(answer["body"]["string"])))
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        kept = {name: headers[name] for name in _KEPT_OF_ANSWERS if name in headers}
        return {"status": answer["status"], "headers": kept, "body": {"string": body.encode()}}

    def _clean(self, text: str) -> str:
        for secret in sorted(self.secrets(), key=len, reverse=True):
            text = text.replace(secret, FILTERED)
        for pattern, meaning in self.passing:
            text = re.sub(pattern, meaning, text)
        return text.replace(self.base, self.host)


@contextmanager
def conversation(about: Conversation) -> Iterator[None]:
    """Record what is said inside, or hold it against what was recorded.

    Raises AssertionError with the difference.
    """
    is_recording = bool(os.environ.get(RECORD))
    if is_recording:
        about.path.unlink(missing_ok=True)
    recorder = _recorder(about)
    mode = vcr.mode.ONCE if is_recording else vcr.mode.NONE
    try:
        with recorder.use_cassette(str(about.path), record_mode=mode) as cassette:
            cassette._match_on = (_next_of(cassette), *cassette._match_on)
            yield
    except CannotOverwriteExistingCassetteException as error:
        raise AssertionError(_told(about, error.cassette, error.failed_request)) from None
    if not is_recording:
        left = [_words(one) for one in cassette.requests[cassette.play_count :]]
        assert not left, f"{about.path.name}: never asked for any more:\n" + "\n".join(left)


def _recorder(about: Conversation) -> vcr.VCR:
    recorder = vcr.VCR(
        before_record_request=about.request,
        before_record_response=about.answer,
        decode_compressed_response=True,
        match_on=("method", "path", "query", "headers", "body"),
        serializer="readable",
    )
    recorder.register_serializer("readable", _Readable)
    return recorder


def _next_of(cassette: Any) -> Callable[[Any, Any], None]:
    """Whether a recorded request is the one whose turn it is."""

    def next_in_turn(_asked: Any, recorded: Any) -> None:
        turn = cassette.play_count
        assert turn < len(cassette.requests), "nothing more was recorded"
        assert cassette.requests[turn] is recorded, "it is not the next one"

    return next_in_turn


def _told(about: Conversation, cassette: Any, asked: Any) -> str:
    """What was to come, and what came."""
    turn, got = cassette.play_count, about.request(asked)
    recorded = cassette.requests[turn : turn + 1]
    diff = difflib.unified_diff(
        _words(recorded[0]).splitlines() if recorded else [],
        _words(got).splitlines(),
        fromfile=f"request {turn + 1} of {len(cassette)} as recorded",
        tofile="as it is now",
        lineterm="",
        n=10_000,
    )
    remedy = f"if that is meant, record anew: {RECORD}=1 and pytest on this test"
    return "\n".join([f"{about.path.name} is not what goes over the wire; {remedy}", *diff])


def _words(request: Any) -> str:
    headers = [f"{name}: {_text(value)}" for name, value in sorted(request.headers.items())]
    return "\n".join([f"{request.method} {request.uri}", *headers, _text(request.body)])


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        value = value[0]
    return value.decode() if isinstance(value, bytes) else str(value or "")


def _without_signature(form: str) -> str:
    """A form whose JWT is replaced by what it claims, but for when (RFC 7523)."""
    fields = dict(parse_qsl(form))
    if "assertion" not in fields:
        return form
    payload = fields["assertion"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    lasting = {name: value for name, value in claims.items() if name not in ("iat", "exp")}
    return json.dumps({**fields, "assertion": {"claims": lasting, "signature": FILTERED}})


def _readable(body: str, headers: Mapping[str, Any]) -> str:
    """A message that is sent as MIME in base64 (Graph's sendMail), as people read it."""
    kinds = [_text(value) for name, value in headers.items() if name.lower() == "content-type"]
    is_coded = kinds == ["text/plain"] and re.fullmatch(r"[A-Za-z0-9+/=]+", body)
    return base64.b64decode(body).decode() if is_coded else body


def laid_out(text: str) -> str:
    """JSON with a member a line, in its own order; anything else as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=1, ensure_ascii=False)


class _Readable:
    """YAML with texts of several lines as blocks."""

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        return yaml.dump(dict(cassette), Dumper=_Dumper, sort_keys=False, allow_unicode=True)

    @staticmethod
    def deserialize(text: str) -> Any:
        return yaml.safe_load(text)


class _Dumper(yaml.SafeDumper):
    """Blocks for texts of several lines."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)
