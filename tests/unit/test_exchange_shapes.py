"""Records of Exchange Online in forms that real tenants have: what is concluded from each."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from exosync.core.tasks import Known
from exosync.errors import TargetError, UsageError
from exosync.views.trace import mail_address
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.admin import faults, listing, reading
from exosync_adapters.exchange.admin.answers import Answer
from exosync_adapters.exchange.admin.faults import MissingError, Trouble
from exosync_adapters.exchange.admin.parameters import NAMESPACE
from exosync_adapters.exchange.admin.reading import UnreadableError
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.findings.rule import of_rule
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Call,
    Connector,
    DomainType,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.seen import seen
from exosync_adapters.exchange.way.flow import flow
from exosync_adapters.exchange.way.letters import Message, Party
from exosync_adapters.exchange.way.matching import applies
from exosync_adapters.exchange.way.people import People
from exosync_adapters.exchange.way.tracing import wanted_away
from tests.unit.exchange_kit import (
    MARK,
    NAME,
    NOW,
    aim,
    connector,
    drafted,
    may,
    rule,
    settings,
    tenant,
    told,
)

GUID = "5B1C41B2-4A0F-4BE3-9B30-0C5E1D2A7F66"
CONNECTOR: dict[str, Any] = {
    "Enabled": True,
    "UseMXRecord": False,
    "Comment": "",
    "ConnectorType": "Partner",
    "ConnectorSource": "AdminUI",
    "RecipientDomains": [],
    "SmartHosts": ["mx.far.example"],
    "TlsDomain": None,
    "TlsSettings": "EncryptionOnly",
    "IsTransportRuleScoped": True,
    "LinkForModifiedConnector": "00000000-0000-0000-0000-000000000000",
    "LastValidationTimestamp": "15.03.2026 02:31:53",
    "ExchangeVersion": "0.1 (8.0.535.0)",
    "Name": "To the far side",
    "Guid": GUID,
    "OrganizationId": "EURPR07A123.PROD.OUTLOOK.COM/Hosted/example.onmicrosoft.com - Configuration",
}
RULE: dict[str, Any] = {
    "SerializationData": ["AAEAAAD/////AQAAAA=="],
    "Priority": "7",
    "DlpPolicyId": "00000000-0000-0000-0000-000000000000",
    "Conditions": [f"{NAMESPACE}RecipientDomainIsPredicate", f"{NAMESPACE}SentToMemberOfPredicate"],
    "Exceptions": [f"{NAMESPACE}HeaderContainsPredicate"],
    "Actions": [f"{NAMESPACE}RouteMessageOutboundConnectorAction", f"{NAMESPACE}SetHeaderAction"],
    "State": "enabled",
    "Mode": "enforce",
    "FromMemberOf": [""],
    "SentToScope": "",
    "RecipientDomainIs": ["Fabrikam.Example.", "Müller.example"],
    "SentToMemberOf": "Here@Fabrikam.Example",
    "ExceptIfHeaderContainsMessageHeader": "X-Seen",
    "ExceptIfHeaderContainsWords": ["once"],
    "SetHeaderName": "X-Seen",
    "SetHeaderValue": "once",
    "RouteMessageOutboundConnector": "To the far side",
    "OMEExpiryDays": 0,
    "SetSCL": "",
    "ImmutableId": GUID,
    "Identity": "Two blanks",
    "Name": "Two  blanks",
    "Guid": GUID,
    "WhenChanged": "/Date(1616578631000)/",
}


def test_a_rule_that_another_client_shows_is_read_as_the_same() -> None:
    """Texts for numbers, one value for a list, other case, domains with a dot or in U-labels."""
    read = reading.rule(RULE)

    assert (7, True, "Enforce", "Two  blanks") == (
        read.priority,
        read.enabled,
        read.mode,
        read.name,
    )
    assert {
        "RecipientDomainIs": ("fabrikam.example", "xn--mller-kva.example"),
        "SentToMemberOf": ("Here@Fabrikam.Example",),
    } == read.conditions
    assert () == compare.more(read)


@pytest.mark.parametrize(
    "odd",
    [
        {"Priority": True},
        {"Priority": 1.5},
        {"Priority": "9" * 5000},
        {"Mode": 2},
        {"Mode": {"value": 2, "Value": "Enforce"}},
        {"State": 1},
        {"State": {"Value": "Enabled"}},
        {"RecipientDomainIs": [{"Domain": "example.com", "IncludeSubDomains": True}]},
        {"RecipientDomainIs": "example.com, example.net"},
        {"ExceptIfRecipientDomainIs": "{example.com}"},
    ],
)
def test_a_rule_is_not_taken_for_what_it_may_not_be(odd: dict[str, Any]) -> None:
    """An enumeration as a number, an object, several names in one text: nobody knows, so it is told."""
    with pytest.raises(UnreadableError):
        reading.rule(RULE | odd)


@pytest.mark.parametrize(
    "odd",
    [
        {"SmartHosts": [{"Address": "mx.far.example", "IsIPAddress": False}]},
        {"SmartHosts": "a.example,b.example"},
        {"RecipientDomains": "{a.example, b.example}"},
        {"RecipientDomains": [["a.example"]]},
        {"TlsSettings": 1},
        {"ConnectorType": 0},
        {"TlsDomain": {"Domain": "far.example"}},
        {"Comment": ["one", "two"]},
        {"Enabled": 1},
    ],
)
def test_nor_is_a_connector(odd: dict[str, Any]) -> None:
    """It would be compared, found wrong, and set again and again."""
    with pytest.raises(UnreadableError):
        reading.connector(CONNECTOR | odd)


TYPED = "gmail.example, partner.example"
"""What somebody once typed into one field of the admin centre."""


@pytest.mark.parametrize("name", ["SenderDomainIs", "ExceptIfRecipientDomainIs"])
def test_a_word_that_is_no_domain_makes_no_listing_incomplete(name: str) -> None:
    """New-TransportRule takes any word there, and it is somebody else's: it would stop all for ever."""
    theirs = {"Name": "theirs", "Guid": "t", "Priority": 0, "State": "Enabled", name: [TYPED]}
    read = reading.rule(theirs)

    assert {name: (TYPED,)} == {**read.conditions, **read.exceptions}
    assert [] == told(drafted(tenant(connector(), read, rule(priority=1))))


