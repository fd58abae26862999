"""The scripts: every text is one literal, they parse, and they do what their step says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync_adapters.exchange.person.script import FUNCTION, ScriptStep, What, text
from exosync_adapters.exchange.records import Call, Rule
from tests.standins.exchange_console import TENANT, Console
from tests.standins.exchange_org import Org
from tests.standins.exchange_tenants import busy
from tests.standins.powershell import Shell, Thrown, faults, parse

DOMAIN = "example.com"
MARK = "exosync:owner=exosync;target=exchange"
NAME = "exosync example.com"

CONNECTOR: dict[str, object] = {
    "Name": NAME,
    "ConnectorType": "Partner",
    "Enabled": True,
    "IsTransportRuleScoped": True,
    "UseMXRecord": False,
    "SmartHosts": ["mx1.other.example", "mx2.other.example"],
    "TlsSettings": "EncryptionOnly",
    "Comment": MARK,
}
RULE: dict[str, object] = {
    "Name": NAME,
    "Enabled": False,
    "Mode": "Enforce",
    "RecipientDomainIs": [DOMAIN],
    "ExceptIfSentToMemberOf": ["here@example.com"],
    "ExceptIfHeaderContainsMessageHeader": "X-Exosync-Routed",
    "ExceptIfHeaderContainsWords": ["exosync"],
    "SetHeaderName": "X-Exosync-Routed",
    "SetHeaderValue": "exosync",
    "RouteMessageOutboundConnector": NAME,
    "Comments": MARK,
}

# Whatever somebody may call a thing, quotation marks and signs of PowerShell above all.
signs = st.sampled_from(list("'\"`$#@(){};|&\u2018\u2019\u201a\u201b\u201c\u201d\n\r\t\0\u202e"))
texts = st.text(st.one_of(signs, st.characters()), max_size=30)


def step(what: What, *calls: Call, **changes: Any) -> ScriptStep:
    """A step at the connector, rule or domain of the tests."""
    basic = ScriptStep(what, calls, name=NAME, mark=MARK, tenant=TENANT, domain=DOMAIN)
    return replace(basic, **changes)


def create_connector(**changes: object) -> ScriptStep:
    """The step that makes the connector."""
    return step(What.CREATE_CONNECTOR, Call("New-OutboundConnector", {**CONNECTOR, **changes}))


def create_rule(**changes: object) -> ScriptStep:
    """The step that makes the rule."""
    call = Call("New-TransportRule", {**RULE, **changes})
    return step(What.CREATE_RULE, call, connector=NAME)


STEPS = {
    What.CREATE_CONNECTOR: create_connector(),
    What.CHANGE_CONNECTOR: step(
        What.CHANGE_CONNECTOR,
        Call("Set-OutboundConnector", {"Identity": NAME, "SmartHosts": ["mx3.other.example"]}),
    ),
    What.CREATE_RULE: create_rule(),
    What.CHANGE_RULE: step(
        What.CHANGE_RULE,
        Call(
            "Set-TransportRule",
            {
                "Identity": NAME,
                "ExceptIfSentToMemberOf": None,
                "SentToMemberOf": ["elsewhere@example.com"],
                "RouteMessageOutboundConnector": NAME,
            },
        ),
        connector=NAME,
    ),
    What.SWITCH_RULE_ON: step(
        What.SWITCH_RULE_ON, Call("Enable-TransportRule", {"Identity": NAME}), connector=NAME
    ),
    What.SWITCH_RULE_OFF: step(
        What.SWITCH_RULE_OFF, Call("Disable-TransportRule", {"Identity": NAME, "Confirm": False})
    ),
    What.REMOVE_RULE: step(
        What.REMOVE_RULE, Call("Remove-TransportRule", {"Identity": NAME, "Confirm": False})
    ),
    What.SWITCH_CONNECTOR_OFF: step(
        What.SWITCH_CONNECTOR_OFF,
        Call("Set-OutboundConnector", {"Identity": NAME, "Enabled": False}),
    ),
    What.REMOVE_CONNECTOR: step(
        What.REMOVE_CONNECTOR, Call("Remove-OutboundConnector", {"Identity": NAME})
    ),
    What.MARK: step(
        What.MARK,
        Call("Set-OutboundConnector", {"Identity": NAME, "Comment": f"Ours since 2019\n{MARK}"}),
    ),
    What.INTERNAL_RELAY: step(
        What.INTERNAL_RELAY,
        Call("Set-AcceptedDomain", {"Identity": DOMAIN, "DomainType": "InternalRelay"}),
        name=DOMAIN,
    ),
}
"""A step of each kind."""


PLANNED = {**RULE, "SentToMemberOf": None}


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"ExceptIfSentToMemberOf": None}, "ExceptIfSentToMemberOf"),
        ({"ExceptIfSentToMemberOf": []}, "ExceptIfSentToMemberOf"),
        ({"RecipientDomainIs": None}, "RecipientDomainIs"),
        ({"SentToMemberOf": ["few@example.com"]}, "SentToMemberOf"),
        ({"ExceptIfHeaderContainsMessageHeader": None}, "ExceptIfHeaderContainsMessageHeader"),
        ({"Mode": "Audit"}, "Mode"),
        ({"RouteMessageOutboundConnector": None}, "RouteMessageOutboundConnector"),
        ({"RouteMessageOutboundConnector": "Another"}, "RouteMessageOutboundConnector"),
        ({"RecipientDomainIs": ["example.net"]}, "RecipientDomainIs"),
        ({"RecipientDomainIs": [DOMAIN, "example.net"]}, "RecipientDomainIs"),
        ({"SentToMemberOf": ["few@example.com", "more@example.com"]}, "SentToMemberOf"),
        ({"ExceptIfHeaderContainsWords": ["other"]}, "ExceptIfHeaderContainsWords"),
        ({"SetHeaderName": None, "SetHeaderValue": None}, "SetHeaderName"),
        ({"SetHeaderValue": "other"}, "SetHeaderValue"),
    ],
)
def test_a_rule_that_somebody_changed_since_is_not_switched_on(
    changed: dict[str, Any], part: str
) -> None:
    """The text may wait for days: without its exception the rule would send everybody's mail away."""
    on, org = replace(STEPS[What.SWITCH_RULE_ON], planned=PLANNED), Org(DOMAIN)
    assert [] == list(faults(parse(text(on))))
    org.add_group("here@example.com")
    for made in (create_connector(), create_rule()):
        Console(org).run(text(made))
    as_planned = dict(org.rules[0])
    org.rules[0].update(changed)

    with pytest.raises(Thrown, match=f"{part} of the rule is not as it was"):
        Console(org).run(text(on))
    assert "Disabled" == org.rules[0]["State"]

    org.rules[:] = [as_planned]
    Console(org).run(text(on))
    assert "Enabled" == org.rules[0]["State"]


