"""The alert rules: promtool tries them, and they ask for nothing that there is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics.kit import DEPLOY, needs_promtool, promtool
from tests.metrics.queries import faults

Known = dict[str, list[Mapping[str, str]]]

FOLDER = DEPLOY / "prometheus"
DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "guides" / "monitoring.md"
OPERATIONS = DOCS / "operations.md"
TESTS = sorted(FOLDER.glob("*.test.yml"))


def rules() -> list[dict[str, Any]]:
    """Every rule of every group."""
    groups = yaml.safe_load((FOLDER / "exosync.rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


RULES = rules()
NAMES = [one["alert"] for one in RULES]


@needs_promtool
def test_promtool_reads_the_rules() -> None:
    """Each expression and template."""
    done = promtool("check", "rules", str(FOLDER / "exosync.rules.yml"))

    assert 0 == done.returncode, done.stdout
    assert f"SUCCESS: {len(RULES)} rules found" in done.stdout


@needs_promtool
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_rules_fire_when_they_should_and_not_before(path: Path) -> None:
    """Promtool's own tests of rules: series over hours and days, and what fires then."""
    done = promtool("test", "rules", str(path))

    assert 0 == done.returncode, done.stdout


@needs_promtool
def test_promtool_reads_the_configuration_of_prometheus() -> None:
    """By its form: the secret that it names is not there."""
    done = promtool("check", "config", "--syntax-only", str(FOLDER / "prometheus.yml"))

    assert 0 == done.returncode, done.stdout


def test_every_rule_is_tried_by_a_test_that_lets_it_fire() -> None:
    """And by one in which it does not."""
    tried = [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    fires = {one["alertname"] for one in tried if one.get("exp_alerts")}
    rests = {one["alertname"] for one in tried if not one.get("exp_alerts")}

    assert (set(NAMES), set(NAMES)) == (fires, rests)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_asks_for_what_a_scrape_gives(known: Known, rule: dict[str, Any]) -> None:
    """Each metric, label and value of a label."""
    assert [] == faults(rule["expr"], known)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_says_what_is_so_and_where_help_is(rule: dict[str, Any]) -> None:
    """A line, a sentence, and the place in the operations guide that bears its name."""
    notes = rule["annotations"]

    assert {"summary", "description", "runbook"} == set(notes)
    assert f"docs/operations.md#{rule['alert'].lower()}" == notes["runbook"]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert not notes["summary"].endswith(".")
    assert notes["description"].endswith(".")


@pytest.mark.skipif(not OPERATIONS.exists(), reason="docs/operations.md is not written yet")
def test_every_runbook_is_a_heading_of_the_operations_guide() -> None:
    """Sphinx makes anchors of headings down to the third level."""
    headings = re.findall(r"^#{2,3} `?(Exosync\w+)`?$", OPERATIONS.read_text(), re.MULTILINE)

    assert set(NAMES) == set(headings)


def test_the_guide_lists_every_rule_with_its_severity() -> None:
    """In the order of the file."""
    rows = re.findall(r"^\| `(Exosync\w+)` \| (\w+) \|", GUIDE.read_text(), re.MULTILINE)

    assert [(one["alert"], one["labels"]["severity"]) for one in RULES] == rows


def test_prometheus_scrapes_the_job_that_the_rules_know() -> None:
    """And reads these rules."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())

    assert ["exosync.rules.yml"] == config["rule_files"]
    assert ["exosync"] == [one["job_name"] for one in config["scrape_configs"]]
