"""The pages. Each is made of views of the state, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from exosync.config import shown
from exosync.core.words import clean, cleaned
from exosync.errors import FeedError, UsageError
from exosync.views import Source
from exosync.views.alerts import alerts_view
from exosync.views.history import (
    event_rows,
    event_view,
    history_rows,
    plan_view,
    run_rows,
    run_view,
)
from exosync.views.targets import target_view
from exosync.views.todo import task_rows
from exosync.views.versions import difference_view, version_rows, version_view
from exosync.web.api import Before, Number, PlanId, explained
from exosync.web.course import course
from exosync.web.frames import render
from exosync.web.overview import overview
from exosync.web.picture import picture
from exosync.web.reading import Reader
from exosync.web.timeline import timeline
from exosync.web.trace import trace_page

Json = dict[str, Any]
Build = Callable[[Source], Json]

ROWS = 100

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the one in C is ten times as fast

Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str, Query(max_length=253)]
From = Annotated[str, Query(alias="from", max_length=320)]
To = Annotated[str, Query(alias="to", max_length=320)]


class Pages:
    """Renders pages with what all of them show: the version, what waits, the reader."""

    def __init__(self, reader: Reader, pulse: Callable[[], str]) -> None:
        self._reader, self._pulse = reader, pulse

    def page(self, request: Request, name: str, build: Build, *, here: str = "") -> Response:
        """One page; `here` is the part of the navigation that it belongs to."""
        pulse = self._pulse()
        with self._reader.source() as source:
            values = cleaned({**_frame(source), **build(source)})
        text = render(
            f"{name}.html.jinja",
            **values,
            now=source.now,
            here=here,
            pulse=pulse,
            path=request.url.path,
            by_session=request.state.verdict.by_session,
        )
        return HTMLResponse(text)


def _frame(source: Source) -> Json:
    adopted = source.store.adopted(source.instance)
    return {
        "instance": source.instance,
        "version": adopted.version if adopted else None,
        "waiting": len(task_rows(source)),
    }


def router(pages: Pages) -> APIRouter:
    """Every page but the sign-in."""
    routes = APIRouter(include_in_schema=False)
    _now(routes, pages)
    _feed(routes, pages)
    _history(routes, pages)
    return routes


def _now(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/")
    def first(request: Request, state: Text = "") -> Response:
        return pages.page(request, "overview", lambda one: overview(one, state), here="overview")

    @routes.get("/targets/{name}")
    def target(request: Request, name: str) -> Response:
        return pages.page(request, "target", lambda one: _target(one, name), here="overview")

    @routes.get("/todo")
    def todo(request: Request) -> Response:
        return pages.page(request, "todo", lambda one: {"rows": task_rows(one)}, here="todo")

    @routes.get("/alerts")
    def alerts(request: Request, limit: Limit = ROWS) -> Response:
        return pages.page(request, "alerts", lambda one: alerts_view(one, limit), here="alerts")

    @routes.get("/settings")
    def settings(request: Request) -> Response:
        return pages.page(request, "settings", _settings, here="settings")


def _feed(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/ranges")
    def ranges(request: Request, target: Text = "") -> Response:
        return pages.page(request, "ranges", lambda one: picture(one, target), here="ranges")

    @routes.get("/versions")
    def versions(request: Request) -> Response:
        return pages.page(request, "versions", _versions, here="versions")

    @routes.get("/versions/{version}")
    def version(request: Request, version: Annotated[str, Path(pattern="^[0-9]{10}$")]) -> Response:
        return pages.page(request, "version", lambda one: _version(one, version), here="versions")

    @routes.get("/explain")
    def explain(request: Request, q: Text = "") -> Response:
        return pages.page(request, "explain", lambda one: _explain(one, q.strip()), here="explain")

    @routes.get("/trace")
    def trace(request: Request, sender: From = "", recipient: To = "") -> Response:
        def build(one: Source) -> Json:
            return trace_page(one, sender.strip(), recipient.strip())

        return pages.page(request, "trace", build, here="trace")


def _history(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/history")
    def history(request: Request, limit: Limit = ROWS) -> Response:
        def build(one: Source) -> Json:
            return {"rows": history_rows(one.store, limit), "limit": limit}

        return pages.page(request, "history", build, here="history")

    @routes.get("/runs")
    def runs(request: Request, before: Before = None) -> Response:
        def build(one: Source) -> Json:
            return _part(run_rows(one.store, ROWS, before))

        return pages.page(request, "runs", build, here="history")

    @routes.get("/runs/{number}")
    def run(request: Request, number: Number) -> Response:
        return pages.page(
            request, "run", lambda one: {"run": run_view(one.store, number)}, here="history"
        )

    @routes.get("/events")
    def events(request: Request, before: Before = None) -> Response:
        def build(one: Source) -> Json:
            return _part(event_rows(one.store, ROWS, before))

        return pages.page(request, "events", build, here="history")

    @routes.get("/events/{number}")
    def event(request: Request, number: Number) -> Response:
        return pages.page(
            request, "event", lambda one: {"event": event_view(one.store, number)}, here="history"
        )

    @routes.get("/plans/{plan}")
    def plan(request: Request, plan: PlanId) -> Response:
        return pages.page(request, "plan", lambda one: _plan(one, plan), here="history")


def _part(rows: list[Json]) -> Json:
    """One page of rows, and the number before which the next one begins."""
    older = int(rows[-1]["id"][2:]) if len(rows) == ROWS else None
    return {"rows": rows, "older": older}


def _target(source: Source, name: str) -> Json:
    view = target_view(source, name)
    drawn = course(view["course"], state=view["state"], since=view["since"], now=source.now)
    routes = any(one.name == name and one.is_router for one in source.config.targets)
    return {"target": view, "course": drawn, "routes": routes}


def _plan(source: Source, plan: str) -> Json:
    view = plan_view(source.store, source.store.find_plan(plan))
    return {"plan": view}


def _settings(source: Source) -> Json:
    values = shown(source.config)
    text = yaml.dump(values, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return {"text": clean(text)}


def _versions(source: Source) -> Json:
    rows = version_rows(source)
    return {"rows": rows[::-1], "timeline": timeline(rows, source.now)}


def _version(source: Source, version: str) -> Json:
    view = version_view(source, version)
    known = [one.version for one in source.store.snapshots(source.instance)]
    place = known.index(version)
    before = known[place - 1] if place else None
    return {
        "one": view,
        "before": before,
        "after": known[place + 1] if place + 1 < len(known) else None,
        "changes": difference_view(source, before, version)["changes"] if before else [],
    }


def _explain(source: Source, what: str) -> Json:
    """The answer, or in words why there is none."""
    told: Json = {"query": what, "answer": None, "problem": None}
    if not what:
        return told
    try:
        return {**told, "answer": explained(source, what)}
    except (UsageError, FeedError) as error:
        return {**told, "problem": str(error)}
