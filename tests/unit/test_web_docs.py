"""What the guide and the reference say of the page and the API is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

from fastapi.routing import APIRoute

from exosync.web.gate import LONGEST_PATH, LONGEST_QUERY
from exosync.web.pages import Pages, router
from exosync.web.reading import Reader
from exosync.web.session import LASTS
from tests.web.document import PLACE, document

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "guides" / "page.md").read_text(encoding="utf-8")


def test_the_openapi_document_is_what_the_code_makes() -> None:
    """The file in the tree is the one that a running service gives."""
    told = "run: python -m tests.web.document"
    assert document() == PLACE.read_text(encoding="utf-8"), told


def test_every_path_of_the_api_stands_in_the_reference() -> None:
    """And no other."""
    paths = json.loads(document())["paths"]
    assert set(paths) == set(re.findall(r"^\| `(/api/v1/[^`]*)`", API, re.MULTILINE))


def test_every_page_stands_in_the_guide() -> None:
    """Each address with what it shows, and no other."""
    shown = GUIDE.partition("\n## What it shows\n")[2].partition("\n## ")[0]
    pages = router(Pages(cast("Reader", None), str))
    paths = {one.path for one in pages.routes if isinstance(one, APIRoute)}
    assert paths | {"/sign-in"} == set(re.findall(r"^\| `(/[^`]*)`", shown, re.MULTILINE))


def test_the_limits_are_those_of_the_code() -> None:
    """Lengths, and how long a session lasts."""
    assert f"{LONGEST_PATH} characters" in API
    assert f"{LONGEST_QUERY:,}" in API
    assert f"{LASTS.total_seconds() / 3600:.0f} hours" in GUIDE


def test_the_pictures_of_the_docs_are_small_and_used() -> None:
    """Each under 150 KB, and shown by a page or the README."""
    texts = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    shown = "".join(path.read_text(encoding="utf-8") for path in texts)
    pictures = list((DOCS / "images").glob("*.png"))
    assert pictures
    assert [] == [one.name for one in pictures if one.stat().st_size > 150_000]
    assert [] == [one.name for one in pictures if one.name not in shown]
