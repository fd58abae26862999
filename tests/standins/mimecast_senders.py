"""Managed senders and outbound addresses of the stand-in of Mimecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.standins.mimecast_replies import Wrong, json_reply, nested_failures
from tests.standins.mimecast_rest import json_body
from tests.standins.mimecast_switches import Switches
from tests.standins.web import Reply, Request

Json = Any


@dataclass(frozen=True, slots=True)
class ManagedSender:
    """What the account does with mail of an address to another."""

    sender: str
    to: str
    action: str


def permit_or_block(request: Request, senders: list[ManagedSender]) -> Reply:
    """Permit or block what the request names; what is wrong with one item ends not the others.

    POR: 1 to 100 items, addresses only. The answer's shape: R7's test data. That some items of
    a request can fail and others not is unknown.
    """
    items = json_body(request).get("data")
    if not isinstance(items, list) or not 1 <= len(items) <= 100:
        wrong = Wrong("err_validation_size", "must contain from 1 to 100 items", "data")
        return json_reply(_envelope([], nested_failures([(None, wrong)])))
    done, failed = [], []
    for number, item in enumerate(items, start=1):
        wrong_here = next(_wrongs(item), None)
        if wrong_here:
            failed.append((item, wrong_here))
        else:
            done.append(_keep(item, senders, number))
    return json_reply(_envelope(done, nested_failures(failed)))


def outbound_addresses(request: Request, addresses: list[str], switches: Switches) -> Reply:
    """Read, replace or delete the account's whole list (TF, POR)."""
    match request.method:
        case "GET":
            as_text = switches.outbound_entries == "text"
            shown = [one if as_text else {"outboundIpAddress": one} for one in addresses]
            return json_reply({"outboundIpAddresses": shown})
        case "PUT":
            addresses[:] = json_body(request).get("outboundIpAddresses") or []
            return Reply(204)  # unknown
    addresses.clear()
    return Reply(204)  # unknown


def _envelope(data: list[Json], fail: list[Json]) -> Json:
    return {"meta": {"status": 200}, "data": data, "fail": fail}


def _keep(item: Json, senders: list[ManagedSender], number: int) -> Json:
    made = ManagedSender(item["sender"], item["to"], item["action"])
    pair = (made.sender, made.to)
    senders[:] = [one for one in senders if (one.sender, one.to) != pair] + [made]
    return {
        "id": f"MTOKEN:eNo1-{len(senders)}-{number}",
        "sender": made.sender,
        "to": made.to,
        "type": made.action.capitalize(),
    }


def _wrongs(item: Json) -> Iterator[Wrong]:
    """The codes are R7's, their use here is ours."""
    if item.get("action") not in ("permit", "block"):
        yield Wrong("err_validation_invalid_value", "must be permit or block", "action")
    for name in ("sender", "to"):
        value = item.get(name)
        if not value:
            yield Wrong(f"err_validation_blank/{name}", "must not be blank", name)
        elif not _is_address(value):
            yield Wrong("err_validation_invalid_email_address", "is not an email address", name)


def _is_address(text: Json) -> bool:
    local, at, domain = text.rpartition("@") if isinstance(text, str) else ("", "", "")
    return bool(local and at and "." in domain)
