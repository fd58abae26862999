"""A step for a person as text, Markdown and HTML. All three read the same JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from exosync.core.words import cleaned
from exosync.render.documents import environment

Json = dict[str, Any]


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
    return {"one": safe, "task": safe["task"], "ending": _ending(safe)}


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
    yield click.style("Paste", bold=True)
    yield ""
    yield task["box"]
    yield ""
    yield from _part("Fields", [f"{one['name']}: {one['value']}" for one in task["fields"]])
    yield from _part("How", task["instructions"])
    yield from _part("Know", task["reasons"])
    yield _ending(view)


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
