"""Target kind `file`: the desired ranges as a file that other programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exosync_adapters.file.settings import FileSettings

if TYPE_CHECKING:
    from exosync.core.target import Context
    from exosync_adapters.file.target import FileTarget


class FileKind:
    """Makes file targets; what does the work is imported when the first one is made."""

    name = "file"
    settings = FileSettings

    def build(self, name: str, settings: FileSettings, context: Context) -> FileTarget:
        """Make one target. Relative paths start at the context's folder; nothing is read yet."""
        from exosync_adapters.file.target import FileTarget

        return FileTarget(name, settings, owner=context.owner, base=context.base)


kind: Final = FileKind()
"""What the entry point of the group `exosync.targets` names."""
