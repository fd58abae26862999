"""What an answer of Exchange Online or Graph says is wrong, and the error that it becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.errors import TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.exchange.admin.faults import (
    DehydratedError,
    ExistsError,
    Fault,
    MissingError,
    ParameterError,
    RejectedError,
    Trouble,
    error,
    judge,
)
from exosync_adapters.exchange.admin.roles import needed

DATA = Path(__file__).parents[1] / "data" / "exchange"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
NULS = b"\0" * 4096
DEHYDRATED = "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException"
EXISTS = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
ARGUMENT = "System.ArgumentException"


def told(type_: str, text: str) -> dict[str, Any]:
    """An error in the form of InvokeCommand."""
    return {"error": {"message": "Invalid Operation", "details": [{"message": f"|{type_}|{text}"}]}}


def fault(status: int, body: Any = b"", **headers: str) -> Fault:
    """The fault of an answer; there must be one."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    found = judge(status, names, data, now=NOW)[1]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, b"", Trouble.TOKEN),
        (403, b"", Trouble.DENIED),
        (403, NULS, Trouble.DENIED),
        (429, b"", Trouble.THROTTLED),
        (503, b"<html>down</html>", Trouble.BROKEN),
        (500, told(EXISTS, "already exists"), Trouble.BROKEN),
        (400, told(ARGUMENT, "is wrong"), Trouble.REJECTED),
        (400, told(EXISTS, "it is there"), Trouble.EXISTS),
        (409, told("", "An object of that name already exists."), Trouble.EXISTS),
        (400, told(DEHYDRATED, "not allowed"), Trouble.DEHYDRATED),
        (400, told("", "Expired or Invalid pagination request."), Trouble.PAGE_GONE),
        (400, told("", "Unable to initialize the authorization context"), Trouble.DENIED),
        (
            400,
            told("", "'Priority' is not present in the role definition of the current user"),
            Trouble.PARAMETER,
        ),
        (400, told("", "A parameter cannot be found that matches name 'X'."), Trouble.PARAMETER),
        (404, told("A.ObjectNotFoundException", "x"), Trouble.MISSING),
        (404, told("", "the object 'X' couldn't be found on 'DC1'."), Trouble.MISSING),
        (404, {"error": {"code": "NotFound", "message": "no such path"}}, Trouble.REJECTED),
        (404, b"<html>a proxy's page</html>", Trouble.REJECTED),
        (405, b"", Trouble.REJECTED),
        (302, b"", Trouble.STRANGE),
        (200, b"<html>a proxy's page</html>", Trouble.STRANGE),
        (200, b"[]", Trouble.STRANGE),
    ],
)
def test_type_and_text_tell_what_kind_of_trouble_it_is_else_the_status(
    status: int, body: Any, trouble: Trouble
) -> None:
    """Types and texts as public clients report them."""
    assert trouble is fault(status, body).trouble


def test_what_happened_stands_inside_the_details() -> None:
    """The outer message is generic; code, type and text are one text with bars between them."""
    found = fault(404, (DATA / "error-not-found.json").read_bytes())

    assert Trouble.MISSING is found.trouble
    assert found.type.endswith(".ManagementObjectNotFoundException")
    assert "object 'X' couldn't be found on 'DC1'." in found.told
    assert "Stack()" not in found.told


def test_details_may_lack_the_code() -> None:
    """`|type|text` is as good as `ExNNNNNN|type|text`."""
    found = fault(400, (DATA / "error-argument.json").read_bytes())

    assert "System.ArgumentException" == found.type
    assert found.text.startswith("To be valid, all rules have to include at least one action.")


