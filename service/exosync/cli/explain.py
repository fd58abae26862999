"""explain: what an address or a host is, and who knows it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, opened
from exosync.cli.output import say, say_json
from exosync.errors import ExosyncError, FeedError, RangeError, UsageError

if TYPE_CHECKING:
    from exosync.assembly import Assembly
    from exosync.core.desired import Desired
    from exosync.core.explain import Answer
    from exosync.core.ranges import IpRanges
    from exosync.stages import Job

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
    with opened(rounds=1) as assembly:
        view = _view(assembly, what, asking=not no_targets)
    if as_json:
        say_json(view)
    else:
        _show(view)


def _view(assembly: Assembly, what: str, *, asking: bool) -> Json:
    from exosync.core.explain import explain_host
    from exosync.core.ranges import IpRanges
    from exosync.desire import wanted
    from exosync.pull import held

    if assembly.store.adopted(assembly.instance) is None:
        message = "no version is adopted yet: run exosync sync, or exosync feed import"
        raise FeedError(message)
    desired = wanted(
        assembly.rules.ranges, assembly.store, assembly.instance, assembly.rules.now()
    ).desired
    try:
        addresses, host = [IpRanges.parse(what)], None
    except RangeError as error:
        if not _is_host(what):
            message = f"{what!r} is neither an address nor a host name: {error}"
            raise UsageError(message) from error
        addresses, host = _resolve(what), what
    view: Json = {"query": what, "version": desired.version, "instance": desired.instance}
    if host is not None:
        snapshot, _ = held(assembly.store, assembly.instance, desired.version)
        view["host"] = [_answer(one) for one in explain_host(host, snapshot)]
    view["addresses"] = [_address(assembly, one, desired, asking=asking) for one in addresses]
    return view


def _address(assembly: Assembly, address: IpRanges, desired: Desired, *, asking: bool) -> Json:
    from exosync.core.explain import explain_address, since_version
    from exosync.pull import held

    store, instance = assembly.store, assembly.instance
    snapshot, mail = held(store, instance, desired.version)
    versions = sorted((one.version for one in store.snapshots(instance)), reverse=True)
    since = since_version(
        address, ((one, held(store, instance, one)[1].ranges) for one in versions)
    )
    answers = explain_address(address, snapshot, mail, desired, since)
    jobs = assembly.rules.jobs if asking else ()
    return {
        "address": str(next(iter(address))),
        "mail": address <= mail.ranges,
        "desired": address <= desired.ranges,
        "answers": [_answer(one) for one in answers],
        "targets": [_ask(one, address) for one in jobs],
    }


def _ask(job: Job, address: IpRanges) -> Json:
    told: Json = {"name": job.name, "kind": job.kind, "knows": None, "says": []}
    try:
        if job.target is None:
            raise job.error or UsageError(f"{job.name} cannot be used")
        said = job.target.explain(address, job.target.observe())
    except ExosyncError as error:
        return {**told, "says": [f"cannot be asked: {error}"]}
    return {**told, "knows": said.knows, "says": list(said.says)}


def _answer(one: Answer) -> Json:
    return {"kind": one.kind, "text": one.text}


def _is_host(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return (
        len(labels) > 1
        and all(
            label and len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum()
            for label in labels
        )
        and not labels[-1].isdigit()
    )


def _resolve(host: str) -> list[IpRanges]:
    from exosync.core.ranges import IpRanges

    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
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
