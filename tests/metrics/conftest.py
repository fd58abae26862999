"""A service that has lived for three days, made once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.metrics.kit import Watched, live, serve, watched
from tests.metrics.queries import series


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Real runs over seven targets, and what a service leaves in the state. Only to be read."""
    with watched(tmp_path_factory.mktemp("lived")) as (one, _):
        live(one)
        serve(one)
        yield one


@pytest.fixture(scope="session")
def known(lived: Watched) -> dict[str, list[Mapping[str, str]]]:
    """The labels of every series that it gives."""
    return series(lived.families())
