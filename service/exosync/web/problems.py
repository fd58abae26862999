"""Errors as JSON: RFC 9457, "Problem Details for HTTP APIs"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from exosync.core.words import clean_json, one_line
from exosync.errors import ConfigError, ExosyncError, FeedError, MalformedError, UsageError
from exosync.secrets import redact

MEDIA = "application/problem+json"


class CleanJson(Response):
    """JSON without any character that could steer what shows it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """A value as JSON; lone surrogates and control characters as JSON's own escapes."""
        return clean_json(json.dumps(content, ensure_ascii=False)).encode()


class Problem(CleanJson):
    """An error as JSON."""

    media_type = MEDIA


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that cannot be met."""
    return Problem(problem_json(status, detail), status, headers)


def problem_json(status: int, detail: str) -> dict[str, Any]:
    """The same as JSON values: `type` about:blank says that `title` is the status in words."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": one_line(redact(detail)),
    }


def status_of(error: ExosyncError) -> int:
    """The status that an error of ours is told with.

    What has to be given otherwise can never be met. What is asked for by a name that
    does not exist, or before there is anything to tell, is not found. All else is the service's
    own trouble, and a later try may be met.
    """
    if isinstance(error, MalformedError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, UsageError | FeedError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, ConfigError):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return HTTPStatus.SERVICE_UNAVAILABLE
