"""A stand-in of Microsoft's endpoints web service: real HTTP on loopback, real versions.

    python -m tests.standins.endpoints --port 8080 --version 2019010700

prints its address and serves until it is stopped; a version typed on its standard input is
published. In a test:

    with EndpointsStandIn(version="2019010700") as service:
        ...
        service.publish("2019022800")

Its faults are in `tests.standins.endpoints_replies`: service.script(hang(), reset()).

Where a comment says "page", the source is Microsoft Learn, "Microsoft 365 IP Address and URL
web service"; "recorded" is what others saw the service do; the rest is said to be ours.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from tests.standins.endpoints_changes import diff
from tests.standins.web import Reply, Request, Server

DATA = Path(__file__).parents[1] / "data" / "feed"
INSTANCES = ("Worldwide", "USGovDoD", "USGovGCCHigh", "China")  # the order of the page's sample

Json = Any


def published(instance: str, data: Path = DATA) -> list[str]:
    """The versions of an instance that are there, oldest first."""
    return sorted(path.stem for path in (data / instance).glob("[0-9]*.json"))


def answer_body(instance: str, version: str, data: Path = DATA) -> bytes:
    """The answer of /endpoints for a version."""
    return (data / instance / f"{version}.json").read_bytes()


class EndpointsStandIn:
    """The service. `requests` are all that came; `script` sets what the next ones get."""

    def __init__(
        self,
        *,
        data: Path = DATA,
        instance: str = "Worldwide",
        version: str | None = None,
        port: int = 0,
    ) -> None:
        self.requests: list[Request] = []
        self._data = data
        self._instance = instance
        self._latest = {name: versions[-1] for name, versions in self._all() if versions}
        self._script: deque[Reply | None] = deque()
        if version is not None:
            self.publish(version)
        self._server = Server(port, self.reply)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def secured(self, context: ssl.SSLContext) -> str:
        """Speak TLS from now on; gives the base address."""
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        return self.url.replace("http:", "https:")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def publish(self, version: str, *, instance: str | None = None) -> None:
        """Make a version the newest one; an older one makes the service go backward."""
        name = instance or self._instance
        if version not in published(name, self._data):
            raise ValueError(f"there is no version {version} of {name} in {self._data}")
        self._latest[name] = version

    def script(self, *replies: Reply | None) -> None:
        """What the next requests get, in order; None is an honest answer."""
        self._script.extend(replies)

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [one.path for one in self.requests]

    def reply(self, request: Request) -> Reply:
        """The answer to a request, after it was written down."""
        # Recorded: names in any case will do.
        named = {name.lower(): value for name, value in request.query.items()}
        request = replace(request, query=named)
        self.requests.append(request)
        scripted = self._script.popleft() if self._script else None
        return scripted or self._honest(request)

    def _honest(self, request: Request) -> Reply:
        # Page: required everywhere. Recorded: 400 without it.
        if not _is_guid(request.query.get("clientrequestid", "")):
            return _refusal(400, "The ClientRequestId must be a GUID.")
        method, *rest = request.path.strip("/").split("/")
        named = rest[0] if rest else request.query.get("instance", "")
        instance = next((name for name in self._latest if name.lower() == named.lower()), None)
        if named and instance is None:
            return _refusal(400, f"The instance {named!r} is not known.")  # ours
        match method.lower(), instance, rest[1:]:
            case "version", None, []:
                return _json([self._version(name, request) for name in self._ordered()], age=3600)
            case "version", str(), []:
                # Page: an object for one instance; its answer may be kept for an hour.
                return _json(self._version(instance, request), age=3600)
            case "endpoints", str(), []:
                return _json(self._endpoints(instance, request))
            case "changes", str(), [version] if len(version) == 10 and version.isdecimal():
                return _json(self._changes(instance, version))
            case "changes", str(), _:
                return _refusal(400, "The version must have 10 digits.")  # page: exactly ten
        return Reply(404)

    def _version(self, instance: str, request: Request) -> Json:
        latest = self._latest[instance]
        found: Json = {"instance": instance, "latest": latest}
        if request.query.get("allversions", "").lower() == "true":
            # Page: newest first in the sample.
            versions = [one for one in published(instance, self._data) if one <= latest]
            found["versions"] = versions[::-1]
        return found

    def _endpoints(self, instance: str, request: Request) -> Json:
        sets = self._sets(instance, self._latest[instance])
        areas = request.query.get("serviceareas", "")
        if areas:
            # Page: Common is always returned too.
            wanted = {"common", *(area.strip().lower() for area in areas.split(","))}
            sets = [one for one in sets if one["serviceArea"].lower() in wanted]
        if request.query.get("noipv6", "").lower() == "true":
            sets = [_without_ipv6(one) for one in sets]
        return sets

    def _changes(self, instance: str, version: str) -> Json:
        """Page: what changed after a version, 0000000000 meaning all."""
        latest = self._latest[instance]
        versions = [one for one in published(instance, self._data) if one <= latest]
        found = [
            change
            for before, after in pairwise(versions)
            if after > version
            for change in diff(self._sets(instance, before), self._sets(instance, after), after)
        ]
        return [{"id": number, **change} for number, change in enumerate(found, start=1)]

    def _sets(self, instance: str, version: str) -> list[Json]:
        sets: list[Json] = json.loads(answer_body(instance, version, self._data))
        return sets

    def _ordered(self) -> list[str]:
        return [name for name in INSTANCES if name in self._latest]

    def _all(self) -> Iterator[tuple[str, list[str]]]:
        return ((name, published(name, self._data)) for name in INSTANCES)


def _json(value: Json, *, age: int | None = None) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if age is not None:
        headers["Cache-Control"] = f"public, max-age={age}"
    return Reply(200, headers, json.dumps(value).encode())


def _refusal(code: int, message: str) -> Reply:
    body = json.dumps({"message": message}).encode()
    return Reply(code, {"Content-Type": "application/json; charset=utf-8"}, body)


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _without_ipv6(one: Json) -> Json:
    ips = [cidr for cidr in one.get("ips", ()) if ip_network(cidr).version == 4]
    rest = {key: value for key, value in one.items() if key != "ips"}
    return {**rest, "ips": ips} if ips else rest  # page: what is blank is left out


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in of the endpoints web service.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--instance", choices=INSTANCES, default="Worldwide")
    parser.add_argument(
        "--version", help="the newest version [default: the newest one that is there]"
    )
    told = parser.parse_args()
    with EndpointsStandIn(
        data=told.data, instance=told.instance, version=told.version, port=told.port
    ) as service:
        sys.stdout.write(f"{service.url}\n")
        sys.stdout.flush()
        try:
            for line in sys.stdin:
                _publish(service, line.strip())
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _publish(service: EndpointsStandIn, version: str) -> None:
    try:
        service.publish(version)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main()
