"""What pydantic finds, in our words: which key, what is wrong, what to do. No value leaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from exosync.config.problems import KeyPath, unknown_key
from exosync.core.words import plural

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_WORDS = {
    "missing": "is required",
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path",
    "model_type": "must be keys and values (key: value)",
    "model_attributes_type": "must be keys and values (key: value)",
    "dict_type": "must be keys and values (key: value)",
    "mapping_type": "must be keys and values (key: value)",
    "list_type": "must be a list (- item)",
    "tuple_type": "must be a list (- item)",
    "set_type": "must be a list (- item)",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}


def faults(
    error: ValidationError,
    model: type[BaseModel],
    values: object,
    *,
    echo: bool,
    also: tuple[str, ...] = (),
) -> Iterator[tuple[KeyPath, str]]:
    """Every fault with its key. Values are named only with `echo`, and only short plain ones.

    `values` is what was validated: branches of unions, which pydantic puts into its paths,
    are told from keys by it. What several branches say of one key is joined by "or". `also`
    are keys that stand beside the model's own.
    """
    found: dict[KeyPath, dict[str, None]] = {}
    lacking: dict[KeyPath, bool] = {}
    for detail in error.errors(include_url=False):
        path = _keys(detail, values)
        if detail["type"] == "extra_forbidden":
            known = [*(() if path[1:] else also), *known_keys(model, path[:-1])]
            told = unknown_key(str(path[-1]), known)
        else:
            told = _told(detail, echo=echo)
        path, told = _at_its_key(path, told, model)
        found.setdefault(path, {})[told] = None
        # A list with an entry that is wrong is not short of one.
        lacking[path] = lacking.get(path, True) and detail["type"] == "too_short"
    for path, texts in found.items():
        if not (lacking.get(path) and any(_is_below(one, path) for one in found)):
            yield path, ", or ".join(texts)


def _is_below(path: KeyPath, above: KeyPath) -> bool:
    return len(path) > len(above) and path[: len(above)] == above


def _keys(detail: ErrorDetails, values: object) -> KeyPath:
    """The path without names of union branches: they are no keys of the values."""
    path: list[str | int] = []
    at: Any = values
    for part in detail["loc"]:
        if _holds(at, part):
            at = at[part]
        elif detail["type"] != "missing" or part != detail["loc"][-1]:
            continue
        path.append(part)
    return tuple(path)


def _holds(values: object, part: str | int) -> bool:
    if isinstance(values, Mapping):
        return part in values
    return isinstance(values, list | tuple) and isinstance(part, int) and part < len(values)


def _told(detail: ErrorDetails, *, echo: bool) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        told = str(context["error"])
    elif kind in ("literal_error", "enum", "union_tag_invalid"):
        return _choice(detail, echo=echo)
    elif kind == "too_short":
        told = f"needs at least {plural(context['min_length'], 'entry')}"
    elif kind == "too_long":
        most = plural(context["max_length"], "entry")
        told = f"may have {most} at most, and has {context['actual_length']}"
    elif kind in _WORDS:
        told = _WORDS[kind].format(**context)
    else:
        told = detail["msg"][:1].lower() + detail["msg"][1:]
    tells_it = not echo or kind == "missing" or str(detail["input"]) in told
    return told if tells_it else f"{told}{_shown(detail['input'])}"


def _at_its_key(path: KeyPath, told: str, model: type[BaseModel]) -> tuple[KeyPath, str]:
    """What a check over several keys says of one, as `dns.zone: …`, goes to that key."""
    key, colon, rest = told.partition(": ")
    below = tuple(key.split("."))
    if not colon or below[0] not in known_keys(model, path):
        return path, told
    return (*path, *below), rest


def _choice(detail: ErrorDetails, *, echo: bool) -> str:
    """What to say where one of a few words must stand."""
    context = detail.get("ctx", {})
    texts = context.get("expected") or context.get("expected_tags") or ""
    words = [word.strip("'\" ") for word in texts.replace(" or ", ", ").split(",")]
    given = detail["input"]
    told = f"must be {', '.join(words[:-1])} or {words[-1]}" if words[1:] else f"must be {words[0]}"
    near = get_close_matches(given.lower(), words, n=1) if isinstance(given, str) else []
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{told}{_shown(given) if echo else ''}{hint}"


def _shown(value: object) -> str:
    """`, not 'x'` for a value that can be shown: a short plain one."""
    if isinstance(value, bool | int | float):
        return f", not {value}".lower()
    if isinstance(value, str) and len(value) <= 60 and "@" not in value:
        return f", not {ascii(value) if not value.isprintable() else repr(value)}"
    return ""


def known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that may stand under a path of a model, those of all branches of a union."""
    models = [model]
    for part in path:
        if isinstance(part, str):
            fields = [keys_of(one).get(part) for one in models]
            models = [inner for one in fields if one for inner in models_in(one.annotation)]
    return list(dict.fromkeys(key for one in models for key in keys_of(one)))


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the keys that the configuration calls them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation speaks of: in unions, lists and options."""
    if get_origin(annotation) is None:
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return [annotation] if is_model else []
    return [model for inner in get_args(annotation) for model in models_in(inner)]
