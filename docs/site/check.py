"""Check a built site: every link within it leads to a file and a place in it, and nothing is fetched from elsewhere.

python docs/site/check.py out/docs
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, what it fetches, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag says."""
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.places.add(found["id"])
        fetches = found.get("rel") in ("stylesheet", "preload", "icon")
        for name in ("href", "src"):
            if name in found:
                (self.fetched if name == "src" or fetches else self.links).append(found[name])


def faults(site: Path) -> list[str]:
    """What is wrong with a site, a line for each fault."""
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    wrong = []
    for path, page in pages.items():
        place = path.relative_to(site)
        for address in page.links + page.fetched:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.fetched and parts.scheme != "data":
                    wrong.append(f"{place} fetches {address}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                wrong.append(f"{place} leads to {address}, which is not there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                wrong.append(f"{place} leads to {address}, which has no such place")
    return wrong if pages else [f"{site} has no pages"]


def main() -> None:
    found = faults(Path(sys.argv[1]).resolve())
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