READ = Rule(
    NAME,
    "",
    0,
    enabled=False,
    mode="Enforce",
    exceptions={"ExceptIfSentToMemberOf": ("Here@Example.com",)},
    predicates=(
        "RecipientDomainIsPredicate",
        "SentToMemberOfPredicate",
        "HeaderContainsPredicate",
        "RouteMessageOutboundConnectorAction",
        "SetHeaderAction",
    ),
)


@pytest.mark.parametrize(
    "more",
    [
        {"SubjectContainsWords": ["x"]},
        {"DeleteMessage": True},
        {"ExceptIfFromScope": "InOrganization"},
    ],
)
def test_a_rule_that_does_more_than_when_it_was_read_is_not_switched_on(
    more: dict[str, Any],
) -> None:
    """What exosync knows no parameter of, its class shows; a group is looked for as it was read."""
    on = replace(STEPS[What.SWITCH_RULE_ON], planned=PLANNED, read=READ)
    org = built()
    org.rules[0].update(more)

    with pytest.raises(Thrown, match="other conditions, exceptions or actions"):
        Console(org).run(text(on))
    org.rules[0].update(dict.fromkeys(more), ExceptIfSentToMemberOf=["few@example.com"])
    with pytest.raises(Thrown, match="ExceptIfSentToMemberOf of the rule is not as it was"):
        Console(org).run(text(on))
    assert "Disabled" == org.rules[0]["State"]

    org.rules[0].update(ExceptIfSentToMemberOf=["here@example.com"])
    Console(org).run(text(on))
    assert "Enabled" == org.rules[0]["State"]


@pytest.mark.parametrize(
    "somebody",
    [
        lambda org: org.rules.clear(),
        lambda org: org.rules[0].update(State="Disabled"),
        lambda org: org.rules[0].update(Mode="AuditAndNotify"),
        lambda org: org.rules[0].update(Comments="not ours"),
    ],
)
def test_a_domain_passes_nobody_on_before_the_rule_acts(somebody: Callable[[Org], object]) -> None:
    """Without the rule, mail to who is not known here would go round."""
    org = built(on=True)
    somebody(org)

    with pytest.raises(Thrown, match="No rule with the mark of exosync is on"):
        Console(org).run(text(STEPS[What.INTERNAL_RELAY]))
    assert "Authoritative" == org.domains[1]["DomainType"]


