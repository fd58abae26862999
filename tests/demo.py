"""The main job from end to end, without credentials, root or a network: `make demo`.

A stand-in of Microsoft's web service publishes two real versions of the GCC High cloud, and a
stand-in of a DNS server holds the company's zone. Everything between them is exosync as users
run it: every command below is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.support.zones import WIDE, zone_file

FIRST, SECOND = "2020072800", "2024073100"
GRACE = 6
ADDED, GONE = "52.244.65.13", "13.72.179.197"

CONFIG = """\
feed: {{instance: USGovGCCHigh, url: "{feed}"}}
schedule: {{feed: 0s}}    # a stand-in may be asked as often as one likes; Microsoft may not
ranges: {{grace: {grace}s}}    # 30 days by default: nobody wants to wait that long here
targets:
  - {{name: edge, kind: file, mode: apply, path: exo.cidr, format: postfix}}
  - name: spf
    kind: spf
    mode: apply
    domain: example.com
    method: records
    dns:
      server: 127.0.0.1
      port: {port}
      resolvers: ["127.0.0.1:{port}"]
      key: {{name: {key}, algorithm: hmac-sha256, secret: {{file: tsig}}}}
"""

ZONE = zone_file(
    "example.com",
    '@ IN TXT "v=spf1 ip4:192.0.2.25 include:_exo.example.com -all"',
    '@ IN TXT "somebody-elses-verification=4711"',
)


class Story:
    """Tells what is done, does it, and keeps count of what was proven."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proven: list[str] = []
        self._environ = {**os.environ, "EXOSYNC_LOG__LEVEL": "warning"}

    def tell(self, words: str) -> None:
        """One sentence of the story."""
        print(f"\n\x1b[1m{words}\x1b[0m" if sys.stdout.isatty() else f"\n{words}", flush=True)

    def run(self, *words: str, expect: int = 0, show: bool = True) -> str:
        """Run an exosync command as a user would; it must end as expected."""
        if show:
            print(f"$ exosync {' '.join(words)}", flush=True)
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

    def json(self, *words: str, expect: int = 0) -> Mapping[str, Any]:
        """The same with `--json`, unseen."""
        found: Mapping[str, Any] = json.loads(self.run(*words, "--json", expect=expect, show=False))
        return found

    def prove(self, words: str, *, holds: bool) -> None:
        """One thing that must be so."""
        if not holds:
            sys.exit(f"NOT SO: {words}")
        self.proven.append(words)


def main() -> None:
    """Tell the story."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="exosync-demo-") as folder,
        EndpointsStandIn(instance="USGovGCCHigh", version=FIRST) as feed,
        DnsStandin({"example.com": ZONE}, keys=[WIDE], grants={WIDE.name: ("*",)}) as dns,
    ):
        story = Story(Path(folder))
        (story.folder / "tsig").write_text(WIDE.secret)
        config = CONFIG.format(feed=feed.url, grace=GRACE, port=dns.port, key=WIDE.name)
        (story.folder / "exosync.yaml").write_text(config)
        _first_version(story)
        _next_version(story, feed)
        _removal(story)
        _questions(story, feed)
        seconds = time.monotonic() - began
        story.tell(f"Proven in {seconds:.0f} seconds:")
        for words in story.proven:
            print(f"  ✓ {words}")


def _first_version(story: Story) -> None:
    story.tell("Is everything reachable and permitted? Nothing is changed by this.")
    story.run("check")
    story.tell(f"The first run. Microsoft's newest version is {FIRST}.")
    story.run("sync")
    told = story.json("plan")
    targets = {one["name"]: one for one in told["targets"]}
    story.prove(
        "a file and an SPF record were written from nothing, and proven right",
        holds=all(one["verified"] for one in targets.values()),
    )


def _next_version(story: Story, feed: EndpointsStandIn) -> None:
    story.tell(f"Microsoft publishes {SECOND}: one address more, six fewer. What would be done?")
    feed.publish(SECOND)
    story.run("plan", expect=2)
    story.tell("The addition is made at once. The removals wait for the grace time to end.")
    story.run("sync")
    there = (story.folder / "exo.cidr").read_text()
    story.prove("an addition is there after one run", holds=ADDED in there)
    story.prove("what Microsoft removed is still there, and shown as leaving", holds=GONE in there)


def _removal(story: Story) -> None:
    story.tell(f"The grace time ({GRACE} seconds here) goes by.")
    time.sleep(GRACE)
    story.tell(
        "Half of the IPv4 ranges would go now: a guard refuses that until a person approves."
    )
    story.run("sync", expect=3)
    refused = story.json("sync", expect=3)
    there = (story.folder / "exo.cidr").read_text()
    story.prove("a large removal was refused, and changed nothing", holds=GONE in there)
    story.tell("A person looks, and approves these two plans and no others.")
    for target in refused["targets"]:
        story.run("approve", target["plan"], "--why", "Microsoft's own removal")
    story.run("sync")
    there = (story.folder / "exo.cidr").read_text()
    story.prove("an approved removal was made", holds=GONE not in there and ADDED in there)


def _questions(story: Story, feed: EndpointsStandIn) -> None:
    story.tell("Why was this message refused? Is its address Microsoft's, and who knows it?")
    story.run("explain", ADDED)
    answer = story.json("explain", ADDED)["addresses"][0]
    story.prove(
        "every target knows the new address, SPF evaluation included",
        holds=all(one["knows"] for one in answer["targets"]),
    )
    story.run("status")
    story.run("history")
    before = len(feed.requests)
    told = story.json("sync")
    story.prove("another run changes nothing", holds=told["outcome"] == "in_sync")
    story.prove("and costs one request", holds=len(feed.requests) == before + 1)


if __name__ == "__main__":
    main()
