"""Requests with a token: repeated with patience where they only read, sent once where they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from exosync.core.meter import Meter, unmetered
from exosync.errors import TargetError, TargetUnreachable
from exosync_adapters.exchange.admin.faults import Fault, Trouble, UnansweredError, judge
from exosync_adapters.exchange.admin.patience import Patience
from exosync_adapters.exchange.admin.places import Places
from exosync_adapters.exchange.admin.times import now
from exosync_adapters.exchange.admin.tokens import Reveal, Token, Tokens
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.settings import ExchangeSettings

if TYPE_CHECKING:
    from exosync_adapters.wire import Reply


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `what` is what messages call it; `reads`: doing it twice is harmless."""

    method: str
    url: str
    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = None
    reads: bool = True


Told = tuple[Mapping[str, Any], Mapping[str, str], Fault | None]
"""The JSON object of an answer, its headers, and what is wrong with it, if anything."""


class Session:
    """One of Microsoft's services, with the token that is for it."""

    def __init__(
        self,
        settings: ExchangeSettings,
        cloud: Cloud,
        service: str,
        *,
        reveal: Reveal,
        pause: Callable[[float], None],
        meter: Meter = unmetered,
    ) -> None:
        self.service = service
        self.host = urlsplit(settings.url or service).hostname or service
        self.pause = pause
        self._scope = f"{service}/.default"
        self._places = Places(settings.url, timeout=settings.timeout.total_seconds(), meter=meter)
        self._tokens = Tokens(settings, cloud, self._places, reveal=reveal, pause=pause)

    def token(self) -> Token:
        """The token that requests carry. Raises ConfigError and the errors of targets."""
        return self._tokens.token(self._scope)

    @property
    def known_roles(self) -> frozenset[str]:
        """The application roles of the token, if there is one."""
        held = self._tokens.held(self._scope)
        return held.roles if held else frozenset()

    def within(self, url: str) -> bool:
        """Whether an address belongs to the service."""
        return self._places.within(url, self.service)

    def clean(self, text: str) -> str:
        """A text without the secrets that were used."""
        return self._tokens.mask.clean(text)

    def cleaned(self, fault: Fault) -> Fault:
        """A fault without the secrets that were used."""
        return replace(fault, type=self.clean(fault.type), text=self.clean(fault.text))

    def ask(self, request: Request) -> Told:
        """Ask until there is an answer that waiting does not change.

        A write that was answered with 429 was not carried out, and is sent again. Raises
        UnansweredError where a write may have been carried out, TargetUnreachable where there is
        no answer, and what `token` raises.
        """
        patience, renewed = Patience(self.pause), False
        while True:
            reply = self._reply(request, patience)
            if reply is None:
                continue
            value, fault = judge(reply.status, reply.headers, reply.body, now=now())
            if fault is not None:
                if fault.trouble is Trouble.TOKEN and not renewed:
                    renewed = True
                    self._tokens.forget(self._scope)
                    # What is written comes after a reading with the same token: no need for more.
                    if request.reads:
                        continue
                if self._again(request, fault, patience):
                    continue
            return value, reply.headers, fault

    def _reply(self, request: Request, patience: Patience) -> Reply | None:
        """The answer; None if there was none, and it may be asked for again."""
        from exosync_adapters.wire import NoAnswerError

        headers = {**request.headers, "Authorization": f"Bearer {self.token().text}"}
        try:
            return self._places.ask(
                request.method,
                request.url,
                trusted=self.service,
                headers=headers,
                data=request.data,
            )
        except NoAnswerError as error:
            told = self.clean(f"{request.what}: {error}")
            if error.sent and not request.reads:
                raise UnansweredError(told) from None
            if error.hopeless or not request.reads or not patience.wait():
                raise TargetUnreachable(told) from None
            return None
        except TargetError as error:
            raise type(error)(self.clean(f"{request.what}: {error}")) from None

    def _again(self, request: Request, fault: Fault, patience: Patience) -> bool:
        if fault.trouble is Trouble.THROTTLED:
            return patience.wait(fault.wait, busy=True)
        if fault.trouble not in (Trouble.BROKEN, Trouble.STRANGE):
            return False
        if not request.reads:
            told = f"{request.what}: no answer that tells whether it was done: {fault.told}"
            raise UnansweredError(self.clean(told))
        return fault.trouble is Trouble.BROKEN and patience.wait(fault.wait)
