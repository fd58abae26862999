"""What goes over the wire, held against cassettes: see tests/cassettes/README.md."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from exosync.core.target import Context
from exosync.core.trace import Sent, Way
from exosync_adapters import exchange, google_workspace
from tests.contract.conftest import no_pauses
from tests.contract.exchange import exchange_harness
from tests.contract.google import (
    allowlist_harness,
    gateway_harness,
    mailbox_harness,
    probe_harness,
)
from tests.contract.mimecast import mimecast_harness
from tests.contract.recording import FILTERED, FOLDER, RECORD, Conversation, conversation
from tests.contract.scene import INSTANCE, NEW, OLD, SETTINGS, Installation, Scene
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange_graph import add_trace, detail
from tests.standins.exchange_switches import GRAPH_ROLES, MANAGE
from tests.standins.google_gmail import Kept
from tests.support.world import START, World

__all__ = ["no_pauses"]

Opening = Callable[..., AbstractContextManager[Any]]

KINDS: dict[str, Opening] = {
    # What roles a token has stands in it, and it is not in the cassette: so it has but the one.
    "exchange": partial(exchange_harness, app_roles={MANAGE}, sidecars=False),
    "mimecast-anti_spoofing": mimecast_harness,
    "google-email_allowlist": allowlist_harness,
    "google-email_allowlist-probe": probe_harness,
    "google-inbound_gateway": gateway_harness,
}


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft, at the older version."""
    with EndpointsStandIn(instance=INSTANCE, version=OLD) as service:
        yield service


class Clock:
    """The stand-ins' clock: that of the world, once there is one."""

    world: World | None = None

    def __call__(self) -> datetime:
        """Now."""
        return self.world.now if self.world else START


def life(scene: Scene) -> None:
    """Check, first run, a run without news, a change: with all that people do."""
    scene.check()
    scene.work()
    scene.sync()
    scene.change()
    scene.work()
    scene.sync()


def unspoken(harness: Any) -> tuple[str, ...]:
    """Secrets, and the ids of clients."""
    client = harness.target.get("client_id")
    return (*harness.secrets, *([client] if isinstance(client, str) else []))


def scene_of(folder: Path, feed: EndpointsStandIn, harness: Any, clock: Clock) -> Scene:
    """An installation whose clock the stand-in goes by."""
    state = folder / "state"
    state.mkdir()
    settings = {**SETTINGS, "feed": {"url": feed.url, "instance": INSTANCE}}
    clock.world = Installation(state, feed, [], settings)
    return Scene(clock.world, harness)


