"""A channel by Apprise: Slack, Teams, PagerDuty and a hundred others, by one address."""

from __future__ import annotations

import re
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

_MARKS = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*|`")
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
        body = page(self.pages.render("apprise.md", alert)[0])
        form = apprise.NotifyFormat.MARKDOWN
        if _reads_text_alone(service):
            # Apprise hands Markdown to such a service as it is, with its backslashes.
            body, form = plain(body), apprise.NotifyFormat.TEXT
        with capture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
            arrived = service.notify(
                body=body,
                title=subject(self.pages.render("mail.subject", alert)[0]),
                notify_type=_TYPES.get(alert["severity"], "warning"),
                body_format=form,
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


def plain(markdown: str) -> str:
    """The text of what the template makes, without what is Markdown's alone."""
    return _MARKS.sub(r"\1", markdown)


def _reads_text_alone(service: Apprise) -> bool:
    """Whether a service shows neither Markdown nor HTML; older versions of Apprise name one form."""
    forms: Any = getattr(next(iter(service)), "notify_format", ())
    return [str(getattr(one, "value", one)) for one in _listed(forms)] == ["text"]


def _listed(forms: Any) -> Any:
    return forms if isinstance(forms, tuple | list) else [forms]


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
