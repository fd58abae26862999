"""What the tests of the service share: a feed with two versions ahead of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standins.endpoints import EndpointsStandIn

FIRST, SECOND = "2019010700", "2019022800"


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft's service, at its first version."""
    with EndpointsStandIn(version=FIRST) as standing_in:
        yield standing_in
