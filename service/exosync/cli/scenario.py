"""The questions of `exosync init --scenario`, each also an option."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from exosync.errors import ConfigError, UsageError

Command = Callable[..., Any]

SCENARIO = "split-domain"
FAR_SIDES = ("google_workspace", "mimecast", "other")
INSTANCES = ("Worldwide", "China", "USGovDoD", "USGovGCCHigh")

_OPTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("--domain", {"metavar": "DOMAIN"}, "The domain that is split."),
    ("--tenant", {"metavar": "ID"}, "Id of the tenant in Microsoft Entra."),
    ("--client-id", {"metavar": "ID"}, "Id of exosync's application there; empty: none."),
    ("--far-side", {"type": click.Choice(FAR_SIDES)}, "What receives the other mailboxes' mail."),
    ("--smart-host", {"metavar": "HOST", "multiple": True}, "Host of the other side; repeatable."),
    ("--here", {"metavar": "GROUP"}, "Group of those whose mailboxes are in Exchange Online."),
    ("--there", {"metavar": "GROUP"}, "Or: group of those on the other side."),
    ("--recipient", {"metavar": "ADDRESS", "multiple": True}, "Mailbox on the other side alone."),
    ("--mimecast/--no-mimecast", {"default": None}, "Whether Mimecast is looked after."),
    ("--google-admin", {"metavar": "ADDRESS"}, "Super administrator of Google Workspace, if any."),
    (
        "--spf",
        {"type": click.Choice(("include", "records"))},
        "Method for the SPF record [default: include].",
    ),
    ("--alert-to", {"metavar": "ADDRESS"}, "Who is told by mail."),
    ("--smtp-host", {"metavar": "HOST"}, "Mail server that takes alerts."),
    ("--instance", {"type": click.Choice(INSTANCES)}, "Microsoft's cloud [default: Worldwide]."),
)


def scenario_options(command: Command) -> Command:
    """`--scenario` and an option for each of its answers."""
    for name, more, help_text in reversed(_OPTIONS):
        command = click.option(name, help=help_text, **more)(command)
    return click.option(
        "--scenario",
        type=click.Choice([SCENARIO]),
        help="Write the whole configuration of a set-up; asks for what no option gives.",
    )(command)


def scenario_text(given: Mapping[str, Any]) -> str:
    """The configuration for the answers that were given, or are given now on a terminal.

    Raises UsageError for an answer that is missing, ConfigError for one that cannot be right.
    """
    from exosync.scenario import SplitDomain, split_domain_text

    if given["here"] and given["there"]:
        raise UsageError(f"scenario {SCENARIO} takes one of --here and --there, not both")
    answers = {**_EMPTY, **{name: value for name, value in given.items() if value is not None}}
    if sys.stdin is not None and sys.stdin.isatty():
        answers |= _asked(given)
    _complete(answers)
    answers["smart_hosts"] = answers.pop("smart_host")
    answers["recipients"] = answers.pop("recipient")
    try:
        text = split_domain_text(SplitDomain(**answers))
    except ValueError as error:
        raise UsageError(f"an answer cannot be used: {error}") from None
    _try(text)
    return text


def refuse_without_scenario(given: Mapping[str, Any]) -> None:
    """Answers without a scenario are a mistake. Raises UsageError."""
    stray = [name for name, value in given.items() if value not in (None, ())]
    if stray:
        option = stray[0].replace("_", "-")
        raise UsageError(f"--{option} is an answer for --scenario {SCENARIO}: give that too")


_EMPTY: Mapping[str, Any] = {
    "domain": "",
    "tenant": "",
    "client_id": "",
    "far_side": "",
    "smart_host": (),
    "here": "",
    "there": "",
    "recipient": (),
    "mimecast": False,
    "google_admin": "",
    "spf": "include",
    "alert_to": "",
    "smtp_host": "",
    "instance": "Worldwide",
}


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a person at a terminal answers to each question that no option answered."""
    from exosync.scenario import below

    found: dict[str, Any] = {}

    def ask(name: str, question: str, key: str = "", **more: Any) -> Any:
        if given[name] in (None, ()):
            found[name] = _prompt(question, key, **more)
        return found.get(name, given[name])

    domain = ask(
        "domain", "Domain that is split between Exchange Online and another system", "domain"
    )
    ask("tenant", "Id of the tenant (Microsoft Entra admin center > Overview)", "tenant")
    client = "Id of exosync's application there (empty: a person does all)"
    ask("client_id", client, "client_id", default="")
    far_side = ask("far_side", "What receives the other mail", type=click.Choice(FAR_SIDES))
    if not given["smart_host"] and far_side != "google_workspace":
        hosts = "Its hosts that Exchange Online sends to, with blanks"
        found["smart_host"] = tuple(_prompt(hosts, "smart_hosts").split())
    if not given["here"] and not given["there"]:
        group = "Group of those whose mailboxes are in Exchange Online (empty: I have one of the others)"
        here = found["here"] = _prompt(group, _ADDRESS, default="")
        if not here:
            ask("there", "Group of those whose mailboxes are on the other side", _ADDRESS)
    if not given["recipient"]:
        one = "A mailbox on the other side alone, to try"
        found["recipient"] = tuple(_prompt(one, "validation_recipients", default="").split())
    if given["mimecast"] is None:
        found["mimecast"] = click.confirm(
            "Look after Mimecast, too?", default=far_side == "mimecast", err=True
        )
    google = "Super administrator of Google Workspace (empty: none)"
    ask("google_admin", google, _ADDRESS, default="")
    nobody = {} if given["smtp_host"] else {"default": ""}
    whom = f"Who is told by mail{' (empty: nobody)' if nobody else ''}"
    if ask("alert_to", whom, _ADDRESS, **nobody):
        ask("smtp_host", "Mail server that takes these", default=below("mail", domain))
    return found


