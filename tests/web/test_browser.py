"""Every page in a real browser: light and dark, wide and on a phone, with and without script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.web.conftest import MakeStage
from tests.web.scene import EVIL, Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"

PAGES = {
    "overview": "/",
    "target-edge": "/targets/edge",
    "target-google": "/targets/google",
    "target-branch": "/targets/branch",
    "todo": "/todo",
    "ranges": "/ranges",
    "ranges-of-branch": "/ranges?target=branch",
    "versions": "/versions",
    "version": "/versions/2019022800",
    "explain": "/explain?q=40.107.1.2",
    "explain-host": "/explain?q=smtp.protection.outlook.com",
    "history": "/history?limit=20",
    "runs": "/runs",
    "run": "/runs/2",
    "events": "/events?before=12",
    "event": "/events/5",
    "plan": "/plans/{plan}",
    "alerts": "/alerts",
    "settings": "/settings",
    "not-found": "/nothing/here",
}
EVERYTHING: Json = {}
COLOURS: Json = {"runOnly": ["color-contrast"]}
BUT_COLOURS: Json = {"rules": {"color-contrast": {"enabled": False}}}

LOOKS: tuple[tuple[Literal["light", "dark"], int, Json | None], ...] = (
    ("light", 1280, EVERYTHING),
    ("dark", 1280, COLOURS),
    ("dark", 360, None),
    ("light", 360, BUT_COLOURS),
)
"""Theme, width, and what axe looks at there: a theme only changes colours, a width only the rest."""

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MORE_OF_THE_SAME = [
    ["tbody tr:nth-child(n + 8)"],
    [".diff > :nth-child(n + 10)"],
    [".panel:nth-child(n + 4)"],
    [".steps > :nth-child(n + 4)"],
]
"""What one template makes often is looked at often enough."""

AXE = """async ([exclude, options]) => (await axe.run({exclude}, {resultTypes: ["violations"], ...options})).violations.map(
    one => `${one.id}: ${one.nodes.map(node => node.html).slice(0, 3).join(" | ")}`)"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The checks of Deque's axe-core."""
    from axe_playwright_python.base import AXE_SCRIPT

    return str(AXE_SCRIPT)


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a browser of its own; whatever its console complains of fails the test."""
    context = browser.new_context(reduced_motion="reduce", **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: said.append(str(one)))
    yield page
    context.close()
    assert [] == [one for one in said if "status of 40" not in one]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_right_in_both_themes_and_on_a_phone(
    page_url: str, browser: Browser, axe: str, filled: Path, name: str
) -> None:
    """The console is silent, nothing sticks out sideways, and axe finds nothing."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with opened(browser) as page:
        page.goto(page_url + PAGES[name].format(plan=open_plan(filled, "branch")))
        page.evaluate(axe)
        for scheme, width, rules in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            assert 0 == page.evaluate(TOO_WIDE)
            assert rules is None or [] == page.evaluate(AXE, [MORE_OF_THE_SAME, rules])
            page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        assert 0 == page.locator("script:not([src])").count()


def open_plan(folder: Path, target: str) -> str:
    """The id of the plan that waits for a target."""
    with Stage(folder).store() as store:
        return next(one.id for one in store.open_plans() if one.target == target)


def test_without_script_everything_is_there(page_url: str, browser: Browser) -> None:
    """The forms and links work; what only a script could do is not shown."""
    with opened(browser, java_script_enabled=False) as page:
        page.goto(f"{page_url}/?state=waiting")
        assert 0 == page.locator("button.copy:visible").count()
        page.get_by_role("rowheader").get_by_role("link", name="google").click()
        page.get_by_text("To say so before").wait_for()
        page.get_by_role("navigation").get_by_role("link", name="Explain").click()
        page.get_by_label("Address, CIDR or host").fill("40.92.0.1")
        page.get_by_role("button", name="Explain").click()
        page.get_by_role("heading", name="40.92.0.1").wait_for()


def test_by_keyboard_one_comes_past_the_navigation(page_url: str, browser: Browser) -> None:
    """The first stop is a link to the content, and where one is can be seen."""
    with opened(browser) as page:
        page.goto(page_url)
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert "Skip to the content" == focused.inner_text()
        assert focused.is_visible()
        assert "0px" != focused.evaluate("one => getComputedStyle(one).outlineWidth")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_a_command_can_be_copied(page_url: str, browser: Browser) -> None:
    """A button puts on the clipboard what stands beside it, and says so."""
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{page_url}/todo")
        button = page.get_by_role("button", name="Copy Text to paste")
        button.click()
        page.get_by_role("status").filter(has_text="copied").wait_for()
        box = page.locator(".box code").first.inner_text()
        assert box == page.evaluate("navigator.clipboard.readText()")
        assert "203.0.113.9" in box


def test_a_page_renews_itself_when_something_happens(make: MakeStage, browser: Browser) -> None:
    """What a person was about to open stays open, and where he was stays focused."""
    stage, url = make()
    with opened(browser) as page:
        page.goto(f"{url}/targets/google")
        page.get_by_text("live", exact=True).wait_for()
        page.get_by_text("What to know about it").click()
        link = page.locator("main a").first
        link.focus()
        stage.moment += timedelta(minutes=3)
        with stage.store() as store:
            store.pause("google", by="grace", why="a change of the console", at=stage.moment)
        page.get_by_text("Paused by grace").wait_for()
        assert page.locator("details", has_text="What to know about it").get_attribute("open") == ""
        assert link.evaluate("one => one === document.activeElement")


def test_what_comes_from_outside_runs_no_script(page_url: str, browser: Browser) -> None:
    """It is shown as the text that it is."""
    asked: list[str] = []
    with opened(browser) as page:
        page.on("dialog", lambda one: asked.append(one.message))
        page.on("request", lambda one: asked.append(one.url))
        page.goto(page_url)
        assert page.get_by_text(f"the zone moves to another provider {EVIL}").is_visible()
    assert [] == [one for one in asked if not one.startswith(page_url)]


def test_a_person_signs_in_and_out(make: MakeStage, browser: Browser, tmp_path: Path) -> None:
    """A page leads to the sign-in and back; afterwards the cookie is of no use to a script."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "token").write_text("correct horse battery staple\n")
    _, url = make(web={"token": {"file": "token"}})
    with opened(browser) as page:
        page.goto(f"{url}/ranges?target=edge")
        page.get_by_label("Token").fill("wrong")
        with page.expect_response(lambda one: one.status == 401):
            page.get_by_role("button", name="Sign in").click()
        page.get_by_text("That is not the token.").wait_for()
        page.get_by_label("Token").fill("correct horse battery staple")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/ranges?target=edge")
        assert "" == page.evaluate("document.cookie")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{url}/sign-in")
        page.goto(url)
        page.wait_for_url(f"{url}/sign-in?next=%2F")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_right_too(
    make: MakeStage, browser: Browser, axe: str, tmp_path: Path, scheme: Any
) -> None:
    """Nothing sticks out, and axe finds nothing."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "token").write_text("correct horse battery staple\n")
    _, url = make(web={"token": {"file": "token"}})
    with opened(browser, color_scheme=scheme) as page:
        page.goto(url)
        page.evaluate(axe)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert 0 == page.evaluate(TOO_WIDE)
            assert [] == page.evaluate(AXE, [[], EVERYTHING])
            page.screenshot(path=SHOTS / f"sign-in-{scheme}-{width}.png")
