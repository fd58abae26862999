"""The main job from end to end, without credentials, root or a network: `make demo`.

A stand-in of Microsoft's web service publishes two real versions of the GCC High cloud; others
speak the protocols of the company's DNS server, of its Mimecast account and of its Google
Workspace. Everything between them is exosync as users run it: every command below is a process
of its own. What only a person can do, a person does: he pastes into the stand-in what `exosync
todo` shows him.
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
from tests.standins.google import GoogleStandIn
from tests.standins.mimecast import MimecastStandIn
from tests.support.zones import WIDE, zone_file

FIRST, SECOND = "2020072800", "2024073100"
GRACE = 20
PARTNER = "203.0.113.9"
CLIENT_ID, CLIENT_SECRET = "the-id", "the-secret-of-mimecast"
ADDED, GONE = "52.244.65.13", "13.72.179.197"

CONFIG = """\
feed: {{instance: USGovGCCHigh, url: "{feed}"}}
schedule: {{feed: 0s}}    # a stand-in may be asked as often as one likes; Microsoft may not
ranges: {{grace: {grace}s}}    # 30 days by default: nobody wants to wait that long here
targets:
  - name: mimecast
    kind: mimecast
    mode: apply
    url: "{mimecast}"
    client_id: {{file: mimecast-id}}
    client_secret: {{file: mimecast-secret}}
    domains: [example.com]
    settings: [anti_spoofing]
  - name: google
    kind: google_workspace
    mode: apply
    url: "{google}"
    customer: C01abcdef
    admin: postmaster@example.com
    credentials: {{kind: key_file, file: {{file: {google_key}}}}}
    setting: email_allowlist
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
        self.grace_over = 0.0
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


class Company:
    """What the stand-ins hold, and the person who sits before Google's console."""

    def __init__(
        self, feed: EndpointsStandIn, mail: MimecastStandIn, google: GoogleStandIn
    ) -> None:
        self.feed, self.mail, self.google = feed, mail, google

    def mimecast_ranges(self) -> list[str]:
        """What Mimecast lets in by address."""
        return [one for policy in self.mail.policies["anti-spoofing"] for one in policy.source_ips]

    def requests(self) -> list[int]:
        """How many requests each service has had."""
        return [len(self.feed.requests), len(self.mail.requests), len(self.google.requests)]

    def paste(self, box: str) -> None:
        """The person replaces the text of the box in Google's console, and saves."""
        self.google.set_allowlist([one.strip() for one in box.split(",")])


def main() -> None:
    """Tell the story."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="exosync-demo-") as folder,
        EndpointsStandIn(instance="USGovGCCHigh", version=FIRST) as feed,
        DnsStandin({"example.com": ZONE}, keys=[WIDE], grants={WIDE.name: ("*",)}) as dns,
        MimecastStandIn() as mail,
        GoogleStandIn() as google,
    ):
        story, company = Story(Path(folder)), Company(feed, mail, google)
        google.set_allowlist([PARTNER])
        configure(story.folder, company, dns)
        _first_version(story, company)
        _next_version(story, company)
        _removal(story, company)
        _questions(story, company)
        seconds = time.monotonic() - began
        story.tell(f"Proven in {seconds:.0f} seconds:")
        for words in story.proven:
            print(f"  ✓ {words}")


def configure(folder: Path, company: Company, dns: DnsStandin, more: str = "") -> None:
    """Write the secrets and the configuration, with `more` sections."""
    secrets = {"tsig": WIDE.secret, "mimecast-id": CLIENT_ID, "mimecast-secret": CLIENT_SECRET}
    for name, text in secrets.items():
        (folder / name).write_text(text)
    config = CONFIG.format(
        feed=company.feed.url,
        grace=GRACE,
        port=dns.port,
        key=WIDE.name,
        mimecast=company.mail.url,
        google=company.google.url,
        google_key=company.google.key_file(folder).name,
    )
    (folder / "exosync.yaml").write_text(config + more)


def _persons_step(story: Story, company: Company) -> None:
    """Google's list cannot be written by any API: a person pastes what exosync shows."""
    story.run("todo")
    story.run("todo", "show", "google")
    company.paste(story.run("todo", "show", "google", "--copy", show=False))


def _all_verified(told: Mapping[str, Any]) -> bool:
    return all(one["verified"] for one in told["targets"])


def _first_version(story: Story, company: Company) -> None:
    story.tell("Is everything reachable and permitted? Nothing is changed by this.")
    story.run("check")
    story.tell(
        f"The first run. Microsoft's newest version is {FIRST}. Mimecast and SPF are written; "
        "Google's email allowlist waits for a person."
    )
    story.run("sync", expect=2)
    _persons_step(story, company)
    story.tell("The person has pasted it. Is it so?")
    story.run("sync")
    story.prove(
        "Mimecast, Google and SPF were brought into line from nothing, and proven right",
        holds=_all_verified(story.json("plan")),
    )
    story.prove(
        "what stood in Google's list before is still there",
        holds=PARTNER in (company.google.allowlist or ()),
    )


def _next_version(story: Story, company: Company) -> None:
    story.tell(f"Microsoft publishes {SECOND}: one address more, six fewer. What would be done?")
    company.feed.publish(SECOND)
    story.run("plan", expect=2)
    story.grace_over = time.monotonic() + GRACE
    story.tell("The addition is made at once. The removals wait for the grace time to end.")
    story.run("sync", expect=2)
    there = " ".join(company.mimecast_ranges())
    story.prove("an addition is there after one run, slow person or not", holds=ADDED in there)
    story.prove("what Microsoft removed is still there, and shown as leaving", holds=GONE in there)
    _persons_step(story, company)
    story.run("sync", show=False)


def _removal(story: Story, company: Company) -> None:
    story.tell(f"The grace time ({GRACE} seconds here) goes by.")
    time.sleep(max(story.grace_over - time.monotonic(), 0))
    story.tell(
        "Half of the IPv4 ranges would go now: a guard refuses that until a person approves."
    )
    story.run("sync", expect=3)
    refused = story.json("sync", expect=3)
    there = " ".join(company.mimecast_ranges())
    story.prove("a large removal was refused, and changed nothing", holds=GONE in there)
    story.tell("A person looks, and approves these three plans and no others.")
    for target in refused["targets"]:
        story.run("approve", target["plan"], "--why", "Microsoft's own removal")
    story.run("sync", expect=2)
    there = " ".join(company.mimecast_ranges())
    story.prove("an approved removal was made", holds=GONE not in there and ADDED in there)
    _persons_step(story, company)
    story.run("sync", show=False)


def _questions(story: Story, company: Company) -> None:
    story.tell("Why was this message refused? Is its address Microsoft's, and who knows it?")
    story.run("explain", ADDED)
    answer = story.json("explain", ADDED)["addresses"][0]
    story.prove(
        "every target knows the new address, SPF evaluation included",
        holds=all(one["knows"] for one in answer["targets"]),
    )
    story.run("status")
    story.run("history")
    before = company.requests()
    told = story.json("sync")
    costs = [now - was for now, was in zip(company.requests(), before, strict=True)]
    story.prove("another run changes nothing", holds=told["outcome"] == "in_sync")
    story.prove("and is all verified", holds=_all_verified(told))
    story.prove("and costs one request of Microsoft, two of each vendor", holds=costs == [1, 2, 2])


if __name__ == "__main__":
    main()
