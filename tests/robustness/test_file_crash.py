"""Killed, starved of room and shut in: a file is the old text or the new one, always whole."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exosync_adapters.file import atomic
from tests.support.file_child import NEW, command, environment, namespaces, run
from tests.support.file_targets import bring, desired, file_target

OLD = ("40.92.0.0/15", "40.107.0.0/16")
SIGKILL = -9
LARGE = 3 * 1024**2


def texts(folder: Path) -> dict[str, str]:
    """Every file of a folder."""
    return {one.name: one.read_text() for one in folder.iterdir()}


def leftovers(folder: Path) -> list[Path]:
    """The temporary files in a folder."""
    return list(folder.glob(".exosync-*.tmp"))


def text_with(folder: Path, *cidrs: str) -> str:
    """The text that a target writes for these ranges, in a folder of its own."""
    folder.mkdir()
    bring(file_target(folder), desired(*cidrs))
    return (folder / "list").read_text()


@contextmanager
def started(folder: Path, action: str, argument: str = "") -> Iterator[subprocess.Popen[str]]:
    """A child at work; it is killed at the end."""
    words = command(folder, action, argument)
    child = subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)
    with child:
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("point", atomic.POINTS)
@pytest.mark.parametrize("exists", [True, False])
def test_a_killed_write_leaves_a_whole_file(tmp_path: Path, point: str, exists: bool) -> None:
    """Wherever SIGKILL hits, the file is whole, and the next run brings everything in order."""
    new = text_with(tmp_path / "new", *NEW)
    folder = tmp_path / "work"
    folder.mkdir()
    if exists:
        bring(file_target(folder), desired(*OLD))
    old = texts(folder)
    between = desired(*NEW).keeping(file_target(folder).observe().owned)
    done = run(command(folder, "kill_at", point))
    assert SIGKILL == done.returncode, done.stderr
    written = atomic.POINTS.index(point) >= atomic.POINTS.index("renamed")
    assert (0 if written else 1) == len(leftovers(folder))
    if written:
        assert between.ranges == file_target(folder).observe().owned
    else:
        assert old == {name: text for name, text in texts(folder).items() if name == "list"}
    bring(file_target(folder), desired(*NEW))
    assert {"list": new} == texts(folder)


def test_what_a_living_writer_writes_is_not_swept_away(tmp_path: Path) -> None:
    """Only what nobody holds is removed; two writers do not spoil each other's file."""
    bring(file_target(tmp_path), desired(*OLD))
    with started(tmp_path, "stop_at", "written") as child:
        assert child.stdout is not None
        assert "written\n" == child.stdout.readline()
        [living] = leftovers(tmp_path)
        bring(file_target(tmp_path), desired(*NEW))
        assert [living] == leftovers(tmp_path)
    bring(file_target(tmp_path), desired(*OLD))
    assert [] == leftovers(tmp_path)


def test_files_of_others_are_not_swept_away(tmp_path: Path) -> None:
    """What only looks like a temporary file of another target stays."""
    others = [tmp_path / ".exosync-0123456789ab-cdef.tmp", tmp_path / ".list.tmp"]
    for one in others:
        one.touch()
    bring(file_target(tmp_path), desired(*NEW))
    assert {"list", *(one.name for one in others)} == set(texts(tmp_path))


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While a large file is replaced again and again, every reading is of one text."""
    file = tmp_path / "list"
    atomic.write(file, b"-" * LARGE, permissions=0o644)
    seen = set[int]()
    with started(tmp_path, "write_large", str(LARGE)) as child:
        while len(seen) < 8:
            assert child.poll() is None
            data = file.read_bytes()
            assert {data[0]} == set(data)
            assert LARGE == len(data)
            seen.add(data[0])


@pytest.mark.parametrize("limit", ["0", "10", "150"])
def test_a_limit_on_files_leaves_the_old_text(tmp_path: Path, limit: str) -> None:
    """Where no file may grow to the size wanted, nothing changes and nothing is left."""
    bring(file_target(tmp_path), desired(*OLD))
    old = texts(tmp_path)
    done = run(command(tmp_path, "starve", limit))
    assert 4 == done.returncode, done.stderr
    assert "TargetError" in done.stdout
    assert f"{tmp_path}/list: cannot be written: the limit for the size" in done.stdout
    assert old == texts(tmp_path)


# --- file systems made for the test


def in_mount_namespace(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of shell where mounts are seen by nobody else."""
    words = namespaces("--mount")
    if words is None:
        pytest.skip("this machine lets us make no mount namespace")
    script = folder / "script.sh"
    script.write_text("set -e\n" + "".join(f"{line}\n" for line in lines))
    done = run([*words, "sh", str(script)])
    if "permission denied" in done.stderr:
        pytest.skip("this machine lets us mount nothing")
    return done


def shell(words: list[str]) -> str:
    """A command as a line of shell that is not to stop the script."""
    return " ".join(f"'{word}'" for word in words) + " || echo ended with $?"


def test_a_full_disk_leaves_the_old_text(tmp_path: Path) -> None:
    """On a disk without room, nothing changes, nothing is left, and the message says so."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = in_mount_namespace(
        tmp_path,
        f"mount -t tmpfs -o size=64k none {disk}",
        f"printf '' > {disk}/list",
        f"cat /dev/zero 2>/dev/null > {disk}/filler || true",
        shell(command(disk, "write")),
        f"ls -A {disk}",
        f"wc -c < {disk}/list",
        f"rm {disk}/filler",
        shell(command(disk, "write")),
        f"grep -c 40.92.0.0/15 {disk}/list",
    )
    assert 0 == done.returncode, done.stderr
    told, ended, *rest = done.stdout.splitlines()
    assert f"TargetError: {disk}/list: cannot be written: there is no room left" in told
    assert "ended with 4" == ended
    assert ["filler", "list", "0", "1"] == rest


def test_a_disk_that_is_read_only_is_told(tmp_path: Path) -> None:
    """A file system without writing is a matter of rights, not of the file."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = in_mount_namespace(
        tmp_path, f"mount -t tmpfs -o ro none {disk}", shell(command(disk, "write"))
    )
    assert 0 == done.returncode, done.stderr
    assert "TargetDenied" in done.stdout
    assert f"{disk}/list: cannot be written: the file system is read-only" in done.stdout


def test_a_file_that_is_mounted_by_itself_is_told(tmp_path: Path) -> None:
    """A single file that is mounted into a container cannot be replaced: mount its folder."""
    work = tmp_path / "a work"
    work.mkdir()
    (work / "list").touch()
    (tmp_path / "outside").touch()
    done = in_mount_namespace(
        tmp_path,
        f"mount --bind '{tmp_path}/outside' '{work}/list'",
        shell(command(work, "write")),
        shell(command(work, "check")),
        f"ls -A '{work}'",
    )
    assert 0 == done.returncode, done.stderr
    told, ended, *checks = done.stdout.splitlines()
    assert "mount point of its own, so it cannot be replaced: mount its folder" in told
    assert "ended with 4" == ended
    assert ["mount", "list"] == checks
    assert "" == (tmp_path / "outside").read_text()
