"""What the page costs: the server's time for each page, and the browser's own measure.

    python -m tests.bench.page

prints one table for a state of 4 targets and one of 100, each after eight real versions. The
server's is processor time, so that other work on the machine is hardly in it; the browser's is
by the clock, with the server on the same machine.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from exosync.config import Loaded, load
from exosync.core.target import Check
from exosync.web.app import create_app
from exosync.web.serving import PageServer
from tests.standins.endpoints import EndpointsStandIn, published
from tests.support.world import World

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Page

INSTANCE = "USGovGCCHigh"
SIZES = (4, 100)
TIMES = 30
CHROMIUM = Path("/usr/bin/chromium")

PATHS = (
    "/",
    "/targets/t0",
    "/todo",
    "/ranges",
    "/ranges?target=t0",
    "/versions",
    "/versions/2024073100",
    "/explain?q=52.244.65.13",
    "/history",
    "/runs/1",
    "/alerts",
    "/settings",
    "/api/v1/status",
    "/api/v1/coverage",
    "/livez",
)

_TIMING = """() => {
    const one = performance.getEntriesByType("navigation")[0];
    return [one.responseEnd - one.requestStart, one.domContentLoadedEventEnd, one.loadEventEnd];
}"""


class _Service:
    """The service behind the page."""

    def __init__(self, loaded: Loaded, now: datetime) -> None:
        self._loaded, self._now = loaded, now

    def loaded(self) -> Loaded:
        """The configuration."""
        return self._loaded

    def now(self) -> datetime:
        """The clock."""
        return self._now

    def alive(self) -> Check:
        """Alive."""
        return Check("loop", ok=True, message="")

    def ready(self) -> Sequence[Check]:
        """Ready."""
        return ()

    def metrics(self) -> bytes:
        """None."""
        return b""


@contextmanager
def page(targets: int, folder: Path) -> Iterator[FastAPI]:
    """The application over a state of so many file targets."""
    folder.mkdir()
    rows = [
        {"name": f"t{n}", "kind": "file", "mode": "apply", "path": f"{n}.txt"}
        for n in range(targets)
    ]
    versions = published(INSTANCE)
    with EndpointsStandIn(instance=INSTANCE, version=versions[0]) as feed:
        world = World(folder, feed, rows, {"feed": {"instance": INSTANCE, "url": feed.url}})
        for version in versions:
            world.publish(version)
            world.pass_time(days=40)
            world.sync()
        loaded = load(world.config_file, environ={"PATH": os.environ["PATH"]})
        yield create_app(_Service(loaded, world.now), environ={})


def server_times(app: FastAPI) -> dict[str, tuple[float, float, float, int]]:
    """Of each path the first, the median and the 95th percentile in ms, and its size."""
    return asyncio.run(_server_times(app))


async def _server_times(app: FastAPI) -> dict[str, tuple[float, float, float, int]]:
    found = {}
    for path in PATHS:
        times, size = [], 0
        for _ in range(TIMES):
            began = time.process_time()
            size = await _asked(app, path)
            times.append((time.process_time() - began) * 1000)
        p95 = quantiles(times[1:], n=20)[-1]
        found[path] = (times[0], median(times[1:]), p95, size)
    return found


async def _asked(app: FastAPI, path: str) -> int:
    """One request as a server hands it over (ASGI 3.0); gives the size of the answer."""
    plain, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    size = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal size
        assert message.get("status", 200) == 200, path
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return size


def browser_times(url: str) -> dict[str, list[float]]:
    """What Chromium measured of each page: its answer, its content, all of it; in ms."""
    if not CHROMIUM.exists():
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        one = browser.new_page()
        one.goto(url)
        found = {
            path: _timed(one, url + path)
            for path in PATHS
            if not path.startswith(("/api", "/livez"))
        }
        browser.close()
    return found


def _timed(one: Page, url: str) -> list[float]:
    def visit() -> Any:
        one.goto(url, wait_until="load")
        one.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        return one.evaluate(_TIMING)

    return [median(each) for each in zip(*(visit() for _ in range(7)), strict=True)]


def main() -> None:
    """Measure, and print."""
    for size in SIZES:
        with (
            tempfile.TemporaryDirectory(prefix="exosync-page-") as folder,
            page(size, Path(folder) / "state") as app,
        ):
            server = server_times(app)
            web = PageServer(app)
            browser = browser_times(web.start("127.0.0.1:0"))
            web.stop()
        print(f"\n{size} targets, ms: processor time of the server, then Chromium's own measure\n")
        print("| page | first | median | p95 | KiB | answer | content | whole |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for path, (first, middle, p95, length) in server.items():
            seen = browser.get(path)
            own = " | ".join(f"{one:.0f}" for one in seen) if seen else " | | "
            cells = f"{first:.1f} | {middle:.1f} | {p95:.1f} | {length / 1024:.0f} | {own}"
            print(f"| `{path}` | {cells} |", flush=True)


if __name__ == "__main__":
    main()