@pytest.mark.parametrize("what", [What.REMOVE_RULE, What.REMOVE_CONNECTOR])
def test_a_copy_is_not_removed_in_place_of_what_is_gone(what: What) -> None:
    """Whoever duplicates a rule copies the mark with it; a second run must not take that one."""
    org = prepared(what)
    things = org.rules if what is What.REMOVE_RULE else org.connectors
    copy = {**things[0], "Name": "Copy", "Guid": "5e0e9c1c-0000-4000-8000-000000000001"}
    things.append(copy)
    console, script = Console(org), text(replace(STEPS[what], guid=things[0]["Guid"]))
    for _ in range(2):
        console.run(script)

    assert ([copy], 1) == (things, len(console.writes))


@pytest.mark.parametrize("name", [f"{NAME}.", f"[{NAME}]", NAME.upper()])
def test_a_name_is_set_right_to_the_letter(name: str) -> None:
    """Else the plan would ask for it for ever, and the script say that it is so already."""
    org = built()
    org.connectors[0]["Name"] = name
    call = Call("Set-OutboundConnector", {"Name": NAME})
    Console(org).run(text(step(What.CHANGE_CONNECTOR, call)))

    assert NAME == org.connectors[0]["Name"]


def test_what_is_given_back_in_another_spelling_is_so_already() -> None:
    """Addresses in brackets, and a domain as people write it."""
    org = Org("müller.example")
    org.add_group("here@example.com")
    made = replace(create_connector(SmartHosts=["192.0.2.1"]), domain="xn--mller-kva.example")
    ruled = replace(create_rule(RecipientDomainIs=[made.domain]), domain=made.domain)
    relay = replace(STEPS[What.INTERNAL_RELAY], name=made.domain, domain=made.domain)
    console = Console(org)
    for _ in range(2):
        console.run(text(made))
        org.connectors[0]["SmartHosts"] = ["[192.0.2.1]"]
    for _ in range(2):
        console.run(text(ruled))
        org.rules[0]["RecipientDomainIs"] = ["Müller.example."]
    console.run(text(STEPS[What.SWITCH_RULE_ON]))
    console.run(text(relay))

    assert 4 == len(console.writes)
    assert "InternalRelay" == org.domains[1]["DomainType"]


@pytest.mark.parametrize("what", What)
def test_every_script_parses(what: What) -> None:
    """By tree-sitter's grammar of PowerShell, without an error or a missing part."""
    assert [] == list(faults(parse(text(STEPS[what]))))


@given(texts, texts, texts)
def test_a_script_parses_whatever_things_are_called(name: str, host: str, note: str) -> None:
    """And it is one function, whatever stands in its texts."""
    plain = create_connector(Name=name, SmartHosts=[host], Comment=f"{note}\n{MARK}")
    tree = parse(text(replace(plain, name=name)))
    functions = [one for one in tree.named_children[-1].named_children if one.type != "comment"]

    assert [] == [one for one in faults(tree) if not _is_foreign_to_the_grammar(name, host, note)]
    assert ["function_statement"] == [one.type for one in functions]


def _is_foreign_to_the_grammar(*plain: str) -> bool:
    return any(ord(sign) > 0x7F for one in plain for sign in one)


@pytest.mark.parametrize("what", What)
def test_a_script_can_be_pasted_anywhere(what: What) -> None:
    """No empty line, no tab, nothing between double quotes, no line with blanks at its end."""
    lines = text(STEPS[what]).splitlines()

    assert [] == [one for one in lines if not one.strip() or one != one.rstrip()]
    assert '"' not in text(STEPS[what])
    assert "\t" not in text(STEPS[what])


def test_a_script_with_other_signs_tells_if_it_was_read_wrongly() -> None:
    """A file without a byte order mark is read as another encoding by Windows PowerShell."""
    odd = text(create_connector(Name="Überlauf"))
    garbled = odd.encode().decode("cp1252")
    shell = Shell(lambda *_: [])
    shell.load(garbled)

    with pytest.raises(Thrown, match="wrong encoding"):
        shell.run(FUNCTION)
    assert "encoding" not in text(STEPS[What.CREATE_CONNECTOR])


