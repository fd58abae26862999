"""What Microsoft says it changed: the answers of /changes, for explaining and nothing else.

exosync goes by /endpoints; the texts here are shown to people and never reach a target.
"""

from __future__ import annotations

from dataclasses import dataclass

from exosync.core.answers import Fields, load, one_line, rejected, shown

WHERE = "answer of /changes"


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """One change that Microsoft published.

    `disposition` is change, add or remove. `impact` is empty in records older than version
    2018112800. `effective_date` is YYYYMMDD, empty where none is given (removals have none).
    There is no service area in it: `endpoint_set_id` must be looked up in a snapshot.
    """

    id: int
    endpoint_set_id: int
    disposition: str
    impact: str
    version: str
    add_ips: tuple[str, ...] = ()
    add_urls: tuple[str, ...] = ()
    remove_ips: tuple[str, ...] = ()
    remove_urls: tuple[str, ...] = ()
    effective_date: str = ""


def parse_changes(body: bytes | str) -> tuple[PublishedChange, ...]:
    """Read an answer of /changes, in its order.

    Unknown fields, dispositions and impacts are fine, and `add` and `remove` may be missing.
    Raises FeedRejected: those of `exosync.core.answers.load`, wrong_type, missing_field,
    bad_version.
    """
    answer = load(body, WHERE)
    if not isinstance(answer, list):
        raise rejected(
            "wrong_type", WHERE, f"this is {shown(answer)} where a list of changes belongs"
        )
    return tuple(_change(item, index) for index, item in enumerate(answer))


def _change(item: object, index: int) -> PublishedChange:
    fields = Fields.of(item, f"{WHERE}, entry {index}")
    add, remove = _part(fields, "add"), _part(fields, "remove")
    return PublishedChange(
        id=fields.integer("id"),
        endpoint_set_id=fields.integer("endpointSetId"),
        disposition=fields.optional_text("disposition").lower(),
        impact=fields.optional_text("impact"),
        version=fields.version("version"),
        add_ips=_lines(add, "ips"),
        add_urls=_lines(add, "urls"),
        remove_ips=_lines(remove, "ips"),
        remove_urls=_lines(remove, "urls"),
        effective_date=add.optional_text("effectiveDate"),
    )


def _part(fields: Fields, key: str) -> Fields:
    value = fields.values.get(key)
    return Fields.of({} if value is None else value, f"{fields.where}, {key}")


def _lines(fields: Fields, key: str) -> tuple[str, ...]:
    return tuple(one_line(text) for text in fields.optional_texts(key))
