"""From events to the object that a message is, and to what people read of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from exosync.alerts.composing import bare, compose, trial
from exosync.alerts.kinds import KINDS
from exosync.alerts.rendering import NAMES, Pages, page, subject
from exosync.alerts.standing import Named
from exosync.secrets import REDACTOR
from tests.alerts.kit import AT, BODIES, CHANGE, SECRET, TASK, event, scene, state, task

Json = dict[str, Any]

SCHEMA = json.loads(files("exosync.schemas").joinpath("alert.schema.json").read_text("utf-8"))
FOUR = tuple(Named(name, "file", "apply") for name in ("edge", "spf", "mimecast", "google"))
RUNNING: Json = {"changes": [], "refusals": [], "findings": []}


def valid(alert: Json) -> Json:
    """The alert itself, if it is as published."""
    jsonschema.validate(alert, SCHEMA, format_checker=jsonschema.FormatChecker())
    return alert


def rendered(alert: Json) -> dict[str, str]:
    """Everything that is made of it for people."""
    pages = Pages()
    return {name: page(pages.render(name, alert)[0]) for name in NAMES}


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep its name, and whether it leads somewhere."""
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("href", "src") or name[:2] == "on"]

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.text += data


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_event_is_composed_and_rendered(kind: str) -> None:
    """As published, with its text in each of the forms."""
    one = event(kind, title=f"a title of {kind}")
    alert = valid(compose([one], scene("digest" if kind == "heartbeat" else "x")))
    assert [f"a title of {kind}"] == [each["text"] for each in alert["events"]]
    assert "\n" not in subject(rendered(alert)["mail.subject"])
    for name, text in rendered(alert).items():
        assert alert["title"].split(":")[0] in text or name == "apprise.md", (kind, name)


def test_a_version_tells_each_target_what_was_done_and_what_waits() -> None:
    """With the command to type, and by when a person must do what."""
    refusal = {"rule": "shrink", "message": "too much would be removed", "approvable": True}
    states = {
        "edge": state("edge", "applied", verified=True),
        "spf": state(
            "spf", "pending", plan="7c1e0f2a9b3d", report={**RUNNING, "changes": [CHANGE]}
        ),
        "mimecast": state(
            "mimecast", "refused", plan="5f0c11d2a7be", report={**RUNNING, "refusals": [refusal]}
        ),
        "google": state("google", "waiting", plan="aaaa00000001"),
    }
    events = [event("ranges_changed", 1), event("applied", 2, run=9), event("refused", 3)]
    made = compose(
        events,
        scene(
            "version:Worldwide:2026112500",
            targets=FOUR,
            states=states,
            tasks=[task()],
            done={(9, "edge"): ("update exo.cidr: add 40.93.0.0/16",)},
        ),
    )

    alert = valid(made)
    edge, spf, mimecast, google = alert["targets"]
    assert {"previous": "2026081400", "changes": [CHANGE]}.items() <= alert["version"].items()
    assert ["update exo.cidr: add 40.93.0.0/16"] == edge["done"]
    assert [CHANGE] == spf["changes"]
    assert ["exosync show 7c1e0f2a9b3d", "exosync apply 7c1e0f2a9b3d"] == commands(spf)
    assert ["exosync show 5f0c11d2a7be", "exosync approve 5f0c11d2a7be"] == commands(mimecast)
    (todo,) = google["tasks"]
    assert (AT + timedelta(days=2)).isoformat() == todo["due_at"]
    assert TASK["box"] == todo["box"]
    assert "exosync todo show google inbound_gateway" == todo["show"]
    assert (
        "Exchange Online: 1 range added; of 4 targets 1 refused, 1 pending, "
        "1 waiting for a person, 1 right" == alert["title"]
    )
    text = rendered(alert)["mail.txt"]
    for part in (
        "added 40.93.0.0/16",
        "exosync approve 5f0c11d2a7be",
        "due 2026-11-27 10:17 UTC",
        "      40.92.0.0/15\n      40.93.0.0/16\n",
    ):
        assert part in text


def commands(part: Json) -> list[str]:
    """The commands that a target's part names."""
    return [one["command"] for one in part["next"]]


