"""The pictures of docs/images: `python -m tests.web.images`, with names if not all are to be taken.

A day in November 2026: the relay pool was just added to what is desired, all targets that
exosync writes have it, and a person is waited for where only a person can write.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from exosync.store import ChannelRecord
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.mailflow_names import Names
from tests.support.split_domain import ADA, BOTH, DOMAIN, company, targets, zones
from tests.support.world import World
from tests.support.zones import WIDE
from tests.web.conftest import CHROMIUM, SWITCHES
from tests.web.scene import NOW, Company, Stage, fill, serve, served

IMAGES = Path(__file__).parents[2] / "docs" / "images"
BEGIN = datetime(2020, 10, 20, 8, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 25, 4, 40, tzinfo=UTC)
NAMES = ("edge", "mimecast", "google", "gateway", "spf", "branch")

WAY = f"/trace?from={ADA}&to={BOTH}"

PICTURES = (
    ("overview-light", "now", "/", "light", 1160, 820),
    ("overview-dark", "now", "/", "dark", 1160, 820),
    ("overview-phone", "now", "/", "dark", 390, 844),
    ("target", "now", "/targets/google", "light", 1160, 900),
    ("ranges", "now", "/ranges", "light", 1160, 820),
    ("ranges-leaving", "then", "/ranges", "dark", 1160, 820),
    ("trace", "divided", WAY, "light", 800, 1000),
)
"""Name, state, page, theme, width and height."""


def today(folder: Path) -> None:
    """Live from 2020 to a day in 2026, and leave the state in a folder."""
    with ExitStack() as stack:
        company = Company(folder, stack, version="2020092900", begin=BEGIN, others="")
        world = company.world
        world.targets = [one for one in world.targets if one["name"] in NAMES]
        extra = world.settings["ranges"]
        world.settings["ranges"] = {}
        for version in ("2020092900", "2020102800", "2024073100", "2025013000", "2026081400"):
            company.feed.publish(version)
            world.now = datetime.strptime(version[:8], "%Y%m%d").replace(tzinfo=UTC) + timedelta(
                hours=9, minutes=12
            )
            company.sync()
            company.paste()
            company.acknowledge()
            company.sync(hours=1)
        world.settings["ranges"] = {"extra": extra["extra"]}
        world.now = TODAY
        company.sync()
        company.acknowledge()
        company.sync(hours=1)
        company.sync(hours=4)
        world.pass_time(minutes=6)
        with company.store() as store:
            serve(store, world)
            sent_at = TODAY + timedelta(minutes=3)
            for name in ("ops", "hook"):
                store.save_channel(ChannelRecord(name, 1, None, 0, "", sent_at))
        (folder / NOW).write_text(world.now.isoformat())


def divided(folder: Path) -> None:
    """A company with one domain on two sides, whose rule was just switched on."""
    with ExitStack() as stack:
        dns = stack.enter_context(
            DnsStandin(zones(spf=f"include:_exo.{DOMAIN}"), keys=[WIDE], grants={WIDE.name: ("*",)})
        )
        made = stack.enter_context(company(Names(dns.host, dns.port)))
        feed = stack.enter_context(EndpointsStandIn(version="2026081400"))
        world = World(folder, feed, targets(made, folder, dns.port), {}, TODAY)
        world.sync()
        with world.opened() as one:
            (task,) = one.store.open_tasks("google")
            made.google.set_allowlist([part.strip() for part in task.body["box"].split(",")])
        made.relay()
        world.pass_time(hours=1)
        told = world.sync()["targets"]
        world.approve(next(one["plan"] for one in told if one["name"] == "exchange"))
        world.pass_time(hours=1)
        world.sync()
        world.pass_time(minutes=6)
        with world.opened() as one:
            serve(one.store, world)
        (folder / NOW).write_text(world.now.isoformat())


STATES: Mapping[str, Callable[[Path], None]] = {
    "now": today,
    "then": partial(fill, others=""),
    "divided": divided,
}
"""What lives through the times that the pictures show."""


def take(browser: Browser, url: str, name: str) -> None:
    """One picture."""
    _, _, path, scheme, width, height = next(one for one in PICTURES if one[0] == name)
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(url + path)
    page.get_by_text("live", exact=True).wait_for()
    page.screenshot(path=IMAGES / f"{name}.png")
    page.close()


def main() -> None:
    """Take all of them, or those that are named."""
    wanted = [one for one in PICTURES if one[0] in sys.argv[1:] or not sys.argv[1:]]
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # The evaluation of SPF runs an event loop of its own, as the browser's driver does.
        for name in dict.fromkeys(one[1] for one in wanted):
            (Path(folder) / name).mkdir()
            STATES[name](Path(folder) / name)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
            for name, state, *_ in wanted:
                with served(Stage(Path(folder) / state)) as url:
                    take(browser, url, name)
            browser.close()


if __name__ == "__main__":
    main()
