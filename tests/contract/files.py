"""The harness of the kind `file`: the file system, heard through Python's audit events.

They tell of each call as the interpreter makes it (PEP 578): when the file is opened, and what
is renamed over it. An error that a hook raises is the error of that call.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exosync.core.ranges import IpRanges
from exosync.errors import TargetError
from tests.contract.harness import Can, Counted, Failure, Json
from tests.support.state import bound_by_permissions

_NEIGHBOURS = {"other.txt": b"192.0.2.0/24\n", "exo.txt.bak": b"\x00\xff 40.92.0.0/15"}
_BY_HAND = "# typed in by somebody\n"


class FileHarness(Counted):
    """A plain list in a folder of its own, beside files of other people."""

    name = "file"
    unreachable = TargetError  # a folder that is gone is no host that is silent
    cannot: Mapping[Can, str] = {
        Can.ASK: "no step of a file is for a person",
        Can.HIDE: "a file has no credentials",
        Can.SWAP: "no file system compares and swaps, see the documentation of the kind",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder / "lists"
        self.folder.mkdir()
        self.path = self.folder / "exo.txt"
        self.target: Json = {"kind": "file", "path": str(self.path)}
        self.where = (str(self.path),)
        self._deaf = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """A file has none."""
        return ()

    def state(self) -> object:
        """Every file of the folder."""
        with self._unheard():
            return {one.name: one.read_bytes() for one in sorted(self.folder.iterdir())}

    def listed(self) -> IpRanges:
        """The lines that are no comments."""
        with self._unheard():
            return _ranges(self.path)

    def foreign(self) -> object:
        """The other files: a list of ranges has one owner."""
        with self._unheard():
            found = (one for one in self.folder.iterdir() if one != self.path)
            return {one.name: one.read_bytes() for one in found}

    def add_foreign(self) -> None:
        """Files with names like ours."""
        for name, content in _NEIGHBOURS.items():
            (self.folder / name).write_bytes(content)

    def put_by_hand(self, ranges: IpRanges) -> None:
        """A list without a mark."""
        self.path.write_text(_BY_HAND + "".join(f"{one}\n" for one in ranges))

    def damage(self) -> None:
        """One line less."""
        with self._unheard():
            lines = self.path.read_text().splitlines(keepends=True)
            lines.remove(next(one for one in lines if one[0].isdigit()))
            self.path.write_text("".join(lines))

    def do(self, task: Json) -> None:
        """No step of a file is for a person."""
        raise AssertionError(task)

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """The folder is not mounted."""
        away = self.folder.rename(self.folder.with_name("away"))
        try:
            yield
        finally:
            away.rename(self.folder)

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The folder belongs to somebody else."""
        self.folder.chmod(0o500)
        try:
            with bound_by_permissions():
                yield
        finally:
            self.folder.chmod(0o700)

    def snapshot(self) -> Callable[[], None]:
        """A copy of the folder."""
        kept = self.folder.with_name("kept")
        shutil.copytree(self.folder, kept)

        def put_back() -> None:
            shutil.rmtree(self.folder)
            shutil.copytree(kept, self.folder)

        return put_back

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Take note of a call, or make it fail."""
        if self._deaf:
            return
        with self._unheard():
            if event == "os.rename" and str(args[1]) == str(self.path):
                self._renamed(Path(args[0]))
            elif event == "open" and str(args[0]) == str(self.path):
                self._opened(int(args[2]))

    def _renamed(self, source: Path) -> None:
        try:
            self._before_write()
        except Failure:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        self.history.append(_ranges(source))

    def _opened(self, flags: int) -> None:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self.writes += 1
        else:
            self._reads += 1

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before


def _ranges(path: Path) -> IpRanges:
    if not path.exists():
        return IpRanges()
    lines = path.read_text().splitlines()
    return IpRanges.parse(one for one in lines if one and not one.startswith("#"))


_HEARING: list[FileHarness] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _HEARING and event in ("open", "os.rename"):
        for one in _HEARING:
            one.hear(event, args)


sys.addaudithook(_hook)


@contextmanager
def file_harness(folder: Path) -> Iterator[FileHarness]:
    """A harness that hears as long as it is open."""
    harness = FileHarness(folder)
    _HEARING.append(harness)
    try:
        yield harness
    finally:
        _HEARING.remove(harness)
