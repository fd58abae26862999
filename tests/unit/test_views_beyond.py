"""What receivers say of the addresses that a message leaves from, in the families that count."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.trace import Pool, Stage, Sure, Way
from exosync.views.beyond import Beyond
from exosync.views.source import Source

Json = dict[str, Any]

V4, V6 = ("40.92.0.0/15", "40.107.0.0/16"), ("2a01:111:f400::/48",)
RELAY = "40.95.0.0/16"
DESIRED = Desired("Worldwide", "1", IpRanges.parse([*V4, *V6]))


class Receiver:
    """A target that knows some ranges."""

    def __init__(self, *known: str) -> None:
        self._known = IpRanges.parse(known)

    def about(self, address: IpRanges) -> Json:
        """Whether it knows them all."""
        return {"name": "edge", "kind": "file", "knows": address <= self._known, "says": ["so"]}


def told(
    *known: str,
    families: tuple[str, ...] = (),
    own: str = "both",
    pool: Pool = Pool.MAIL,
    kind: str = "file",
    to: str = "example.com",
    by: str = "",
) -> list[Stage]:
    """What is said of the addresses of a message that leaves by these families, and a connector."""
    settings = SimpleNamespace(domain="example.com")
    edge = SimpleNamespace(name="edge", kind=kind, families=own, settings=settings, is_router=False)
    way_out = SimpleNamespace(
        name="exchange", kind="exchange", families="both", settings=settings, is_router=True
    )
    source = SimpleNamespace(
        config=SimpleNamespace(targets=[edge, way_out]), desired=lambda: DESIRED
    )
    beyond = Beyond(cast("Source", source), "ada@example.com", lambda _: [Receiver(*known)])
    taken = (Stage("connector", by, "it takes the message", True, Sure.SEEN),) if by else ()
    way = Way("ada@example.com", f"bob@{to}", taken, leaves=True, pool=pool, families=families)
    return [stage for _, stage in beyond.stages(way)]


def gateway(*known: str, **options: Any) -> tuple[bool | None, str]:
    """What is said of a receiver."""
    found = told(*known, **options)[-1]
    return found.ok, found.title


@pytest.mark.parametrize(
    ("families", "ok", "title"),
    [
        (("ipv4",), True, "edge knows all 2 IPv4 ranges"),
        (("ipv4", "ipv6"), None, "edge knows 2 IPv4 ranges, and none of IPv6"),
        ((), None, "edge knows 2 IPv4 ranges, and none of IPv6"),
        (("ipv6",), False, "edge knows none of 1 IPv6 range"),
    ],
)
def test_only_the_families_of_the_hosts_count(
    families: tuple[str, ...], ok: bool | None, title: str
) -> None:
    """Mimecast's policies hold IPv4 alone, and that is enough where no host has IPv6."""
    assert (ok, title) == gateway(*V4, families=families)


def test_a_family_that_is_not_configured_counts_if_a_host_has_it() -> None:
    """The message may leave by it, whatever the target is told to hold."""
    assert gateway(*V4, own="ipv4", families=("ipv4", "ipv6"))[0] is None
    assert gateway(*V4, own="ipv4")[0] is True


def test_what_is_lacking_of_a_family_that_is_held_leads_astray() -> None:
    """The message may leave from just these."""
    assert (False, "edge does not know 1 of 3 ranges: 40.107.0.0/16") == gateway(V4[0], *V6)


def test_the_relay_pool_stands_in_the_title() -> None:
    """The ranges alone would say that all is well."""
    ok, title = gateway(*V4, families=("ipv4",), pool=Pool.EITHER)
    assert (None, "edge knows all 2 IPv4 ranges; not the relay pool 40.95.0.0/16") == (ok, title)
    assert gateway(*V4, RELAY, families=("ipv4",), pool=Pool.EITHER)[0] is True
    assert gateway(*V6, families=("ipv6",), pool=Pool.EITHER)[0] is True, "the pool is IPv4"


def test_mail_for_strangers_does_not_pass_our_receivers() -> None:
    """Nor does mail for a name below the domain that leaves by its own MX."""
    assert ["spf"] == [one.kind for one in told(*V4, to="partner.example")]
    assert ["spf"] == [one.kind for one in told(*V4, to="partner.example", by="to Google")]
    assert ["spf"] == [one.kind for one in told(*V4, to="mail.example.com")]
    below = told(*V4, to="mail.example.com", by="to Google")
    assert ["spf", "gateway"] == [one.kind for one in below]


def test_spf_passes_or_does_not() -> None:
    """In its own words."""
    assert "SPF of example.com passes all 3 ranges" == told(*V4, *V6, kind="spf")[0].title
    assert "SPF of example.com passes none of 3 ranges" == told(kind="spf")[0].title
