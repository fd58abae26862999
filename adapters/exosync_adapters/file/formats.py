"""The text of a file in each format. Pure.

A file changes only when its ranges or notes do: no time and no version stands in it. Names
and reasons come from people, so each becomes one line of printable characters before it
gets near a comment. Sources of the formats: nft(8); ipset(8); cidr_table(5); HAProxy
configuration manual, "acl … -f"; Rspamd, "Maps"; Terraform language, "Variable definitions
(.tfvars) files".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from exosync.core.desired import Desired, Entry
from exosync_adapters.file.mark import Mark, without_marks
from exosync_adapters.file.page import Page, Row
from exosync_adapters.file.settings import (
    SUFFIX_NEW,
    SUFFIX_V4,
    SUFFIX_V6,
    FileSettings,
    Format,
)

NOTE_BYTES = 400
"""The longest note. ipset reads 1,023 bytes at a time and takes the rest for a command."""

HEADER_END = "# Exchange Online's outgoing mail servers"
"""How the last line of a header begins."""

CSV_COLUMNS = ("cidr", "family", "origin", "name", "reason", "leaving_on", "managed_by")

_IPSET_DEFAULT_SIZE = 65_536
_FAMILIES = (("ipv4", SUFFIX_V4), ("ipv6", SUFFIX_V6))


Renderer = Callable[[Page], str]


def render(
    desired: Desired, *, owner: str, target: str, settings: FileSettings, source: str = ""
) -> bytes:
    """The whole file, UTF-8 with lines ending in LF.

    Raises ConfigError if a template is wrong.
    """
    page = Page(
        mark=Mark(owner, target),
        instance=one_line(desired.instance),
        rows=tuple(_row(entry) for entry in desired.entries()),
        settings=settings,
        source=source,
    )
    return FORMATS[settings.format](page).encode()


def one_line(text: str) -> str:
    """The text as one line of printable characters, in which no mark can be read."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return without_marks(" ".join(plain.split()))


def cut(text: str, most: int = NOTE_BYTES) -> str:
    """The text, with at most that many bytes of UTF-8."""
    data = text.encode()
    if len(data) <= most:
        return text
    return data[: most - 3].decode(errors="ignore") + "…"


def _row(entry: Entry) -> Row:
    return Row(
        cidr=entry.cidr,
        family="ipv6" if ":" in entry.cidr else "ipv4",
        origin=entry.origin.value,
        name=one_line(entry.name),
        reason=one_line(entry.reason),
        leaving_on=f"{entry.until:%Y-%m-%d}" if entry.until else "",
        note=cut(one_line(entry.note)),
    )


def _header(page: Page) -> list[str]:
    return [f"# {page.mark.sentence}", f"{HEADER_END}, instance {page.instance}."]


def _noted(rows: Iterable[Row], form: Callable[[str], str]) -> Iterator[str]:
    """Each row by its form, after a comment with its note if there is one."""
    for row in rows:
        line = form(row.cidr)
        if row.note:
            indent = line[: len(line) - len(line.lstrip())]
            yield f"{indent}# {row.note}"
        yield line


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _plain(page: Page) -> str:
    return _text([*_header(page), *_noted(page.rows, str)])


def _postfix(page: Page) -> str:
    value = page.settings.value
    return _text([*_header(page), *_noted(page.rows, lambda cidr: f"{cidr} {value}")])


def _terraform(page: Page) -> str:
    items = _noted(page.rows, lambda cidr: f'  "{cidr}",')
    return _text([*_header(page), f"{page.settings.variable} = [", *items, "]"])


def _nftables(page: Page) -> str:
    """One file is one transaction, so no packet ever meets an emptied set."""
    table = f"inet {page.settings.table}"
    names = {family: f"{table} {page.settings.set_name}{end}" for family, end in _FAMILIES}
    lines = [*_header(page), f"add table {table}"]
    for family, name in names.items():
        lines.append(f"add set {name} {{ type {family}_addr; flags interval; }}")
        lines.append(f"flush set {name}")
    for family, name in names.items():
        # An empty list of elements is a syntax error.
        if rows := page.of(family):
            lines += [f"add element {name} {{", *_noted(rows, lambda cidr: f"    {cidr},"), "}"]
    return _text(lines)


def _ipset(page: Page) -> str:
    """A second set is filled and swapped in, so no packet ever meets a half-filled one."""
    lines = _header(page)
    for family, end in _FAMILIES:
        name = f"{page.settings.set_name}{end}"
        lines += _ipset_of(name, "inet" if family == "ipv4" else "inet6", page.of(family))
    return _text(lines)


def _ipset_of(name: str, family: str, rows: tuple[Row, ...]) -> Iterator[str]:
    new, size = f"{name}{SUFFIX_NEW}", ""
    if len(rows) > _IPSET_DEFAULT_SIZE:
        size = f" maxelem {1 << len(rows).bit_length()}"
    yield f"create {name} hash:net family {family}{size} -exist"
    yield f"create {new} hash:net family {family}{size} -exist"
    yield f"flush {new}"
    yield from _noted(rows, lambda cidr: "\n".join(f"add {new} {half}" for half in _halves(cidr)))
    yield f"swap {new} {name}"
    yield f"destroy {new}"


def _halves(cidr: str) -> tuple[str, ...]:
    """A CIDR as sets of type hash:net take it: they know no prefix of length 0."""
    match cidr:
        case "0.0.0.0/0":
            return "0.0.0.0/1", "128.0.0.0/1"
        case "::/0":
            return "::/1", "8000::/1"
        case _:
            return (cidr,)


def _json(page: Page) -> str:
    head = {
        "managed_by": page.mark.sentence,
        "owner": page.mark.owner,
        "target": page.mark.target,
        "instance": page.instance,
    }
    lists: dict[str, Iterable[object]] = {
        "ranges": map(_json_row, page.rows),
        "ipv4": (row.cidr for row in page.of("ipv4")),
        "ipv6": (row.cidr for row in page.of("ipv6")),
    }
    parts = [f'  "{key}": {_json_value(value)}' for key, value in head.items()]
    for key, values in lists.items():
        # An item a line, so that a difference shows as whole entries.
        items = ",\n".join(f"    {_json_value(value)}" for value in values)
        parts.append(f'  "{key}": [\n{items}\n  ]' if items else f'  "{key}": []')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json_row(row: Row) -> dict[str, str | None]:
    return {
        "cidr": row.cidr,
        "family": row.family,
        "origin": row.origin,
        "name": row.name,
        "reason": row.reason,
        "leaving_on": row.leaving_on or None,
    }


def _json_value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv(page: Page) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in page.rows:
        texts = (row.name, row.reason, row.leaving_on, str(page.mark))
        writer.writerow([row.cidr, row.family, row.origin, *map(_cell, texts)])
    return out.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _template(page: Page) -> str:
    from exosync_adapters.file.template import fill

    return fill(page)


FORMATS: Mapping[Format, Renderer] = {
    Format.PLAIN: _plain,
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.NFTABLES: _nftables,
    Format.IPSET: _ipset,
    Format.POSTFIX: _postfix,
    Format.RSPAMD: _plain,
    Format.HAPROXY: _plain,
    Format.TERRAFORM: _terraform,
    Format.TEMPLATE: _template,
}
"""How each format is made. Rspamd maps and HAProxy's `-f` files are plain lists of CIDRs."""
