"""Ready-made tenants for the stand-in of Exchange Online.

    ExchangeStandIn(org=busy("example.com"))

Nothing in them touches ordinary mail to the domain itself; what they are full of is made to look
like it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.standins.exchange_org import Org
from tests.standins.exchange_predicates import NAMESPACE

Record = dict[str, Any]

LOOK_ALIKES = (
    "see exosync:owner=exosync;target=exchange for how this is done",
    "EXOSYNC:OWNER=exosync;TARGET=exchange",
    "exosync:owner=exosync;target=exchange;copy",
    "exosync:owner=exosync;target=exchange2",
    "exosync:owner=somebody-else;target=exchange",
    "exosync:owner=;target=",
    "exosync: owner=exosync; target=exchange",
    "Since 2024\nexosync:owner=exosync;target=exchange (copied from the old connector)",
)
"""Comments that are not the mark of a target `exchange` of the owner `exosync`."""

_NAMES = (
    "Haftungsausschluß – extern",
    "Haftungsausschluss - extern",
    "社外宛てメールの免責事項",
    "إخلاء المسؤولية",
    "Café disclaimer",
    "Cafe\u0301 disclaimer",
    "block executables",
    "Block Executables",
    "BLOCK EXECUTABLES",
    "  Leading blanks and a 'quote'",
    'A "double" quote; a semicolon',
    "Rule $with (PowerShell) `signs` & more",
)
_DISCLAIMER: Record = {
    "SentToScope": "NotInOrganization",
    "ApplyHtmlDisclaimerText": "<p>Confidential.</p>",
}


def empty(domain: str) -> Org:
    """A new tenant: its domain is accepted, authoritative, and nobody is in it."""
    return Org(domain)


def people(
    org: Org, domain: str, *, here: Iterable[str] = (), elsewhere: Iterable[str] = ()
) -> None:
    """Mailboxes of those who are here, and the groups `here@` and `elsewhere@` the domain.

    Those who are elsewhere have no mailbox and are contacts, so that a group can have them.
    """
    local, distant = list(here), list(elsewhere)
    for one in local:
        org.add_recipient(one)
    for one in distant:
        if org.recipient(one) is None:  # on both sides: the how-to's case
            org.add_recipient(one, "MailContact")
    org.add_group(f"here@{domain}", local)
    org.add_group(f"elsewhere@{domain}", distant)


def busy(domain: str) -> Org:
    """A tenant of many years and several administrators: 12 connectors, 40 rules."""
    org = Org(domain)
    org.add_domain(f"mail.{domain}", "InternalRelay", MatchSubDomains=True)
    org.add_domain("xn--mller-kva.example", OutboundOnly=True)
    for number in range(20):
        org.add_recipient(f"employee{number}@{domain}", aliases=[f"e{number}@{domain}"])
    org.add_group(f"everyone@{domain}", [f"employee{number}@{domain}" for number in range(20)])
    org.add_group(f"board@{domain}", [f"employee0@{domain}"])
    _add_connectors(org, domain)
    _add_rules(org, domain)
    return org


def _add_connectors(org: Org, domain: str) -> None:
    relay: Record = {"UseMXRecord": False, "SmartHosts": ["relay.partner.example"]}
    org.add_connector("Partner Relay", **relay, RecipientDomains=["partner.example"])
    org.add_connector("PARTNER RELAY", **relay, RecipientDomains=["*.partner.example"])
    org.add_connector("partner relay ", **relay, Enabled=False)
    org.add_connector(
        f"Outbound to {org.guid}",
        ConnectorType="OnPremises",
        ConnectorSource="HybridWizard",
        RecipientDomains=["onpremises.example"],
        SmartHosts=["hybrid.onpremises.example"],
        UseMXRecord=False,
        TlsSettings="DomainValidation",
        TlsDomain="*.onpremises.example",
        CloudServicesMailEnabled=True,
        SenderRewritingEnabled=True,
    )
    org.add_connector("Trial of the new archive", **relay, TestMode=True)
    org.add_connector("Trial for a rule", **relay, TestMode=True, IsTransportRuleScoped=True)
    org.add_connector("Catch all (old)", **relay, RecipientDomains=["*"], Enabled=False)
    org.add_connector(
        "Verschlüsselung – 暗号化",
        **relay,
        ConnectorSource="AdminUI",
        IsTransportRuleScoped=True,
        TlsSettings="CertificateValidation",
        IsValidated=True,
        LastValidationTimestamp=datetime(2026, 7, 24, 18, 59, 12, tzinfo=UTC),
        ValidationRecipients=["test@partner.example"],
    )
    org.add_connector("Migrated", **relay, ConnectorSource="Migrated", Comment=LOOK_ALIKES[0])
    for number, comment in enumerate(LOOK_ALIKES[1:4]):
        org.add_connector(f"exosync {domain} {number}", **relay, Comment=comment, Enabled=False)


def _add_rules(org: Org, domain: str) -> None:
    for number, name in enumerate(_NAMES):
        comments = LOOK_ALIKES[number] if number < len(LOOK_ALIKES) else None
        org.add_rule(name, Comments=comments, **_DISCLAIMER)
    for number in range(8):
        org.add_rule(f"DLP {number}", **_data_loss(number))
    org.add_rule("Partner first", SenderDomainIs=["partner.example"], **_stopping())
    org.add_rule("Board only", SentToMemberOf=[f"board@{domain}"], **_stopping(), State="Disabled")
    org.add_rule(
        "Encrypt what is secret",
        SubjectContainsWords=["[secret]"],
        SentToScope="NotInOrganization",
        RouteMessageOutboundConnector="Verschlüsselung – 暗号化",
        StopRuleProcessing=True,
    )
    org.add_rule(
        "To a connector that is gone",
        RecipientDomainIs=["gone.example"],
        RouteMessageOutboundConnector="Old archive",
        State="Disabled",
    )
    org.add_rule(
        "Last year's campaign",
        FromMemberOf=[f"everyone@{domain}"],
        PrependSubject="[2025] ",
        ExpiryDate=datetime(2025, 12, 31, tzinfo=UTC),
    )
    for number in range(40 - len(org.rules)):
        mode = ("Enforce", "Audit", "AuditAndNotify")[number % 3]
        org.add_rule(
            f"Extern {number}",
            FromScope="NotInOrganization",
            SubjectContainsWords=[f"word{number}"],
            PrependSubject="[External] ",
            ExceptIfSenderDomainIs=["partner.example"],
            Mode=mode,
            State="Disabled" if number % 5 == 4 else "Enabled",
        )


def _stopping() -> Record:
    return {"SetSCL": -1, "StopRuleProcessing": True}


def _data_loss(number: int) -> Record:
    """A rule as the compliance centre leaves them: with properties and parts nobody models."""
    return {
        "DlpPolicy": f"Policy {number}",
        "DlpPolicyId": f"{number:08}-1111-4111-8111-111111111111",
        "ManuallyModified": True,
        "SentToScope": "NotInOrganization",
        "MessageContainsDataClassifications": [f"@{{id={number};minCount=1;maxCount=-1}}"],
        "GenerateIncidentReport": "compliance@contoso.example",
        "IncidentReportContent": ["Sender", "Recipients", "Subject"],
        "ContentPropertyContainsWords": ["MSIP_Label:secret"],
        "RuleVersion": "15.20.8000.12",
        "State": "Enabled" if number % 2 else "Disabled",
        "_further": {
            "Conditions": [f"{NAMESPACE}.ContentPropertyContainsPredicate"],
            "Actions": [f"{NAMESPACE}.SomethingNewAction"],
        },
    }
