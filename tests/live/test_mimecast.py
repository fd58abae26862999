"""The contract against a real Mimecast account: see README.md."""

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
from tests.live.mimecast import live_mimecast
from tests.live.switches import mimecast_account

ACCOUNT = mimecast_account()
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def harness() -> Iterator[Harness]:
    """The account, with the tests' own traces removed before and after."""
    with live_mimecast(ACCOUNT) as one:
        yield one
