"""The Markdown of the repository, taken apart: its links, headings, commands and programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MADE = ("docs/project", "docs/gallery")  # by `make docs`; no part of the repository

_FENCED = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|\n)\n((?: {4}[^\n]*\n?)+)")
_INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ASSIGNED = re.compile(r"[A-Z_]+=\S*")


def documents() -> list[Path]:
    """All Markdown that belongs to the repository, as paths from its root."""
    folders = [ROOT, *(ROOT / name for name in ("docs", "samples", "examples", "integrations", "src"))]
    found = [*ROOT.glob("*.md"), *(path for folder in folders[1:] for path in folder.rglob("*.md"))]
    names = sorted(path.relative_to(ROOT) for path in found)
    return [name for name in names if not name.as_posix().startswith(MADE)]


def text_of(document: Path) -> str:
    return (ROOT / document).read_text()


def programs(text: str) -> list[str]:
    """Its blocks of Python."""
    return [found[2] for found in _FENCED.finditer(text) if found[1] == "python"]


def prose(text: str) -> str:
    """It without blocks of code."""
    return _INDENTED.sub("\n\n", _FENCED.sub("", text))


def links(text: str) -> list[tuple[str, str]]:
    """Where it leads within the repository: (path, "" for itself; anchor, or "")."""
    found = [each for each in _LINK.findall(_INLINE.sub("", prose(text))) if not re.match(r"\w+:", each)]
    return [(path, anchor) for path, _, anchor in (each.partition("#") for each in found)]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub, and the site, give its headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def _words(line: str) -> list[str]:
    """A line as a shell takes it apart, without what is assigned before its command."""
    words = shlex.split(line, comments=True)
    while words and _ASSIGNED.fullmatch(words[0]):
        words.pop(0)
    return words


def block_commands(text: str) -> Iterator[list[str]]:
    """The lines of its blocks of commands, each as words."""
    for block in _INDENTED.findall(_FENCED.sub("", text)):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s&&\s", line.strip()):
                if words := _words(part):
                    yield words


def inline_codes(text: str) -> list[str]:
    """What stands between backticks in its prose, each on one line."""
    return [" ".join(each.split()) for each in _INLINE.findall(prose(text))]
