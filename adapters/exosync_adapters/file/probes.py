"""What can be tried at a file without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from exosync.core.target import Check

_ROOM = 64 * 1024


def writable(path: Path, size: int) -> Iterator[Check]:
    """Whether the file at a real path (no symbolic link) can be replaced by `size` bytes."""
    yield _folder_check(path.parent)
    yield _room_check(path.parent, size)
    try:
        found = path.stat()
    except OSError:
        return
    yield _owner_check(path, found)
    if _is_mount(path):
        yield Check(
            "mount",
            ok=False,
            message=f"{path} is a mount point of its own, so it cannot be replaced",
            remedy="mount its folder instead of the file",
        )
    if found.st_nlink > 1:
        yield Check(
            "links",
            ok=None,
            message=f"{path} has {found.st_nlink} hard links; the others keep the old text",
            remedy="use symbolic links",
        )


def _folder_check(folder: Path) -> Check:
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return Check("writable", ok=True, message=f"{folder} can be written")
    if _read_only(folder):
        return Check(
            "writable",
            ok=False,
            message=f"{folder} is on a file system that is read-only",
            remedy="mount it for writing",
        )
    return Check(
        "writable",
        ok=False,
        message=f"uid {os.geteuid()} may not write in {folder}",
        remedy="give exosync's user the right to write there, or run it as another user",
    )


def _read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _room_check(folder: Path, size: int) -> Check:
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Check("space", ok=None, message=f"{folder}: free space unknown: {error.strerror}")
    free = found.f_bavail * found.f_frsize
    if free < size + _ROOM:
        message = f"{folder} has {free:,} bytes left; {size + _ROOM:,} are wanted"
        return Check("space", ok=False, message=message, remedy="free some space")
    return Check("space", ok=True, message=f"{folder} has room for the file")


def _owner_check(path: Path, found: os.stat_result) -> Check:
    user = os.geteuid()
    groups = {os.getegid(), *os.getgroups()}
    if user == 0 or (found.st_uid == user and found.st_gid in groups):
        return Check("ownership", ok=True, message=f"owner and group of {path} can be kept")
    return Check(
        "ownership",
        ok=False,
        message=f"{path} belongs to uid {found.st_uid}, gid {found.st_gid}, which uid {user} "
        "cannot keep",
        remedy="run exosync as the file's user, or give the file to exosync's user",
    )


def _is_mount(path: Path) -> bool:
    """Whether a file is mounted by itself, as containers do with single files (proc(5))."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").split("\n")
    except OSError:
        return False
    # Blanks and the like stand as octal escapes there.
    told = "".join(f"\\{ord(one):03o}" if one in " \t\n\\" else one for one in str(path))
    return any(len(parts := line.split(" ")) > 4 and parts[4] == told for line in lines)