@pytest.mark.parametrize(
    ("kind", "states", "title"),
    [
        ("ranges_changed", {"edge": "in_sync"}, "Exchange Online: 1 range added; edge is right"),
        ("ranges_changed", {"edge": "failed"}, "Exchange Online: 1 range added; edge: failed"),
        (
            "feed_adopted",
            {"edge": "applied", "spf": "asserted"},
            "Exchange Online: first version 2026112500 adopted; all 2 targets are right",
        ),
        (
            "feed_adopted",
            {"edge": "in_sync", "spf": None},
            "Exchange Online: first version 2026112500 adopted; of 2 targets 1 not looked at yet, 1 right",
        ),
    ],
)
def test_a_version_says_in_its_title_how_the_targets_stand(
    kind: str, states: dict[str, str | None], title: str
) -> None:
    """Those that need a person first."""
    named = tuple(Named(name, "file", "apply") for name in states)
    known = {name: state(name, how) for name, how in states.items() if how}
    made = compose([event(kind)], scene("version:x:y", targets=named, states=known))
    assert title == made["title"]


def test_several_kinds_of_change_are_counted_apart() -> None:
    """And another cloud than the usual one is named."""
    kinds = ["added", "added", "removed", "recut"]
    body = {
        "instance": "China",
        "version": "2026112500",
        "previous": "2026081400",
        "changes": [{**CHANGE, "change": one} for one in kinds],
    }
    made = compose([event("ranges_changed", body=body)], scene("version:x:y", targets=()))
    assert "Exchange Online (China): 2 ranges added, 1 removed, 1 re-cut" == made["title"]


@pytest.mark.parametrize(
    ("change", "grace", "until"),
    [
        ("removed", 30, "2026-12-25T10:17:00+00:00"),
        ("narrowed", 30, "2026-12-25T10:17:00+00:00"),
        ("added", 30, None),
        ("removed", 0, None),
    ],
)
def test_a_version_says_how_long_what_was_removed_stays(
    change: str, grace: int, until: str | None
) -> None:
    """The grace time, from when it was first seen gone."""
    body = {**BODIES["ranges_changed"], "changes": [{**CHANGE, "change": change}]}
    made = compose(
        [event("ranges_changed", body=body)],
        scene("version:x:y", grace=timedelta(days=grace)),
    )
    assert until == valid(made)["version"]["kept_until"]
    told = [text for text in rendered(made).values() if "stays at the targets until" in text]
    assert (3 if until else 0) == len(told)


def test_a_version_that_changes_nothing_says_so() -> None:
    """It is told all the same."""
    body = {"instance": "Worldwide", "version": "2", "previous": "1", "changes": []}
    made = compose([event("feed_adopted", body=body)], scene("version:x:y", targets=()))
    assert "Exchange Online: version 2, mail ranges unchanged" == made["title"]


def test_what_one_run_found_is_named_once() -> None:
    """What matters most first, the target's name in front."""
    events = [
        event("applied", 1, title="edge: 1 step done"),
        event("drift", 2, title="edge was changed by somebody else"),
        event("target_recovered", 3, title="edge works again"),
    ]
    made = compose(events, scene())
    assert "edge: works again; was changed by somebody else; 1 step done" == made["title"]
    assert ("target_recovered", "warning") == (made["type"], made["severity"])


def test_events_of_several_targets_are_counted() -> None:
    """Where no title fits all."""
    events = [event("paused", 1, title="all writing paused by ada"), event("resumed", 2)]
    assert "all writing paused by ada (and 1 more event)" == compose(events, scene())["title"]


def test_a_reminder_names_the_step_and_not_all_its_ranges() -> None:
    """They stand further down."""
    long = {**TASK, "title": "Gmail's inbound gateway: add " + ", ".join(["40.93.0.0/16"] * 40)}
    body = {"plan": "a", "setting": "inbound_gateway", "task": long}
    made = compose([event("step_overdue", target="google", body=body)], scene())
    assert made["title"].startswith("google: overdue step for a person: Gmail's inbound gateway")
    assert len(made["title"]) < 110


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("paused", ["exosync resume edge"]),
        ("outside_window", [""]),
        ("waits_for_others", [""]),
        ("", ["exosync show 7c1e0f2a9b3d", "exosync apply 7c1e0f2a9b3d"]),
    ],
)
def test_a_plan_that_waits_says_what_for(rule: str, expected: list[str]) -> None:
    """And whether there is anything to do."""
    findings = [{"rule": rule, "message": "why it waits"}] if rule else []
    known = state("edge", "pending", plan="7c1e0f2a9b3d", report={**RUNNING, "findings": findings})
    (part,) = compose([event("plan_waits")], scene(states={"edge": known}))["targets"]
    assert expected == commands(part)
    assert ["why it waits" for _ in findings] == [one["message"] for one in part["findings"]]


