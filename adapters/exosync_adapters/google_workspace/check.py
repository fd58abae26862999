"""Trying a target without changing anything: libraries, credentials, delegation, APIs, list."""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.target import Check
from exosync.core.words import plural
from exosync.errors import ConfigError, ExosyncError, TargetError
from exosync_adapters.google_workspace import libraries, words
from exosync_adapters.google_workspace.faults import Fault
from exosync_adapters.google_workspace.policies import Allowlist, allowlist, read_policies
from exosync_adapters.google_workspace.rules import few, of_entries, of_lists
from exosync_adapters.google_workspace.service import Google, Session
from exosync_adapters.google_workspace.settings import (
    EMAIL_ALLOWLIST,
    OWN_CUSTOMER,
    GoogleSettings,
)


def check(google: Google, settings: GoogleSettings) -> Iterator[Check]:
    """Every check in turn; later ones are left out where an earlier one makes them senseless."""
    if settings.credentials is not None:
        try:
            libraries.load()
        except ConfigError as error:
            yield Check("libraries", False, str(error))
            return
        yield Check("libraries", True, libraries.versions())
    if settings.setting == EMAIL_ALLOWLIST:
        yield from _policies(google, settings)
    if settings.audit:
        yield from _reports(google, settings)
    if settings.mailbox_headers:
        yield from _mailboxes(google, settings)
    yield from _not_tried(settings)


def _policies(google: Google, settings: GoogleSettings) -> Iterator[Check]:
    try:
        session = google.policies()
    except ExosyncError as error:
        yield Check("credentials", False, str(error))
        return
    yield _credentials(session)
    fault = google.sign_in(session)
    yield _delegation(session, fault, needed=True)
    if fault is None:
        yield from _list(google, settings, session)


def _credentials(session: Session) -> Check:
    account = session.caller.account or "application default credentials"
    if not session.identity.delegates:
        admin = session.caller.admin
        message = f"{account}: they cannot act for {admin}, so they must be that user's own"
        return Check("credentials", None, message)
    return Check("credentials", True, f"{account}, acting for {session.caller.admin}")


def _delegation(session: Session, fault: Fault | None, *, needed: bool) -> Check:
    """A token of the scope's own; `needed` is false for what only supports."""
    name = f"scope {session.caller.scope.rpartition('/')[2]}"
    if fault is None:
        return Check(name, True, f"a token for {session.caller.scope} is given")
    return Check(name, False if needed else None, str(fault.error))


def _list(google: Google, settings: GoogleSettings, session: Session) -> Iterator[Check]:
    """One reading of all pages tells of the API, the administrator, the customer and the list."""
    try:
        policies = read_policies(google, settings.customer)
    except TargetError as error:
        yield Check(session.caller.api.title, False, str(error))
        return
    yield Check(session.caller.api.title, True, f"is enabled and gives {len(policies):,} policies")
    yield Check("administrator", True, f"{settings.admin} may use it, as a super administrator")
    try:
        found = allowlist(policies, customer=settings.customer, root_unit=settings.root_unit)
    except TargetError as error:
        yield Check("email allowlist", False, str(error))
        return
    yield _customer(found, settings)
    yield from _found(found)


def _customer(found: Allowlist, settings: GoogleSettings) -> Check:
    if settings.customer == OWN_CUSTOMER:
        return Check("customer", True, f"is {found.customer or OWN_CUSTOMER}")
    return Check("customer", True, f"is {settings.customer}, as configured")


def _found(found: Allowlist) -> Iterator[Check]:
    if not found.lists:
        message = "no list is set, which is Google's default: an empty one"
    else:
        texts = [one.text for one in found.entries]
        shown = f" ({few(texts)})" if texts else ""
        places = "; ".join(one.place for one in found.counting) or "no place that counts"
        message = f"{plural(len(texts), 'entry')}{shown}, set for {places}"
    yield Check("email allowlist", True, message)
    for finding in (*of_lists(found), *of_entries(found.entries)):
        yield Check("email allowlist", None, finding.message)


def _reports(google: Google, settings: GoogleSettings) -> Iterator[Check]:
    """The audit log only supports, so that nothing of it is needed."""
    remedy = "or set audit: false"
    try:
        session = google.reports()
    except ExosyncError as error:
        yield Check("audit log", None, str(error), remedy)
        return
    if settings.setting != EMAIL_ALLOWLIST:
        yield _credentials(session)
    fault = google.sign_in(session)
    yield _delegation(session, fault, needed=False)
    if fault is not None:
        return
    try:
        google.ask(
            session,
            lambda service: service.activities().list(
                userKey="all",
                applicationName="admin",
                customerId=settings.customer,
                maxResults=1,
            ),
        )
    except TargetError as error:
        yield Check(session.caller.api.title, None, str(error), remedy)
    else:
        yield Check(session.caller.api.title, True, "is enabled and gives the Admin audit log")


def _mailboxes(google: Google, settings: GoogleSettings) -> Iterator[Check]:
    """Tried with the administrator's own mailbox, of which nothing but its name is asked for.

    Only trace --send needs it. That administrator may well have no mailbox: Gmail says so then,
    which shows as much.
    """
    remedy = "or set mailbox_headers: false"
    try:
        session = google.mailbox(settings.admin)
    except ExosyncError as error:
        yield Check("mailbox headers", None, str(error), remedy)
        return
    fault = google.sign_in(session)
    yield _delegation(session, fault, needed=False)
    if fault is not None:
        return
    _, fault = google.answered(
        session, lambda service: service.users().getProfile(userId="me", fields="emailAddress")
    )
    if fault is None:
        yield Check(session.caller.api.title, True, "is enabled, and gives mailboxes")
    elif fault.kind == "no_gmail":
        message = f"is enabled; {settings.admin} has no mailbox, so none was tried"
        yield Check(session.caller.api.title, True, message)
    else:
        yield Check(session.caller.api.title, None, str(fault.error), remedy)


def _not_tried(settings: GoogleSettings) -> Iterator[Check]:
    hours = int(words.DELAY.total_seconds() // 3600)
    if settings.setting != EMAIL_ALLOWLIST:
        message = (
            "no API of Google's reads or writes the inbound gateway: a person changes it and "
            "acknowledges it"
        )
        yield Check("not tried", None, message)
        return
    if settings.write == "probe":
        message = "whether Google's API writes the list shows only when it is to be changed"
    else:
        message = "a person changes the list: Google documents no API that writes it"
    yield Check(
        "not tried", None, f"{message}; a change can take up to {hours} hours to take effect"
    )
