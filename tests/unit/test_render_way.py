"""The way of a message in a terminal, where a message was sent: what is to be copied stays whole."""

from __future__ import annotations

from typing import Any

import pytest

from exosync.render.way import drawn

Json = dict[str, Any]

IDENT = f"exosync-{'0123456789abcdef' * 2}@example.com"
AGAIN = f"exosync trace ada@example.com alan@example.com --sent {IDENT}"


def lines(width: int = 60, **more: Any) -> list[str]:
    """The lines of a way with nothing on it but what is given."""
    way: Json = {"target": "exchange", "error": None, "ok": None, "stages": [], **more}
    view = {"from": "ada@example.com", "to": "alan@example.com", "ways": [way]}
    return [text for text, _ in drawn(view, width=width)]


def sent(*says: str, at: str | None = None, **errors: str) -> Json:
    """What became of the message, as one station tells it."""
    stage = {"kind": "happened", "title": "not yet", "ok": None, "sure": "seen", "says": [*says]}
    return {"message_id": f"<{IDENT}>", "at": at, "stages": [stage], "errors": errors}


@pytest.mark.parametrize("width", [32, 60, 200])
def test_a_command_is_not_broken(width: int) -> None:
    """However narrow the terminal is: it breaks the line itself, and copies it whole."""
    (found,) = (one for one in lines(width, sent=sent("or ask again:", AGAIN)) if AGAIN in one)
    assert found.endswith(f"  {AGAIN}")


def test_of_a_message_that_was_sent_now_the_time_is_told() -> None:
    """Of one that was sent before nobody knows it."""
    at = "2026-11-26T03:49:02.104553+00:00"
    assert "sent at 03:49:02 UTC as" in "\n".join(lines(sent=sent(at=at)))
    assert f"what became of <{IDENT}>" in lines(width=100, sent=sent())


def test_who_could_not_tell_can_be_asked_again() -> None:
    """Below the reason."""
    told = lines(sent=sent(exchange="a permission is lacking"))
    assert ["exchange cannot tell: a permission is lacking", "to ask again:", AGAIN] == told[-3:]


def test_why_a_message_was_not_sent_stands_below_the_way() -> None:
    """With the command that asks whether it was, if that is not certain."""
    told = lines(send_error=f"no answer; whether it was sent, this tells: {AGAIN}")
    assert ["sending failed: no answer; whether it was sent, this tells:", AGAIN] == told[-2:]

    assert ["sending failed: denied"] == lines(send_error="denied")[-1:]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("smart_host", "goes astray: gate.test (it offers no STARTTLS)"),
        ("rule", "goes astray: gate.test (it offers no STARTTLS)"),
        ("gateway", "goes astray: gate.test"),
    ],
)
def test_why_it_goes_astray_stands_in_the_last_line(kind: str, told: str) -> None:
    """Of a host or a rule the name alone says nothing; of others the title does."""
    says = ["it offers no STARTTLS", "answers: gate.test ESMTP"]
    stage = {"kind": kind, "title": "gate.test", "ok": False, "sure": "seen", "says": says}
    assert told == lines(ok=False, stages=[stage])[-2]
