"""The tests that are about writing, over the one Google setting that may be written by API.

`write: probe` differs from the email allowlist's usual way in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.google import probe_harness
from tests.contract.harness import Harness
from tests.contract.test_changes import (
    test_a_range_that_was_taken_away_is_missed_and_comes_back,
    test_additions_are_a_write_of_their_own_before_removals,
)
from tests.contract.test_crash import runs, test_a_run_killed_at_any_point_is_finished_by_the_next
from tests.contract.test_failures import (
    test_half_a_plan_is_told_and_finished_by_the_next_run,
    test_the_very_first_write_may_fail_too,
    test_what_is_not_permitted_is_named_and_recovers,
)
from tests.contract.test_harmless import (
    test_an_applied_plan_is_not_done_twice,
    test_nothing_is_written_unless_the_mode_says_so,
    test_the_second_run_writes_nothing_and_only_reads,
)
from tests.contract.test_others import test_what_others_have_there_is_never_touched
from tests.contract.test_stale import (
    test_a_change_between_looking_and_writing_is_a_conflict,
    test_a_plan_is_refused_once_the_remote_state_is_another,
)

__all__ = [
    "harness",
    "runs",
    "test_a_change_between_looking_and_writing_is_a_conflict",
    "test_a_plan_is_refused_once_the_remote_state_is_another",
    "test_a_range_that_was_taken_away_is_missed_and_comes_back",
    "test_a_run_killed_at_any_point_is_finished_by_the_next",
    "test_additions_are_a_write_of_their_own_before_removals",
    "test_an_applied_plan_is_not_done_twice",
    "test_half_a_plan_is_told_and_finished_by_the_next_run",
    "test_nothing_is_written_unless_the_mode_says_so",
    "test_the_second_run_writes_nothing_and_only_reads",
    "test_the_very_first_write_may_fail_too",
    "test_what_is_not_permitted_is_named_and_recovers",
    "test_what_others_have_there_is_never_touched",
]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """An account whose API happens to write the email allowlist."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with probe_harness(folder) as one:
        yield one