@pytest.mark.parametrize("name", ["SenderDomainIs", "RecipientDomainIs"])
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((TYPED,), None),
        (("*.example",), None),
        ((TYPED, "partner.example"), True),
        (("other.example",), False),
    ],
)
def test_what_such_a_word_matches_is_not_told(
    name: str, words: tuple[str, ...], *, wanted: bool | None
) -> None:
    """Unless another of the condition's words decides."""
    theirs = Rule("n", "n", 0, True, "Enforce", {name: words})
    message = Message("ada@partner.example", "bob@partner.example", NOW)
    assert wanted is applies(theirs, message, Organisation(), {})


@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_is_written_in_three_ways(nothing: Any) -> None:
    """Public clients see null, "" and [] in one another's place."""
    unset = dict.fromkeys(("Comment", "TlsDomain", "TestMode", "LastValidationTimestamp"), nothing)
    if nothing == []:
        unset["TestMode"] = None  # a flag is no list
    without = {name: value for name, value in CONNECTOR.items() if name not in unset}
    assert reading.connector(without) == reading.connector(without | unset)
    assert "" == reading.rule(RULE | {"Comments": nothing}).comments


def test_a_name_in_another_form_hides_no_recipient() -> None:
    """It is only one more name; what decides is the address."""
    record = {"Name": "Here", "PrimarySmtpAddress": "here@example.com", "Identity": {"Rdn": "x"}}
    assert {"here"} == reading.recipient(record | {"Alias": []}).names


