"""Removing what processes that died in the middle of writing left, and nothing else."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ldrps.folders.alive import ran
from ldrps.folders.status import is_within, signature
from ldrps.image.files import writer

_LONGEST = 3600.0  # seconds that a process may take to write a file


def sweep(folder: Path, root: Path) -> None:
    """Remove files that bear a partial name and that nobody writes from a folder, if it really lies below `root`.

    What cannot be removed is left, and so is what a link leads to, and what is no file.
    """
    if not is_within(folder, root):
        return
    with contextlib.suppress(OSError), os.scandir(os.path.realpath(folder)) as entries:
        for entry in entries:
            pid = writer(entry.name)
            if pid is None or not entry.is_file(follow_symlinks=False) or _is_being_written(Path(entry.path), pid):
                continue
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def _is_being_written(path: Path, pid: int) -> bool:
    """Whether the process that a partial file is named after may be at it still."""
    seen = signature(path)
    if seen is None:
        return False
    age = time.time() - seen[1] / 1e9
    return age < _LONGEST and ran(pid, age)
