"""One step as a PowerShell script, made of the same calls that exosync would do itself. Pure.

The script is a function: a pasted text has no parameters of its own, so `-WhatIf` needs a
function to be given to; and that it is defined changes nothing yet, so neither does a text that
was pasted by mistake, or only in part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from exosync.core.words import one_line
from exosync_adapters.exchange.person import parts
from exosync_adapters.exchange.person.body import (
    GOES,
    NOTES,
    READERS,
    call_lines,
    compares,
    conditions,
    find,
)
from exosync_adapters.exchange.person.powershell import indented, value
from exosync_adapters.exchange.person.powershell import text as quoted
from exosync_adapters.exchange.person.step import THINGS, ScriptStep, What

__all__ = ["FUNCTION", "ScriptStep", "What", "text"]

_PLAIN: Final = str.maketrans("\u201c\u201d", "''")

FUNCTION: Final = "Invoke-ExosyncStep"
"""What a person calls once the script is pasted or loaded."""


_CHANGES_OURS: Final = (
    "# It reads first, changes only what carries exosync's mark, and does nothing where all is",
    "# so already: to run it twice does no harm.",
)
_CHANGES: Final = {
    What.MARK: (
        "# It reads first, adds exosync's mark to the comment of this one object and changes nothing",
        "# else, and does nothing where the mark stands already: to run it twice does no harm.",
    ),
    What.INTERNAL_RELAY: (
        "# It reads first, changes the type of this one domain and nothing else while exosync's rule",
        "# is on, and does nothing where it is so already: to run it twice does no harm.",
    ),
}
"""What a script says of what it changes: an object that is taken over, and a domain, have no mark."""


def text(step: ScriptStep) -> str:
    """The whole script; its lines end in a line feed."""
    does = [
        *_values(step),
        *parts.SESSION.splitlines(),
        *_functions(step),
        *find(step),
        *conditions(step),
        *(line for call in step.calls for line in call_lines(step, call)),
        *_shown(step),
    ]
    body = [
        "[CmdletBinding(SupportsShouldProcess)]",
        "param()",
        "$ErrorActionPreference = 'Stop'",
        "Set-StrictMode -Off",
        *_encoding(does),
        *does,
    ]
    lines = [*_header(step), f"function {FUNCTION} {{", *indented(body), "}"]
    return "\n".join(lines) + "\n"


def _header(step: ScriptStep) -> Iterator[str]:
    yield f"# exosync: {step.title.translate(_PLAIN)}"
    yield f"# in the tenant {one_line(step.tenant)}, for the domain {one_line(step.domain)}."
    yield "#"
    yield "# How to run it, in PowerShell with the module ExchangeOnlineManagement 3 or later:"
    yield "# 1. Connect-ExchangeOnline"
    yield "# 2. Paste all of this; or save it as exosync.ps1 (UTF-8 with BOM), and load it:"
    yield "#        . ./exosync.ps1"
    yield f"#    This defines the function {FUNCTION} and changes nothing."
    yield f"# 3. {FUNCTION} -WhatIf     tells what it would do, and changes nothing"
    yield f"# 4. {FUNCTION}             does it"
    yield "#"
    yield from _CHANGES.get(step.what, _CHANGES_OURS)


def _encoding(lines: Iterable[str]) -> Iterator[str]:
    """A file that is read in another encoding would give other names."""
    if not all(one.isascii() for one in lines):
        yield (
            "if ([int] ('\u00fc'[0]) -ne 252) { throw 'This text was read in a wrong encoding: "
            "save it as UTF-8 with BOM. Nothing was changed.' }"
        )


def _values(step: ScriptStep) -> Iterator[str]:
    yield f"$tenant = {quoted(step.tenant)}"
    yield f"$name = {quoted(step.name)}"
    yield f"$names = {value(step.spellings)}"
    if step.what is not What.INTERNAL_RELAY:
        yield f"$guid = {quoted(step.guid)}"
    yield f"$mark = {quoted(step.mark)}"
    if step.routes_to:
        yield f"$needed = {quoted(step.routes_to)}"


def _functions(step: ScriptStep) -> Iterator[str]:
    relays, goes = step.what is What.INTERNAL_RELAY, step.what in GOES
    yield from parts.MARKED.splitlines()
    if step.noun == "OutboundConnector" or step.routes_to:
        yield from parts.CONNECTORS.splitlines()
    if step.noun == "TransportRule" or goes or relays:
        yield from parts.RULES.splitlines()
    if relays:
        yield from parts.DOMAINS.splitlines()
    if step.planned or any(compares(one) for one in step.calls):
        yield from parts.SAME.splitlines()
    if not relays:
        selected = parts.SELECTED_TO_GO if goes and step.guid else parts.SELECTED
        yield from selected.replace("NOTE", NOTES[step.noun]).splitlines()


def _shown(step: ScriptStep) -> Iterator[str]:
    """What is there in the end, read anew."""
    reader = READERS[step.noun]
    again = (
        f"{reader} | Where-Object {{ $names -contains $_.DomainName }}"
        if step.what is What.INTERNAL_RELAY
        else f"Select-ExosyncOwn ({reader})"
    )
    yield f"$own = @({again})"
    yield f"if (-not $own.Count) {{ Write-Host ({quoted('{0} {1} is not there.')} -f {quoted(THINGS[step.noun])}, $name) }}"
    yield f"$own | Select-Object -Property {value(parts.SHOWN[step.noun].split())} | Format-List"
