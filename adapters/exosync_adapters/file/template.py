"""A user's own text for the file, by Jinja2 in its sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from exosync.errors import ConfigError

if TYPE_CHECKING:
    from exosync_adapters.file.page import Page

MOST_CHARACTERS = 16 * 1024**2
"""The longest text that a template may make, as long as the longest file that is read."""


def fill(page: Page) -> str:
    """The text that the template makes of a page.

    A block tag takes no line of its own (trim_blocks, lstrip_blocks). Names that a template
    can use: mark, owner, target, instance; entries (cidr, family, origin, name, reason,
    leaving_on, note); ranges, ipv4 and ipv6 (lists of CIDRs). A name that does not exist is
    an error. Raises ConfigError with the file and line.
    """
    path = str(page.settings.template)
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    try:
        code = environment.compile(page.source, filename=path)
        template = environment.template_class.from_code(
            environment, code, environment.make_globals(None)
        )
        return _joined(template.generate(**names(page)), path)
    except TemplateSyntaxError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: the template is wrong: {error.message}"
        ) from error
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - a template is a program: it can raise anything
        _refuse(path, error)


def names(page: Page) -> dict[str, Any]:
    """What a template can use."""
    return {
        "mark": page.mark.sentence,
        "owner": page.mark.owner,
        "target": page.mark.target,
        "instance": page.instance,
        "entries": page.rows,
        "ranges": [row.cidr for row in page.rows],
        "ipv4": [row.cidr for row in page.of("ipv4")],
        "ipv6": [row.cidr for row in page.of("ipv6")],
    }


def _joined(pieces: Any, path: str) -> str:
    whole, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MOST_CHARACTERS:
            limit = MOST_CHARACTERS // 1024**2
            raise ConfigError(f"{path}: the template makes more than {limit} MiB of text")
        whole.append(piece)
    return "".join(whole)


def _refuse(path: str, error: Exception) -> NoReturn:
    """Tell an error of a running template by the line of the template that raised it."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    place = f"{path}:{line}" if line else path
    raise ConfigError(f"{place}: the template cannot be filled: {error}") from error
