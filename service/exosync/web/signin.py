"""The page where a person shows the token, and the end of a session."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import ClientDisconnect

from exosync.web.access import Access, Standing, Verdict
from exosync.web.frames import render
from exosync.web.gate import DELAY, place_of
from exosync.web.hasty import PATIENCE
from exosync.web.problems import problem
from exosync.web.session import COOKIE, LASTS

MOST_BYTES = 8192

_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


def local(path: str) -> str:
    """A path of this server to go on to; the first screen if it may lead elsewhere."""
    return path if _LOCAL.fullmatch(path) and not path.startswith("/sign-") else "/"


def router(access: Access) -> APIRouter:
    """/sign-in and /sign-out."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign-in")
    def form(request: Request, next: str = "/") -> Response:  # noqa: A002  (the query's key)
        if request.state.verdict.trusted:
            return RedirectResponse(local(next), 303)
        return _form(local(next))

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        refused = _foreign(request) or _too_large(request)
        if refused is not None:
            return refused
        try:
            body = await asyncio.wait_for(request.body(), PATIENCE)
        except TimeoutError:
            return problem(408, "the content did not come")
        except ClientDisconnect:
            return problem(400, "nobody is there any more")
        fields = parse_qs(body.decode("utf-8", "replace"))
        verdict = access.sign_in(fields.get("token", [""])[0], place_of(request.scope))
        if verdict.standing is Standing.WRONG:
            await asyncio.sleep(DELAY)
        return _answered(verdict, local(fields.get("next", ["/"])[0]), request)

    @routes.post("/sign-out")
    def sign_out(request: Request) -> Response:
        refused = _foreign(request)
        if refused is not None:
            return refused
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    return routes


def _answered(verdict: Verdict, onward: str, request: Request) -> Response:
    """Where a try leads to: on, or back to the form with a word."""
    if verdict.trusted:
        answer = RedirectResponse(onward, 303)
        _keep(answer, verdict.session, request)
        return answer
    if verdict.standing is Standing.TOO_OFTEN:
        words = f"Too many wrong tokens came from here: try again in {verdict.wait} seconds."
        return _form(onward, words, 429, {"Retry-After": str(verdict.wait)})
    if verdict.standing is Standing.UNREADABLE:
        return _form(onward, "The server cannot read web.token: nobody is let in.", 503)
    return _form(onward, "That is not the token.", 401)


def _form(
    onward: str, words: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    text = render("sign_in.html.jinja", onward=onward, words=words)
    return HTMLResponse(text, status, headers)


def _keep(answer: Response, session: str, request: Request) -> None:
    """The session as a cookie; a proxy in front tells whether the way to the reader is https."""
    if session:
        proto = request.headers.get("x-forwarded-proto", request.url.scheme)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=int(LASTS.total_seconds()),
            path="/",
            secure=proto == "https",
            httponly=True,
            samesite="strict",
        )


def _foreign(request: Request) -> Response | None:
    """Refuses what another site's page sends here.

    Browsers tell in Sec-Fetch-Site (W3C, Fetch Metadata), and older ones in Origin alone; a
    page without referrer, as ours are, may have "null" there.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is None or urlsplit(origin).netloc == request.headers["host"]
    return None if is_ours else problem(403, "this came from another site's page")


def _too_large(request: Request) -> Response | None:
    size = request.headers.get("content-length", "")
    if not size.isdecimal():
        return problem(411, "the length of the content must be given")
    return problem(413, "that is too much") if int(size) > MOST_BYTES else None