def test_a_target_that_is_only_watched_is_not_to_be_applied() -> None:
    """Nobody may write there."""
    known = state("edge", "pending", plan="7c1e0f2a9b3d", mode="watch")
    (part,) = compose(
        [event("drift")], scene(targets=(Named("edge", "file", "watch"),), states={"edge": known})
    )["targets"]
    assert [""] == commands(part)


@pytest.mark.parametrize("rule", ["foreign_owner", "not_owned"])
def test_what_an_approval_cannot_lift_is_not_to_be_approved(rule: str) -> None:
    """The plan can be looked at."""
    refusal = {"rule": rule, "message": "it is somebody else's", "approvable": False}
    known = state("edge", "refused", plan="7c1e", report={**RUNNING, "refusals": [refusal]})
    (part,) = compose([event("refused")], scene(states={"edge": known}))["targets"]
    assert ["exosync adopt edge", "exosync show 7c1e"] == commands(part)


def test_what_stands_in_the_way_of_an_approval_is_mended_first() -> None:
    """No command is named that would be refused."""
    lifted = {"rule": "shrink", "message": "too much would be removed", "approvable": True}
    hard = {"rule": "syntax", "message": "the record is no SPF", "approvable": False}
    known = state("edge", "refused", plan="7c1e", report={**RUNNING, "refusals": [lifted, hard]})
    (part,) = compose([event("refused")], scene(states={"edge": known}))["targets"]
    assert ["exosync show 7c1e"] == commands(part)


def test_the_same_command_is_named_once() -> None:
    """For the first reason given."""
    known = state("edge", "failed", error="no answer", failures=2)
    (part,) = compose([event("still_failing")], scene(states={"edge": known}))["targets"]
    assert ["exosync check"] == commands(part)


def test_a_target_that_is_gone_is_told_of_by_its_name() -> None:
    """Its events are older than the configuration."""
    alert = valid(compose([event("target_failed", target="old")], scene(states={})))
    assert [("old", None)] == [(one["name"], one["state"]) for one in alert["targets"]]


def test_a_digest_lists_every_event_and_how_things_stand_now() -> None:
    """What was failing and works again needs nobody."""
    events = [event("target_failed", number, title=f"number {number}") for number in range(1, 60)]
    alert = valid(compose(events, scene("digest")))
    assert "59 events in one message, 59 errors among them" == alert["title"]
    assert [] == alert["targets"][0]["next"]
    for name in ("mail.txt", "mail.html"):
        text = rendered(alert)[name]
        assert [] == [number for number in range(1, 60) if f"number {number}" not in text]


def test_a_heartbeat_shows_all_targets() -> None:
    """With what waits, in short."""
    states = {"edge": state(), "google": state("google", "waiting")}
    body = {
        "well": False,
        "instance": "Worldwide",
        "version": "2026112500",
        "checked_at": AT.isoformat(),
    }
    one = event("heartbeat", title="Not all is well: 1 step for a person", body=body)
    made = compose([one], scene("heartbeat", targets=FOUR, states=states, tasks=[task()]))
    text = rendered(valid(made))["mail.txt"]
    assert "  google    waiting for a person, due 2026-11-27 10:17 UTC\n" in text
    assert "  spf       not looked at yet\n" in text
    assert "is at version 2026112500, last confirmed\n2026-11-25 10:17 UTC." in text
    assert "exosync todo show google inbound_gateway" in text
    assert "40.92.0.0/15\n" not in text, "the text to paste is for the mail about the step"


def test_a_test_message_says_that_nothing_has_happened() -> None:
    """It looks like any other."""
    alert = valid(trial(scene()))
    assert ("test", "A test of the channel ops: it works") == (alert["type"], alert["title"])
    assert "nothing has happened" in rendered(alert)["mail.txt"].lower()


def test_a_message_that_cannot_be_composed_is_told_in_short() -> None:
    """All texts are there, and why it is so short."""
    alert = valid(bare([event("drift", 1, title="one"), event("paused", 2)], scene(), "KeyError"))
    assert ["one", "exosync: paused"] == [one["text"] for one in alert["events"]]
    assert "KeyError" in rendered(alert)["mail.txt"]


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} {% raw %}\r\n"
    "Bcc: victim@example.com\r\n\r\nX\x1b[2J\x00\u202e\u2028 [link](http://evil.example) `x`"
)


