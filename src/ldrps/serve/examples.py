"""The sample photographs, where they are at hand."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("dark.png", "hazy.png", "noisy.png")


def examples() -> list[Path]:
    """The samples that are there: from the installed package, else from a checkout beside it."""
    here = Path(__file__).resolve()
    for folder in (here.with_name("examples"), here.parents[3] / "samples"):
        found = [folder / name for name in _NAMES if (folder / name).is_file()]
        if found:
            return found
    return []
