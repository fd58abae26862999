"""What an Exchange Online target refuses, and the words for it. Pure.

What it finds besides has a table of its own (`findings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exosync.core.target import Phase, Refusal
from exosync.core.words import one_line, plural, short
from exosync_adapters.exchange.aim import CONNECTOR, LONGEST_COMMENT, RULE, mark_in
from exosync_adapters.exchange.records import Connector, Listing, Rule

RULES: dict[str, str] = {
    "incomplete": "a listing of Exchange Online's is not whole, so what is not in it may be there "
    "all the same",
    "not_owned": "a connector or rule has the name that exosync's should have, or was exosync's, "
    "and does not carry its mark",
    "mark_twice": "two connectors or two rules carry the same mark, so nobody can tell which is "
    "meant",
    "connector_in_use": "a connector that should go, or get another name, is named by a rule that is "
    "not exosync's",
    "no_recipient_condition": "a rule would hold for every recipient, or a connector would take "
    "all mail",
    "whole_domain": "the group that keeps the mail of mailboxes here does not exist, so the rule "
    "would send all mail of the domain away",
    "no_group": "a group that the rule should name does not exist or is no group",
    "group_empty": "nobody is in the group that keeps the mail of mailboxes here, so the rule would "
    "send all mail of the domain away",
    "own_host": "a smart host is Exchange Online itself, so mail would come back",
    "dehydrated": "the organization cannot be customized yet, so Exchange Online takes no change",
    "rules_full": "the tenant has as many rules as Exchange Online takes",
    "rule_before": "somebody else's rule comes before ours and routes the same domain",
    "rule_has_more": "the rule has conditions, exceptions or actions that exosync does not know",
    "connector_on_premises": "the connector was made one to the company's own servers, with settings "
    "that a partner's cannot have",
    "rule_switch_on": "switching the rule on, or having it take more people's mail, sends mail another "
    "way, which a person approves by itself",
    "cloud_unproven": "nobody has confirmed that this cloud's host takes commands that write",
    "marked_by_another": "a connector or rule carries the mark of another exosync, or of another target",
    "not_adoptable": "a connector is in test mode, or was made by Microsoft's own wizard or "
    "migration",
    "comment_full": "a comment has no room left for the mark",
}
"""The stable names of this target's refusals and what each means."""

_MOST_NAMED = 5

MOST_RULES = 300
"""Mail flow rules of an organization (X-PMF-Shield, which cites Microsoft's page on limits)."""


def incomplete(why: Mapping[Listing, str]) -> Refusal:
    """What is not in such a listing is never taken for absent."""
    told = "; ".join(f"{name.value}: {one_line(short(one, 200))}" for name, one in why.items())
    return Refusal(
        "incomplete",
        f"the listing is not whole ({told}), so nobody can tell what else is there; nothing is "
        "planned before it is: exosync check tells what the application may read, and the next run "
        "looks again",
        seen=plural(len(why), "listing") + " not whole",
        limit="whole listings",
    )


def not_owned(resource: str, thing: Connector | Rule, mark: str, target: str) -> Refusal:
    """The name is taken by something that is not ours."""
    theirs = mark_in(thing.comment if isinstance(thing, Connector) else thing.comments)
    whose = f" (it carries “{shown(theirs)}”, another exosync's or target's)" if theirs else ""
    return Refusal(
        "not_owned",
        f"there is a {resource} {quoted(thing)} without the mark “{mark}”{whose}, and exosync changes "
        f"only what carries it: take it over with `exosync adopt {target}`, or name exosync's "
        f"otherwise ({resource})",
        seen="no mark",
        limit="the mark",
        setting=resource,
        resources=_and_after(resource),
    )


def mark_lost(resource: str, thing: Connector | Rule, mark: str, target: str) -> Refusal:
    """What was ours, by its Guid, is no longer marked: somebody may have meant that.

    After a change of `owner` it carries the mark that was right before.
    """
    theirs = mark_in(thing.comment if isinstance(thing, Connector) else thing.comments)
    carries = (
        f"carries “{shown(theirs)}” in place of “{mark}”, as after a change of owner: take it over "
        f"with `exosync adopt {target}`, or set owner back"
        if theirs
        else f"no longer carries its mark: put “{mark}” back as a line of its own in its comment, "
        f"take it over with `exosync adopt {target}`, or delete it"
    )
    return Refusal(
        "not_owned",
        f"the {resource} {quoted(thing)} was exosync's and {carries}",
        seen="no mark",
        limit="the mark",
        resources=_and_after(resource),
    )


