"""What a script does between reading and showing: it finds, checks and calls. Pure.

`$own` is the object that the step is about, as a list of none or one.
"""

from __future__ import annotations

from collections.abc import Iterator

from exosync_adapters.exchange.person import parts
from exosync_adapters.exchange.person.powershell import table, value
from exosync_adapters.exchange.person.powershell import text as quoted
from exosync_adapters.exchange.person.step import THINGS, ScriptStep, What
from exosync_adapters.exchange.records import Call

READERS = {
    "OutboundConnector": "Get-ExosyncConnector",
    "TransportRule": "Get-ExosyncRule",
    "AcceptedDomain": "Get-ExosyncDomain",
}
"""The function of the script that reads all objects of a kind."""

NOTES = {"OutboundConnector": "Comment", "TransportRule": "Comments"}
"""The property of each kind that holds the mark."""

GOES = frozenset(
    {What.SWITCH_RULE_OFF, What.REMOVE_RULE, What.SWITCH_CONNECTOR_OFF, What.REMOVE_CONNECTOR}
)
"""The steps that take something away: where it is gone already, there is nothing to do."""

_GROUPS = ("SentToMemberOf", "ExceptIfSentToMemberOf")
_WORDS = (
    "RecipientDomainIs",
    "ExceptIfHeaderContainsMessageHeader",
    "ExceptIfHeaderContainsWords",
    "SetHeaderName",
    "SetHeaderValue",
)
"""What decides whose mail a rule takes, and whether it takes it twice."""

_LEFT_TO_THE_SCRIPT = frozenset({"Identity", "Confirm", "WhatIf"})
_MORE = (
    "The rule has other conditions, exceptions or actions than when this was planned: run exosync "
    "sync again."
)
_ALREADY = f"Write-Host {quoted('It is so already: there is nothing to do.')}"


def find(step: ScriptStep) -> Iterator[str]:
    """The lines that find the object, and stop if it is not as it must be."""
    reader, thing = READERS[step.noun], THINGS[step.noun].capitalize()
    if step.what is What.INTERNAL_RELAY:
        yield f"$own = @({reader} | Where-Object {{ $names -contains $_.DomainName }})"
        yield _stop("$own.Count -ne 1", "{0} is not an accepted domain here.", "$name")
        return
    yield f"$own = @(Select-ExosyncOwn ({reader}))"
    several = "The mark stands at {0} objects, so nobody can tell which is meant."
    yield _stop("$own.Count -gt 1", several, "$own.Count")
    if step.what is What.MARK:
        yield from _find_to_mark(step)
        return
    marked = f"(Test-ExosyncMark $own[0].{NOTES[step.noun]})"
    lost = f"{thing} {{0}} does not carry the mark of exosync any more."
    yield _stop(f"$own.Count -and -not {marked}", lost, "$own[0].Name")
    if step.has("New"):
        taken = f"@({reader} | Where-Object {{ $_.Name -eq $name }}).Count"
        foreign = f"{thing} {{0}} is there, and is not of exosync: see exosync adopt."
        yield _stop(f"-not $own.Count -and {taken}", foreign, "$name")
    elif step.what not in GOES:
        yield _stop("-not $own.Count", f"{thing} {{0}} is not there.", "$name")


def _find_to_mark(step: ScriptStep) -> Iterator[str]:
    """What is to be marked has no mark yet: its Guid tells it or, if it is the only one, its name."""
    reader, note, thing = READERS[step.noun], NOTES[step.noun], THINGS[step.noun].capitalize()
    wanted = next((one.parameters[note] for one in step.calls if note in one.parameters), "")
    kept = quoted(str(wanted).removesuffix(step.mark))
    named = f"@({reader} | Where-Object {{ -not $guid -and $_.Name -eq $name }})"
    yield f"if (-not $own.Count) {{ $own = {named} }}"
    yield _stop("$own.Count -ne 1", f"{thing} {{0}} is there {{1}} times.", "$name", "$own.Count")
    yield f"$kept = {kept}"
    there = f"$own[0].{note}"
    yield _stop(
        f"-not (Test-ExosyncMark {there}) -and -not (Test-ExosyncSame '{note}' {there} $kept)",
        "Somebody changed the comment meanwhile: run exosync adopt again.",
    )


def _stop(condition: str, message: str, *shown: str) -> str:
    said = quoted(f"{message} Nothing was changed.")
    told = f"({said} -f {', '.join(shown)})" if shown else said
    return f"if ({condition}) {{ throw {told} }}"


def conditions(step: ScriptStep) -> Iterator[str]:
    """The lines that stop unless everything besides is as it must be."""
    if step.routes_to:
        yield parts.CONNECTOR_FOUND
    if step.routes_to and step.what is not What.MARK:
        yield from parts.CONNECTOR_READY.splitlines()
    if step.planned:
        yield from _as_planned(step)
    if step.what is What.INTERNAL_RELAY:
        yield from parts.RULE_ACTS.splitlines()
    if step.what in (What.SWITCH_CONNECTOR_OFF, What.REMOVE_CONNECTOR):
        yield from parts.CONNECTOR_UNUSED.splitlines()
    still_on = "It is still on: switch it off first."
    if step.what is What.REMOVE_RULE and not step.has("Disable"):
        yield _stop("$own.Count -and $own[0].State -eq 'Enabled'", still_on)
    if step.what is What.REMOVE_CONNECTOR and not step.sets("Enabled", wanted=False):
        yield _stop("$own.Count -and $own[0].Enabled", still_on)