def test_a_group_with_other_signs_in_its_name_needs_the_right_encoding_too() -> None:
    """It is compared with what is there, and read wrongly it would be called changed."""
    exceptions = {"ExceptIfSentToMemberOf": ("Büro",)}
    step = replace(
        STEPS[What.SWITCH_RULE_ON], planned=PLANNED, read=replace(READ, exceptions=exceptions)
    )
    assert "wrong encoding" in text(step)


@pytest.mark.parametrize("what", STEPS)
def test_a_script_says_truly_what_it_changes(what: What) -> None:
    """What is taken over, and a domain, carry no mark: a script for these says what else it goes by."""
    header = " ".join(
        line.lstrip("# ") for line in text(STEPS[what]).splitlines() if line.startswith("#")
    )
    by_mark = what not in (What.MARK, What.INTERNAL_RELAY)

    assert by_mark == ("changes only what carries exosync's mark" in header)
    assert by_mark != ("and nothing else" in header or "changes nothing else" in header)
    assert "to run it twice does no harm" in header


def test_to_load_a_script_changes_nothing() -> None:
    """It only defines a function."""
    console = Console(tenant())
    console.shell.load(text(STEPS[What.CREATE_CONNECTOR]))
    assert [] == console.writes


def tenant() -> Org:
    """A tenant without anything of ours."""
    org = Org(DOMAIN)
    org.add_group(f"here@{DOMAIN}")
    org.add_group(f"elsewhere@{DOMAIN}")
    return org


def built(*, on: bool = False) -> Org:
    """A tenant in which the scripts were run."""
    org = tenant()
    console = Console(org)
    console.run(text(STEPS[What.CREATE_CONNECTOR]))
    console.run(text(STEPS[What.CREATE_RULE]))
    if on:
        console.run(text(STEPS[What.SWITCH_RULE_ON]))
    return org


def test_connector_and_rule_are_made_one_after_the_other() -> None:
    """The rule is off until a step of its own switches it on."""
    org = built()

    assert (MARK, True) == (
        org.connectors[0]["Comment"],
        org.connectors[0]["IsTransportRuleScoped"],
    )
    assert ("Disabled", NAME) == (
        org.rules[0]["State"],
        org.rules[0]["RouteMessageOutboundConnector"],
    )
    Console(org).run(text(STEPS[What.SWITCH_RULE_ON]))
    assert "Enabled" == org.rules[0]["State"]


def prepared(what: What) -> Org:
    """A tenant as the step expects it."""
    off = {What.REMOVE_RULE, What.SWITCH_RULE_ON, What.CHANGE_RULE}
    if what is What.CREATE_CONNECTOR:
        return tenant()
    if what is What.MARK:
        org = tenant()
        org.add_connector(NAME, Comment="Ours since 2019")
        return org
    org = built(on=what not in off)
    if what in (What.CREATE_RULE, What.SWITCH_CONNECTOR_OFF, What.REMOVE_CONNECTOR):
        org.rules.clear()
    if what is What.REMOVE_CONNECTOR:
        org.connectors[0]["Enabled"] = False
    return org


@pytest.mark.parametrize("what", What)
def test_a_script_does_its_step_once_however_often_it_is_run(what: What) -> None:
    """The second run writes nothing, and says so or shows what is there."""
    console = Console(prepared(what))
    console.run(text(STEPS[what]))
    assert [one.cmdlet for one in STEPS[what].calls] == console.writes
    after = console.org.copied().held()

    console.writes.clear()
    console.run(text(STEPS[what]))
    assert [] == console.writes
    assert after == console.org.held()


@pytest.mark.parametrize("what", What)
def test_what_if_tells_and_changes_nothing(what: What) -> None:
    """ShouldProcess is asked about the thing, by name, and the command."""
    console = Console(prepared(what))
    before = console.org.copied().held()
    console.run(text(STEPS[what]), what_if=True)

    assert before == console.org.held()
    assert [] == console.writes
    (asked,) = console.shell.asked
    assert asked[0] == STEPS[what].name
    assert asked[1].startswith(STEPS[what].calls[0].cmdlet)


@pytest.mark.parametrize("what", What)
def test_a_script_for_another_tenant_stops(what: What) -> None:
    """One session of another tenant is enough: nobody can tell which one a command takes."""
    console = Console(prepared(what), tenants=(TENANT, "11111111-2222-4333-8444-555555555555"))

    with pytest.raises(Thrown, match="Connected to the tenant 11111111"):
        console.run(text(STEPS[what]))
    assert [] == console.writes


