"""The stand-in of the web service keeps the contract of Microsoft's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.standins.endpoints import EndpointsStandIn, published

GUID = "5d8f4a3e-4d0e-4e6a-9d6b-0f7f5a1c2b3d"


@pytest.fixture
def service() -> Iterator[EndpointsStandIn]:
    """The service at version 2020062900."""
    with EndpointsStandIn(version="2020062900") as standin:
        yield standin


def ask(service: EndpointsStandIn, path: str, status: int = 200, **query: str) -> Any:
    """The JSON of an answer."""
    with requests.Session() as session:
        session.trust_env = False
        params = {"clientRequestId": GUID, **query}
        answer = session.get(service.url + path, params=params, timeout=60)
    assert status == answer.status_code
    return answer.json() if answer.content else None


@pytest.mark.parametrize("guid", ["", "me"])
def test_every_question_needs_a_guid(service: EndpointsStandIn, guid: str) -> None:
    """Without one the status is 400."""
    for path in ("/version", "/endpoints/Worldwide", "/changes/Worldwide/0000000000"):
        ask(service, path, 400, clientRequestId=guid)


def test_names_are_taken_in_any_case(service: EndpointsStandIn) -> None:
    """Instances and parameters alike; an instance may also be a parameter."""
    expected = {"instance": "Worldwide", "latest": "2020062900"}

    assert expected == ask(service, "/VERSION/worldwide")
    assert expected == ask(service, "/version", INSTANCE="WorldWide")


def test_without_an_instance_all_are_listed(service: EndpointsStandIn) -> None:
    """A list, where one instance gives an object."""
    names = [one["instance"] for one in ask(service, "/version")]

    assert ["Worldwide", "USGovDoD", "USGovGCCHigh", "China"] == names


def test_all_versions_are_listed_newest_first(service: EndpointsStandIn) -> None:
    """What comes after the newest is not known yet."""
    versions = ask(service, "/version/Worldwide", AllVersions="true")["versions"]

    assert "2020062900" == versions[0]
    assert versions == sorted(versions, reverse=True)
    assert len(versions) < len(published("Worldwide"))


def test_common_is_returned_with_any_service_area(service: EndpointsStandIn) -> None:
    """As the page warns."""
    sets = ask(service, "/endpoints/Worldwide", ServiceAreas="Exchange,SharePoint")

    assert {"Common", "Exchange", "SharePoint"} == {one["serviceArea"] for one in sets}


def test_ipv6_can_be_left_out(service: EndpointsStandIn) -> None:
    """A set that has nothing else keeps no `ips`."""
    sets = ask(service, "/endpoints/Worldwide", NoIPv6="true")

    assert not [cidr for one in sets for cidr in one.get("ips", ()) if ":" in cidr]
    assert [] == [one["id"] for one in sets if one.get("ips") == []]


def test_changes_are_those_after_a_version(service: EndpointsStandIn) -> None:
    """Each names its version; all zeros asks for everything."""
    few = ask(service, "/changes/Worldwide/2020052800")
    everything = ask(service, "/changes/Worldwide/0000000000")

    assert {"2020061600", "2020062900"} == {one["version"] for one in few}
    assert few == [{**one, "id": at} for at, one in enumerate(everything[-len(few) :], start=1)]
    assert [] == ask(service, "/changes/Worldwide/2020062900")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/changes/Worldwide/2020", 400),
        ("/changes/Worldwide", 400),
        ("/endpoints/Germany", 400),
        ("/endpoints", 404),
        ("/", 404),
    ],
)
def test_a_wrong_question_is_refused(service: EndpointsStandIn, path: str, status: int) -> None:
    """A version has exactly ten digits."""
    ask(service, path, status)


def test_only_what_is_there_can_be_published(service: EndpointsStandIn) -> None:
    """A slip in a test is told."""
    with pytest.raises(ValueError, match="2020062901"):
        service.publish("2020062901")
