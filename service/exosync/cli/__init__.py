"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from exosync import __version__
from exosync.errors import ConfigError, ExosyncError

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", "Write a commented starter configuration."),
    "check": ("check", "Try the configuration, the feed and every target; change nothing."),
    "plan": ("runs", "Show what would be done, and why; write nothing outside."),
    "sync": ("runs", "Run once: fetch, plan, guard, apply, verify, record."),
    "apply": ("runs", "Do one plan, if it is still exactly what would be planned now."),
    "approve": ("runs", "Lift the refusals of one plan."),
    "adopt": ("runs", "Plan to take over what is already there at a target."),
    "serve": ("serve", "Run for ever: all of this at its times, alerts, and a page to look at."),
    "pause": ("serve", "Hold all writing, at a target or everywhere."),
    "resume": ("serve", "End a pause."),
    "trigger": ("serve", "Ask exosync serve to run a target now."),
    "alerts": ("alerts", "Look at the messages to people, try a channel, send again."),
    "todo": ("todo", "Show what waits for a person."),
    "ack": ("todo", "Say that a step for a person is done."),
    "status": ("reading", "Show how every target stands."),
    "history": ("reading", "Show what happened, newest first."),
    "show": ("reading", "Show one run, plan, event or version."),
    "ranges": ("reading", "Show the desired ranges and where each comes from."),
    "explain": ("explain", "Tell what an address or host is, and who knows it."),
    "trace": ("trace", "Tell the way of a message, station by station, without sending it."),
    "feed": ("feed", "Look at Microsoft's versions, or bring one in from a file."),
    "config": ("setup", "Show the configuration in force, or its JSON Schema."),
    "completion": ("setup", "Print the shell's completion script."),
}
"""Every command: the module it lives in, and its line of help."""

USAGE = 64


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used.

    So `--help` costs no more than click itself.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"exosync.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command if there is none of that name."""
        name = args[0]
        if name not in _COMMANDS and name.isalpha() and not ctx.resilient_parsing:
            near = import_module("difflib").get_close_matches(name, _COMMANDS)
            hint = f" Did you mean {' or '.join(repr(one) for one in near)}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Exit codes: 0 all as desired; 1 unexpected error; 2 changes are pending or wait for a "
        "person; 3 refused, approval needed; 4 the feed or a target failed; 5 another run holds "
        "the lock; 64 wrong usage or configuration."
    ),
)
@click.version_option(__version__, prog_name="exosync", message="%(prog)s %(version)s")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=True),
    help="Configuration file [default: $EXOSYNC_CONFIG, ./exosync.yaml, /etc/exosync/exosync.yaml].",
)
@click.option("--debug", is_flag=True, help="Log every detail, and show where an error comes from.")
@click.pass_context
def cli(ctx: click.Context, config_file: str | None, *, debug: bool) -> None:
    """Keep mail gateways and SPF records in step with Exchange Online's published IP ranges."""
    ctx.obj = {"config": config_file, "debug": debug}
    ctx.color = _colour()


def main(args: Sequence[str] | None = None) -> None:
    """The entry point: runs a command and ends the process with its exit code."""
    # A command is over before circles of garbage could matter. Searching all that was imported
    # for them, many times at the start and once more at the end, took a quarter of a run.
    gc.disable()
    _speak_and_listen()
    try:
        code = run(args)
    except Exception as error:  # noqa: BLE001  (only with --debug: all the more to be told)
        code = _complain(error, 1, trace=True)
    gc.freeze()
    sys.exit(code)


def _speak_and_listen() -> None:
    """See that there are a stdout and a stderr, and that being stopped is noticed.

    A run that is stopped writes down that it was. Whoever started us may have closed our
    outputs, or made us deaf to a signal, as nohup does.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _stop)


def _stop(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")


def run(args: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code. No error leaves as a traceback unless asked for."""
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    try:
        result: Any = cli.main(words, prog_name="exosync", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SystemExit:
        # click ends so after completing a line, and when nobody reads its help any more:
        # `exosync --help | head -1` is no error.
        if "_EXOSYNC_COMPLETE" in os.environ:
            raise
        return 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        error.show(sys.stderr)
        return USAGE
    except click.Abort as error:
        click.echo("exosync: stopped", err=True)
        return 143 if "SIGTERM" in str(error.__cause__) else 130
    except ExosyncError as error:
        return _complain(error, error.exit_code, trace=debug)
    except Exception as error:  # the last resort: one line, not a traceback
        if debug:
            raise
        _complain(error, 1)
        click.echo("This is a fault of exosync: exosync --debug COMMAND shows where.", err=True)
        return 1


def _complain(error: Exception, code: int, *, trace: bool = False) -> int:
    """Say what went wrong, and where in the program if asked for; never a secret."""
    words = import_module("exosync.core.words")
    redact = import_module("exosync.secrets").redact
    several_lines = isinstance(error, ConfigError)
    told = (words.clean if several_lines else words.one_line)(redact(_message(error)))
    colour = _colour()
    if trace:
        lines = import_module("traceback").format_exception(error)
        click.echo(words.clean(redact("".join(lines))), err=True, nl=False)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {told}", err=True, color=colour)
    return code


def _message(error: Exception) -> str:
    if isinstance(error, ExosyncError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _colour() -> bool | None:
    """Whether colours are unwanted (https://no-color.org); None: as the terminal allows."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
