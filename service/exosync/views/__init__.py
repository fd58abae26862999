"""What is shown of the state, as JSON values: one place for commands, the page and the API.

Nobody outside is asked; what a caller learns elsewhere (a target's own answer, say) it hands in.
"""

from exosync.views.source import Shelf, Source

__all__ = ["Shelf", "Source"]
