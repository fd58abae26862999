"""The application: pages, API, health and figures, behind one gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from exosync import __version__
from exosync.errors import ExosyncError
from exosync.log import get_logger
from exosync.secrets import redact
from exosync.web import api, assets, health, live, pages, signin
from exosync.web.access import Access
from exosync.web.frames import render
from exosync.web.gate import MACHINES, Gate
from exosync.web.port import Service
from exosync.web.problems import MEDIA, problem, problem_json, status_of
from exosync.web.reading import Reader

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def create_app(service: Service, *, environ: Mapping[str, str]) -> FastAPI:
    """The application for a service; `environ` is where secrets may stand.

    Setting `app.state.closing` ends the streams that are open.
    """
    reader, closing = Reader(service), threading.Event()
    access = Access(service, environ, time.monotonic)
    pulse = live.Pulse(reader)
    app = FastAPI(
        title="exosync",
        version=__version__,
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.closing = closing
    app.include_router(pages.router(pages.Pages(reader, pulse.now)))
    app.include_router(api.router(reader))
    app.include_router(health.router(service))
    app.include_router(signin.router(access))
    app.include_router(assets.router())
    app.include_router(live.router(live.Streams(pulse, closing)))
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    _tell_errors(app)
    app.add_middleware(Trap)
    app.add_middleware(Gate, service=service, access=access)
    return app


class Trap:
    """An ASGI middleware: a fault of ours is logged, and answered without a word of where."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; 500 if that fails before an answer has begun."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  (the last resort of a request)
            told = redact(f"{type(error).__name__}: {error}")
            get_logger().exception("page_failed", path=scope.get("path"), error=told)
            if not begun:
                answer = problem(500, "this is a fault of exosync: its log says more")
                await answer(scope, receive, send)


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: HTTPException) -> Response:
        found = {404: "there is nothing here", 405: "this can only be read"}
        detail = found.get(error.status_code, str(error.detail))
        return _told(request, error.status_code, detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def of_input(request: Request, error: RequestValidationError) -> Response:
        detail = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
        return _told(request, 422, detail)

    @app.exception_handler(ExosyncError)
    def of_ours(request: Request, error: ExosyncError) -> Response:
        return _told(request, status_of(error), str(error))


def _told(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An error as JSON for programs, as a page for people."""
    if request.url.path.startswith((*MACHINES, "/assets/", "/livez", "/readyz")):
        return problem(status, detail, headers)
    values = problem_json(status, detail)
    title = HTTPStatus(status).phrase
    text = render("error.html.jinja", title=title, status=status, detail=values["detail"])
    return HTMLResponse(text, status, headers)


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: errors have their own media type, and a token may be asked for."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="exosync",
            version=__version__,
            summary="What exosync knows, read-only.",
            routes=app.routes,
        )
        for path in made["paths"].values():
            for operation in path.values():
                for code, answer in operation["responses"].items():
                    if int(code) >= 400:
                        answer["content"] = {MEDIA: answer["content"]["application/json"]}
        bearer = {"type": "http", "scheme": "bearer", "description": "web.token, if it is set."}
        made["components"]["securitySchemes"] = {"token": bearer}
        made["security"] = [{}, {"token": []}]
        app.openapi_schema = made
    return app.openapi_schema
