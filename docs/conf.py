"""How Sphinx builds the documentation. Nothing is fetched from the network."""

from __future__ import annotations

import re
from pathlib import Path

_init = Path(__file__).parents[1] / "service" / "exosync" / "__init__.py"
_version = re.search(r'^__version__ = "(.+)"$', _init.read_text(encoding="utf-8"), re.MULTILINE)
assert _version is not None

project = "exosync"
author = "exosync contributors"
project_copyright = "2026, exosync contributors"
version = release = _version[1]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"exosync {version}"
html_copy_source = False
html_show_sphinx = False
