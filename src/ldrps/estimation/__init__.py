"""What happened to a picture, told from the picture alone. Importing this costs no torch."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGED = "packaged"
# The networks of a folder of estimators, each in a folder of its own.
JUDGES = ("tone", "noise", "blur", "cast", "scratches", "enlarger")
SECOND_TONE = "tone2"  # another judge of tone beside the first, where there is one


def estimators_folder(name: str | Path = PACKAGED) -> Path:
    """Where the networks that judge damage lie: those that come with the package, or those of a folder."""
    return Path(__file__).parent / "weights" if name == PACKAGED else Path(os.path.expanduser(name))
