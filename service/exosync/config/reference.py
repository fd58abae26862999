"""What the configuration can hold and does hold: as in force, as JSON Schema, as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from exosync.config.faults import keys_of, models_in
from exosync.config.kinds import Kinds, installed_kinds, load_kind
from exosync.config.models import Config, TargetConfig, TargetKeys
from exosync.config.problems import KeyPath, is_secret_key
from exosync.config.types import Told
from exosync.core.secret import SecretRef
from exosync.core.urls import masked_url
from exosync.core.windows import Window

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def shown(config: Config) -> dict[str, Any]:
    """The configuration as in force, as JSON values: defaults filled in, secrets by reference.

    Passwords that stand in addresses are `***`.
    """
    values = config.model_dump(mode="json", by_alias=True, exclude={"targets"})
    values["targets"] = [
        {
            "name": target.name,
            "kind": target.kind,
            "mode": target.mode.value,
            "families": target.families,
            "schedule": str(target.schedule or config.schedule.targets),
            "windows": [one.text for one in _windows(config, target)],
            "labels": list(target.labels),
            **target.settings.model_dump(mode="json", by_alias=True, fallback=str),
        }
        for target in config.targets
    ]
    masked: dict[str, Any] = _masked(values, ())
    return masked


def _windows(config: Config, target: TargetConfig) -> tuple[Window, ...]:
    return config.schedule.windows if target.windows is None else target.windows


def _masked(value: Any, path: KeyPath) -> Any:
    if isinstance(value, Mapping):
        if is_secret_key(path) and value.keys() <= {"file", "env"}:
            return {key: text for key, text in value.items() if text is not None}
        return {key: _masked(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, path) for inner in value]
    if isinstance(value, str):
        return "***" if is_secret_key(path) else masked_url(value)
    return value


def schema(kinds: Kinds | None = None) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the configuration file, every installed kind included."""
    found = installed_kinds() if kinds is None else kinds
    made = Config.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = made.setdefault("$defs", {})
    common = _definition(TargetKeys, definitions, "")
    common["properties"]["kind"]["enum"] = list(found)
    branches = []
    for name in found:
        definitions[f"{name}.target"] = _target(name, common, found, definitions)
        is_kind = {"properties": {"kind": {"const": name}}, "required": ["kind"]}
        branches.append({"if": is_kind, "then": {"$ref": f"#/$defs/{name}.target"}})
    made["properties"]["targets"]["items"] = {
        "type": "object",
        "required": common["required"],
        "properties": {"kind": common["properties"]["kind"]},
        "allOf": branches,
    }
    _one_source(definitions)
    return {"$schema": DIALECT, **made, "title": "exosync"}


def _target(
    name: str, common: dict[str, Any], kinds: Kinds, definitions: dict[str, Any]
) -> dict[str, Any]:
    """The closed schema of one kind's targets: the common keys and its own."""
    own = _definition(load_kind(name, kinds).settings, definitions, f"{name}.")
    properties = {**common["properties"], **own.get("properties", {})}
    required = [*common["required"], *own.get("required", ())]
    return {**own, "properties": properties, "required": required}


def _definition(model: type[BaseModel], definitions: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The schema of one model; the models in it are added to `definitions` under a prefix."""
    made = model.model_json_schema(by_alias=True, ref_template=f"#/$defs/{prefix}{{model}}")
    for name, inner in made.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = inner
    return made


def _one_source(definitions: dict[str, Any]) -> None:
    """A reference to a secret has exactly one source, which its model checks by code."""
    for name, made in definitions.items():
        if name.rpartition(".")[2] == SecretRef.__name__:
            made["oneOf"] = [{"required": ["file"]}, {"required": ["env"]}]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that can be configured.

    `default` is its text as YAML would show it; None if the key is required. `kind` is set
    for the keys of one kind of target.
    """

    key: str
    type: str
    default: str | None
    description: str
    kind: str = ""


def describe_settings(kinds: Kinds | None = None) -> list[Setting]:
    """Every key, in the order of the models; those of each installed kind come last."""
    found = installed_kinds() if kinds is None else kinds
    settings = list(_settings(Config, ""))
    settings += _settings(TargetKeys, "targets[].")
    for name in found:
        settings += _settings(load_kind(name, found).settings, "targets[].", name)
    return settings


def _settings(model: type[BaseModel], prefix: str, kind: str = "") -> Iterator[Setting]:
    for key, field in keys_of(model).items():
        yield Setting(
            f"{prefix}{key}", _type(field), _default(field), field.description or "", kind
        )
        many = "[]" if get_origin(field.annotation) in (list, tuple) else ""
        for inner in models_in(field.annotation):
            if inner is not SecretRef:
                yield from _settings(inner, f"{prefix}{key}{many}.", kind)


def _type(field: FieldInfo) -> str:
    told = next((one.words for one in field.metadata if isinstance(one, Told)), None)
    return told or _words(field.annotation)


_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    timedelta: "duration",
    type(None): "",
    SecretRef: "secret reference, {file: PATH} or {env: NAME}",
}


def _words(annotation: Any) -> str:
    """A type in words."""
    if annotation in _NAMES:
        return _NAMES[annotation]
    arguments = get_args(annotation)
    match get_origin(annotation):
        case None:
            return _class_words(annotation)
        case origin if origin is Literal:
            return _one_of(str(value) for value in arguments)
        case origin if origin in (list, tuple, set, frozenset):
            return f"list of {_words(arguments[0])}"
        case origin if origin in (dict, Mapping):
            return "keys and values"
        case origin if hasattr(annotation, "__metadata__"):
            told = next((one.words for one in arguments[1:] if isinstance(one, Told)), None)
            return told or _words(arguments[0])
    return " or ".join(filter(None, (_words(one) for one in arguments)))


def _class_words(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of(str(member.value) for member in annotation)
    return "keys and values" if models_in(annotation) else "text"


def _one_of(values: Iterator[str]) -> str:
    return f"one of {', '.join(values)}"


def _default(field: FieldInfo) -> str | None:
    """The default as text; a section's is that of the keys in it."""
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ""
    return _yaml(_plain(field, value))


def _plain(field: FieldInfo, value: Any) -> Any:
    """A default as JSON values, by the field's own serializer."""
    from pydantic import TypeAdapter

    annotation: Any = field.annotation
    for one in field.metadata:
        annotation = Annotated[annotation, one]
    return TypeAdapter(annotation).dump_python(value, mode="json")


def _yaml(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
