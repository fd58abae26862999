"""What is unusual about the way out of a tenant: why it matters, and how to mend it. Pure.

Nothing is concluded from what is not in a listing that may be incomplete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from exosync.core.target import Finding
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.findings.connector import of_connector, of_hosts
from exosync_adapters.exchange.findings.domain import left_behind, of_domain
from exosync_adapters.exchange.findings.foreign import of_foreign
from exosync_adapters.exchange.findings.rule import of_nobody, of_rule
from exosync_adapters.exchange.records import Organisation
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
    "host_private": "a smart host is a private address, which Exchange Online does not reach",
    "host_unresolved": "DNS has no address of a smart host, or gives no answer on it",
    "host_silent": "a smart host does not answer on port 25, as seen from where exosync runs",
    "host_no_starttls": "a smart host offers no STARTTLS, which the connector needs",
    "host_certificate": "a smart host shows a certificate that the connector does not take",
    "host_not_far_side": "a smart host shows by its certificate that it is not the far side's",
    "hosts_out_of_reach": "nothing can be told of port 25 from where exosync runs",
    "rule_without_recipients": "the rule has no condition on recipients, so it takes all mail",
    "rule_takes_local_mail": "the rule sends the mail of mailboxes here away too",
    "rule_below_stop": "a rule before ours may stop the processing of rules",
    "rule_disabled": "the rule is disabled",
    "rule_audit_mode": "the rule only tests",
    "rule_dates": "the rule holds only from or until some date",
    "rule_connector_gone": "the rule names a connector that is not there, or none",
    "rule_connector_other": "the rule names another connector than exosync's",
    "rule_subdomains": "the rule also takes mail to other accepted domains below the domain",
    "loop_possible": "nothing ends a loop, should the other side route mail back",
    "domain_authoritative": "the domain refuses who is not known here before any rule runs",
    "domain_external_relay": "the domain is of a type that Microsoft documents for Exchange on "
    "premises alone",
    "domain_left_behind": "a domain is an internal relay that exosync looks after no longer",
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
    relayed: Collection[str] = (),
    known_as: Mapping[str, str] = MappingProxyType({}),
    spares_nobody: bool = False,
) -> Iterator[Finding]:
    """All findings. Without `now` a rule's dates are told and not judged.

    `relayed` are the domains that a person made internal relays as exosync asked for, `known_as`
    are other names of groups, as in `seen.Groups`; `spares_nobody`: the group of those whose mailboxes
    are here has no members. Of what is to be removed, nothing is told but what is somebody else's, and what stays.
    """
    if not settings.remove:
        if owned.connector is not None:
            yield from of_connector(owned.connector, settings)
        if owned.rule is not None:
            yield from of_rule(owned, settings, organisation, now, known_as)
            yield from of_nobody(owned.rule, settings, spares_nobody=spares_nobody)
        yield from of_hosts(settings)
        yield from of_domain(settings, organisation)
    yield from left_behind(settings, organisation, relayed, owned)
    yield from of_foreign(settings, organisation, owned, now)
