"""The main job from end to end, without credentials, root or a network: `make demo`.

A company has one domain and two mail systems, Exchange Online and Google Workspace, with Mimecast
in front of the latter. A stand-in of Microsoft's web service publishes two real versions of the
GCC High cloud; others speak the protocols of the company's DNS server, of Exchange Online, Mimecast
and Google, and pass mail on by SMTP. Everything between them is exosync as users run it: every
command below is a process of its own. What only a person can do, a person does: he pastes into the
stand-in what `exosync todo` shows him.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange_console import Console
from tests.standins.farside_mimecast import SPOOFED
from tests.standins.mailflow_names import Names
from tests.support.split_domain import ADA, BOTH, DOMAIN, HERE, Company, company, targets, zones
from tests.support.split_domain import GRACE as WITH_GOOGLE
from tests.support.zones import WIDE

FIRST, SECOND = "2020072800", "2024073100"
GRACE = 40
PARTNER = "203.0.113.9"
ADDED, GONE = "52.244.65.13", "13.72.179.197"

SENDS_FROM = "23.103.191.7"
"""An address that Exchange Online sends from, in both versions."""

INCLUDE = f"include:_exo.{DOMAIN}"
"""What the company's SPF record says before exosync has made that name."""


class Story:
    """Tells what is done, does it, and keeps count of what was proven."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proven: list[str] = []
        self.grace_over = 0.0
        self._environ = {**os.environ, "EXOSYNC_LOG__LEVEL": "warning"}

    def tell(self, words: str) -> None:
        """One sentence of the story."""
        print(f"\n\x1b[1m{words}\x1b[0m" if sys.stdout.isatty() else f"\n{words}", flush=True)

    def run(self, *words: str, expect: int = 0, show: bool = True) -> str:
        """Run an exosync command as a user would; it must end as expected."""
        if show:
            print(f"$ exosync {shlex.join(words)}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "exosync", *words],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if show or done.returncode != expect:
            print(done.stdout + done.stderr, end="", flush=True)
        if done.returncode != expect:
            sys.exit(f"exosync {' '.join(words)} ended with {done.returncode}, not with {expect}")
        return done.stdout

    def json(self, *words: str, expect: int = 0) -> Any:
        """The same with `--json`, unseen."""
        return json.loads(self.run(*words, "--json", expect=expect, show=False))

    def prove(self, words: str, *, holds: bool) -> None:
        """One thing that must be so."""
        if not holds:
            sys.exit(f"NOT SO: {words}")
        self.proven.append(words)


class Demo:
    """The company that is played by stand-ins, and the people who work there."""

    def __init__(self, feed: EndpointsStandIn, company: Company) -> None:
        self.feed, self.company = feed, company

    def requests(self) -> list[int]:
        """How many requests each service has had."""
        made = self.company
        services = (self.feed, made.mimecast, made.google, made.exchange)
        return [len(one.requests) for one in services]

    def mimecast_ranges(self) -> list[str]:
        """What Mimecast lets in by address."""
        policies = self.company.mimecast.policies["anti-spoofing"]
        return [one for policy in policies for one in policy.source_ips]

    def mail(self, story: Story, sender: str, recipient: str) -> str:
        """Send a message, show its way, and give where it ended: a station, or what was said."""
        journey = self.company.flow.submit(sender, recipient)[recipient]
        for hop in journey.hops:
            print(f"    {hop}".rstrip(": "))
        return journey.delivered_at or journey.end.says

    def act(self, story: Story) -> list[str]:
        """People do what waits for them, each at the place that it is for; gives what it was."""
        done = []
        for task in story.json("todo"):
            box = story.run("todo", "show", task["target"], task["setting"], "--copy", show=False)
            if task["target"] == "google":
                self.company.google.set_allowlist([one.strip() for one in box.split(",")])
            else:
                Console(self.company.exchange.org).run(box)
            done.append(f"{task['target']} {task['setting']}")
        return done


def main() -> None:
    """Tell the story."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="exosync-demo-") as folder,
        EndpointsStandIn(instance="USGovGCCHigh", version=FIRST) as feed,
        DnsStandin(zones(spf=INCLUDE), keys=[WIDE], grants={WIDE.name: ("*",)}) as dns,
        company(Names(dns.host, dns.port)) as made,
    ):
        made.flow.exchange.addresses[:] = [SENDS_FROM]
        made.exchange.switch(cloud="gcc_high")
        made.google.set_allowlist([PARTNER])
        story, demo = Story(Path(folder)), Demo(feed, made)
        configure(story.folder, demo, dns.port)
        _before(story, demo)
        _first_version(story, demo)
        _way_out(story, demo)
        _next_version(story, demo)
        _removal(story, demo)
        _questions(story, demo)
        seconds = time.monotonic() - began
        story.tell(f"Proven in {seconds:.0f} seconds:")
        for words in story.proven:
            print(f"  ✓ {words}")


def configure(folder: Path, demo: Demo, port: int, more: str = "") -> None:
    """Write the secrets and the configuration, with `more` sections; `port` is that of the DNS."""
    way_out = {"write": "script", "routed": {"everyone_but": HERE}}
    config = {
        "feed": {"instance": "USGovGCCHigh", "url": demo.feed.url},
        # A stand-in may be asked as often as one likes; Microsoft may not.
        "schedule": {"feed": "0s"},
        # 30 days by default: nobody wants to wait that long here.
        "ranges": {"grace": f"{GRACE}s"},
        "targets": targets(demo.company, folder, port, **way_out),
    }
    (folder / "exosync.yaml").write_text(yaml.safe_dump(config, sort_keys=False) + more)