@pytest.mark.parametrize(
    "inner",
    [
        {"internalexception": {"message": "why", "type": "A.B"}, "message": "generic"},
        {"message": "why", "type": "A.B"},
    ],
)
def test_without_details_the_deepest_message_is_told(inner: dict[str, Any]) -> None:
    """What an error lacks on one level it has on another."""
    found = fault(400, {"error": {"message": "Invalid Operation", "innererror": inner}})

    assert "why (B)" == found.told


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Thu, 26 Nov 2026 12:00:09 GMT"}, 9.0),
        ({"rate_limit_reset": "2026-11-26T12:00:16.0000000Z"}, 16.0),
        (
            {
                "rate_limit_reset": "2026-11-26T09:00:05Z",
                "date": "Thu, 26 Nov 2026 09:00:00 GMT",
            },
            5.0,
        ),
        # What is over, what is far off, and what is no time: nothing is known.
        ({"rate_limit_reset": "2026-11-26T11:00:00Z"}, None),
        ({"rate_limit_reset": "9999-12-31T23:59:59Z"}, None),
        ({"rate_limit_reset": "0001-01-01T00:00:00"}, None),
        ({"rate_limit_reset": "soon"}, None),
        ({"rate_limit_reset": "1764158416"}, None),
        ({"retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        ({"retry_after": "Mon, 0 Jan 00 00:00:00 -00002400000000000"}, None),
        ({"date": "Mon, 0 Jan 00 00:00:00 -00002400000000000"}, None),
        # Our clock is wrong by hours, one way and the other: the answer's date counts.
        (
            {"rate_limit_reset": "2026-11-26T15:00:07Z", "date": "Thu, 26 Nov 2026 15:00:00 GMT"},
            7.0,
        ),
        # It is not told, and ours is behind: a wait of hours is believed, and left to the next run.
        ({"rate_limit_reset": "2026-11-26T15:00:00Z"}, 10_800.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_told_in_seconds_or_by_a_time(
    headers: dict[str, str], seconds: float | None
) -> None:
    """By the vendor's own clock where the answer shows it."""
    assert seconds == fault(429, b"", **headers).wait


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Trouble.TOKEN, TargetDenied),
        (Trouble.DENIED, TargetDenied),
        (Trouble.PARAMETER, ParameterError),
        (Trouble.THROTTLED, TargetUnreachable),
        (Trouble.MISSING, MissingError),
        (Trouble.EXISTS, ExistsError),
        (Trouble.DEHYDRATED, DehydratedError),
        (Trouble.PAGE_GONE, RejectedError),
        (Trouble.REJECTED, RejectedError),
        (Trouble.BROKEN, TargetUnreachable),
        (Trouble.STRANGE, TargetError),
    ],
)
def test_every_trouble_becomes_one_error(trouble: Trouble, expected: type[TargetError]) -> None:
    """No trouble is left out, and each message names the command and the vendor's words."""
    made = error("host: Set-TransportRule", "Set-TransportRule", Fault(trouble, 400, "", "why"))

    assert expected is type(made)
    assert "host: Set-TransportRule: " in str(made)
    assert "why" in str(made)


def test_a_refusal_without_words_names_the_command_and_the_roles() -> None:
    """An empty 403 and one of NUL bytes say nothing themselves."""
    made = str(error("h: Get-OutboundConnector", "Get-OutboundConnector", fault(403, NULS)))

    assert "\0" not in made
    for part in ("status 403", "Get-OutboundConnector", "Exchange.ManageAsApp", "Global Reader"):
        assert part in made


@pytest.mark.parametrize(
    ("cmdlet", "role"),
    [
        ("Get-TransportRule", "View-Only Configuration"),
        ("Get-Recipient", "View-Only Recipients"),
        ("Set-OutboundConnector", "Remote and Accepted Domains"),
        ("Validate-OutboundConnector", "Remote and Accepted Domains"),
        ("Disable-TransportRule", "Transport Rules"),
    ],
)
def test_what_is_needed_depends_on_the_command(cmdlet: str, role: str) -> None:
    """The roles of Exchange Online are those that Microsoft365DSC lists."""
    assert f"“{role}”" in needed(cmdlet)


def test_an_organization_that_cannot_be_changed_yet_is_told_what_to_do() -> None:
    """Nobody else than an administrator takes the step, since it cannot be undone."""
    made = str(
        error("h: New-TransportRule", "New-TransportRule", fault(400, told(DEHYDRATED, "x")))
    )

    assert "Enable-OrganizationCustomization" in made


def test_a_role_that_is_missing_may_be_told_with_status_401() -> None:
    """The body then names the command."""
    body = (DATA / "error-unauthorized.json").read_bytes()

    assert "User is not allowed to call Get-OutboundConnector" in fault(401, body).told


def test_a_good_answer_is_its_json() -> None:
    """Nothing is wrong with it, nor with one that is empty."""
    body = (DATA / "success.json").read_bytes()

    value, none = judge(200, {}, body, now=NOW)

    assert none is None
    assert ["Example.COM"] == [one["Name"] for one in value["value"]]
    assert ({}, None) == judge(204, {}, b"", now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "details",
                    "message",
                    "innererror",
                    "internalexception",
                    "type",
                    "code",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.integers(200, 599),
    JSON,
    st.dictionaries(
        st.sampled_from(["retry-after", "date", "rate-limit-reset"]), st.text(max_size=30)
    ),
)
def test_whatever_is_answered_is_judged(status: int, body: Any, headers: dict[str, str]) -> None:
    """No answer makes a traceback, and no words of it make a second line."""
    _, found = judge(status, headers, json.dumps(body).encode(), now=NOW)

    if found is not None:
        assert 1 == len(found.told.splitlines())
        assert isinstance(error("h: Get-X", "Get-X", found), TargetError)


@given(st.binary(max_size=64), st.sampled_from([200, 400, 403, 404, 500]))
def test_whatever_bytes_come_are_judged(body: bytes, status: int) -> None:
    """Bodies need not be JSON, nor text."""
    _, found = judge(status, {}, body, now=NOW)

    assert status == 200 or found is not None


def test_whoever_is_asked_to_wait_is_told_what_to_do() -> None:
    """Nothing: the next run tries again; and where to look if that goes on."""
    made = error("host: Get-TransportRule", "Get-TransportRule", Fault(Trouble.THROTTLED, 429))

    assert "the next run tries again by itself" in str(made)
    assert "what else asks so much of this tenant" in str(made)
