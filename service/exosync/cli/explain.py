"""explain: what an address or a host is, and who knows it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, opened
from exosync.cli.output import say, say_json
from exosync.errors import ExosyncError

if TYPE_CHECKING:
    from exosync.assembly import Assembly
    from exosync.core.ranges import IpRanges
    from exosync.core.target import Observed
    from exosync.desk import Job

Json = dict[str, Any]


@click.command(short_help="Tell what an address or host is, and who knows it.")
@config_option
@json_option
@click.argument("what", metavar="ADDRESS|HOST")
@click.option("--no-targets", is_flag=True, help="Do not ask the targets.")
def explain(*, what: str, no_targets: bool, as_json: bool) -> None:
    """Tell whether ADDRESS (or CIDR, or HOST) is Microsoft's mail: in which set, since when.

    If not: what it is otherwise (relay pool, client access, another service, leaving). Then
    every target is asked whether it knows the address. A host is resolved first.
    """
    from exosync.cli.source import source
    from exosync.views.explain import explain_view

    with opened(rounds=1) as assembly:
        listing = [one for one in assembly.rules.jobs if one.lists_ranges]
        asked = [] if no_targets else listing
        view = explain_view(
            source(assembly),
            what,
            resolve=_resolve,
            ask=lambda _: [Asked(assembly, one) for one in asked],
        )
    if as_json:
        say_json(view)
    else:
        _show(view)


class Asked:
    """A target that is observed once, however many addresses it is asked about."""

    def __init__(self, assembly: Assembly, job: Job) -> None:
        self._job = job
        self._observed: Observed | None = None
        self._error = job.error
        assembly.rules.progress(f"asking {job.name}")
        try:
            self._observed = observe(assembly, job)
        except ExosyncError as error:
            self._error = error

    def about(self, address: IpRanges) -> Json:
        """What it knows of an address; an error is told in its words."""
        job = self._job
        told: Json = {"name": job.name, "kind": job.kind, "knows": None, "says": []}
        if job.target is None or self._observed is None:
            return {**told, "says": [f"cannot be asked: {self._error}"]}
        try:
            said = job.target.explain(address, self._observed)
        except ExosyncError as error:
            return {**told, "says": [f"cannot be asked: {error}"]}
        return {**told, "knows": said.knows, "says": list(said.says)}


def observe(assembly: Assembly, job: Job) -> Observed | None:
    """What a target holds now; None if it could not be built."""
    from exosync.recall import recall

    if job.target is None:
        return None
    rules = assembly.rules
    return job.target.observe(recall(assembly.store, job.name, rules.tasks, rules.now()))


def _resolve(host: str) -> list[IpRanges]:
    from exosync.core.ranges import IpRanges

    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):  # the latter: a label that IDNA does not allow
        return []
    return [IpRanges.parse(one) for one in dict.fromkeys(str(entry[4][0]) for entry in found)]


def _show(view: Json) -> None:
    say(f"{view['query']}  ({view['instance']}, version {view['version']})", bold=True)
    for answer in view.get("host", ()):
        say(f"  {answer['text']}")
    if not view["addresses"]:
        say("  it does not resolve here, so no address can be told of")
    for one in view["addresses"]:
        if "host" in view:
            say(f"  {one['address']}", bold=True)
        for answer in one["answers"]:
            say(f"  {answer['text']}")
        for target in one["targets"]:
            word, colour = {
                True: ("knows it", "green"),
                False: ("does not know it", "red" if one["desired"] else None),
                None: ("cannot tell", "yellow"),
            }[target["knows"]]
            say(f"  {target['name']} {word}", fg=colour)
            for sentence in target["says"]:
                say(f"    {sentence}")
