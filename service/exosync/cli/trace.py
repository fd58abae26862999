"""trace: the way of one message, foretold; with --send and --sent, what became of one."""

from __future__ import annotations

import re
import shutil
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import click

from exosync.cli.common import config_option, json_option, opened
from exosync.cli.output import put, say_json
from exosync.errors import TargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from exosync.assembly import Assembly
    from exosync.cli.explain import Asked
    from exosync.core.desired import Desired
    from exosync.core.target import Observed
    from exosync.core.trace import Prober, Router, Sent, Stage, Way
    from exosync.desk import Job

Json = dict[str, Any]

_MESSAGE_ID = re.compile(r"[^\s<>\x00-\x1f\x7f]{1,996}")
"""Not only what RFC 5322 allows (section 3.6.4): not everybody keeps to it."""

_STYLES: dict[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "warn": {"fg": "yellow"},
    "head": {"bold": True},
    "": {},
}


@click.command(short_help="Tell the way of a message, station by station, without sending it.")
@config_option
@json_option
@click.argument("sender", metavar="FROM")
@click.argument("recipient", metavar="TO")
@click.option("--send", is_flag=True, help="Send a message, too, and tell what became of it.")
@click.option(
    "--sent",
    metavar="MESSAGE-ID",
    help="Tell what became of this message, which was sent before.",
)
@click.option(
    "--wait",
    metavar="DURATION",
    help="How long to wait until the message shows [default: 5m with --send, 0s with --sent].",
)
def trace(
    *, sender: str, recipient: str, send: bool, sent: str | None, wait: str | None, as_json: bool
) -> int:
    """Tell which way a message takes from FROM to TO; no message is sent without --send.

    That is: the accepted domain, the rules that act, the connector, its hosts (looked up and
    tried on port 25), the addresses that the message leaves from, what SPF says there, whether
    the other targets know them, and where it could come back. Each station says how sure it is.

    With --send one message is sent from FROM, as the target's `probe` says. What the vendor's
    message trace tells of it stands beside what was foretold; then what the recipient's mailbox
    tells, where a target may look into that (`mailbox_headers`).

    With --sent nothing is sent, and the same is told of a message that went from FROM to TO
    before: by the Message-ID in its headers, with or without its angle brackets. It may be
    anybody's; a mailbox is looked into for those that --send sent alone.

    Ends with 0 if the message arrives as far as can be told, 2 if something cannot be told, 4
    if it goes astray or could not be sent, or if a target could not be asked.
    """
    from exosync.views.trace import mail_address

    message = mail_address(sender, "FROM"), mail_address(recipient, "TO")
    if send and sent is not None:
        raise UsageError("--send and --sent: a message is sent, or was sent before")
    if wait is not None and not send and sent is None:
        raise UsageError("--wait is for --send and --sent: without these no message is asked for")
    ident = _message_id(sent) if sent is not None else ""
    within = _duration(("5m" if send else "0s") if wait is None else wait)
    with opened(rounds=1) as assembly:
        inquiry = Inquiry(assembly)
        view = inquiry.view(*message)
        if send or ident:
            inquiry.follow(view, within, ident=ident)
    if as_json:
        say_json(view)
    else:
        _show(view)
    return exit_code(view)


def exit_code(view: Json) -> int:
    """What the command ends with."""
    sent = [one["sent"] for one in view["ways"] if "sent" in one]
    oks = [view["ok"], *(stage["ok"] for one in sent for stage in one["stages"])]
    errors = [one.get(key) for one in view["ways"] for key in ("error", "send_error")]
    if False in oks or any(errors) or any(one["errors"] for one in sent):
        return 4
    return 2 if None in oks else 0


def _duration(text: str) -> timedelta:
    from exosync.core.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None


def _message_id(text: str) -> str:
    """A Message-ID as its header has it, whether or not a person gave the brackets."""
    plain = text.strip()
    if plain.startswith("<") and plain.endswith(">"):
        plain = plain[1:-1]
    if not _MESSAGE_ID.fullmatch(plain):
        raise UsageError(
            f"--sent: {text!r} is not a Message-ID, which stands in a message's headers like "
            "<abc@example.com>"
        )
    return f"<{plain}>"


