"""The service to look at, without credentials, root or a network: `make service`.

The same company as in the demo, all of it played by stand-ins, and `exosync serve` with its page.
After a while Microsoft publishes another version: what the service does then can be watched on the
page, and the alert is printed as its receiver gets it. It goes on until Ctrl-C, or for as many
seconds as SECONDS says.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.demo import FIRST, INCLUDE, PARTNER, SECOND, Demo, configure
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.mailflow_names import Names
from tests.standins.web import Request
from tests.standins.webhook import WebhookStandIn
from tests.support.split_domain import company, zones
from tests.support.zones import WIDE

LISTEN = os.environ.get("LISTEN", "127.0.0.1:8620")
NEWS_AFTER = 30
SECRET = "whsec_ZXhvc3luYyBwbGF5Z3JvdW5kIHNlY3JldA=="

MORE = """\
web: {{listen: "{listen}"}}
alerts:
  group: 5s
  channels: [{{name: hook, kind: webhook, url: "{hook}", secret: {{file: hook}}}}]
"""


def main() -> None:
    """Start everything, and wait; whoever stops it, nothing of it stays."""
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="exosync-service-") as folder,
        EndpointsStandIn(instance="USGovGCCHigh", version=FIRST) as feed,
        DnsStandin(zones(spf=INCLUDE), keys=[WIDE], grants={WIDE.name: ("*",)}) as dns,
        company(Names(dns.host, dns.port)) as made,
        WebhookStandIn() as hook,
    ):
        made.exchange.switch(cloud="gcc_high")
        made.google.set_allowlist([PARTNER])
        hook.came = tell
        here = Path(folder)
        (here / "hook").write_text(SECRET)
        more = MORE.format(listen=LISTEN, hook=hook.url)
        configure(here, Demo(feed, made), dns.port, more)
        config = here / "exosync.yaml"
        config.write_text(config.read_text().replace("feed: 0s", "feed: 5s"))
        serve(config, feed)


def serve(config: Path, feed: EndpointsStandIn) -> None:
    """Run the service; the next version comes after a while."""
    words = [sys.executable, "-m", "exosync", "--config", str(config), "serve"]
    process = subprocess.Popen(words)
    program = os.path.relpath(Path(sys.executable).with_name("exosync"))
    print(f"\nThe page: http://{LISTEN}   (Ctrl-C ends)\nCommands: {program} --config {config} …\n")
    began, last = time.monotonic(), float(os.environ.get("SECONDS", "1e9"))
    news = False
    try:
        while process.poll() is None and time.monotonic() < began + last:
            if not news and time.monotonic() > began + NEWS_AFTER:
                news = True
                print(f"\nMicrosoft publishes {SECOND}.\n", flush=True)
                feed.publish(SECOND)
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        process.send_signal(signal.SIGTERM)
        sys.exit(process.wait())


def tell(request: Request) -> None:
    """Print an alert as its receiver gets it."""
    alert: dict[str, Any] = json.loads(request.body)
    print(f"\nAn alert ({alert['severity']}): {alert['title']}", flush=True)


if __name__ == "__main__":
    main()
