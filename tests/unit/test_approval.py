"""What a person may approve of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exosync.approval import approve_plan
from exosync.errors import RefusedError
from exosync.store import PlanRecord, Store
from tests.support.state import AT, URL, plan, put_empty_state

SOFT: dict[str, Any] = {"rule": "shrink", "message": "much", "approvable": True, "resources": []}
HARD: dict[str, Any] = {"rule": "cname", "message": "no", "approvable": False, "resources": []}
PART: dict[str, Any] = {**HARD, "rule": "two_policies", "resources": ["spf-bypass"]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A state."""
    put_empty_state(tmp_path)
    with Store.open(URL, base=tmp_path) as opened:
        yield opened


def waiting(store: Store, *refusals: dict[str, Any]) -> PlanRecord:
    """A plan that is refused so."""
    made = plan()
    store.save_plan(replace(made, body={**made.body, "refusals": list(refusals)}), AT)
    return store.find_plan(made.id)


@pytest.mark.parametrize("refusals", [(SOFT,), (SOFT, PART)], ids=["alone", "beside a part"])
def test_what_can_be_approved_is(store: Store, refusals: tuple[dict[str, Any], ...]) -> None:
    """Also beside what is refused at other places alone."""
    approval, fresh = approve_plan(store, waiting(store, *refusals), by="ada", why="", at=AT)
    assert ("ada", True) == (approval.by, fresh)


@pytest.mark.parametrize("refusals", [(HARD,), (SOFT, HARD), (PART,)])
def test_what_no_approval_makes_right_is_refused(
    store: Store, refusals: tuple[dict[str, Any], ...]
) -> None:
    """With the rule that stands against it."""
    with pytest.raises(RefusedError, match="mend this first"):
        approve_plan(store, waiting(store, *refusals), by="ada", why="", at=AT)
