"""What an address or a host is, and who knows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from exosync.core.desired import Desired
from exosync.core.explain import Answer, explain_address, explain_host, since_version
from exosync.core.ranges import IpRanges
from exosync.errors import MalformedError, RangeError
from exosync.views.source import Source

Json = dict[str, Any]


class Asked(Protocol):
    """A target that is asked about addresses, however many they are."""

    def about(self, address: IpRanges) -> Json:
        """What it knows of one: `name`, `kind`, `knows` (true, false, null) and `says`."""
        ...


def explain_view(
    source: Source,
    what: str,
    *,
    resolve: Callable[[str], Sequence[IpRanges]],
    ask: Callable[[Desired], Sequence[Asked]],
) -> Json:
    """Everything that is known of an address, a CIDR or a host.

    `resolve` finds a host's addresses, `ask` whoever is asked about them; it is called once,
    and not at all if there are no addresses. Raises MalformedError for a text that is neither,
    and FeedError before the first version is adopted.
    """
    desired = source.desired()
    parsed, host = parse(what)
    addresses = [parsed] if parsed is not None else list(resolve(host or ""))
    view: Json = {"query": what, "version": desired.version, "instance": desired.instance}
    if host is not None:
        answers = explain_host(host, source.snapshot(desired.version))
        view["host"] = [_answer(one) for one in answers]
    asked = ask(desired) if addresses else ()
    view["addresses"] = [_address(source, one, desired, asked) for one in addresses]
    return view


def parse(what: str) -> tuple[IpRanges | None, str | None]:
    """What is asked for: an address or range, or else the name of a host.

    An address may stand in brackets, or be an IPv4 address in IPv6 clothes, as in mail logs.
    Raises MalformedError.
    """
    text = _MAPPED.sub("", what.strip().strip("[]"))
    try:
        return IpRanges.parse(text), None
    except RangeError as error:
        if _is_host(text):
            return None, text
        looks_like_one = any(sign in text for sign in ":/") or text.replace(".", "").isdigit()
        why = str(error) if looks_like_one else f"{what!r} is neither an address nor a host name"
        raise MalformedError(
            f"{why}; ask for something like 40.92.0.1, 40.92.0.0/15 or mail.example.com"
        ) from error


_MAPPED = re.compile(r"^(IPv6:)?(::ffff:(?=[0-9.]+$))?", re.IGNORECASE)


def _is_host(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return (
        len(labels) > 1
        and all(
            label and len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum()
            for label in labels
        )
        and not labels[-1].isdigit()
    )


def _address(source: Source, address: IpRanges, desired: Desired, asked: Sequence[Asked]) -> Json:
    mail = source.mail(desired.version)
    versions = sorted(
        (one.version for one in source.store.snapshots(source.instance)), reverse=True
    )
    since = since_version(address, ((one, source.mail(one).ranges) for one in versions))
    answers = explain_address(address, source.snapshot(desired.version), mail, desired, since)
    return {
        "address": _shown(address),
        "mail": address <= mail.ranges,
        "desired": address <= desired.ranges,
        "answers": [_answer(one) for one in answers],
        "targets": [one.about(address) for one in asked],
    }


def _shown(address: IpRanges) -> str:
    """A single address without its prefix length."""
    text = next(iter(address))
    single = address.addresses(4) + address.addresses(6) == 1
    return text.partition("/")[0] if single else text


def _answer(one: Answer) -> Json:
    return {"kind": one.kind, "text": one.text}
