"""The files that pages load: our own, each at an address that its content gives it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Response

from exosync.web.headers import KEEP
from exosync.web.problems import problem

MEDIA = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and the beginning of its SHA-256."""

    name: str
    digest: str
    body: bytes
    media: str


@cache
def assets() -> dict[str, Asset]:
    """All of them, by name."""
    found = {}
    for path in files("exosync.web").joinpath("assets").iterdir():
        media = MEDIA.get(path.name.rpartition(".")[2])
        if media is not None:
            body = path.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:16]
            found[path.name] = Asset(path.name, digest, body, media)
    return found


def url_of(name: str) -> str:
    """Where a page finds one."""
    one = assets()[name]
    return f"/assets/{one.digest}/{name}"


def router() -> APIRouter:
    """/assets/DIGEST/NAME: what is there never changes, so it may be kept for ever."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/assets/{digest}/{name}")
    def asset(digest: str, name: str) -> Response:
        found = assets().get(name)
        if found is None or found.digest != digest:
            return problem(404, "there is no such file")
        keep = {KEEP[0].decode(): KEEP[1].decode()}
        return Response(found.body, media_type=found.media, headers=keep)

    return routes
