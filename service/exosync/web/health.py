"""Whether the service lives and is ready, and its figures: for those who watch over it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from exosync.core.target import Check
from exosync.forms import check_json
from exosync.web.port import Service
from exosync.web.problems import CleanJson

METRICS = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus, "Exposition formats"."""


def router(service: Service) -> APIRouter:
    """/livez, /readyz and /metrics."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/livez")
    def livez(request: Request) -> Response:
        return _told(request, [service.alive()])

    @routes.get("/readyz")
    def readyz(request: Request) -> Response:
        return _told(request, service.ready())

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(service.metrics(), media_type=METRICS)

    return routes


def _told(request: Request, checks: Sequence[Check]) -> Response:
    """What holds; in detail only for whoever may read. A warning is no failure."""
    ok = all(one.ok is not False for one in checks)
    told: dict[str, object] = {"ok": ok}
    if request.state.verdict.trusted:
        told["checks"] = [check_json(one) for one in checks]
    return CleanJson(told, 200 if ok else 503)
