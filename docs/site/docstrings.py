"""Docstrings are plain text: the bars of |x| are bars, and nothing to be substituted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_BAR = re.compile(r"(`[^`]*`)|\|")


def escape(app: Sphinx, what: str, name: str, documented: Any, options: Any, lines: list[str]) -> None:
    """Set a backslash before bars, but for those in code."""
    lines[:] = [line if line.lstrip().startswith(">>>") else _BAR.sub(_escaped, line) for line in lines]


def _escaped(found: re.Match[str]) -> str:
    return found[1] or r"\|"


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    app.connect("autodoc-process-docstring", escape)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
