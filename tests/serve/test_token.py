"""A service whose page needs a token does not start without a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.test_service import command
from tests.standins.endpoints import EndpointsStandIn
from tests.support.served import configure, file_target


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "does not exist"), ("", "is empty"), ("abc\n", "has 3 characters")],
)
def test_a_token_that_is_missing_or_short_is_told_at_the_start(
    tmp_path: Path, feed: EndpointsStandIn, text: str | None, words: str
) -> None:
    """And by check."""
    web = {"listen": "127.0.0.1:0", "token": {"file": "token"}}
    configure(tmp_path, feed.url, targets=[file_target()], web=web)
    if text is not None:
        (tmp_path / "token").write_text(text)
    started, checked = command(tmp_path, "serve"), command(tmp_path, "check")
    assert (64, 4) == (started.returncode, checked.returncode)
    assert "web.token: " in started.stderr
    assert words in started.stderr
    assert words in checked.stdout
