"""A step for a person as text, Markdown and HTML. All three read the same JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from exosync.core.words import cleaned
from exosync.render.documents import environment

Json = dict[str, Any]

_MOST_LINES = 20


def text(view: Json) -> str:
    """For a terminal; the text to paste stands by itself, so that it can be marked."""
    return "\n".join(_lines(cleaned(view)))


def markdown(view: Json) -> str:
    """For a ticket."""
    return environment().get_template("todo.md.jinja").render(**_values(view)).strip()


def html(view: Json) -> str:
    """For a mail or a page: no scripts, nothing loaded from outside."""
    return environment().get_template("todo.html.jinja").render(**_values(view)).strip()


def _values(view: Json) -> Json:
    safe = cleaned(view)
    long = _is_long(safe["task"]["box"])
    return {"one": safe, "task": safe["task"], "ending": _ending(safe), "long": long}


def _lines(view: Json) -> Iterator[str]:
    task = view["task"]
    yield click.style(f"{view['target']} {view['setting']}", bold=True)
    yield f"  {task['title']}"
    due = click.style(" (overdue)", fg="red") if view["overdue"] else ""
    yield f"  plan {view['plan']}, since {_minute(view['opened_at'])}, due {_minute(view['due_at'])}{due}"
    yield f"  for {task['who']}"
    yield f"  where: {task['place']}"
    yield from (f"  + {one}" for one in task["added"])
    yield from (f"  - {one}" for one in task["removed"])
    if task.get("found"):
        yield ""
        yield click.style("There now", bold=True)
        yield ""
        yield task["found"]
    yield ""
    long = _is_long(task["box"])
    yield from () if long else _paste(view, "Paste")
    yield from _part("Fields", [f"{one['name']}: {one['value']}" for one in task["fields"]])
    yield from _part("How", task["instructions"])
    yield from _part("Know", task["reasons"])
    show = f"exosync todo show {view['target']} {view['setting']} --copy"
    yield from _paste(view, f"Paste (by itself: {show})") if long else ()
    yield _ending(view)


def _paste(view: Json, title: str) -> Iterator[str]:
    yield from (click.style(title, bold=True), "", view["task"]["box"], "")


def _is_long(box: str) -> bool:
    """Whether what comes after a text to paste would be read by nobody: it then comes before."""
    return box.count("\n") > _MOST_LINES


def _part(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield click.style(title, bold=True)
        yield from (f"  - {line}" for line in lines)
        yield ""


def _ending(view: Json) -> str:
    """How exosync learns that it is done."""
    command = f"exosync ack {view['target']} {view['setting']} --plan {view['plan']} --by NAME"
    if view["task"]["confirmation"] == "acknowledged":
        return f"exosync cannot see this. When it is done: {command}"
    delay = view["task"]["delay"]
    wait = "" if delay == "0s" else f", up to {delay} after"
    return f"A later run sees when it is done{wait}. To say so before: {command}"


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"
