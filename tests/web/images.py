"""The pictures of docs/images: `python -m tests.web.images`.

A day in November 2026: the relay pool was just added to what is desired, all targets that
exosync writes have it, and a person is waited for where only a person can write.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from exosync.store import ChannelRecord
from tests.web.conftest import CHROMIUM, SWITCHES
from tests.web.scene import NOW, Company, Stage, fill, serve, served

IMAGES = Path(__file__).parents[2] / "docs" / "images"
BEGIN = datetime(2020, 10, 20, 8, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 25, 4, 40, tzinfo=UTC)
NAMES = ("edge", "mimecast", "google", "gateway", "spf", "branch")

PICTURES = (
    ("overview-light", "/", "light", 1160, 820),
    ("overview-dark", "/", "dark", 1160, 820),
    ("overview-phone", "/", "dark", 390, 844),
    ("target", "/targets/google", "light", 1160, 900),
    ("ranges", "/ranges", "light", 1160, 820),
    ("ranges-leaving", "/ranges", "dark", 1160, 820),
)
"""Name, page, theme, width and height."""


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


def take(browser: Browser, url: str, name: str) -> None:
    """One picture."""
    _, path, scheme, width, height = next(one for one in PICTURES if one[0] == name)
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
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        now, then = Path(folder) / "now", Path(folder) / "then"
        for state, filling in ((now, today), (then, partial(fill, others=""))):
            state.mkdir()
            filling(state)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
            with served(Stage(now)) as url:
                for name, *_ in PICTURES[:-1]:
                    take(browser, url, name)
            with served(Stage(then)) as url:
                take(browser, url, PICTURES[-1][0])
            browser.close()


if __name__ == "__main__":
    main()
