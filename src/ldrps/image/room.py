"""Room for the planes of a picture: in memory, or, where they are large, in a file that the system can take out of it.

A picture of 500 megapixels has 6 GB of planes as it is read, as much as it is restored, and as much again where it is
padded; a network sees a window of it at a time. Mapped from a file, what nobody looks at leaves memory when something
else needs it.
"""

from __future__ import annotations

import math
import mmap
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LARGE = 512 << 20  # bytes of planes from which on they lie in a file: 45 megapixels
_COPIES = 3  # of a picture's planes, at most: as read, padded, and restored
_BYTES = 4  # of a float
_RESERVES = hasattr(os, "posix_fallocate")  # whether a file can be given its room from the start


def is_large(height: int, width: int) -> bool:
    """Whether the planes of a picture of that size are for a file, where there can be one."""
    return _RESERVES and 3 * _BYTES * height * width >= LARGE


def in_file(height: int, width: int) -> bool:
    """Whether the planes of a picture of that size, which is yet to be read, will lie in files: the disk has room for
    them.
    """
    try:
        free = shutil.disk_usage(_folder() or tempfile.gettempdir()).free
    except OSError:
        return False
    return is_large(height, width) and free > _COPIES * 3 * _BYTES * height * width


def room(*shape: int) -> Tensor:
    """Zeros, float32 [..., H, W] on the CPU.

    Large ones lie in a file in TMPDIR, or in /var/tmp, where /tmp may be memory. It has no name, so that it goes with
    the process at the latest, and all of its bytes from the start, so that a full disk is met here, and not later on;
    then, or where there are no such files, they are in memory as others are.
    """
    import torch  # what a picture will take is told without it

    size = _BYTES * math.prod(shape)
    if size < LARGE or not _RESERVES:
        return torch.zeros(shape)
    try:
        with tempfile.TemporaryFile(dir=_folder()) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            mapped = mmap.mmap(file.fileno(), size)
    except OSError:
        return torch.zeros(shape)
    return torch.frombuffer(mapped, dtype=torch.float32).reshape(shape)


def _folder() -> str | None:
    """Where temporary files lie on a disk; None leaves that to Python."""
    lasting = Path("/var/tmp")
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")) or not os.access(lasting, os.W_OK):
        return None
    return str(lasting)