class Inquiry:
    """Asks each target once, however many messages are asked about."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._routers: dict[str, LiveRouter] = {}
        self._asked: list[Asked] = []

    def view(self, sender: str, recipient: str, *, only: str = "") -> Json:
        """The way of one message, by one router alone if `only` names it.

        Raises UsageError if there is no router.
        """
        from exosync.cli.source import source
        from exosync.views.trace import routers, trace_view

        told = source(self._assembly)
        names = [only] if only else [one.name for one in routers(told, sender, recipient)]
        routed = [self._router(name) for name in names]
        return trace_view(told, sender, recipient, routed=routed, ask=self._ask)

    def follow(self, view: Json, within: timedelta, *, ident: str = "") -> None:
        """Add to the way of a view what became of its message: of a new one, or of that id.

        If sending fails the way says so. Raises UsageError if it is not clear by whom to ask.
        """
        what = "asked" if ident else "sent"
        if len(view["ways"]) != 1:
            names = ", ".join(one["target"] for one in view["ways"])
            raise UsageError(f"nothing is {what}: several targets may route it ({names})")
        (way,) = view["ways"]
        router = self._router(way["target"])
        if ident and router.is_built:
            self._became(view, way, router.known(view["from"], view["to"], ident), within)
        elif not ident and way["error"] is None:
            try:
                sent = router.send(view["from"], view["to"])
            except TargetError as error:
                way["send_error"] = str(error)
            else:
                self._became(view, way, sent, within)

    def _became(self, view: Json, way: Json, sent: Sent, within: timedelta) -> None:
        from exosync.cli.became import became
        from exosync.cli.source import source
        from exosync.views.trace import routes_domain

        way["sent"] = became(
            self._router(way["target"]),
            sent,
            self._assembly.rules,
            leaves=way["leaves"],
            is_ours=routes_domain(source(self._assembly), way["target"], view["to"]),
            within=within,
        )

    def _router(self, name: str) -> LiveRouter:
        if name not in self._routers:
            job = next(one for one in self._assembly.rules.jobs if one.name == name)
            self._routers[name] = LiveRouter(self._assembly, job)
        return self._routers[name]

    def _ask(self, _desired: Desired) -> Sequence[Asked]:
        from exosync.cli.explain import Asked

        if not self._asked:
            listing = [one for one in self._assembly.rules.jobs if one.lists_ranges]
            self._asked = [Asked(self._assembly, one) for one in listing]
        return self._asked


class LiveRouter:
    """A router that is observed once, and asked about any number of messages."""

    def __init__(self, assembly: Assembly, job: Job) -> None:
        self._assembly, self._job = assembly, job
        self.name, self.kind = job.name, job.kind
        self._ways: dict[tuple[str, str], Way] = {}

    @property
    def is_built(self) -> bool:
        """Whether its configuration gave a target."""
        return self._job.error is None

    def way(self, sender: str, recipient: str) -> Way | None:
        """The way now. Raises the errors of targets, or why the target could not be built."""
        if self._job.error is not None:
            raise self._job.error
        router: Router = cast("Any", self._job.target)
        way = self._ways[sender, recipient] = router.trace(sender, recipient, self._observed)
        return way

    def send(self, sender: str, recipient: str) -> Sent:
        """Send the message whose way was told.

        Raises UsageError where the target cannot send, and the errors of targets.
        """
        from exosync.log import get_logger

        if not hasattr(self._job.target, "send"):
            raise UsageError(f"nothing is sent: {self.name} cannot send")
        prober: Prober = cast("Any", self._job.target)
        self._assembly.rules.progress("sending")
        sent = prober.send(sender, recipient)
        get_logger().info("sent", target=self.name, message_id=sent.message_id)
        return sent

    def known(self, sender: str, recipient: str, ident: str) -> Sent:
        """What its id tells of a message. Raises UsageError where the target has no trace."""
        if not hasattr(self._job.target, "known"):
            raise UsageError(f"nothing is asked: {self.name} has no message trace")
        prober: Prober = cast("Any", self._job.target)
        return prober.known(sender, recipient, ident)

    def happened(self, sent: Sent, within: timedelta) -> tuple[Stage, ...]:
        """What became of the message, beside what was foretold. Raises the errors of targets."""
        from exosync.core.trace import Way

        prober: Prober = cast("Any", self._job.target)
        self._assembly.rules.progress("waiting for the message trace")
        untold = Way(sent.sender, sent.recipient, stages=(), leaves=None)
        way = self._ways.get((sent.sender, sent.recipient), untold)
        return prober.happened(sent, way, within=within)

    @cached_property
    def _observed(self) -> Observed:
        from exosync.cli.explain import observe

        self._assembly.rules.progress(f"asking {self.name}")
        found = observe(self._assembly, self._job)
        assert found is not None, "a target that could not be built has an error"
        return found


def _show(view: Json) -> None:
    from exosync.render.way import drawn

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 100
    for text, tone in drawn(view, width=width, line=_line()):
        style = _STYLES[tone]
        put(click.style(text, **style) if style else text)


def _line() -> str:
    """What joins the stations: a dash that every terminal has, where the better one is lacking."""
    try:
        "│".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "|"
    return "│"