def world_of(folder: Path, feed: EndpointsStandIn) -> World:
    """An installation with a file, which speaks to nobody but Microsoft."""
    targets = [{"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}]
    settings = {**SETTINGS, "feed": {"url": feed.url, "instance": INSTANCE}}
    return World(folder, feed, targets, settings)


def with_microsoft(world: World) -> Conversation:
    """What is said with the endpoints web service; who asks is nobody's business."""
    with world.opened() as one:
        guid = one.store.client_id()
    return Conversation("endpoints", world.feed.url, lambda: (guid,))


@pytest.mark.parametrize("name", KINDS)
def test_the_conversation_is_the_recorded_one(
    name: str, tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """Request by request, in order: a change of what is asked must be seen in review."""
    clock = Clock()
    with KINDS[name](tmp_path, now=clock) as harness:
        scene = scene_of(tmp_path, feed, harness, clock)
        with conversation(Conversation(name, harness.target["url"], lambda: unspoken(harness))):
            life(scene)
        if not os.environ.get(RECORD):
            assert (0, 0) == (harness.reads, harness.writes), "nobody was asked but the cassette"


def test_the_conversation_with_microsoft_is_the_recorded_one(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """The newest version is asked for once an hour, and each version is fetched once."""
    world = world_of(tmp_path, feed)
    with conversation(with_microsoft(world)):
        world.sync()
        world.sync()
        world.pass_time(hours=1)
        world.sync()
        world.publish(NEW)
        world.sync()
    if not os.environ.get(RECORD):
        assert [] == feed.requests


ADA, ALAN = "ada@example.com", "alan@example.com"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d(?P<sep>:|%3A)\d\d(?P=sep)\d\dZ"
PASSING = (
    (MOMENT, "MOMENT"),
    (r"(?m)^Date: .*$", "Date: MOMENT"),
    (r"exosync-[0-9a-f]{32}(?=@|%40)", "exosync-IDENT"),
    (r"(?m)^(Subject: exosync probe|X-Exosync-Probe:) [0-9a-f]+$", r"\1 IDENT"),
)
"""A message has an id of its own, and its trace is asked for by when it was sent."""


def target_of(kind: Any, harness: Any, folder: Path, pause: Callable[[float], None]) -> Any:
    """A target by itself."""
    keys = {name: one for name, one in harness.target.items() if name != "kind"}
    context = Context(
        owner="exosync",
        families="both",
        instance=INSTANCE,
        base=folder,
        reveal=lambda ref: Path(ref.file or "").read_text(),
        pause=pause,
    )
    return kind.build("tried", kind.settings.model_validate(keys), context)


def test_the_conversation_about_a_message_is_the_recorded_one(tmp_path: Path) -> None:
    """Sent by Graph, looked for until its trace shows; another is asked for by its id alone."""
    roles = GRAPH_ROLES | {MANAGE}
    with exchange_harness(tmp_path, cloud="worldwide", app_roles=roles) as harness:
        harness.target["probe"] = {"user": ADA}
        org = harness.tenant.org
        org.add_recipient(ADA, "UserMailbox")

        def arrives(_: float) -> None:
            if not org.sent:
                return
            message, now = message_from_bytes(org.sent[0][1]), datetime.now(UTC)
            now -= timedelta(minutes=1)
            left = detail("Send", now, data="OutboundIpPoolName=Standard", text="given away")
            add_trace(
                org,
                ADA,
                ALAN,
                message_id=message["Message-ID"],
                received=now,
                id="3c1d9b70-0000-4000-8000-000000000001",
                toIP="127.0.0.2",
                details=[{**left, "id": "1"}],
            )

        target = target_of(exchange.kind, harness, tmp_path, arrives)
        about = Conversation(
            "exchange-message", harness.target["url"], lambda: unspoken(harness), PASSING
        )
        way, other = Way(ADA, ALAN, (), leaves=True), "<another@example.com>"
        with conversation(about):
            sent = target.send(ADA, ALAN)
            stages = target.happened(sent, way, within=timedelta(seconds=10))
            unknown = target.happened(target.known(ADA, ALAN, other), way, within=timedelta(0))
        if not os.environ.get(RECORD):
            assert (0, 0) == (harness.reads, harness.writes), "nobody was asked but the cassette"
    assert "Exchange Online says: delivered" == stages[0].title
    assert ["the message trace does not show the message"] == [one.title for one in unknown]


def test_the_conversation_with_a_mailbox_is_the_recorded_one(tmp_path: Path) -> None:
    """The check, and a message that is not there when it is looked for first."""
    sent = Sent(ADA, ALAN, "<exosync-1@example.com>", START)
    with mailbox_harness(tmp_path) as harness:
        boxes = harness.google.gmail.mailboxes
        boxes[ALAN] = [_kept("another", START - timedelta(hours=1))]
        boxes["postmaster@example.com"] = []

        def arrives(seconds: float) -> None:
            if seconds > 1:
                boxes[ALAN].append(_kept("exosync-1", START))

        target = target_of(google_workspace.kind, harness, tmp_path, arrives)
        about = Conversation("google-mailbox", harness.target["url"], lambda: unspoken(harness), ())
        with conversation(about):
            checks = list(target.check())
            stages = target.arrived(sent, within=timedelta(seconds=10))
        if not os.environ.get(RECORD):
            assert [] == harness.google.requests, "nobody was asked but the cassette"
    assert not [one for one in checks if one.ok is False]
    assert f"it is in the inbox of {ALAN}" == stages[0].title


def _kept(ident: str, at: datetime) -> Kept:
    """A message in a mailbox."""
    content = f"Message-Id: <{ident}@example.com>\r\nSubject: private\r\n\r\nHello\r\n".encode()
    return Kept(ident, ADA, (ALAN,), content, "192.0.2.1", at=at)


def test_a_changed_request_is_shown_as_a_difference(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """The line that was recorded, and the line that is sent now."""
    if os.environ.get(RECORD):
        pytest.skip("cassettes are being recorded")
    name, clock = "mimecast-anti_spoofing", Clock()
    with mimecast_harness(tmp_path, now=clock) as harness:
        harness.target["domains"] = ["example.org"]
        scene = scene_of(tmp_path, feed, harness, clock)
        about = Conversation(name, harness.target["url"], lambda: unspoken(harness))
        with pytest.raises(AssertionError) as told, conversation(about):
            life(scene)

    lines = str(told.value).splitlines()
    assert f"{name}.yaml is not what goes over the wire" in lines[0]
    assert '-  "domain": "example.com"' in lines
    assert '+  "domain": "example.org"' in lines


def test_a_request_that_is_not_made_any_more_is_told(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """A conversation that ends early is another one."""
    if os.environ.get(RECORD):
        pytest.skip("cassettes are being recorded")
    world = world_of(tmp_path, feed)
    never = pytest.raises(AssertionError, match="never asked for any more")
    with never, conversation(with_microsoft(world)):
        world.sync()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_cassette_holds_no_secret_and_nothing_of_the_moment(path: Path) -> None:
    """No port, no token, no assertion, no key, no date of a recording."""
    text = path.read_text()
    headers = {
        name
        for one in yaml.safe_load(text)["interactions"]
        for part in ("request", "response")
        for name in one[part]["headers"]
    }

    assert not re.search(r"127\.0\.0\.1|localhost|ya29\.|Bearer \w|PRIVATE KEY", text)
    assert {"date", "server"}.isdisjoint(headers)
    for found in re.findall(
        r"(?:client_secret|client_id|clientrequestid)=([^&\s]*)", text, re.IGNORECASE
    ):
        assert FILTERED == found
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.", text), "a JWT"
    for found in re.findall(r'"access_token": (.*?),?$', text, re.MULTILINE):
        assert FILTERED == json.loads(found)