def test_without_a_connection_nothing_is_asked() -> None:
    """The message says what to run first."""
    with pytest.raises(Thrown, match="run Connect-ExchangeOnline first"):
        Console(tenant(), tenants=()).run(text(STEPS[What.CREATE_CONNECTOR]))


def connector_of(org: Org) -> dict[str, Any]:
    """The connector of the tests."""
    return next(one for one in org.connectors if one["Name"] == NAME)


def change(**properties: Any) -> Callable[[Org], None]:
    """Somebody changes the connector."""
    return lambda org: connector_of(org).update(properties)


def change_rule(**properties: Any) -> Callable[[Org], None]:
    """Somebody changes the rule."""
    return lambda org: org.rules[0].update(properties)


def copied(org: Org) -> None:
    """Somebody makes a copy of the connector, comment and all."""
    org.add_connector("Copy", Comment=f"a copy\r\n{MARK}")


STOPS = [
    (What.CHANGE_CONNECTOR, change(Comment="mine now"), "is not there"),
    (What.CHANGE_CONNECTOR, copied, "The mark stands at 2 objects"),
    (What.CREATE_CONNECTOR, change(Comment=None), "is there, and is not of exosync"),
    (
        What.CREATE_CONNECTOR,
        change(SmartHosts=["mx.elsewhere.example"]),
        "other than it would be made: SmartHosts",
    ),
    (What.CREATE_RULE, change(Enabled=False), "is disabled"),
    (What.CREATE_RULE, change(IsTransportRuleScoped=False), "takes other mail"),
    (What.CREATE_RULE, change(TestMode=True), "in test mode"),
    (What.CREATE_RULE, change(Comment=None), "does not carry the mark"),
    (What.SWITCH_RULE_ON, lambda org: org.connectors.clear(), "create it first"),
    (What.SWITCH_RULE_ON, change(Enabled=False), "is disabled"),
    (What.SWITCH_RULE_ON, change_rule(Comments="see exosync:owner=exosync"), "is not there"),
    (What.CHANGE_RULE, change(Name="renamed"), "create it first"),
    (What.REMOVE_RULE, change_rule(State="Enabled"), "switch it off first"),
    (What.SWITCH_CONNECTOR_OFF, change_rule(State="Enabled"), f"still send mail .*: {NAME}"),
    (What.REMOVE_CONNECTOR, change_rule(State="Disabled"), f"still send mail .*: {NAME}"),
]


@pytest.mark.parametrize(("what", "somebody", "says"), STOPS)
def test_a_script_stops_where_things_are_not_as_expected(
    what: What, somebody: Callable[[Org], None], says: str
) -> None:
    """It says what it found, and writes nothing."""
    org = built()
    somebody(org)
    before = org.copied().held()
    console = Console(org)

    with pytest.raises(Thrown, match=says):
        console.run(text(STEPS[what]))
    assert [] == console.writes
    assert before == org.held()


def test_a_known_guid_finds_what_was_renamed_and_refuses_what_lost_its_mark() -> None:
    """The name proves nothing; the Guid tells what became of it."""
    org = built()
    known = replace(STEPS[What.CHANGE_CONNECTOR], guid=org.connectors[0]["Guid"])
    org.connectors[0]["Name"] = "renamed"
    Console(org).run(text(known))
    assert ["mx3.other.example"] == org.connectors[0]["SmartHosts"]

    org.connectors[0]["Comment"] = "mine"
    with pytest.raises(Thrown, match="renamed does not carry the mark of exosync any more"):
        Console(org).run(text(known))


def test_a_rule_that_was_made_by_its_connectors_guid_is_as_it_should_be() -> None:
    """Exchange gives the name back."""
    org = tenant()
    console = Console(org)
    console.run(text(STEPS[What.CREATE_CONNECTOR]))
    guid = org.connectors[0]["Guid"]
    rule = replace(create_rule(RouteMessageOutboundConnector=guid), connector=guid)
    for _ in range(2):
        console.run(text(rule))
    assert ["New-OutboundConnector", "New-TransportRule"] == console.writes