def test_what_a_connector_has_besides_changes_nothing() -> None:
    """Times in a local form, links, versions, another client's inbound spelling."""
    read = reading.connector(CONNECTOR | {"RecipientDomains": ["smtp:*;1", "SMTP:*.Far.example;1"]})
    assert (("*", "*.far.example"), {}) == (read.recipient_domains, read.others)
    assert "15.03.2026 02:31:53" == read.validated_at


def test_one_record_that_cannot_be_read_makes_its_listing_incomplete() -> None:
    """And nothing is planned over it, whosever it is."""

    class Told:
        """A tenant with one connector in a form that nobody knows."""

        def read(self, call: Call) -> Answer:
            """Two connectors; nothing else."""
            if call.cmdlet != "Get-OutboundConnector":
                return Answer()
            odd = CONNECTOR | {"SmartHosts": [{"Address": "x.example"}], "Guid": "other"}
            return Answer(({**CONNECTOR, "TestMode": False}, odd))

        def published(self, endpoint: str, call: Call) -> Answer:
            """Nothing is published."""
            return Answer()

        def roles(self) -> frozenset[str]:
            """No roles."""
            return frozenset()

    found = listing.crowd(Told())
    assert ["To the far side"] == [one.name for one in found.connectors]
    assert ["incomplete"] == told(drafted(found))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Straße.example", "xn--strae-oqa.example"),
        ("MÜLLER.example.", "xn--mller-kva.example"),
        ("mu\u0308ller.example", "xn--mller-kva.example"),
    ],
)
def test_a_domain_is_the_same_in_every_spelling(given: str, wanted: str) -> None:
    """In a condition, in an address, as a smart host: A-labels by IDNA 2008."""
    assert wanted == compare.host(given)
    assert f"here@{wanted}" == compare.address(f"SMTP:Here@{given}")
    assert f"here@{wanted}" == reading.address(f"smtp:HERE@{given}")
    assert (wanted,) == reading.rule(RULE | {"RecipientDomainIs": given}).conditions[
        "RecipientDomainIs"
    ]


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, lambda name: unicodedata.normalize("NFD", name)]
)
def test_a_name_that_is_given_back_otherwise_is_no_drift(change: Any) -> None:
    """Case and composition are nothing that would be set right, and the rule finds its connector."""
    name = "Zürich – “hinaus”"
    named = aim(connector=name, rule=name)
    ours = connector(name=change(name))
    routing = rule(
        name=change(name), actions={**named.rule.actions, compare.ROUTE: (change(name),)}
    )
    draft = drafted(tenant(ours, routing), of=named)
    assert ((), []) == (draft.steps, told(draft))


def test_the_very_same_name_is_meant_before_one_in_another_case() -> None:
    """A rule that was pointed to another's connector is told of, and set right."""
    theirs = Connector(NAME.upper(), "theirs", True, "Partner", True, use_mx=False)
    astray = rule(actions={**aim().rule.actions, compare.ROUTE: (NAME.upper(),)})
    there = tenant(connector(), theirs, astray)

    owned = Owned(there.connectors[0], there.rules[0])
    found = {one.rule for one in of_rule(owned, settings(), there, NOW)}
    assert "rule_connector_other" in found
    (step,) = drafted(there).steps
    assert {"Identity": "guid-rule", compare.ROUTE: "guid-connector"} == dict(
        step.detail[0].parameters
    )


def test_a_mark_that_somebody_put_elsewhere_is_not_followed() -> None:
    """What was ours is there without it, however often one looks: a person says what is meant."""
    unmarked = connector(name="Renamed", comment="mine now")
    pasted = Connector(
        "Partner", "theirs", True, "Partner", False, use_mx=True, comment=f"copied\n{MARK}"
    )
    there = tenant(unmarked, pasted, rule())
    remembered: dict[str, Any] = {"ids": {"connector": "guid-connector", "rule": "guid-rule"}}
    for _ in range(3):
        draft = drafted(there, remembered=remembered)
        assert "not_owned" in told(draft)
        assert [] == may(draft)
        remembered = json.loads(
            json.dumps(seen(aim(), there, Known(now=NOW, remembered=remembered)).memory.remembered)
        )


