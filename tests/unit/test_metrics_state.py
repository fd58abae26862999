"""What is told of the state: the rules, and a state that cannot be read."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exosync.config import Loaded, load
from exosync.core.desired import Desired, Extra, Leaving
from exosync.core.meter import FEED
from exosync.core.ranges import IpRanges
from exosync.core.target import Mode
from exosync.metrics import CONTENT_TYPE, Metrics
from exosync.metrics.gauges import last_success, waits
from exosync.metrics.reading import sizes
from exosync.store import PlanRecord, Store
from tests.support.state import AT, plan, target

SOURCES = Path(__file__).parents[2] / "service"
LATER = AT + timedelta(hours=5)

CONFIG = """\
targets:
  - {name: edge, kind: file, path: exo.txt}
  - {name: other, kind: file, path: other.txt}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Two targets, and no state yet."""
    return configured(tmp_path, CONFIG)


def configured(folder: Path, text: str) -> Loaded:
    """A configuration in a folder."""
    path = folder / "exosync.yaml"
    path.write_text(text)
    return load(path, environ={})


def told(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Every figure that a scrape gives for a target (or for none)."""
    return {
        (sample.name, sample.labels.get("target", "")): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def opened(loaded: Loaded) -> Store:
    """The state of a configuration."""
    return Store.open(loaded.config.state, base=loaded.base)


@pytest.mark.parametrize(
    ("state", "seen_at", "expected"),
    [
        ("in_sync", LATER, LATER),
        ("refused", LATER, LATER),
        ("failed", AT - timedelta(hours=1), AT - timedelta(hours=1)),
        ("failed", LATER, AT),
        ("failed", None, None),
    ],
)
def test_the_last_success_is_no_later_than_the_first_failure(
    state: str, seen_at: datetime | None, expected: datetime | None
) -> None:
    """A target that can be read and not written is seen in every run, and fails in every run."""
    assert expected == last_success(replace(target("edge", state), since=AT, seen_at=seen_at))


def record(by: str, *, refused: bool = False, adopting: bool = False) -> PlanRecord:
    """A plan of one step."""
    return replace(plan(adopting=adopting), refused=refused, body={"steps": [{"by": by}]})


@pytest.mark.parametrize(
    ("record", "mode", "expected"),
    [
        (record("exosync"), Mode.PLAN, True),
        (record("person"), Mode.PLAN, False),
        (record("person", refused=True), Mode.PLAN, True),
        (record("exosync"), Mode.APPLY, False),
        (record("exosync", refused=True), Mode.APPLY, True),
        (record("exosync", adopting=True), Mode.APPLY, True),
        (record("exosync", refused=True, adopting=True), Mode.WATCH, False),
    ],
)
def test_a_plan_waits_where_a_person_must_say_a_word(
    record: PlanRecord, mode: Mode, *, expected: bool
) -> None:
    """Neither what the next run does by itself, nor what is a task, nor what is only watched."""
    assert expected is waits(record, mode)


def test_each_range_is_counted_once_for_the_first_source_that_names_it() -> None:
    """As `entries` of the desired ranges has them."""
    desired = Desired(
        "Worldwide",
        "2026010100",
        IpRanges.parse(["40.92.0.0/15", "2a01:111:f400::/48"]),
        extras=(Extra(IpRanges.parse(["40.92.0.0/16", "40.95.0.0/16"]), "relay", "ours"),),
        leaving=(Leaving(IpRanges.parse(["2603:1000::/32"]), AT, LATER),),
    )

    assert {
        ("ipv4", "microsoft"): 1,
        ("ipv4", "extra"): 1,
        ("ipv4", "leaving"): 0,
        ("ipv6", "microsoft"): 1,
        ("ipv6", "extra"): 0,
        ("ipv6", "leaving"): 1,
    } == sizes(desired)


def test_before_the_first_run_there_is_nothing_but_what_is_configured(loaded: Loaded) -> None:
    """No version, no success, no proof, and no state of any target."""
    found = told(Metrics(loaded, now=lambda: AT))

    assert 1 == found["exosync_store_up", ""]
    assert {"edge", "other"} == {name for metric, name in found if metric == "exosync_target_info"}
    assert (0, 0, 0) == (
        found["exosync_target_state", "edge"],
        found["exosync_consecutive_failures", "edge"],
        found["exosync_feed_consecutive_failures", ""],
    )
    absent = {
        "exosync_feed_version_info",
        "exosync_feed_age_seconds",
        "exosync_heartbeat_timestamp_seconds",
        "exosync_last_success_timestamp_seconds",
        "exosync_ranges",
        "exosync_target_last_verified_timestamp_seconds",
    }
    assert set() == absent & {metric for metric, _ in found}


def test_a_state_that_cannot_be_read_is_told_and_the_rest_still_is(loaded: Loaded) -> None:
    """A figure says so; what this process counts goes on."""
    metrics = Metrics(loaded, now=lambda: AT)
    metrics.meter("edge")("2xx", 1)
    (loaded.base / "exosync.db").write_bytes(b"this is no database, but it is long enough" * 99)

    found = told(metrics)

    assert 0 == found["exosync_store_up", ""]
    assert ("exosync_target_info", "edge") not in found
    assert 1 == found["exosync_http_requests_total", "edge"]


def test_with_another_configuration_other_targets_have_figures(
    loaded: Loaded, tmp_path: Path
) -> None:
    """Those that are gone leave neither a gauge nor a counter behind."""
    metrics = Metrics(loaded, now=lambda: AT)
    for name in ("edge", "other", FEED):
        metrics.meter(name)("2xx", 1)
    with opened(loaded) as store:
        store.save_target_state(target("edge"))

    metrics.configured(configured(tmp_path, CONFIG.replace("name: edge", "name: new")))

    assert {"new", "other", FEED, ""} == {name for _, name in told(metrics)}


def test_a_refused_configuration_shows_in_a_scrape(loaded: Loaded) -> None:
    """Until the next good one."""
    metrics = Metrics(loaded, now=lambda: AT)
    metrics.config_refused()
    assert 0 == told(metrics)["exosync_config_last_reload_successful", ""]

    metrics.configured(loaded)
    assert 1 == told(metrics)["exosync_config_last_reload_successful", ""]


def test_a_pause_of_all_is_one_of_each_target(loaded: Loaded) -> None:
    """And a pause of one is that one's alone."""
    metrics = Metrics(loaded, now=lambda: AT)
    with opened(loaded) as store:
        store.pause("other", by="ada", why="", at=AT)
        one = told(metrics)
        store.pause("", by="ada", why="", at=AT)
        both = told(metrics)

    paused = "exosync_paused"
    assert (0, 1) == (one[paused, "edge"], one[paused, "other"])
    assert (1, 1) == (both[paused, "edge"], both[paused, "other"])


def test_the_text_is_of_the_type_that_is_told_with_it(loaded: Loaded) -> None:
    """Prometheus' text format, version 0.0.4: no line of it ends the other format's way."""
    text = Metrics(loaded, now=lambda: AT).render().decode()

    assert "text/plain; version=0.0.4; charset=utf-8" == CONTENT_TYPE
    assert text.endswith("\n")
    assert "# EOF" not in text
    assert "_created" not in text


def importers(library: str) -> Iterator[str]:
    """The files that import a library, or something in it."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(f"{name}.".startswith(f"{library}.") for name in names):
                yield path.relative_to(SOURCES).as_posix()


def test_the_metrics_alone_import_prometheus_client() -> None:
    """So that it is loaded where figures are told, and nowhere else."""
    assert {"exosync/metrics"} == {str(Path(one).parent) for one in importers("prometheus_client")}


def test_a_one_shot_run_does_not_load_it(tmp_path: Path) -> None:
    """It counts for nobody."""
    configured(tmp_path, CONFIG + "feed: {offline: true}\n")
    program = (
        "import json, sys; from exosync.cli import run; run(sys.argv[1:]); "
        "print(json.dumps([one for one in sys.modules if one.startswith('prometheus')]))"
    )
    words = [sys.executable, "-c", program, "--config", str(tmp_path / "exosync.yaml"), "sync"]

    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert "edge" in done.stdout
    assert [] == json.loads(done.stdout.splitlines()[-1])
