"""Exchange Online's admin interface: commands by InvokeCommand, and the published Admin API v2.0.

InvokeCommand is what Microsoft's PowerShell module itself asks. Microsoft neither documents nor
supports it for others (michev.info, "All you need to know about EXO Admin API"); its form is that
of KelvinTegelaar/CIPP-API, rknightion/graph2otel and cisagov/ScubaGear. Nobody of ours has tried
it at a live tenant. v2.0 (Microsoft Learn, "Exchange Online Admin API", a preview) has accepted
domains and the organization's configuration of what is needed here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from uuid import uuid4

from exosync.core.meter import Meter, unmetered
from exosync.errors import TargetDenied, TargetError
from exosync_adapters.exchange.admin import faults
from exosync_adapters.exchange.admin.answers import NEXT, Answer, answer, joined
from exosync_adapters.exchange.admin.faults import Fault, Trouble
from exosync_adapters.exchange.admin.roles import MANAGE_V2
from exosync_adapters.exchange.admin.session import Request, Session, Told
from exosync_adapters.exchange.admin.tokens import Reveal
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.records import Call
from exosync_adapters.exchange.settings import ExchangeSettings

MOST_PAGES: Final = 50

MODULE_VERSION: Final = "3.9.2"
"""The version of the PowerShell module that CIPP-API names when it asks what it may run."""

_MAILBOX: Final = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
_CONFIRMED: Final = ("Remove-", "Disable-")


class Admin:
    """What a target asks Exchange Online with. Nothing is loaded or asked before the first call.

    Every call raises ConfigError for credentials that cannot be used, TargetDenied,
    TargetUnreachable, and TargetError or one of its kinds in `faults`.
    """

    def __init__(
        self,
        settings: ExchangeSettings,
        cloud: Cloud,
        *,
        reveal: Reveal,
        pause: Callable[[float], None],
        meter: Meter = unmetered,
    ) -> None:
        self.tenant = settings.tenant
        self.pause = pause
        self._session = Session(
            settings, cloud, cloud.exchange, reveal=reveal, pause=pause, meter=meter
        )

    @property
    def host(self) -> str:
        """The host that is asked, for messages."""
        return self._session.host

    def read(self, call: Call) -> Answer:
        """What a command gives that changes nothing; asked again with patience."""
        return self._whole(self._url("beta", "InvokeCommand"), call)

    def write(self, call: Call) -> Answer:
        """Have a command carried out. It is sent once, and again only after 429.

        Raises UnansweredError where it may have been carried out: what is there must be looked
        at before anything else is done.
        """
        value, headers, fault = self._ask(self._url("beta", "InvokeCommand"), call, reads=False)
        if fault is not None:
            raise self._error(call.cmdlet, fault)
        return answer(value, headers)

    def published(self, endpoint: str, call: Call) -> Answer:
        """The same as `read` by an endpoint of the published Admin API v2.0 (`AcceptedDomain`)."""
        return self._whole(self._url("v2.0", endpoint), call)

    def roles(self) -> frozenset[str]:
        """The application roles of the token: Exchange.ManageAsApp, Exchange.ManageAsAppV2."""
        return self._session.token().roles

    def commands(self) -> frozenset[str] | None:
        """The commands that this application may run; None if it was not told (CIPP-API)."""
        url = f"{self._url('v1.0', 'EXOModuleFile')}?Version={MODULE_VERSION}"
        headers = {**self._headers(), "CommandName": "*"}
        value, _, fault = self._session.ask(
            Request("GET", url, self._what("EXOModuleFile"), headers)
        )
        if fault is not None and fault.trouble in (Trouble.BROKEN, Trouble.THROTTLED):
            raise self._error("EXOModuleFile", fault)
        names = frozenset(_exported(value.get("value")))
        return names if names and fault is None else None

    def _whole(self, url: str, call: Call) -> Answer:
        """Every page of what a command gives.

        Whether the address of a next page works is reported both ways (CIPP-API: it does;
        graph2otel: status 400 every time): each is asked for once, and an answer that cannot be
        had whole is truncated, not an error.
        """
        pages: list[Answer] = []
        seen: set[str] = set()
        while True:
            value, headers, fault = self._ask(url, call, reads=True)
            if fault is not None:
                if pages and fault.status == 400:
                    return joined(pages, whole=False)
                raise self._error(call.cmdlet, fault)
            if "value" not in value:
                raise self._error(call.cmdlet, Fault(Trouble.STRANGE, 200, text=_NO_VALUE))
            pages.append(answer(value, headers))
            seen.add(url)
            url = str(value.get(NEXT) or "")
            if not url:
                return joined(pages, whole=True)
            if url in seen or len(seen) >= MOST_PAGES or not self._session.within(url):
                return joined(pages, whole=False)

    def _ask(self, url: str, call: Call, *, reads: bool) -> Told:
        parameters = dict(call.parameters)
        if call.cmdlet.startswith(_CONFIRMED):
            parameters.setdefault("Confirm", False)
        told = {"CmdletInput": {"CmdletName": call.cmdlet, "Parameters": parameters}}
        return self._session.ask(
            Request(
                "POST",
                url,
                self._what(call.cmdlet),
                {**self._headers(), "Content-Type": "application/json"},
                json.dumps(told).encode(),
                reads=reads,
            )
        )

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Prefer": "odata.maxpagesize=1000",
            # Without it requests are answered too, by any server (graph2otel): reads may be stale.
            "X-AnchorMailbox": f"APP:{_MAILBOX}@{self.tenant}",
            "client-request-id": str(uuid4()),
        }

    def _url(self, version: str, endpoint: str) -> str:
        return f"{self._session.service}/adminapi/{version}/{self.tenant}/{endpoint}"

    def _what(self, cmdlet: str) -> str:
        return f"{self.host}: {cmdlet}"

    def _error(self, cmdlet: str, fault: Fault) -> TargetError:
        made = faults.error(self._what(cmdlet), cmdlet, self._session.cleaned(fault))
        if fault.trouble is Trouble.TOKEN and MANAGE_V2 in self._session.known_roles:
            # One source (azapptoolkit) says that the two do not go together.
            return TargetDenied(
                f"{made}; it also has {MANAGE_V2}, with which InvokeCommand may refuse the token"
            )
        return made


_NO_VALUE = "the answer holds no `value`"


def _exported(value: Any) -> Iterator[str]:
    """The names in `exportedCmdlets`, with commas between them."""
    for one in value if isinstance(value, list) else [value]:
        names = one.get("exportedCmdlets") if isinstance(one, Mapping) else None
        if isinstance(names, str):
            yield from (name.strip() for name in names.split(",") if name.strip())