def hostile() -> Json:
    """An alert whose every text wants to be something else."""
    nasty = dict.fromkeys(("title", "who", "place", "box", "setting", "confirmation"), HOSTILE)
    lists = {"instructions": [HOSTILE], "reasons": [HOSTILE], "fields": [{"name": HOSTILE}]}
    known = state(
        "edge",
        "refused",
        error=HOSTILE,
        plan="7c1e",
        failures=2,
        report={
            "changes": [dict.fromkeys(CHANGE, HOSTILE)],
            "refusals": [{"rule": HOSTILE, "message": HOSTILE}],
            "findings": [{"rule": "drift", "message": HOSTILE}],
        },
    )
    events = [
        event("ranges_changed", 1, body={"instance": HOSTILE, "version": HOSTILE, "changes": [
            dict.fromkeys(CHANGE, HOSTILE)
        ]}),
        event("applied", 2, title=HOSTILE, run=9, body={"what": {"ever": HOSTILE}}),
    ]  # fmt: skip
    todo = task("edge", body={**nasty, **lists}, setting=HOSTILE, claimed_by=HOSTILE)
    return compose(
        events,
        scene("x", states={"edge": known}, tasks=[todo], done={(9, "edge"): (HOSTILE,)}),
    )


def test_hostile_text_cannot_become_markup_or_a_header() -> None:
    """Neither a tag, nor a link, nor a line of its own, nor a control character."""
    alert = hostile()
    made = rendered(alert)
    tags = Tags(made["mail.html"])
    assert not {"script", "img", "a", "iframe"} & set(tags.tags)
    assert [] == tags.links
    assert "<script>alert(1)</script>" in tags.text
    assert "49" not in tags.text, "nothing of it is a template"
    line = subject(made["mail.subject"])
    assert line.isprintable()
    for name, text in made.items():
        bad = [one for one in text if not one.isprintable() and one != "\n"]
        assert [] == bad, name
        # In HTML a line has no meaning of its own.
        lines = text.splitlines() if name != "mail.html" else []
        assert not [one for one in lines if one.startswith(("Bcc:", "X-"))], name
    chat = Tags(MarkdownIt().render(made["apprise.md"]))
    assert not {"script", "img", "a"} & set(chat.tags)
    assert "<script>alert(1)</script>" in chat.text


def test_no_secret_is_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it came from."""
    REDACTOR.add(SECRET)
    known = state("edge", "failed", error=f"401 for {SECRET}", report={"changes": [SECRET]})
    one = event("target_failed", title=f"edge: {SECRET}", body={"deep": [{"er": SECRET}]})
    alert = compose([one], scene(states={"edge": known}, tasks=[task(claimed_by=SECRET)]))
    assert SECRET not in json.dumps(alert)
    assert all(SECRET not in text for text in rendered(alert).values())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(
    [
        "task",
        "changes",
        "version",
        "instance",
        "previous",
        "setting",
        "channel",
        "plan",
        "well",
        "checked_at",
    ]
)


@settings(max_examples=40)
@given(kind=st.sampled_from(sorted(KINDS)), body=st.dictionaries(keys, values, max_size=6))
def test_whatever_an_event_holds_it_is_told(kind: str, body: Json) -> None:
    """Bodies of an older or newer version must not make a message impossible."""
    alert = compose([event(kind, body=body, title="what happened")], scene())
    jsonschema.validate(alert, SCHEMA)
    assert "what happened" == alert["events"][0]["text"]
    assert 4 == len(rendered(alert))


def lines(text: str) -> Iterator[str]:
    """The lines of a text that are prose: no command, no text to paste."""
    yield from (one for one in text.splitlines() if not one.lstrip().startswith("exosync "))


def test_the_text_fits_a_terminal_of_eighty_columns() -> None:
    """But for what must not be broken: commands and long words."""
    states = {
        "edge": state("edge", "failed", error="the server gives no answer " * 12, failures=7),
        "google": state("google", "waiting"),
    }
    made = compose(
        [event("ranges_changed", 1), event("target_failed", 2)],
        scene("version:x:y", targets=FOUR, states=states, tasks=[task()]),
    )
    assert [] == [one for one in lines(rendered(made)["mail.txt"]) if len(one) > 80]
