"""The proof that connector and rule are as they should be, with how sure each part of it is.

What was read back says how things are set. That mail arrives is said by Exchange Online's own trial
(Validate-OutboundConnector) if that is configured, and by a message that was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from exosync.core.target import Check, Verification
from exosync.core.words import one_line, short
from exosync.errors import TargetError
from exosync_adapters.exchange import compare, moments
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.records import Call, Connector, DomainType, Listing, Rule
from exosync_adapters.exchange.seen import Seen

_READ = "read back"
_LONGEST = 300

VALIDATION_SENDER = "O365ConnectorValidation@<tenant>.onmicrosoft.com"
"""Who sends the message of Validate-OutboundConnector (office-docs-powershell#9385)."""


def verify(seen: Seen, admin: Admin | None) -> Verification:
    """Compare what was read back, and have the connector tried if that is configured."""
    if seen.aim.settings.remove:
        return Verification(tuple(_removed(seen)))
    checks = [_connector(seen), _rule(seen), *_groups(seen), _domain(seen)]
    ours = seen.owned.connector
    if ours is not None:
        checks.append(_flag(ours))
        if admin is not None and seen.aim.settings.validate_connector:
            checks.append(validated(seen, ours, admin))
    return Verification(tuple(checks))


def _connector(seen: Seen) -> Check:
    ours = seen.owned.connector
    if ours is None:
        return Check("connector", ok=False, message=_not_there(seen, Listing.CONNECTORS))
    wrong = compare.differing(seen.wanted_connector, seen.connector(ours))
    if wrong:
        return Check("connector", ok=False, message=f"is not as wanted: {', '.join(wrong)}")
    hosts = ", ".join(ours.smart_hosts)
    return Check("connector", ok=True, message=f"“{ours.name}” sends to {hosts} ({_READ})")


def _rule(seen: Seen) -> Check:
    ours = seen.owned.rule
    if ours is None:
        return Check("rule", ok=False, message=_not_there(seen, Listing.RULES))
    wrong = [*compare.differing(seen.wanted_rule, seen.rule(ours)), *compare.more(ours)]
    if wrong:
        return Check("rule", ok=False, message=f"is not as wanted: {', '.join(wrong)}")
    return _dated(ours, seen.memory.at) or Check(
        "rule",
        ok=True,
        message=f"“{ours.name}” is on, at priority {ours.priority} ({_READ}); after a change it "
        "can take half an hour or more until it acts",
    )


def _dated(rule: Rule, now: datetime | None) -> Check | None:
    """Whether a rule acts only for a time; then nobody can say that it goes on acting."""
    if moments.is_past(rule.expires, now):
        message = f"“{rule.name}” is over since {rule.expires} ({_READ}): take the date out"
        return Check("rule", ok=False, message=one_line(message))
    begins = "" if moments.is_past(rule.activates, now) else rule.activates
    dates = [f"{name} {value}" for name, value in (("from", begins), ("to", rule.expires)) if value]
    if not dates:
        return None
    message = f"“{rule.name}” acts only {' '.join(dates)} ({_READ}): take the dates out"
    return Check("rule", ok=None, message=one_line(message))


def _groups(seen: Seen) -> Iterator[Check]:
    local = {seen.aim.settings.routed.everyone_but, seen.aim.settings.exceptions.group}
    for group in sorted(seen.groups.gone):
        excepted = "an exception for it holds for nobody: the mail of its members is sent away too"
        yield Check(
            f"group {group}",
            ok=False,
            message="is no group of the tenant's, so "
            + (excepted if group in local else "the rule does not hold for whom it should"),
            remedy="make the group, or mend its address in the configuration; until then switch the "
            "rule off if mail goes astray",
        )


def _domain(seen: Seen) -> Check:
    settings, domain = seen.aim.settings, seen.domain
    if domain is None:
        cut = Listing.DOMAINS in seen.organisation.incomplete
        place = "what was read of the accepted domains" if cut else "the accepted domains"
        message = f"{settings.domain} is not among {place}"
        return Check("domain", ok=None, message=message)
    kind = domain.type.value or "of an unknown type"
    message = f"{domain.name} is {kind} ({_READ})"
    needs_relay = settings.routed.group is None and settings.accepted_domain == "internal_relay"
    if domain.type in (DomainType.EXTERNAL_RELAY, DomainType.UNKNOWN):
        unknown = f"{message}: what Exchange Online does with mail to it is not published"
        return Check("domain", ok=None, message=unknown)
    wrong = needs_relay and domain.type is DomainType.AUTHORITATIVE
    return Check("domain", ok=not wrong, message=message)


def _flag(connector: Connector) -> Check:
    """Anyone who may change the connector may set it, so it proves nothing."""
    state = "says that it was validated" if connector.is_validated else "is not called validated"
    at = (
        f" at {connector.validated_at}" if connector.is_validated and connector.validated_at else ""
    )
    message = f"{state}{at}: a flag that anyone can set, which proves nothing"
    return Check("flag IsValidated", ok=None, message=one_line(message))


def validated(seen: Seen, connector: Connector, admin: Admin) -> Check:
    """Have Exchange Online try the connector: it sends a real message.

    What its rows hold is not published, so they are shown as they come; only a row that says
    that its task failed counts against the connector.
    """
    recipients = seen.aim.settings.validation_recipients
    call = Call(
        "Validate-OutboundConnector",
        {"Identity": connector.guid or connector.name, "Recipients": list(recipients)},
    )
    name = "trial by Exchange Online"
    try:
        answer = admin.write(call)
    except TargetError as error:
        return Check(name, ok=None, message=f"could not be made: {error}")
    failed = any(one.get("IsTaskSuccessful") is False for one in answer.value)
    passed = bool(answer.value) and all(one.get("IsTaskSuccessful") for one in answer.value)
    rows = "; ".join(_row(one) for one in answer.value) or "it gave no rows"
    message = (
        f"a message from {VALIDATION_SENDER} to {', '.join(recipients)}: {short(rows, _LONGEST)}"
    )
    return Check(name, ok=False if failed else passed or None, message=message)


def _row(row: Mapping[str, object]) -> str:
    """A task by its name with how it ended; a row of another form as it is."""
    task, done = row.get("TaskName"), row.get("IsTaskSuccessful")
    if task and isinstance(done, bool):
        return f"{short(one_line(str(task)), 100)}: {'passed' if done else 'failed'}"
    parts = (f"{name}: {value}" for name, value in row.items() if value not in (None, "", []))
    return short(one_line(", ".join(parts)), 120)


def _removed(seen: Seen) -> Iterator[Check]:
    left: Sequence[tuple[str, Connector | Rule | None, Listing]] = (
        ("connector", seen.owned.connector, Listing.CONNECTORS),
        ("rule", seen.owned.rule, Listing.RULES),
    )
    for name, one, listing in left:
        if one is not None:
            yield Check(name, ok=False, message=f"“{one.name}” is still there")
        elif listing in seen.organisation.incomplete:
            yield Check(name, ok=None, message=_not_there(seen, listing))
        else:
            yield Check(name, ok=True, message=f"nothing with exosync's mark is there ({_READ})")


def _not_there(seen: Seen, listing: Listing) -> str:
    why = seen.organisation.incomplete.get(listing)
    if why is None:
        return "is not there"
    return f"is not listed, and the listing of {listing.value} is not whole ({short(why, 200)})"