def _as_planned(step: ScriptStep) -> Iterator[str]:
    """The lines that stop if somebody changed a rule which is to act.

    How a group is given back is not published: what was read is looked for again, and of what nobody
    reads only the number is looked at.
    """
    said = "{} of the rule is not as it was when this was planned: run exosync sync again."
    for name in _GROUPS:
        yield _stop(_other_groups(step, name), said.format(name))
    for name in _WORDS:
        same = f"Test-ExosyncProperty $own[0] {quoted(name)} {value(step.planned.get(name))}"
        yield _stop(f"-not ({same})", said.format(name))
    if step.read is not None and step.read.predicates:
        yield parts.CLASSES
        classes = value(sorted(one.rpartition(".")[2] for one in step.read.predicates))
        yield _stop(f"-not (Test-ExosyncSame 'Classes' $classes {classes})", _MORE)
    yield _stop("$own[0].Mode -ne 'Enforce'", said.format("Mode"))
    route = "[string] $own[0].RouteMessageOutboundConnector"
    known = "@($connector[0].Name, [string] $connector[0].Guid)"
    yield _stop(f"-not ({known} -contains {route})", said.format("RouteMessageOutboundConnector"))


def _other_groups(step: ScriptStep, name: str) -> str:
    if step.read is not None:
        was = (*step.read.conditions.get(name, ()), *step.read.exceptions.get(name, ()))
        return f"-not (Test-ExosyncSame '{name}' $own[0].{name} {value(was)})"
    groups = step.planned.get(name)
    wanted = len(groups) if isinstance(groups, list) else 0
    return f"@($own[0].{name} | Where-Object {{ $_ }}).Count -ne {wanted}"


def compares(call: Call) -> bool:
    """Whether a call's parameters are compared with what is there."""
    return call.cmdlet.partition("-")[0] in ("New", "Set")


def call_lines(step: ScriptStep, call: Call) -> Iterator[str]:
    """The lines of one call, which do nothing where all is so. Raises ValueError."""
    if call.cmdlet.partition("-")[2] != step.noun:
        raise ValueError(f"the step is about another thing than {call.cmdlet}")
    match call.cmdlet.partition("-")[0]:
        case "New":
            yield from _new(call)
        case "Set":
            yield from _set(step, call)
        case "Enable" | "Disable":
            yield from _switch(step, call)
        case "Remove":
            yield f"if ($own.Count -and {_should(call)}) {{"
            yield f"    {_done(step, call)}"
            yield "}"
        case _:
            raise ValueError(f"no step does {call.cmdlet}")


def _new(call: Call) -> Iterator[str]:
    other = "It is there already, and other than it would be made: {0}. Run exosync plan again."
    yield from _wanted(call)
    yield "if ($own.Count) {"
    yield "    $different = @(Get-ExosyncDifference $own[0] $wanted)"
    yield f"    {_stop('$different.Count', other, _DIFFERENT)}"
    yield f"    {_ALREADY}"
    yield f"}} elseif ({_should(call)}) {{"
    yield f"    $own = @({call.cmdlet} @wanted -Confirm:$false -ErrorAction Stop)"
    yield "}"


def _set(step: ScriptStep, call: Call) -> Iterator[str]:
    """After a call that creates there is nothing to change under `-WhatIf`."""
    yield from _wanted(call)
    yield "if ($own.Count) {"
    yield "    $different = @(Get-ExosyncDifference $own[0] $wanted)"
    yield "    if (-not $different.Count) {"
    yield f"        {_ALREADY}"
    yield f"    }} elseif ({_should(call, _DIFFERENT)}) {{"
    yield f"        {_done(step, call, ' @wanted')}"
    yield "    }"
    yield "}"


def _switch(step: ScriptStep, call: Call) -> Iterator[str]:
    state = "Enabled" if call.cmdlet.startswith("Enable-") else "Disabled"
    further = "".join(f" -{name} {value(one)}" for name, one in _parameters(call).items())
    yield f"if ($own.Count -and $own[0].State -eq '{state}') {{"
    yield f"    {_ALREADY}"
    yield f"}} elseif ($own.Count -and {_should(call)}) {{"
    yield f"    {_done(step, call, further)}"
    yield "}"


_DIFFERENT = "($different -join ', ')"


def _should(call: Call, shown: str = "") -> str:
    """What asks PowerShell whether to do it, so that `-WhatIf` and `-Confirm` work."""
    action = f"({quoted(call.cmdlet + ': {0}')} -f {shown})" if shown else quoted(call.cmdlet)
    return f"$PSCmdlet.ShouldProcess($name, {action})"


def _done(step: ScriptStep, call: Call, further: str = "") -> str:
    known = "Identity" if step.what is What.INTERNAL_RELAY else "Guid"
    identity = f"-Identity ([string] $own[0].{known})"
    return f"{call.cmdlet} {identity}{further} -Confirm:$false -ErrorAction Stop"


def _wanted(call: Call) -> Iterator[str]:
    first, *rest = table(_parameters(call))
    yield f"$wanted = {first}"
    yield from rest


def _parameters(call: Call) -> dict[str, object]:
    return {name: one for name, one in call.parameters.items() if name not in _LEFT_TO_THE_SCRIPT}
