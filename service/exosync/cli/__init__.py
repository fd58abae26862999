"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from exosync import __version__
from exosync.errors import ExosyncError

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", "Write a commented starter configuration."),
    "check": ("check", "Try the configuration, the feed and every target; change nothing."),
    "plan": ("runs", "Show what would be done, and why; write nothing outside."),
    "sync": ("runs", "Run once: fetch, plan, guard, apply, verify, record."),
    "apply": ("runs", "Do one plan, if it is still exactly what would be planned now."),
    "approve": ("runs", "Lift the refusals of one plan."),
    "adopt": ("runs", "Plan to take over what is already there at a target."),
    "status": ("reading", "Show how every target stands."),
    "history": ("reading", "Show what happened, newest first."),
    "show": ("reading", "Show one run, plan, event or version."),
    "ranges": ("reading", "Show the desired ranges and where each comes from."),
    "explain": ("explain", "Tell what an address or host is, and who knows it."),
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
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        ctx.color = False


def main(args: Sequence[str] | None = None) -> None:
    """The entry point: runs a command and ends the process with its exit code."""
    # A command is over before circles of garbage could matter. Searching all that was imported
    # for them, many times at the start and once more at the end, took a quarter of a run.
    gc.disable()
    code = run(args)
    gc.freeze()
    sys.exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code. No error leaves as a traceback unless asked for."""
    words = list(sys.argv[1:] if args is None else args)
    try:
        result: Any = cli.main(words, prog_name="exosync", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        error.show(sys.stderr)
        return USAGE
    except click.Abort:
        click.echo("exosync: stopped", err=True)
        return 130
    except ExosyncError as error:
        return _complain(error, error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last resort: one line, not a traceback
        if "--debug" in words:
            raise
        _complain(error, 1)
        click.echo("This is a fault of exosync. Run again with --debug to see where.", err=True)
        return 1


def _complain(error: Exception, code: int) -> int:
    redact, clean = (
        import_module("exosync.secrets").redact,
        import_module("exosync.core.words").clean,
    )
    redacted = clean(redact(str(error) or type(error).__name__))
    click.echo(f"{click.style('error:', fg='red', bold=True)} {redacted}", err=True)
    return code
