"""A channel by Apprise: Slack, Teams, PagerDuty and a hundred others, by one address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exosync.alerts.channel import Message, failed
from exosync.alerts.rendering import Pages, page, subject
from exosync.core.target import Check
from exosync.core.words import one_line, short
from exosync.errors import AlertError, ConfigError, ExosyncError
from exosync.secrets import redact

if TYPE_CHECKING:
    from apprise import Apprise

_TYPES = {"info": "info", "warning": "warning", "error": "failure"}


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """One service. `url` reads its Apprise address, which is a secret as a whole."""

    url: Callable[[], str]
    pages: Pages

    def send(self, message: Message) -> None:
        """Hand the message to the service. Raises AlertError.

        Apprise says only whether it went well; its log says why not.
        """
        import logging

        service = self._service()
        import apprise

        alert, capture = message.alert, apprise.LogCapture
        with capture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
            arrived = service.notify(
                body=page(self.pages.render("apprise.md", alert)[0]),
                title=subject(self.pages.render("mail.subject", alert)[0]),
                notify_type=_TYPES.get(alert["severity"], "warning"),
                body_format=apprise.NotifyFormat.MARKDOWN,
            )
            said = log.getvalue()
        if not arrived:
            raise AlertError(f"{_name(service)} did not take the message{_reason(said)}")

    def check(self) -> Iterator[Check]:
        """Whether Apprise is there and knows the address; nobody is asked."""
        try:
            service = self._service()
        except ExosyncError as error:
            yield failed("service", error)
            return
        told = f"{_name(service)}; only `exosync alerts test` shows whether a message arrives"
        yield Check("service", ok=True, message=told)

    def _service(self) -> Apprise:
        url = self.url().strip()
        apprise: Any = _imported()
        service: Apprise = apprise.Apprise(asset=apprise.AppriseAsset(app_id="exosync"))
        if not service.add(url) or len(service) != 1:
            raise ConfigError(
                "the address is none that Apprise knows: see what it should look like in the "
                "documentation of Apprise"
            )
        return service


def _imported() -> Any:
    try:
        import apprise
    except ImportError:
        raise ConfigError(
            "a channel of kind apprise needs the library of that name: pip install 'exosync[apprise]'"
        ) from None
    return apprise


def _name(service: Apprise) -> str:
    """What Apprise calls the service: `Slack`."""
    return str(getattr(next(iter(service)), "service_name", None) or "the service")


def _reason(said: str) -> str:
    """The last thing that Apprise complained of, on one line."""
    lines = [one.strip() for one in said.splitlines() if one.strip()]
    if not lines:
        return ""
    return f": {short(one_line(redact(lines[-1])), 200)}"
