"""The image, built and run without an engine: buildah builds it, crun runs it.

As a cluster runs it: a process tree of its own, a read-only root, no capability, no way to new
privileges. The network is this machine's, so that the stand-ins on loopback are reached.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "image"
STATE = "/var/lib/exosync"
CONFIG = "/etc/exosync"
PROGRAMS = ("buildah", "crun", "unshare", "apt-get", "dpkg-deb")

Json = dict[str, Any]

# crun wants the unified hierarchy of control groups, and machines of today may have both.
_RUN = 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'


@dataclass(frozen=True)
class Image:
    """What was built: its file system, and what it says of how it is run."""

    root: Path
    config: Json


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of the image, with two folders of this machine in it."""

    image: Image
    folder: Path
    uid: int = 65532
    gid: int = 65532

    @property
    def state(self) -> Path:
        """The only place where it may write, with the rights that the image's own has."""
        return self.folder / "state"

    @property
    def config(self) -> Path:
        """The folder of its configuration, read-only there."""
        return self.folder / "config"

    def prepare(self, text: str) -> None:
        """Make the folders, with this configuration."""
        self.config.mkdir()
        (self.config / "exosync.yaml").write_text(text)
        own = (self.image.root / STATE.strip("/")).stat()
        self.state.mkdir()
        os.chown(self.state, own.st_uid, own.st_gid)
        self.state.chmod(own.st_mode & 0o7777)

    def run(self, *words: str, entry: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end: of exosync, or any program of the image."""
        with self.started(*words, entry=entry) as (process, _):
            out, told = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, told)

    @contextmanager
    def started(
        self, *words: str, entry: bool = True
    ) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Start a command; gives the process that waits for it, and the container's name."""
        name = f"exosync-{uuid4().hex}"
        bundle = self.folder / name
        bundle.mkdir()
        args = [*(self.image.config["Entrypoint"] if entry else []), *words]
        (bundle / "config.json").write_text(json.dumps(self._spec(args)))
        command = ["unshare", "--mount", "sh", "-c", _RUN, "sh", *_crun("run", "-b", bundle, name)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=bundle
        )
        try:
            yield process, name
        finally:
            subprocess.run(_crun("delete", "--force", name), check=False, capture_output=True)
            process.kill()
            process.communicate()

    def _spec(self, args: list[str]) -> Json:
        bound = ["bind", "nosuid", "nodev"]
        config = self.image.config
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": self.uid, "gid": self.gid},
                "args": args,
                "env": config["Env"],
                "cwd": config["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.image.root), "readonly": True},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                _bind(self.state, STATE, bound),
                _bind(self.config, CONFIG, [*bound, "ro"]),
            ],
            "linux": {"namespaces": [{"type": one} for one in ("pid", "mount", "ipc", "uts")]},
        }


def built() -> Image:
    """The image of this tree, built if it changed."""
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"building and running the image needs root and {', '.join(PROGRAMS)}")
    done = subprocess.run(
        [ROOT / "deploy" / "container" / "image.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((BUILD / "image.json").read_text())
    return Image(Path((BUILD / "root").read_text().strip()), told["Docker"]["config"])


def signalled(name: str, signal: str) -> None:
    """Send a signal to the first process of a container."""
    subprocess.run(_crun("kill", name, signal), check=True, capture_output=True)


def entered(name: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run one more program in a container that is at work, as its health check is run."""
    return subprocess.run(
        _crun("exec", name, *args), check=False, capture_output=True, text=True, timeout=60
    )


def _crun(*words: str | Path) -> list[str]:
    return ["crun", "--cgroup-manager=disabled", *map(str, words)]


def _bind(source: Path, destination: str, options: list[str]) -> Json:
    return {
        "destination": destination,
        "type": "bind",
        "source": str(source),
        "options": options,
    }
