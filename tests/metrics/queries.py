"""Reading PromQL as far as its selectors: which metrics a query asks for, and with what labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

OF_PROMETHEUS = frozenset({"up", "scrape_duration_seconds"})
"""What Prometheus itself writes down of each scrape."""

ADDED = frozenset({"job", "instance"})
"""The labels that Prometheus puts on everything that it scrapes."""

_VARIABLES = {"$instance": ".*", "$target": ".*", "$__rate_interval": "5m"}
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\b\s*(\{[^}]*\}|(?!\s*\())")
_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_GROUPING = re.compile(r"\b(by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_OPERATOR = re.compile(r"\b(?:and|or|unless|offset|bool)\b")
_NUMBER = re.compile(r"(?<![\w:])\d[\w.]*")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric that is asked for, with its matchers: label, operator and value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series is chosen; what Prometheus adds to it is not looked at."""
        return all(
            label in ADDED or _holds(labels.get(label, ""), operator, value)
            for label, operator, value in self.matchers
        )


def plain(query: str) -> str:
    """A query of the dashboard as Prometheus gets it."""
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    return query


def selectors(query: str) -> Iterator[Selector]:
    """Everything that a query reads: names with no bracket behind them, which functions have."""
    bare = _GROUPING.sub(" ", query)
    for apart in (_RANGE, _OPERATOR, _NUMBER):
        bare = apart.sub(" ", bare)
    for name, inside in _SELECTOR.findall(bare):
        yield Selector(name, tuple(_MATCHER.findall(inside)))


def grouped(query: str) -> set[str]:
    """The labels that a query groups or joins by."""
    return {
        label.strip()
        for _, labels in _GROUPING.findall(query)
        for label in labels.split(",")
        if label.strip()
    }


def series(families: Mapping[str, Metric]) -> dict[str, list[Mapping[str, str]]]:
    """The labels of every series of a scrape, by the name that queries use."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for family in families.values():
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def faults(query: str, known: Mapping[str, list[Mapping[str, str]]]) -> list[str]:
    """What is wrong with a query: a metric, a label or a value that a scrape does not give."""
    found, labels = [], set(ADDED)
    asked = list(selectors(query))
    for one in asked:
        if one.metric in OF_PROMETHEUS:
            continue
        there = known.get(one.metric, [])
        labels |= {label for each in there for label in each}
        if not there:
            found.append(f"there is no {one.metric}")
        elif not any(one.matches(each) for each in there):
            found.append(f"no series of {one.metric} fits {one.matchers}")
    found += [f"nothing has the label {one}" for one in sorted(grouped(query) - labels)]
    return found if asked else ["it asks for nothing"]


def _holds(value: str, operator: str, wanted: str) -> bool:
    fits = bool(re.fullmatch(wanted, value)) if "~" in operator else value == wanted
    return fits != operator.startswith("!")