def mark_twice(resource: str, things: Sequence[Connector | Rule], mark: str) -> Refusal:
    """A copy has to be told apart by a person."""
    names = ", ".join(f"{quoted(one)} ({one.guid or 'no Guid'})" for one in things[:_MOST_NAMED])
    return Refusal(
        "mark_twice",
        f"{len(things)} {resource}s carry the mark “{mark}”: {names}; take it out of the comment of "
        "those that exosync should leave alone, or delete them",
        seen=plural(len(things), resource),
        limit=f"1 {resource}",
        resources=_and_after(resource),
    )


def connector_in_use(
    connector: Connector, users: Sequence[Rule], *, removed: bool = True
) -> Refusal:
    """Mail of another rule's would have no way. Whether rules follow a name is unknown."""
    names = ", ".join(quoted(one) for one in users[:_MOST_NAMED])
    what, mend = "removed", "change or remove these first"
    if not removed:
        what = "renamed"
        mend = (
            f"they may name what is no longer there; set connector: to {quoted(connector)}, or "
            "point these to another connector first"
        )
    return Refusal(
        "connector_in_use",
        f"the connector {quoted(connector)} is not {what} while rules that are not exosync's name "
        f"it: {names}; {mend}",
        seen=plural(len(users), "rule"),
        limit="0 rules",
        setting="remove" if removed else "connector",
        resources=(CONNECTOR,) if removed else _and_after(CONNECTOR),
    )


def no_recipient_condition(what: str, resource: str) -> Refusal:
    """The last thing that is looked at before anything is planned at all."""
    return Refusal(
        "no_recipient_condition",
        f"{what}: nothing like it is ever planned",
        seen="every recipient",
        limit="the domain",
        resources=(resource,),
    )


def whole_domain(group: str) -> Refusal:
    """An exception for a group that is gone is no exception (New-TransportRule)."""
    return Refusal(
        "whole_domain",
        f"there is no group {group} in the tenant, so its exception would hold for nobody, "
        "and mail for mailboxes here would be sent away: make the group, or mend its address",
        seen="no such group",
        limit="a group",
        setting="routed.everyone_but",
        resources=(RULE,),
    )


def no_group(group: str, setting: str) -> Refusal:
    """Exchange Online takes no rule that names what is no recipient."""
    return Refusal(
        "no_group",
        f"there is no group {group} in the tenant, so no rule can name it: make the group, or mend its "
        f"address ({setting})",
        seen="no such group",
        limit="a group",
        setting=setting,
        resources=(RULE,),
    )


def group_empty(group: str, domain: str) -> Refusal:
    """Nobody would be excepted, so that all are routed, as if the whole domain were meant."""
    return Refusal(
        "group_empty",
        f"nobody is in the group {group}, so the rule would send mail for every mailbox at {domain} "
        "away: put those whose mailboxes are here into it; if there are none, approve this plan",
        seen="no members",
        limit="those whose mailboxes are here",
        setting="routed.everyone_but",
        approvable=True,
        resources=(RULE,),
    )


def own_host(hosts: Iterable[str]) -> Refusal:
    """Mail for the other side would be handed to Exchange Online itself."""
    names = ", ".join(hosts)
    return Refusal(
        "own_host",
        f"smart_hosts: {names} is one of the addresses that Microsoft publishes for Exchange "
        "Online, so mail would come back: name the hosts of the other side",
        seen=names,
        limit="hosts of the other side",
        setting="smart_hosts",
        resources=(CONNECTOR, RULE),
    )


def dehydrated() -> Refusal:
    """Enable-OrganizationCustomization cannot be undone, so exosync never runs it."""
    return Refusal(
        "dehydrated",
        "the organization cannot be customized yet: an administrator runs "
        "Enable-OrganizationCustomization once, which cannot be undone; it takes effect after half "
        "an hour or more",
        seen="dehydrated",
        limit="customizable",
        resources=(CONNECTOR, RULE),
    )


def rules_full(count: int) -> Refusal:
    """A connector without its rule would be all that comes of it."""
    return Refusal(
        "rules_full",
        f"the tenant has {plural(count, 'rule')}, and Exchange Online takes {MOST_RULES}: delete one that "
        "nobody needs; if Exchange Online takes more of this tenant, approve this plan",
        seen=plural(count, "rule"),
        limit=f"{MOST_RULES} rules",
        approvable=True,
        resources=(CONNECTOR, RULE),
    )


def rule_before(rules: Sequence[Rule], domain: str) -> Refusal:
    """Which of two routes wins is nowhere documented."""
    names = ", ".join(f"{quoted(one)} (priority {one.priority})" for one in rules[:_MOST_NAMED])
    return Refusal(
        "rule_before",
        f"{names} comes before exosync's rule and routes mail for {domain} too: which of the two "
        "ways a message takes is nowhere documented; switch the other off, or set priority",
        seen=plural(len(rules), "rule") + " before",
        limit="0",
        setting="priority",
        approvable=True,
        resources=(RULE,),
    )


