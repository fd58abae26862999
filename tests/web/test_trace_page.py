"""The way of a message on the page: with and without script, in both themes, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn
from tests.support.world import World
from tests.web.conftest import copied
from tests.web.scene import EVIL, NOW, Stage, served
from tests.web.test_browser import AXE, LOOKS, SHOTS, TOO_WIDE, axe, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["axe"]

DOMAIN, NAME = "example.com", "exosync example.com"
ALICE, BOB, CAROL = f"alice@{DOMAIN}", f"bob@{DOMAIN}", f"carol@{DOMAIN}"
QUERY = f"/trace?from={ALICE}&to={BOB}"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a company whose rule takes away mail, a stranger's rule among them."""
    folder = tmp_path_factory.mktemp("traced")
    with ExitStack() as stack:
        exchange = stack.enter_context(ExchangeStandIn(DOMAIN))
        fill(exchange)
        feed = stack.enter_context(EndpointsStandIn(version="2026081400"))
        (folder / "secret").write_text("the-secret-of-exchange")
        world = World(folder, feed, targets(exchange))
        world.sync()
        (folder / NOW).write_text(world.now.isoformat())
    return folder


@pytest.fixture(scope="module")
def company(lived: Path) -> Iterator[str]:
    """Its page."""
    with served(Stage(lived)) as url:
        yield url


def fill(exchange: ExchangeStandIn) -> None:
    """A rule and a connector for the domain, and another's rule that may act before it."""
    org = exchange.org
    relay: Any = org.domain(DOMAIN)
    relay["DomainType"] = "InternalRelay"
    org.add_recipient(BOB, "MailUser")
    org.add_recipient(CAROL, aliases=[f"c@{DOMAIN}"])
    org.add_group(f"elsewhere@{DOMAIN}", [BOB])
    org.add_connector(
        NAME, IsTransportRuleScoped=True, UseMXRecord=False, SmartHosts=["gate.example.net"]
    )
    org.add_rule(f"marked {EVIL}"[:64], SubjectContainsWords=["x"], DeleteMessage=True)
    org.add_rule(
        NAME,
        RecipientDomainIs=[DOMAIN],
        RouteMessageOutboundConnector=NAME,
        SentToMemberOf=[f"elsewhere@{DOMAIN}"],
    )


def targets(exchange: ExchangeStandIn) -> list[dict[str, Any]]:
    """A file, the way out of Exchange Online, one that nobody reads, and one that no run reaches."""
    out: dict[str, Any] = {
        "kind": "exchange",
        "url": exchange.url,
        "tenant": exchange.tenant,
        "client_id": exchange.client_id,
        "credentials": {"kind": "secret", "secret": {"file": "secret"}},
        "far_side": "other",
        "smart_hosts": ["gate.example.net"],
        "try_hosts": "never",
        "timeout": "30s",
    }
    group = {"group": f"elsewhere@{DOMAIN}"}
    unread = {key: value for key, value in out.items() if key not in ("credentials", "client_id")}
    return [
        {"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"},
        {
            **out,
            "name": "exchange",
            "domain": DOMAIN,
            "routed": group,
            "validation_recipients": [BOB],
            "sender": ALICE,
        },
        {**unread, "name": "other", "domain": "example.org", "routed": {"group": "g@example.org"}},
        {
            **out,
            "name": "cut",
            "domain": "example.net",
            "url": "http://127.0.0.1:1",
            "routed": group,
        },
    ]


def test_the_way_is_right_in_both_themes_and_on_a_phone(
    company: str, browser: Browser, axe: str
) -> None:
    """The console is silent, nothing sticks out sideways, and axe finds nothing."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with opened(browser) as page:
        for name, path in (
            ("trace", QUERY),
            ("trace-form", "/trace"),
            ("todo-script", "/todo"),
            ("target-exchange", "/targets/exchange"),
        ):
            page.goto(company + path)
            page.evaluate(axe)
            for scheme, width, rules in LOOKS:
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 800})
                assert 0 == page.evaluate(TOO_WIDE)
                assert rules is None or [] == page.evaluate(AXE, [[], rules])
                page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)


def test_a_script_is_copied_whole_though_a_part_is_in_sight(company: str, browser: Browser) -> None:
    """It is longer than the box, which can be scrolled by keyboard too."""
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{company}/todo")
        box = page.get_by_role("group", name="Text to paste").first
        box.focus()
        page.keyboard.press("End")
        assert box.evaluate("one => one.scrollHeight > one.clientHeight + 100")
        page.get_by_role("button", name="Copy Text to paste").first.click()
        page.get_by_role("status").filter(has_text="copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert box.evaluate("one => one.textContent") == copied
        assert copied.startswith("# exosync: create the outbound connector")
        assert copied.rstrip().endswith("}")


def test_the_form_works_without_script(company: str, browser: Browser) -> None:
    """From the target's page to a drawn way."""
    with opened(browser, java_script_enabled=False) as page:
        page.goto(f"{company}/targets/exchange")
        page.get_by_role("link", name="which way does a message take?").click()
        page.get_by_label("From").fill(ALICE)
        page.get_by_label("To", exact=True).fill(BOB)
        with page.expect_navigation():
            page.get_by_role("button", name="Trace").click()
        assert page.get_by_role("heading", name="By exchange").is_visible()
        assert page.get_by_text(f"exosync trace {ALICE} {BOB}").is_visible()
        assert 3 < page.locator(".way > li").count()