def test_the_nearest_accepted_domain_decides() -> None:
    """Whatever the order in which they are listed."""
    wide = AcceptedDomain("example.com", DomainType.INTERNAL_RELAY, match_subdomains=True)
    near = AcceptedDomain("corp.example.com", DomainType.AUTHORITATIVE, match_subdomains=True)
    for listed in ((wide, near), (near, wide)):
        assert near == Organisation(domains=listed).domain("mail.corp.example.com")


@pytest.mark.parametrize(
    ("actions", "class_"),
    [
        ({"ApplyHtmlDisclaimerText": "<p>…</p>"}, "ApplyHtmlDisclaimer"),
        ({"AddToRecipients": ["audit@example.com"]}, "AddToRecipient"),
        ({"SetSCL": -1}, "SetScl"),
        ({"ApplyRightsProtectionTemplate": "Encrypt"}, "RightsProtectMessage"),
        ({"BlindCopyTo": ["audit@example.com"]}, "BlindCopyTo"),
    ],
)
def test_a_disclaimer_leaves_the_way_as_certain_as_it_is(
    actions: dict[str, Any], class_: str
) -> None:
    """Classes are not all called as their parameters; what such a rule does is known all the same."""
    plain = {"Name": "D", "Guid": "d", "Priority": 0, "State": "Enabled"}
    disclaimer = reading.rule({**plain, **actions, "Actions": [f"{NAMESPACE}{class_}Action"]})
    there = tenant(disclaimer, type_=DomainType.INTERNAL_RELAY)
    message = Message("ada@example.com", "bob@partner.example", datetime.now(UTC))
    assert flow(tenant(), message, {}).exits == flow(there, message, {}).exits


def test_two_connectors_that_differ_in_case_are_two_ends() -> None:
    """And one that two rules name in either case is one."""
    ours = connector(name="Out")
    theirs = Connector("OUT", "theirs", True, "Partner", True, use_mx=False)

    def to(name: str) -> Rule:
        unsure = {"SubjectContainsWords": ("x",)}
        return Rule(name, name, 0, True, "Enforce", unsure, actions={compare.ROUTE: (name,)})

    message = Message("ada@example.com", "bob@partner.example", datetime.now(UTC))
    both = flow(tenant(ours, theirs, to("Out"), to("OUT")), message, {})
    assert {"Out", "OUT", ""} == {one.name for one in both.exits}
    one = flow(tenant(ours, to("Out"), to("OUT")), message, {})
    assert ["Out", ""] == [end.name for end in one.exits]


class Directory:
    """A tenant's recipients and one group, by exactly the identity that each is found by."""

    def __init__(self, *records: dict[str, Any], by: str = "", whole: bool = True) -> None:
        self._records, self._by, self._whole = records, by, whole

    def read(self, call: Call) -> Answer:
        """The members of the group, or the recipient of that identity."""
        if call.cmdlet == "Get-Recipient" and call.parameters["Identity"] != self._by:
            raise MissingError("couldn't be found", fault=faults.Fault(Trouble.MISSING, 404))
        return Answer(self._records, () if self._whole else ("there is more",))

    def published(self, endpoint: str, call: Call) -> Answer:
        """Nothing is published."""
        return self.read(call)

    def roles(self) -> frozenset[str]:
        """No roles."""
        return frozenset()


@pytest.mark.parametrize("domain", ["müller.example", "xn--mller-kva.example"])
def test_a_recipient_is_found_in_either_spelling_of_its_domain(domain: str) -> None:
    """A group that is there is not concluded to be gone."""
    record = {"Name": "Here", "PrimarySmtpAddress": f"Here@{domain}"}
    found = listing.recipient(Directory(record, by=f"here@{domain}"), "here@xn--mller-kva.example")
    assert found is not None
    assert "here@xn--mller-kva.example" == found.address
    assert listing.recipient(Directory(record), "here@xn--mller-kva.example") is None