def rule_has_more(rule: Rule, more: Sequence[str]) -> Refusal:
    """What exosync does not understand it does not change, nor put into force."""
    told = ", ".join(short(one_line(one), 80) for one in more[:_MOST_NAMED])
    return Refusal(
        "rule_has_more",
        f"the rule {quoted(rule)} has what exosync does not know: {told}; a person decides: take "
        "these out of the rule, or take exosync's mark out of its comments and keep it by hand",
        seen=plural(len(more), "unknown part"),
        limit="0",
        resources=(RULE,),
    )


def connector_on_premises(connector: Connector, parts: Sequence[str]) -> Refusal:
    """Each of these "can only be specified for Connector type OnPremises" (CIPP#3873)."""
    names = " and ".join(parts)
    return Refusal(
        "connector_on_premises",
        f"the connector {quoted(connector)} was made one to servers of the company's own (OnPremises) with "
        f"{names}, which a partner's cannot have, so Exchange Online would refuse to set it right: a person "
        f"takes {names} off, or deletes the connector once no rule names it",
        seen="OnPremises",
        limit="Partner",
        resources=(CONNECTOR,),
    )


def rule_switch_on(name: str, domain: str) -> Refusal:
    """The moment from which mail goes another way."""
    return Refusal(
        "rule_switch_on",
        f"switching the rule “{name}” on sends mail for {domain} to the other side from then on "
        "(within half an hour or more): look at connector and rule first, then approve this plan",
        seen="a rule that is to act",
        limit="an approval",
        approvable=True,
        phase=Phase.ADD,
        resources=(RULE,),
    )


def rule_widened(rule: Rule, parameters: Sequence[str]) -> Refusal:
    """The same for people whose mail a rule that acts does not take so far."""
    return Refusal(
        "rule_switch_on",
        f"the rule {quoted(rule)} is on, and as it would be set it sends the mail of more people to the "
        f"other side than now ({', '.join(parameters)}): look at what changes, then approve this "
        "plan",
        seen="a rule that takes more mail",
        limit="an approval",
        approvable=True,
        phase=Phase.ADD,
        resources=(RULE,),
    )


def cloud_unproven(cloud: str) -> Refusal:
    """Reading may fail harmlessly; writing may not be tried."""
    return Refusal(
        "cloud_unproven",
        f"nobody has confirmed that Exchange Online's host in the cloud {cloud} takes commands: set "
        "write: script, and run the script in that cloud",
        seen=cloud,
        limit="a cloud that is confirmed",
        setting="write",
        resources=(CONNECTOR, RULE),
    )


def not_adoptable(connector: Connector) -> Refusal:
    """What Microsoft's own tools look after, and what is only tried, is not taken over."""
    what = "is in test mode" if connector.test_mode else f"was made by {connector.source}"
    return Refusal(
        "not_adoptable",
        f"the connector {quoted(connector)} {what}, so exosync does not take it over: make another, "
        "or name exosync's otherwise (connector)",
        seen=what,
        limit="an ordinary connector",
        setting="connector",
        resources=(CONNECTOR,),
    )


def marked_by_another(thing: Connector | Rule, mark: str, resource: str) -> Refusal:
    """Two that keep the same thing would undo each other's work for ever."""
    return Refusal(
        "marked_by_another",
        f"the {resource} {quoted(thing)} carries the mark “{shown(mark)}” of another exosync or "
        "target: take it over only if that one no longer looks after it, and then approve this plan; "
        f"else name exosync's otherwise ({resource})",
        seen="another's mark",
        limit="no mark",
        setting=resource,
        approvable=True,
        resources=(resource,),
    )


def comment_full(thing: Connector | Rule, resource: str) -> Refusal:
    """What people wrote is never cut."""
    return Refusal(
        "comment_full",
        f"the comment of {quoted(thing)} has no room for the mark: shorten it",
        seen="a full comment",
        limit=f"{LONGEST_COMMENT} characters",
        resources=(resource,),
    )


def quoted(thing: Connector | Rule) -> str:
    """An object by its name."""
    return f"“{shown(thing.name)}”"


def shown(text: str) -> str:
    """A text of somebody else's, short and in one line."""
    return one_line(short(text, 80))


def _and_after(resource: str) -> tuple[str, ...]:
    """A rule cannot be without its connector, so what stops the one stops the other."""
    return (CONNECTOR, RULE) if resource == CONNECTOR else (RULE,)