_ADDRESS = "sender"
"""A key of kind exchange that holds one address."""


def _prompt(question: str, key: str, **more: Any) -> Any:
    """One answer. What the key of kind exchange cannot hold is told, and asked for again."""
    if key:
        more["value_proc"] = _taken_by(key)
    return click.prompt(question, err=True, **more)


def _taken_by(key: str) -> Callable[[str], str]:
    from pydantic import ValidationError, create_model

    from exosync.config.kinds import installed_kinds, load_kind

    field = load_kind("exchange", installed_kinds()).settings.model_fields[key]
    answer: Any = create_model("Answer", given=(field.annotation, field))

    def take(text: str) -> str:
        try:
            answer(given=tuple(text.split()) if key in _SEVERAL else text or None)
        except ValidationError as error:
            told = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise click.UsageError(told) from None
        return text

    return take


_SEVERAL = ("smart_hosts", "validation_recipients")


def _complete(answers: Mapping[str, Any]) -> None:
    missing = [f"--{name.replace('_', '-')}" for name in _NEEDED if not answers[name]]
    if not answers["here"] and not answers["there"]:
        missing.append("one of --here and --there")
    if answers["far_side"] in ("mimecast", "other") and not answers["smart_host"]:
        missing.append("--smart-host")
    if answers["smtp_host"] and not answers["alert_to"]:
        missing.append("--alert-to, as there is --smtp-host")
    if missing:
        raise UsageError(f"scenario {SCENARIO} also needs {', '.join(missing)}")


_NEEDED = ("domain", "tenant", "far_side")


def _try(text: str) -> None:
    """Read the configuration as exosync would. Raises ConfigError with its words."""
    from exosync.config import load

    with TemporaryDirectory(prefix="exosync-") as folder:
        path = Path(folder) / "exosync.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load(path, environ={})
        except ConfigError as error:
            # Without the lines of a file that nobody gets to see.
            told = re.sub(rf"{re.escape(str(path))}:(\d+:)? ?", "", str(error))
            raise ConfigError(f"these answers make no configuration:\n{told}") from None
