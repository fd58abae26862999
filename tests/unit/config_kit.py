"""Two small kinds of target, and a way to load a configuration written in a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from exosync.config import Config, Loaded, load
from exosync.core.secret import SecretRef
from exosync.core.target import Context, Target


class Closed(BaseModel):
    """What the settings of kinds have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ListSettings(Closed):
    """The keys of the kind `list`."""

    path: Path = Field(description="Where it is.")
    format: Literal["plain", "postfix"] = Field(default="plain", description="How it is written.")
    value: str | None = Field(default=None, description="What stands behind each range.")

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        if self.value is not None and self.format == "plain":
            raise ValueError("value: is for format postfix: remove it")
        return self


class KeySettings(Closed):
    """The key of a zone."""

    name: str = Field(description="Its name.")
    secret: SecretRef = Field(description="Where its secret is.")


class Login(Closed):
    """Another way in."""

    user: str = Field(description="Who.")
    password: SecretRef = Field(description="Where the password is.")


class Bearer(Closed):
    """Yet another way in."""

    token: SecretRef = Field(description="Where the token is.")


class DnsSettings(Closed):
    """The server of a zone."""

    server: str = Field(default="localhost", description="Who is asked.")
    port: int = Field(default=53, ge=1, le=65535, description="Where it listens.")
    key: KeySettings | None = Field(default=None, description="What signs.")


class ZoneSettings(Closed):
    """The keys of the kind `zone`."""

    domain: str = Field(max_length=253, description="The domain.")
    terms: tuple[str, ...] = Field(default=(), description="Further senders.")
    dns: DnsSettings = Field(default_factory=DnsSettings, description="The server.")
    login: Login | Bearer | None = Field(default=None, description="How to get in.")


class Kind:
    """A kind that can be configured and never built."""

    def __init__(self, name: str, settings: type[BaseModel]) -> None:
        self.name = name
        self.settings = settings

    def contradictions(self, targets: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Two targets of kind `list` must not write the same file."""
        seen: set[Path] = set()
        for name, settings in targets.items():
            path = getattr(settings, "path", None)
            if path in seen:
                yield name, "path", "another target writes this file"
            seen |= {path} if path else set()

    def build(self, name: str, settings: Any, context: Context) -> Target:
        """No test of the configuration builds a target."""
        raise NotImplementedError


KINDS = {"list": lambda: Kind("list", ListSettings), "zone": lambda: Kind("zone", ZoneSettings)}

ONE_TARGET = "targets: [{name: edge, kind: list, path: out.txt}]\n"


class Loader:
    """Writes a configuration into a folder and loads it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "exosync.yaml"

    def __call__(self, text: str = "", *, targets: str = ONE_TARGET, **environ: str) -> Loaded:
        """Load `text`, and one good target unless `targets` are given."""
        self.path.write_text(dedent(text) + dedent(targets), encoding="utf-8")
        return load(self.path, environ=environ, kinds=KINDS)

    def config(self, text: str = "", *, targets: str = ONE_TARGET, **environ: str) -> Config:
        """The same, for those who look at the configuration alone."""
        return self(text, targets=targets, **environ).config
