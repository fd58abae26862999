"""The API's OpenAPI document as docs/reference has it: `python -m tests.web.document`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from exosync.web.app import create_app
from exosync.web.port import Service

PLACE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def document() -> str:
    """The document, as the code makes it; no service is asked for it."""
    made = create_app(cast("Service", None), environ={}).openapi()
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PLACE.write_text(document(), encoding="utf-8")
