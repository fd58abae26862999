"""Microsoft's endpoints web service, asked over HTTP."""

from __future__ import annotations

from exosync.feed.client import FeedClient

__all__ = ["FeedClient"]
