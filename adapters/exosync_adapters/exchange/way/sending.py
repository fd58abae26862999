"""`exosync trace --send`: one message sent, and what the vendor's trace tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from exosync.core.target import Check, Context
from exosync.core.trace import Sent, Stage, Sure, Way
from exosync.errors import ConfigError, TargetError, UsageError
from exosync_adapters.exchange.admin.faults import UnansweredError
from exosync_adapters.exchange.admin.graph import PERMISSION as READ_TRACES
from exosync_adapters.exchange.admin.graph import Graph
from exosync_adapters.exchange.admin.session import Session
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.settings import ExchangeSettings, ProbeSettings
from exosync_adapters.exchange.way.probe import became, message, records
from exosync_adapters.exchange.way.submission import PERMISSION as SEND_MAIL
from exosync_adapters.exchange.way.submission import by_graph, by_smtp

_EARLIER = timedelta(minutes=5)
"""The clocks of Microsoft and of this machine may differ by so much."""


class Sending:
    """What one target sends with, and asks what became of it. Nothing is loaded before."""

    def __init__(self, settings: ExchangeSettings, cloud: Cloud, context: Context) -> None:
        self._settings, self._cloud, self._context = settings, cloud, context

    def send(self, sender: str, recipient: str) -> Sent:
        """Send one message. Raises UsageError, ConfigError and the errors of targets."""
        probe = self._probe(sender)
        mail, sent = message(sender, recipient, at=datetime.now(UTC))
        try:
            self._submit(probe, mail)
        except UnansweredError as error:
            told = f"{error}; it may have been sent all the same, which this tells: {sent.again}"
            raise UnansweredError(told) from None
        return sent

    def _submit(self, probe: ProbeSettings, mail: EmailMessage) -> None:
        if probe.kind == "smtp":
            by_smtp(
                probe,
                mail,
                reveal=self._context.reveal,
                base=self._context.base,
                timeout=self._settings.timeout.total_seconds(),
            )
        else:
            by_graph(self._session(), mail, user=probe.user)

    def happened(self, sent: Sent, way: Way, *, within: timedelta) -> tuple[Stage, ...]:
        """What Graph's message trace tells, beside what was foretold.

        Raises ConfigError and the errors of targets.
        """
        if self._settings.credentials is None or not self._cloud.trace:
            where = "without credentials" if self._cloud.trace else f"in {self._cloud.name}"
            told = f"there is no message trace to ask {where}"
            if sent.at is not None:
                told = f"sent as {sent.message_id}; {told}"
            return (Stage("happened", "message trace", told, None, Sure.UNPROVEN),)
        context = self._context
        graph = Graph(
            self._settings,
            self._cloud,
            reveal=context.reveal,
            pause=context.pause,
            meter=context.meter,
        )
        since = sent.at and sent.at - _EARLIER
        traces = graph.wait_for(sent.message_id, since=since, within=within)
        found = records(sent, traces)
        events = graph.details(found[0]) if found else ()
        return became(sent, traces, events, way)

    def check(self) -> Iterator[Check]:
        """Whether it may send, and may ask what became of it; nothing is sent."""
        probe = self._settings.probe
        if probe is None:
            return
        if probe.password is not None:
            yield self._password(probe)
        needed = [SEND_MAIL] if probe.kind == "graph" else []
        if self._settings.credentials is not None and self._cloud.trace:
            needed.append(READ_TRACES)
        if needed:
            yield self._permissions(needed)

    def _password(self, probe: ProbeSettings) -> Check:
        assert probe.password is not None
        try:
            self._context.reveal(probe.password)
        except ConfigError as error:
            return Check("probe", ok=None, message=str(error))
        return Check("probe", ok=True, message=f"has a password for {probe.user}; none was tried")

    def _permissions(self, needed: list[str]) -> Check:
        """Only trace --send needs them: without them nothing that is kept is amiss."""
        try:
            roles = self._session().token().roles
        except (ConfigError, TargetError) as error:
            return Check("probe", ok=None, message=str(error))
        missing = [one for one in needed if one not in roles]
        if not missing:
            message = f"the token of Microsoft Graph has {' and '.join(needed)}"
            return Check("probe", ok=True, message=message)
        message = f"the token of Microsoft Graph has no {' and no '.join(missing)}"
        if SEND_MAIL in missing:
            message += f"; a role in Exchange Online may give {SEND_MAIL}, which no token shows"
        remedy = "give it with admin consent, if exosync trace --send is to be used"
        return Check("probe", ok=None, message=message, remedy=remedy)

    def _probe(self, sender: str) -> ProbeSettings:
        probe = self._settings.probe
        if probe is None:
            raise UsageError("nothing is sent: the target has no `probe` in its configuration")
        if probe.user.lower() != sender.lower():
            raise UsageError(f"the probe sends from {probe.user} alone (probe.user), not {sender}")
        return probe

    def _session(self) -> Session:
        context = self._context
        return Session(
            self._settings,
            self._cloud,
            self._cloud.graph,
            reveal=context.reveal,
            pause=context.pause,
            meter=context.meter,
        )