def _all_verified(told: Mapping[str, Any]) -> bool:
    return all(one["verified"] for one in told["targets"])


def _before(story: Story, demo: Demo) -> None:
    story.tell("Ada, at Exchange Online, writes to Grace, whose mailbox is at Google.")
    ended = demo.mail(story, ADA, WITH_GOOGLE)
    story.prove("before, the message to the other side was refused", holds=ended == SPOOFED)
    story.tell("And to Alan, whose name is on both sides: it ends in the wrong mailbox.")
    ended = demo.mail(story, ADA, BOTH)
    story.prove("and the one to a name on both sides stayed here", holds=ended == "exchange")


def _first_version(story: Story, demo: Demo) -> None:
    story.tell("Is everything reachable and permitted? Nothing is changed by this.")
    story.run("check")
    story.tell(
        f"The first run. Microsoft's newest version is {FIRST}. Mimecast and SPF are written; "
        "Google's email allowlist, connector and rule wait for people."
    )
    story.run("sync", expect=2)
    story.run("todo")
    story.run("todo", "show", "google")
    story.tell("People paste the list at Google, and run the scripts in Exchange Online.")
    done = demo.act(story)
    story.prove(
        "people were asked for the list, the connector, and the rule, switched off",
        holds=done == ["exchange connector", "exchange rule", "google email_allowlist"],
    )
    story.run("sync", show=False, expect=2)
    story.prove(
        "what stood in Google's list before is still there",
        holds=PARTNER in (demo.company.google.allowlist or ()),
    )
    ended = demo.mail(story, ADA, BOTH)
    story.prove("a rule that is switched off changes no way", holds=ended == "exchange")


def _way_out(story: Story, demo: Demo) -> None:
    story.tell("Connector and rule are as they should be. Now the rule is to be switched on.")
    story.run("todo")
    first = demo.act(story)
    story.run("sync", show=False, expect=2)
    story.tell("Last the domain becomes a relay, so that nobody is refused who is not known here.")
    second = demo.act(story)
    story.prove(
        "the rule was switched on by itself, and the domain came last",
        holds=(first, second) == (["exchange rule"], ["exchange domain"]),
    )
    story.run("sync")
    story.prove(
        "Mimecast, Google, SPF, connector and rule came into line from nothing, and are proven",
        holds=_all_verified(story.json("plan")),
    )
    story.tell("What way will a message take?")
    story.run("trace", ADA, BOTH, expect=2)
    story.tell("And what way does it take?")
    ended = demo.mail(story, ADA, BOTH)
    story.prove("the message is accepted at Google, by TLS all the way", holds=ended == "google")


def _next_version(story: Story, demo: Demo) -> None:
    story.tell(f"Microsoft publishes {SECOND}: one address more, six fewer. What would be done?")
    demo.feed.publish(SECOND)
    demo.company.flow.exchange.addresses[:] = [ADDED]
    ended = demo.mail(story, ADA, BOTH)
    story.prove("a message from the new address is refused at first", holds=ended == SPOOFED)
    story.run("plan", expect=2)
    story.grace_over = time.monotonic() + GRACE
    story.tell("The addition is made at once. The removals wait for the grace time to end.")
    story.run("sync", expect=2)
    there = " ".join(demo.mimecast_ranges())
    story.prove("an addition is there after one run, slow person or not", holds=ADDED in there)
    story.prove("what Microsoft removed is still there, and shown as leaving", holds=GONE in there)
    demo.act(story)
    story.run("sync", show=False)
    ended = demo.mail(story, ADA, BOTH)
    story.prove("and a message from the new address arrives", holds=ended == "google")


def _removal(story: Story, demo: Demo) -> None:
    story.tell(f"The grace time ({GRACE} seconds here) goes by.")
    time.sleep(max(story.grace_over - time.monotonic(), 0))
    story.tell(
        "Half of the IPv4 ranges would go now: a guard refuses that until a person approves."
    )
    story.run("sync", expect=3)
    refused = story.json("sync", expect=3)
    there = " ".join(demo.mimecast_ranges())
    story.prove("a large removal was refused, and changed nothing", holds=GONE in there)
    story.tell("A person looks, and approves these three plans and no others.")
    for target in refused["targets"]:
        if target["state"] == "refused":
            story.run("approve", target["plan"], "--why", "Microsoft's own removal")
    story.run("sync", expect=2)
    there = " ".join(demo.mimecast_ranges())
    story.prove("an approved removal was made", holds=GONE not in there and ADDED in there)
    demo.act(story)
    story.run("sync", show=False)


def _questions(story: Story, demo: Demo) -> None:
    story.tell("Why was this message refused? Is its address Microsoft's, and who knows it?")
    story.run("explain", ADDED)
    answer = story.json("explain", ADDED)["addresses"][0]
    story.prove(
        "every target knows the new address, SPF evaluation included",
        holds=all(one["knows"] for one in answer["targets"]),
    )
    story.run("status")
    story.run("history")
    before = demo.requests()
    told = story.json("sync")
    costs = [now - was for now, was in zip(demo.requests(), before, strict=True)]
    story.prove("another run changes nothing", holds=told["outcome"] == "in_sync")
    story.prove("and is all verified", holds=_all_verified(told))
    story.prove(
        "and costs one request of Microsoft's list, two of each vendor",
        holds=costs[:3] == [1, 2, 2],
    )


if __name__ == "__main__":
    main()
