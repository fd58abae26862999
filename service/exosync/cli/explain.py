"""explain: what an address or a host is, and who knows it."""

from __future__ import annotations

import re
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
    from exosync.core.target import Observed
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
    from exosync.desire import wanted
    from exosync.pull import held

    store, instance = assembly.store, assembly.instance
    if store.adopted(instance) is None:
        message = "no version is adopted yet: run exosync sync, or exosync feed import"
        raise FeedError(message)
    addresses, host = _addresses(what)
    desired = wanted(assembly.rules.ranges, store, instance, assembly.rules.now()).desired
    view: Json = {"query": what, "version": desired.version, "instance": desired.instance}
    if host is not None:
        snapshot, _ = held(store, instance, desired.version)
        view["host"] = [_answer(one) for one in explain_host(host, snapshot)]
    asked = [_Asked(assembly, one) for one in assembly.rules.jobs] if asking and addresses else []
    view["addresses"] = [_address(assembly, one, desired, asked) for one in addresses]
    return view


def _addresses(what: str) -> tuple[list[IpRanges], str | None]:
    """What is asked for, and the host name if it is one.

    An address may stand in brackets, or be an IPv4 address in IPv6 clothes, as in mail logs.
    """
    from exosync.core.ranges import IpRanges

    text = _MAPPED.sub("", what.strip().strip("[]"))
    try:
        return [IpRanges.parse(text)], None
    except RangeError as error:
        if _is_host(text):
            return _resolve(text), text
        looks_like_one = any(sign in text for sign in ":/") or text.replace(".", "").isdigit()
        why = str(error) if looks_like_one else f"{what!r} is neither an address nor a host name"
        raise UsageError(
            f"{why}; ask for something like 40.92.0.1, 40.92.0.0/15 or mail.example.com"
        ) from error


_MAPPED = re.compile(r"^(IPv6:)?(::ffff:(?=[0-9.]+$))?", re.IGNORECASE)


def _address(assembly: Assembly, address: IpRanges, desired: Desired, asked: list[_Asked]) -> Json:
    from exosync.core.explain import explain_address, since_version
    from exosync.pull import held

    store, instance = assembly.store, assembly.instance
    snapshot, mail = held(store, instance, desired.version)
    versions = sorted((one.version for one in store.snapshots(instance)), reverse=True)
    since = since_version(
        address, ((one, held(store, instance, one)[1].ranges) for one in versions)
    )
    answers = explain_address(address, snapshot, mail, desired, since)
    return {
        "address": next(iter(address)).removesuffix("/32").removesuffix("/128"),
        "mail": address <= mail.ranges,
        "desired": address <= desired.ranges,
        "answers": [_answer(one) for one in answers],
        "targets": [one.about(address) for one in asked],
    }


class _Asked:
    """A target that is observed once, however many addresses it is asked about."""

    def __init__(self, assembly: Assembly, job: Job) -> None:
        self._job = job
        self._observed: Observed | None = None
        self._error = job.error
        assembly.rules.progress(f"asking {job.name}")
        try:
            self._observed = _observe(assembly, job)
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


def _observe(assembly: Assembly, job: Job) -> Observed | None:
    from exosync.recall import recall

    if job.target is None:
        return None
    rules = assembly.rules
    return job.target.observe(recall(assembly.store, job.name, rules.tasks, rules.now()))


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
