"""What msal asks Microsoft Entra with: our own connections, patience and mask of secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from exosync.errors import TargetError, TargetUnreachable
from exosync_adapters.exchange.admin import entra
from exosync_adapters.exchange.admin.faults import Trouble, judge
from exosync_adapters.exchange.admin.patience import Patience
from exosync_adapters.exchange.admin.places import Places
from exosync_adapters.exchange.admin.times import now
from exosync_adapters.mask import Mask

if TYPE_CHECKING:
    from exosync_adapters.wire import Reply


class Asking:
    """What msal asks with, in place of a session of requests. It repeats by our own patience."""

    def __init__(
        self, login: str, places: Places, mask: Mask, pause: Callable[[float], None]
    ) -> None:
        self._login, self._places, self._mask, self._pause = login, places, mask, pause
        self.host = urlsplit(login).hostname or login

    def get(self, url: str, **_: Any) -> Told:
        """The document that tells where tokens are given. Raises TargetDenied without a tenant."""
        told, value = self._asked("GET", url, None)
        if told.status_code != 200:
            raise entra.denied(self.host, value)
        return told

    def post(self, url: str, data: Mapping[str, Any] | None = None, **_: Any) -> Told:
        """A request for a token; asking twice for one is harmless."""
        if not self._places.within(url, self._login):
            raise TargetError(entra.elsewhere(self.host, url))
        form = {name: _written(value) for name, value in (data or {}).items()}
        self._mask.add(*(form[name] for name in _SECRETS if name in form))
        return self._asked("POST", url, urlencode(form).encode())[0]

    def close(self) -> None:
        """Nothing is to be closed."""

    def _asked(self, method: str, url: str, data: bytes | None) -> tuple[Told, Mapping[str, Any]]:
        patience = Patience(self._pause)
        while True:
            reply = self._reply(method, url, data, patience)
            if reply is None:
                continue
            value, fault = judge(reply.status, reply.headers, reply.body, now=now())
            if fault is None:
                return Told(reply), value
            later = fault.trouble in (Trouble.THROTTLED, Trouble.BROKEN)
            if not later and value.get("error"):
                return Told(reply), value
            busy = fault.trouble is Trouble.THROTTLED
            if not later or not patience.wait(fault.wait, busy=busy):
                told = self._mask.clean(f"{self.host} gives no token: {fault.told}")
                raise TargetUnreachable(told) if later else TargetError(told)

    def _reply(self, method: str, url: str, data: bytes | None, patience: Patience) -> Reply | None:
        from exosync_adapters.wire import NoAnswerError

        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return self._places.ask(method, url, trusted=self._login, headers=headers, data=data)
        except NoAnswerError as error:
            if error.hopeless or not patience.wait():
                raise TargetUnreachable(self._mask.clean(str(error))) from None
            return None


class Told:
    """An answer as msal reads it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.headers = dict(reply.headers)
        self.text = reply.body.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        """Never asked for: what is no answer to a question has become an error before."""


_SECRETS = ("client_secret", "client_assertion")


def _written(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
