"""The contract against a real tenant of Exchange Online: see README.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.harness import Harness
from tests.contract.test_changes import *  # noqa: F403  (the very tests of the contract)
from tests.contract.test_failures import *  # noqa: F403
from tests.contract.test_harmless import *  # noqa: F403
from tests.contract.test_others import *  # noqa: F403
from tests.contract.test_secrets import *  # noqa: F403
from tests.contract.test_stale import *  # noqa: F403
from tests.live.exchange import live_exchange
from tests.live.switches import exchange_tenant

TENANT = exchange_tenant()
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def harness() -> Iterator[Harness]:
    """The tenant, with the tests' own traces removed before and after."""
    with live_exchange(TENANT) as one:
        yield one