def test_a_mark_in_the_middle_of_a_comment_is_somebodys_copy() -> None:
    """The mark is the last line, with whatever line breaks and blanks at its end."""
    org = built()
    org.connectors[0]["Comment"] = f"note\r\n{MARK} \r\n\r\n"
    Console(org).run(text(STEPS[What.CHANGE_CONNECTOR]))
    assert ["mx3.other.example"] == org.connectors[0]["SmartHosts"]

    org.connectors[0]["Comment"] = f"{MARK}\n(copied from the old connector)"
    with pytest.raises(Thrown, match="is not there"):
        Console(org).run(text(STEPS[What.CHANGE_CONNECTOR]))


@pytest.mark.parametrize("name", [NAME.upper(), "somebody's"])
def test_what_others_have_is_never_written(name: str) -> None:
    """Names that differ in case alone are the same to Exchange, and still not ours."""
    org = built()
    org.rules[0]["Comments"] = "not ours"
    org.rules[0]["Name"] = name
    for what in (What.SWITCH_RULE_OFF, What.REMOVE_RULE):
        console = Console(org)
        console.run(text(STEPS[what]))
        assert [] == console.writes


def test_a_comment_that_was_changed_meanwhile_is_not_written_over() -> None:
    """To mark is to set the whole comment."""
    org = prepared(What.MARK)
    org.connectors[0]["Comment"] = "Ours since 2019, ask Grace"

    with pytest.raises(Thrown, match="changed the comment meanwhile"):
        Console(org).run(text(STEPS[What.MARK]))


def test_a_rule_is_marked_with_its_connector_kept() -> None:
    """Set-TransportRule without the action would blank it."""
    org = tenant()
    org.add_connector("Old way")
    org.add_rule(NAME, RecipientDomainIs=[DOMAIN], RouteMessageOutboundConnector="Old way")
    call = Call("Set-TransportRule", {"Comments": MARK, "RouteMessageOutboundConnector": "Old way"})
    Console(org).run(text(step(What.MARK, call)))
    assert (MARK, "Old way") == (
        org.rules[0]["Comments"],
        org.rules[0]["RouteMessageOutboundConnector"],
    )


LISTINGS: list[dict[str, Any]] = [
    {},
    {"hide_scoped": True},
    {"hide_scoped": True, "test_mode": "only"},
    {"unknown_identity": "all", "empty_as": "null"},
    {"empty_as": "[]", "sidecars": False},
]
"""The ways in which a listing may leave connectors out, and write nothing down."""


@pytest.mark.parametrize("switches", LISTINGS)
def test_among_other_peoples_things_only_ours_change(switches: dict[str, Any]) -> None:
    """A tenant of many years, whatever its listings leave out: from nothing to mail and back."""
    org = busy(DOMAIN)
    org.add_group(f"here@{DOMAIN}")
    before = org.copied().held()
    console = Console(org, **switches)
    for what in (What.CREATE_CONNECTOR, What.CREATE_RULE, What.SWITCH_RULE_ON):
        console.run(text(STEPS[what]))
    assert "Enabled" == org.rules[-1]["State"]
    for what in (
        What.SWITCH_RULE_OFF,
        What.REMOVE_RULE,
        What.SWITCH_CONNECTOR_OFF,
        What.REMOVE_CONNECTOR,
    ):
        console.run(text(STEPS[what]))
    assert before == org.held()


@given(
    st.text(st.one_of(signs, st.characters(max_codepoint=0xFFFF)), min_size=1, max_size=30),
    st.text(st.one_of(signs, st.characters(max_codepoint=0xFFFF)), max_size=60),
)
def test_things_get_the_very_names_and_comments_that_they_should(name: str, note: str) -> None:
    """Whatever is in them; and they are known again."""
    comment = f"{note}\n{MARK}"
    script = text(replace(create_connector(Name=name, Comment=comment), name=name))
    console = Console(tenant())
    for _ in range(2):
        console.run(script)

    assert [(name, comment)] == [(one["Name"], one["Comment"]) for one in console.org.connectors]
    assert ["New-OutboundConnector"] == console.writes


def test_in_the_end_it_shows_what_is_there() -> None:
    """Read anew, with the properties that matter."""
    (shown,) = Console(tenant()).run(text(STEPS[What.CREATE_CONNECTOR]))
    assert (NAME, True, MARK) == (shown.get("name"), shown.get("ENABLED"), shown.get("Comment"))


def test_a_call_that_no_step_makes_is_a_fault_of_ours() -> None:
    """Nothing else ever gets into a script."""
    with pytest.raises(ValueError, match="Enable-OrganizationCustomization"):
        text(
            step(
                What.CHANGE_RULE,
                Call("Set-TransportRule", {}),
                Call("Enable-OrganizationCustomization", {}),
            )
        )
