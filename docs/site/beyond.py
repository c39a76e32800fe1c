"""Links of the pages that lead out of docs/: to pages made of other documents, to the gallery, or to a file.

In the repository they are links as anyone writes them, so that pages can be read there. For the site the documents
below are copied to docs/project/, which is no part of the repository, and links to them and to examples become links
to their pages.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changes.md",
    "SECURITY.md": "project/security.md",
    "REPRODUCE.md": "project/reproduce.md",
    "LICENSE-WEIGHTS.md": "project/terms.md",
    "samples/README.md": "project/samples.md",
    "integrations/comfyui/README.md": "project/comfyui.md",
    "src/ldrps/prior/tiny/weights/README.md": "project/prior.md",
    "src/ldrps/prior/tiny/pixels/README.md": "project/pixels.md",
    "src/ldrps/estimation/weights/README.md": "project/judges.md",
    "src/ldrps/rivals/own/README.md": "project/zero-dce.md",
}
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def page_of(path: str) -> str:
    """Where on the site a file of the repository is, relative to docs/; both with slashes."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path == "examples/GALLERY_HEADER.rst":
        return "gallery/index.rst"
    if path.startswith("examples/"):
        return f"gallery/{PurePosixPath(path).stem}.rst"
    return f"../{path}"


def rewritten(text: str, of: str, page: str) -> str:
    """A document of the repository, at `of`, with its links as they must be at `page` of docs/."""

    def link(found: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(of), found[1])).replace(os.sep, "/")
        there = os.path.relpath(os.path.join("docs", page_of(target)), os.path.join("docs", os.path.dirname(page)))
        return f"]({there.replace(os.sep, '/')}{found[2] or ''})"

    return _LINK.sub(link, text)


def copy(app: Sphinx, config: Any) -> None:
    """Make docs/project/ of the documents beyond docs/."""
    for path, page in PAGES.items():
        target = DOCS / page
        target.parent.mkdir(exist_ok=True)
        text = rewritten((ROOT / path).read_text(), path, page)
        if not target.is_file() or target.read_text() != text:  # else Sphinx reads it anew
            target.write_text(text)


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Set the links of a page, as Sphinx reads it."""
    if not name.startswith(("project/", "gallery/")):
        source[0] = rewritten(source[0], f"docs/{name}.md", f"{name}.md")


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    app.connect("config-inited", copy)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
