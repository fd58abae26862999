"""What is unusual about the way out of a tenant: why it matters, and how to mend it. Pure.

Nothing is concluded from what is not in a listing that may be incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from exosync.core.target import Finding, Severity
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.findings.connector import of_connector, of_hosts
from exosync_adapters.exchange.findings.foreign import of_foreign
from exosync_adapters.exchange.findings.rule import of_rule
from exosync_adapters.exchange.records import DomainType, Listing, Organisation
from exosync_adapters.exchange.settings import ExchangeSettings

FINDINGS: dict[str, str] = {
    "connector_not_scoped": "the connector takes mail that no rule sends to it",
    "connector_disabled": "the connector is disabled, so the rule has nowhere to send mail",
    "connector_test_mode": "the connector is in test mode",
    "connector_uses_mx": "the connector looks up the MX record in place of its smart hosts",
    "connector_catches_all": "a connector that is not for rules alone takes mail to every domain",
    "connector_has_more": "the connector has settings that exosync does not write",
    "connector_may_wait": "mail may wait for DANE, which the connector makes mandatory",
    "is_validated": "IsValidated is a flag that anyone can set, and proves nothing",
    "far_side_differs": "a smart host looks like one of another side than far_side names",
    "google_hosts_unproven": "nothing published shows Google's receiving hosts as smart hosts",
    "google_relay": "smtp-relay.gmail.com is Google's way out, not the way to its mailboxes",
    "rule_without_recipients": "the rule has no condition on recipients, so it takes all mail",
    "rule_takes_local_mail": "the rule sends the mail of mailboxes here away too",
    "rule_below_stop": "a rule before ours may stop the processing of rules",
    "rule_disabled": "the rule is disabled",
    "rule_audit_mode": "the rule only tests",
    "rule_dates": "the rule holds only from or until some date",
    "rule_connector_gone": "the rule names a connector that is not there",
    "rule_connector_other": "the rule names another connector than exosync's",
    "rule_subdomains": "the rule also takes mail to other accepted domains below the domain",
    "loop_possible": "nothing ends a loop, should the other side route mail back",
    "domain_authoritative": "the domain refuses who is not known here before any rule runs",
    "domain_not_accepted": "the domain is not an accepted domain of the tenant",
    "foreign_domain_rule": "somebody else's rule sends all mail to the domain away",
    "foreign_rule_before": "somebody else's rules before ours route mail to the domain",
    "foreign_rule_after": "somebody else's rules after ours route mail to the domain",
    "foreign_connector": "somebody else's connectors take mail to the domain without any rule",
}
"""The stable names of this kind's findings, and what each tells."""


def findings(
    settings: ExchangeSettings,
    organisation: Organisation,
    owned: Owned,
    *,
    now: datetime | None = None,
) -> Iterator[Finding]:
    """All findings. Without `now` a rule's dates are told and not judged.

    Of what is to be removed, nothing is told but what is somebody else's.
    """
    if not settings.remove:
        if owned.connector is not None:
            yield from of_connector(owned.connector, settings)
        if owned.rule is not None:
            yield from of_rule(owned, settings, organisation, now)
        yield from of_hosts(settings)
        yield from _of_domain(settings, organisation)
    yield from of_foreign(settings, organisation, owned)


def _of_domain(settings: ExchangeSettings, organisation: Organisation) -> Iterator[Finding]:
    found = organisation.domain(settings.domain)
    if found is None and Listing.DOMAINS not in organisation.incomplete:
        yield Finding(
            "domain_not_accepted",
            f"{settings.domain} is not an accepted domain of this tenant, so Exchange Online "
            "takes no mail for it from outside and treats it as somebody else's; an "
            "administrator adds it in the Microsoft 365 admin center, or tenant and domain are "
            "mended in the configuration",
        )
    if found is None or found.type is not DomainType.AUTHORITATIVE:
        return
    if settings.routed.group:
        yield Finding(
            "domain_authoritative",
            f"{settings.domain} is authoritative: mail from outside to somebody who is not known "
            "here is refused before any rule runs (550 5.4.1), so each mailbox on the other side "
            f"must be a recipient here too, which the members of {settings.routed.group} are",
            Severity.INFO,
        )
        return
    yield Finding(
        "domain_authoritative",
        f"{settings.domain} is authoritative: mail from outside to somebody whose mailbox is on "
        "the other side alone is refused at the edge, before any rule runs (550 5.4.1); "
        + (
            "a person makes the domain an internal relay once the rule is on: exosync asks for it"
            if settings.accepted_domain == "internal_relay"
            else "somebody must make the domain an internal relay, which accepted_domain: leave "
            "tells exosync not to ask for, or every such mailbox must be a mail user here"
        ),
    )
