"""The JSON API: the same shapes as the commands print with `--json`, read-only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from exosync.config import shown
from exosync.core.ranges import IpRanges
from exosync.views import Source
from exosync.views.alerts import alerts_view
from exosync.views.coverage import coverage_view, remembered
from exosync.views.explain import explain_view
from exosync.views.history import (
    event_rows,
    event_view,
    history_rows,
    plan_view,
    run_rows,
    run_view,
)
from exosync.views.ranges import ranges_view
from exosync.views.status import status_view
from exosync.views.targets import target_view
from exosync.views.todo import task_rows
from exosync.views.versions import version_rows, version_view
from exosync.web import shapes
from exosync.web.problems import CleanJson
from exosync.web.reading import Reader
from exosync.web.trace import traced

PREFIX = "/api/v1"

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Before = Annotated[
    int | None,
    Query(ge=1, le=2**53, description="Only those of a lower number: for the next page."),
]
Number = Annotated[int, Path(ge=1, le=2**53, description="The number: 12 of r-12.")]
PlanId = Annotated[
    str, Path(pattern="^[0-9a-f]{4,64}$", description="The plan's id, or its beginning.")
]
VersionId = Annotated[str, Path(pattern="^[0-9]{10}$", description="The ten digits.")]
Name = Annotated[str, Path(min_length=1, max_length=200, description="The target's name.")]
Families = Annotated[Literal["both", "ipv4", "ipv6"], Query(description="Which address families.")]
What = Annotated[
    str,
    Query(
        min_length=1,
        max_length=253,
        description="An address, a CIDR, or the name of a host, which is not resolved.",
        json_schema_extra={"format": "address-or-host"},
    ),
]

From = Annotated[
    str,
    Query(
        alias="from",
        min_length=3,
        max_length=320,
        description="The sender's address.",
        json_schema_extra={"format": "email"},
    ),
]
To = Annotated[
    str,
    Query(
        alias="to",
        min_length=3,
        max_length=320,
        description="The recipient's address.",
        json_schema_extra={"format": "email"},
    ),
]


def router(reader: Reader) -> APIRouter:
    """Every path under `/api/v1`."""
    routes = APIRouter(prefix=PREFIX)
    _now(routes, reader)
    _things(routes, reader)
    _history(routes, reader)
    return routes


def told(reader: Reader, view: Callable[[Source], Any]) -> Response:
    """A view as the answer."""
    with reader.source() as source:
        return CleanJson(view(source))


def explained(source: Source, what: str) -> dict[str, Any]:
    """What an address or a host is, without asking anybody: a host is not resolved."""

    def unresolved(_host: str) -> Sequence[IpRanges]:
        return ()

    return explain_view(
        source, what, resolve=unresolved, ask=lambda desired: remembered(source, desired)
    )


def _now(routes: APIRouter, reader: Reader) -> None:
    @routes.get("/status", **_gives(shapes.Status, "How everything stands"))
    def status() -> Response:
        return told(reader, status_view)

    @routes.get("/todo", **_gives(list[shapes.Task], "What waits for a person"))
    def todo() -> Response:
        return told(reader, task_rows)

    @routes.get("/alerts", **_gives(shapes.Alerts, "The alerts' channels and outbox"))
    def alerts(limit: Limit = 100) -> Response:
        return told(reader, lambda source: alerts_view(source, limit))

    @routes.get("/settings", **_gives(dict[str, Any], "The configuration in force"))
    def settings() -> Response:
        return told(reader, lambda source: shown(source.config))


def _things(routes: APIRouter, reader: Reader) -> None:
    @routes.get("/targets/{name}", **_gives(shapes.Target, "One target", 404))
    def target(name: Name) -> Response:
        return told(reader, lambda source: target_view(source, name))

    @routes.get("/ranges", **_gives(shapes.Ranges, "The desired ranges", 404))
    def ranges(families: Families = "both") -> Response:
        return told(reader, lambda source: ranges_view(source.desired(), families))

    @routes.get("/coverage", **_gives(shapes.Coverages, "Who knows which ranges", 404))
    def coverage() -> Response:
        return told(reader, lambda source: coverage_view(source, source.desired()))

    @routes.get("/versions", **_gives(list[shapes.VersionRow], "Microsoft's versions"))
    def versions() -> Response:
        return told(reader, version_rows)

    @routes.get("/versions/{version}", **_gives(shapes.Version, "One version", 404))
    def version(version: VersionId) -> Response:
        return told(reader, lambda source: {"type": "version", **version_view(source, version)})

    @routes.get("/explain", **_gives(shapes.Explanation, "What an address or host is", 404))
    def explain(q: What) -> Response:
        return told(reader, lambda source: explained(source, q))

    @routes.get("/trace", **_gives(shapes.Trace, "The way of a message", 404))
    def trace(sender: From, recipient: To) -> Response:
        return told(reader, lambda source: traced(source, sender, recipient))


def _history(routes: APIRouter, reader: Reader) -> None:
    @routes.get("/history", **_gives(list[shapes.Row], "Runs and events, newest first"))
    def history(limit: Limit = 100) -> Response:
        return told(reader, lambda source: history_rows(source.store, limit))

    @routes.get("/runs", **_gives(list[shapes.Row], "Runs, newest first"))
    def runs(limit: Limit = 100, before: Before = None) -> Response:
        return told(reader, lambda source: run_rows(source.store, limit, before))

    @routes.get("/runs/{number}", **_gives(shapes.Run, "One run", 404))
    def run(number: Number) -> Response:
        return told(reader, lambda source: run_view(source.store, number))

    @routes.get("/events", **_gives(list[shapes.Row], "Events, newest first"))
    def events(limit: Limit = 100, before: Before = None) -> Response:
        return told(reader, lambda source: event_rows(source.store, limit, before))

    @routes.get("/events/{number}", **_gives(shapes.Event, "One event", 404))
    def event(number: Number) -> Response:
        return told(reader, lambda source: event_view(source.store, number))

    @routes.get("/plans/{plan}", **_gives(shapes.Plan, "One plan", 404))
    def plan(plan: PlanId) -> Response:
        return told(reader, lambda source: plan_view(source.store, source.store.find_plan(plan)))


_ALWAYS = (400, 401, 414, 421, 422, 429, 503)
"""What the gate, a parameter or the state may answer, whatever is asked for."""


def _gives(shape: Any, summary: str, *errors: int) -> dict[str, Any]:
    """What the OpenAPI document says of a path; the answer itself is made by the view."""
    failing = {code: {"model": shapes.Problem} for code in (*_ALWAYS, *errors)}
    return {"summary": summary, "responses": {200: {"model": shape}, **failing}}
