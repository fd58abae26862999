"""The dashboard: its queries are PromQL, and ask for what a scrape gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics.kit import DEPLOY, needs_promtool, promtool
from tests.metrics.queries import Selector, faults, grouped, plain, selectors

Known = dict[str, list[Mapping[str, str]]]

GRAFANA = DEPLOY / "grafana"
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "monitoring.md"
DASHBOARD = json.loads((GRAFANA / "dashboards" / "exosync.json").read_text())


def panels() -> Iterator[dict[str, Any]]:
    """Every panel, those in folded rows too."""
    for one in DASHBOARD["panels"]:
        yield one
        yield from one.get("panels", ())


def queries() -> Iterator[tuple[str, str]]:
    """Every query with where it stands; those of the guide too."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", plain(target["expr"])
    for note in DASHBOARD["annotations"]["list"]:
        yield note["name"], plain(note["expr"])
    for number, query in enumerate(
        re.findall(r"^\| .*\? \| `(.*)` \|$", GUIDE.read_text(), re.MULTILINE)
    ):
        yield f"guide {number}", query.replace("\\|", "|")


QUERIES = dict(queries())


@needs_promtool
def test_every_query_is_promql(tmp_path: Path) -> None:
    """Promtool reads them as the expressions of rules."""
    found = [
        {"record": "a:b", "expr": query, "labels": {"n": str(n)}}
        for n, query in enumerate(QUERIES.values())
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": found}]}))

    done = promtool("check", "rules", str(file))

    assert 0 == done.returncode, done.stdout
    assert f"SUCCESS: {len(QUERIES)} rules found" in done.stdout


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_asks_for_what_a_scrape_gives(known: Known, query: str) -> None:
    """Each metric, label and value of a label."""
    assert [] == faults(query, known)


def test_the_choices_at_the_top_come_from_what_a_scrape_gives(known: Known) -> None:
    """The metric and the label of each."""
    asked = {
        one["name"]: re.fullmatch(r"label_values\((.*), (\w+)\)", one["query"]["query"])
        for one in DASHBOARD["templating"]["list"]
        if one["type"] == "query"
    }

    assert {"instance", "target"} == set(asked)
    for found in asked.values():
        assert found is not None
        assert [] == faults(plain(f"count by ({found[2]}) ({found[1]})"), known)


def test_every_variable_of_a_query_is_a_choice_at_the_top() -> None:
    """Or one of Grafana's own."""
    text = json.dumps(DASHBOARD)
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__all"}

    assert {one["name"] for one in DASHBOARD["templating"]["list"]} == used


def test_panels_stand_side_by_side_within_the_page() -> None:
    """None lies over another one, and each has a number of its own."""
    ids = [one["id"] for one in panels()]
    assert len(set(ids)) == len(ids)
    taken: dict[tuple[int, int], str] = {}
    for one in DASHBOARD["panels"]:
        place = one["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert 0 <= x < 24
                assert one["title"] == taken.setdefault((x, y), one["title"])


def test_panels_say_what_they_show() -> None:
    """A title, and the data source that is chosen at the top."""
    shown = [one for one in panels() if one["type"] != "row"]

    assert [] == [one["id"] for one in shown if not one["title"]]
    assert {"${datasource}"} == {one["datasource"]["uid"] for one in shown}


def test_provisioning_leads_to_the_dashboard() -> None:
    """The provider reads the folder that the compose file mounts."""
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/exosync.yml").read_text())[
        "providers"
    ]
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]

    assert "/var/lib/grafana/dashboards" == provider["options"]["path"]
    assert ("prometheus", "http://prometheus:9090") == (source["type"], source["url"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("up", [Selector("up", ())]),
        ('sum by (a) (rate(x_total{a="b"}[5m])) > 0', [Selector("x_total", (("a", "=", "b"),))]),
        (
            'time() - x and on (job) y{s=~"a|b", t!="c"} == 1',
            [Selector("x", ()), Selector("y", (("s", "=~", "a|b"), ("t", "!=", "c")))],
        ),
        ("x unless x offset 1m", [Selector("x", ()), Selector("x", ())]),
        ("2 * 24 * 3600 + 1e3", []),
    ],
)
def test_selectors_are_found_in_a_query(query: str, expected: list[Selector]) -> None:
    """Functions, operators, numbers, ranges and groupings are none."""
    assert expected == list(selectors(query))


def test_a_query_for_what_is_not_there_is_told() -> None:
    """A metric, a value and a label."""
    known: Known = {"x": [{"state": "failed"}]}

    assert [] == faults('sum by (state) (x{state="failed"})', known)
    assert ["there is no z"] == faults("z", known)
    assert ["no series of x fits (('state', '=', 'fail'),)"] == faults('x{state="fail"}', known)
    assert ["nothing has the label stat"] == faults("sum by (stat) (x)", known)
    assert ["it asks for nothing"] == faults("1 + 1", known)
    assert {"a", "b"} == grouped("sum by (a, b) (x)")
