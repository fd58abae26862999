"""A file is read whole, and replaced whole: every reader sees the old text or the new one.

Written to a temporary file in the same folder, brought to the disk (fsync), renamed over the
file, and the folder brought to the disk. A crash at any point leaves one of the two texts; a
temporary file that it leaves behind is removed by the next write. There is no
compare-and-swap in a file system: the caller's `unchanged` is asked right before the rename.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from exosync.errors import TargetConflict, TargetDenied, TargetError

MOST_BYTES = 16 * 1024**2
"""The longest file that is read."""

POINTS = ("created", "half", "written", "synced", "renamed", "done")
"""Where a write calls its `hook`, in order. The new text is there from "renamed" on."""

Hook = Callable[[str], None]

_DENIED = (
    "exosync may not do that: give its user the right to write in the folder and to read the file"
)
_READ_ONLY = "the file system is read-only"
_FULL = "there is no room left on the disk: free some and run again; nothing was changed"
_NO_FOLDER = "its folder does not exist: create it, or correct `path`"

_REASONS: Mapping[int, tuple[type[TargetError], str]] = {
    errno.ENOENT: (TargetError, _NO_FOLDER),
    errno.ENOTDIR: (TargetError, _NO_FOLDER),
    errno.EISDIR: (TargetError, "it is a folder, not a file: correct `path`"),
    errno.ELOOP: (TargetError, "its symbolic links lead in a circle"),
    errno.ENAMETOOLONG: (TargetError, "its name is too long"),
    errno.EACCES: (TargetDenied, _DENIED),
    errno.EPERM: (TargetDenied, _DENIED),
    errno.EROFS: (TargetDenied, _READ_ONLY),
    errno.ENOSPC: (TargetError, _FULL),
    errno.EDQUOT: (TargetError, _FULL),
    errno.EFBIG: (TargetError, "the limit for the size of a file is reached; nothing was changed"),
    errno.EBUSY: (
        TargetError,
        "it is a mount point of its own, so it cannot be replaced: mount its folder instead",
    ),
}


def read(path: Path) -> bytes | None:
    """The content of a file, None if there is none; symbolic links are followed.

    Raises TargetDenied if it may not be read, TargetError if its folder does not exist, if it
    is no regular file or larger than MOST_BYTES.
    """
    with _explained(path, "cannot be read"):
        try:
            _require_regular(path, path.stat())
            # A pipe put there in between must not hold us up.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            folder = real(path).parent
            if not folder.is_dir():
                raise TargetError(
                    f"{path}: the folder {folder} does not exist: create it, or correct `path`"
                ) from None
            return None
        with os.fdopen(handle, "rb") as file:
            _require_regular(path, os.fstat(handle))
            data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TargetError(f"{path}: is over {MOST_BYTES // 1024**2} MiB: this is no list of ranges")
    return data


def real(path: Path) -> Path:
    """The file that symbolic links lead to, whether it exists or not."""
    return Path(os.path.realpath(path))


def _nothing(_point: str) -> None:
    """The hook of a write that nobody watches."""


def write(
    path: Path,
    data: bytes,
    *,
    permissions: int,
    unchanged: Callable[[], None] = lambda: None,
    hook: Hook = _nothing,
) -> None:
    """Replace the content of a file, or make it.

    The file keeps its owner, group, permissions and extended attributes; a new one gets
    `permissions` whatever the umask. `unchanged` raises if the file must not be replaced.
    Raises TargetDenied, TargetError or TargetConflict; the file is then as it was, unless the
    message says otherwise.
    """
    target = real(path)
    with _explained(path, "cannot be written"):
        _sweep(target)
        temporary, handle = _create(target)
        try:
            hook("created")
            _claim(path, handle)
            _fill(handle, data, hook)
            _dress(path, target, handle, permissions)
            os.fsync(handle)
            hook("synced")
            unchanged()
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(handle)
        hook("renamed")
    _sync_folder(path, target.parent)
    hook("done")


def _require_regular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise TargetError(f"{path}: is no regular file (a device, pipe or socket): correct `path`")


def _stem(target: Path) -> str:
    """How the names of our temporary files for this file begin."""
    return f".exosync-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"


def _create(target: Path) -> tuple[Path, int]:
    """A new temporary file beside the target, for its owner alone until it is complete."""
    temporary = target.parent / f"{_stem(target)}{os.urandom(6).hex()}.tmp"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return temporary, os.open(temporary, flags, 0o600)


def _claim(path: Path, handle: int) -> None:
    """Lock the temporary file, which tells `_sweep` that its writer lives."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TargetConflict(
            f"{path}: another process is writing it; nothing was changed"
        ) from None
    except OSError:
        # A file system without locks: leftovers of a crash are not told from live ones there.
        return


def _sweep(target: Path) -> None:
    """Remove what writers that were killed have left: temporary files that nobody locks."""
    for left in target.parent.glob(f"{_stem(target)}*.tmp"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(handle)


def _fill(handle: int, data: bytes, hook: Hook) -> None:
    half = len(data) // 2
    for part, point in ((data[:half], "half"), (data[half:], "written")):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(handle, rest) :]
        hook(point)


def _dress(path: Path, target: Path, handle: int, permissions: int) -> None:
    """Give the temporary file the owner, group, permissions and attributes of the target."""
    try:
        old = target.stat()
    except FileNotFoundError:
        os.fchmod(handle, permissions)
        return
    _require_regular(path, old)
    new = os.fstat(handle)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(handle, old.st_uid, old.st_gid)
        except PermissionError:
            raise TargetDenied(
                f"{path}: belongs to uid {old.st_uid}, gid {old.st_gid}, which exosync's user "
                "cannot keep: run exosync as that user, or give the file to it"
            ) from None
    # After the owner: a change of owner takes bits away.
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
    _copy_attributes(target, handle)


def _copy_attributes(target: Path, handle: int) -> None:
    """Keep ACLs, SELinux's label and the like, where the file system and our rights allow."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        for name in os.listxattr(target):
            with suppress(OSError):
                os.setxattr(handle, name, os.getxattr(target, name))


def _sync_folder(path: Path, folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        # Some file systems know no fsync of a folder; they are no less safe for it.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            told = f"{path}: was written, but it is not certain that it is on the disk"
            raise TargetError(f"{told}: {error.strerror}") from error


@contextmanager
def _explained(path: Path, verb: str) -> Iterator[None]:
    """Turn errors of the operating system into ours, with what to do."""
    try:
        yield
    except OSError as error:
        kind, reason = _REASONS.get(error.errno or 0, (TargetError, error.strerror or str(error)))
        raise kind(f"{path}: {verb}: {reason}") from error