def test_a_doubt_in_one_spelling_is_a_doubt() -> None:
    """Something was told and warned of: that nobody has the address is not concluded."""
    told_of = Directory({"Name": "X"}, by="here@müller.example", whole=False)
    with pytest.raises(TargetError):
        listing.recipient(told_of, "here@xn--mller-kva.example")


@pytest.mark.parametrize(
    ("member", "known"),
    [
        ({"RecipientTypeDetails": "User", "PrimarySmtpAddress": ""}, True),
        ({"RecipientType": "User", "PrimarySmtpAddress": None}, True),
        ({"RecipientTypeDetails": "UniversalSecurityGroup", "PrimarySmtpAddress": ""}, False),
        ({"PrimarySmtpAddress": ""}, False),
    ],
)
def test_a_member_without_an_address_hides_nobody_unless_it_is_a_group(
    member: dict[str, Any], *, known: bool
) -> None:
    """A user without a licence gets no mail; who is in a group that cannot be asked is not known."""
    ada = {"RecipientTypeDetails": "UserMailbox", "PrimarySmtpAddress": "Ada@Example.com"}
    people = People(Directory(ada, member), Organisation())
    wanted = {"here@example.com": frozenset({"ada@example.com"})} if known else {}
    assert wanted == people.groups(["here@example.com"], ())


def test_an_error_in_json_inside_json_is_understood() -> None:
    """Details were seen as the text of a thrown exception, too."""
    thrown = {
        "Message": "The operation couldn't be performed because object 'x' couldn't be found.",
        "TypeName": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        "InnerError": None,
    }
    body = {
        "error": {
            "code": "NotFound",
            "message": "Error executing cmdlet",
            "details": [{"code": "Context", "message": json.dumps(thrown)}],
        }
    }
    _, fault = faults.judge(400, {}, json.dumps(body).encode(), now=NOW)
    assert fault is not None
    assert (Trouble.MISSING, thrown["Message"]) == (fault.trouble, fault.text)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("<Grace@Example.COM.>", "Grace@example.com"),
        ("ada+news@MÜLLER.example", "ada+news@xn--mller-kva.example"),
        ("o'brien@example.com", "o'brien@example.com"),
    ],
)
def test_an_address_is_taken_as_people_write_it(given: str, wanted: str) -> None:
    """In brackets, with a dot at its end, in U-labels; what stands before the @ is kept."""
    assert wanted == mail_address(given, "TO")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ('"ada lovelace"@example.com', "with quotes"),
        ("jürgen@example.com", "letters beyond ASCII"),
        ("Ada <ada@example.com>", "is not an email address"),
        ("a@example.com,b@example.com", "one at a time"),
        ("ada@localhost", "is not an email address"),
    ],
)
def test_of_another_address_it_is_said_what_is_wrong(given: str, hint: str) -> None:
    """One that is valid and not modelled is not called a mistake alone."""
    with pytest.raises(UsageError, match=hint):
        mail_address(given, "TO")


@pytest.mark.parametrize("recipient", ["GRACE@example.com", "grace@example.com"])
def test_a_recipient_for_proofs_is_one_in_any_case(recipient: str) -> None:
    """Whether its mailbox should be elsewhere is known, without knowing any group."""
    chosen = settings(validation_recipients=["Grace@example.com"])
    message = Message("ada@example.com", recipient, NOW)
    assert wanted_away(chosen, message, {}) is True


def test_somebody_whom_a_rule_names_in_u_labels_is_meant() -> None:
    """It is not concluded that another is, nor that the rule does nothing."""
    named = Rule("n", "n", 0, True, "Enforce", {"SentTo": ("SMTP:Ada@Müller.example",)})
    to = Party(exists=True, mailbox=True, addresses=frozenset({"ada@xn--mller-kva.example"}))
    message = Message("bob@example.com", "Ada@xn--mller-kva.example", NOW, to=to)
    assert applies(named, message, Organisation(), {}) is True
