"""The command line as a test uses it: in this process, in a folder of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from exosync.cli import run
from tests.support.state import put_empty_state

if TYPE_CHECKING:
    import pytest

Json = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass
class Shell:
    """A folder with a configuration, where commands are run."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def configure(self, **settings: Any) -> Path:
        """Write the configuration; unless it says where, there is a state without history."""
        if "state" not in settings:
            put_empty_state(self.folder)
        path = self.folder / "exosync.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return path

    def run(self, *words: str) -> Ended:
        """Run a command."""
        self.capture.readouterr()
        code = run(words)
        said = self.capture.readouterr()
        return Ended(code, said.out, said.err)

    def json(self, *words: str) -> Any:
        """What a command prints with `--json`."""
        return self.run(*words, "--json").json