def test_what_every_check_follows_is_offered(company: str) -> None:
    """With the sender that the target has."""
    text = requests.get(f"{company}/trace", timeout=30).text
    assert f"{ALICE} to {BOB}" in text


def test_the_api_tells_what_is_remembered(company: str) -> None:
    """Who was in the group is known, whether a stranger's rule acts is not, nor the hosts."""
    view = requests.get(f"{company}/api/v1{QUERY}", timeout=30).json()
    assert (ALICE, BOB, None) == (view["from"], view["to"], view["ok"])
    (way,) = view["ways"]
    assert ("exchange", ["gate.example.net"], []) == (way["target"], way["hosts"], way["families"])
    titles = [one["title"] for one in way["stages"]]
    assert f"{NAME} (priority 1) acts" in titles
    assert "perhaps: edge knows all 6 ranges" in titles


def test_who_is_in_no_group_may_be_known_by_another_name(company: str) -> None:
    """Other addresses of members are not remembered, and that is said."""
    text = requests.get(f"{company}/trace?from={ALICE}&to={CAROL}", timeout=30).text
    assert f"no group that was read lists {CAROL}" in text


@pytest.mark.parametrize(
    ("sender", "recipient", "names"),
    [
        ("a@example.org", BOB, ["exchange"]),
        (ALICE, "eve@stranger.test", ["exchange"]),
        ("a@example.org", f"bob@sub.{DOMAIN}", ["other"]),
        ("a@nowhere.test", "eve@stranger.test", ["exchange", "other", "cut"]),
    ],
)
def test_who_looks_after_one_of_both_domains_tells_the_way(
    company: str, sender: str, recipient: str, names: list[str]
) -> None:
    """The recipient's first; among hundreds of tenants nobody wants to read all of them."""
    asked = {"from": sender, "to": recipient}
    view = requests.get(f"{company}/api/v1/trace", params=asked, timeout=30).json()
    assert names == [one["target"] for one in view["ways"]]


def test_an_old_look_is_told_as_one(lived: Path) -> None:
    """A service that was off for days: what would be well is not sure any more."""
    stage = Stage(lived)
    stage.moment += timedelta(days=5)
    with served(stage) as url:
        text = requests.get(f"{url}/trace?from={ALICE}&to={CAROL}", timeout=30).text
        (way,) = requests.get(f"{url}/api/v1{QUERY}", timeout=30).json()["ways"]
    assert "5 days ago" in text
    assert "<span>stale</span>" in text
    assert timedelta(days=5) == stage.moment - datetime.fromisoformat(way["seen_at"])


def test_why_no_run_has_read_a_tenant_is_told(company: str) -> None:
    """Nothing is known, and the page says what the last run met."""
    path = "trace?from=a@example.net&to=b@example.net"
    text = requests.get(f"{company}/{path}", timeout=30).text
    assert "No run has read the tenant yet" in text
    assert "The last run failed: 127.0.0.1 cannot be reached" in text
    (way,) = requests.get(f"{company}/api/v1/{path}", timeout=30).json()["ways"]
    assert ([], None, None) == (way["stages"], way["ok"], way["seen_at"])


def test_another_tenant_is_not_told_by_what_was_read_in_the_one_before(
    lived: Path, tmp_path: Path
) -> None:
    """Whoever points a target to another tenant does not see the way of the old one's mail."""
    stage = Stage(copied(lived, tmp_path / "moved"))
    found = yaml.safe_load((stage.folder / "exosync.yaml").read_text())["targets"]
    new = {"tenant": "00000000-0000-4000-8000-000000000001"}
    stage.configure(targets=[{**one, **new} if "tenant" in one else one for one in found])
    with served(stage) as url:
        page = requests.get(url + QUERY, timeout=30).text
    assert "No run has read the tenant yet" in page


def test_the_text_of_others_is_shown_as_text(company: str) -> None:
    """Somebody's rule is named like a script."""
    text = requests.get(company + QUERY, timeout=30).text
    assert "marked &lt;script&gt;alert(1)" in text
    assert EVIL not in text


def test_a_target_that_nobody_can_read_is_told_on_peoples_word(company: str) -> None:
    """Nobody said yet that anything was done there."""
    text = requests.get(f"{company}/trace?from=a@example.org&to=b@example.org", timeout=30).text
    assert "nobody reads the tenant" in text
    assert "the list of rules is not whole" in text


def test_what_is_no_address_is_told_in_words(company: str) -> None:
    """On the page beside the form, in the API as a problem."""
    text = requests.get(f"{company}/trace?from=alice&to={BOB}", timeout=30).text
    assert "is not an email address" in text
    answer = requests.get(f"{company}/api/v1/trace?from=alice&to={BOB}", timeout=30)
    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "from: 'alice' is not an email address like ada@example.com" == answer.json()["detail"]
    assert 422 == requests.get(f"{company}/api/v1/trace?from={ALICE}", timeout=30).status_code


def test_without_a_router_the_page_says_what_is_missing(page_url: str) -> None:
    """A company without Exchange Online's way out; in the API there is nothing of that kind."""
    text = requests.get(page_url + QUERY, timeout=30).text
    assert "no target decides where mail goes" in text
    assert 404 == requests.get(f"{page_url}/api/v1{QUERY}", timeout=30).status_code


def test_the_targets_page_tells_what_was_found_though_it_lists_no_ranges(company: str) -> None:
    """Foreign rules, say; nothing of ranges."""
    text = requests.get(f"{company}/targets/exchange", timeout=30).text
    assert "No run has looked at it yet" not in text
    assert "Desired and there" not in text
    assert "Foreign" in text
