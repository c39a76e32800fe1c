"""The file that a picture was read from: to be given back as it is, and never to be written coarser than it is."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from ldrps.image.formats import FORMATS, WITH_QUALITY
from ldrps.image.metadata import orientation

log = logging.getLogger(__name__)

_ALIKE = {"MPO": "JPEG"}  # an MPO is a JPEG with others behind it
_BLOCK = 1 << 20  # bytes read at a time
_HEAD = 12  # bytes of a WEBP before its first chunk

Tables = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Original:
    """A file as it was when a picture was read from it.

    Attributes:
        path: where it is, absolute.
        kind: its format in Pillow's words, told by its content; of an MPO, JPEG.
        digest: SHA-256 of its bytes.
        tables: of a JPEG, its quantisation tables, 64 steps each, that of brightness first; empty of others.
        subsampling: of a JPEG, pixels to one of colour, (down, across).
        turned: whether the picture that was read of it was turned by its EXIF data.
        lossless: whether it is a WEBP that holds its pixels without loss.
        holds_more: whether there are other pictures in it, which were not asked for.
    """

    path: Path
    kind: str
    digest: str = field(repr=False)
    tables: Tables = field(default=(), repr=False)
    subsampling: tuple[int, int] = field(default=(1, 1), repr=False)
    turned: bool = field(default=False, repr=False)
    lossless: bool = False
    holds_more: bool = False

    def copy_for(self, kind: str, quality: int | None) -> bytes | None:
        """Its bytes, if they are what a file of format `kind` and of that quality would hold of the same pixels.

        A file whose name says another format than it is of, such as a PNG that is called .jpg, is good for both: it
        comes back as it was, and is not made a JPEG for its name.

        None if it is of another format, holds more, if a quality is asked for that the format knows, or, which is
        logged, if the file is gone or another by now.
        """
        named = FORMATS.get(self.path.suffix.lower())
        if self.holds_more or kind not in (self.kind, named) or (quality is not None and kind in WITH_QUALITY):
            return None
        try:
            data = self.path.read_bytes()
        except OSError as error:
            log.warning("%s cannot be read again (%s), so it is not copied but encoded anew", self.path, error.strerror)
            return None
        if hashlib.sha256(data).hexdigest() != self.digest:
            log.warning("%s was changed after it had been read, so it is not copied but encoded anew", self.path)
            return None
        return data


def original_of(path: Path, file: BinaryIO, image: Image.Image | None, *, holds_more: bool = False) -> Original:
    """That of a picture that was read from an open file, as a PIL image or else as a TIFF that Pillow does not know.

    `holds_more`: whether it is the first of several.

    Raises:
        OSError: the file cannot be read.
    """
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    kind = "TIFF" if image is None else str(image.format)
    tables = getattr(image, "quantization", {}) if kind in ("JPEG", "MPO") else {}
    return Original(
        path=Path(os.path.abspath(path)),
        kind=_ALIKE.get(kind, kind),
        digest=digest.hexdigest(),
        tables=tuple(tuple(tables[number]) for number in sorted(tables)),
        subsampling=_subsampling(getattr(image, "layer", [])),
        turned=image is not None and orientation(image, str(path)) != 1,
        lossless=kind == "WEBP" and _is_lossless(file),
        holds_more=holds_more,
    )


def _subsampling(layers: list[tuple[int, int, int, int]]) -> tuple[int, int]:
    """Of Pillow's layers of a JPEG, each with how often it is sampled across and down; (1, 1) where all are grey."""
    if len(layers) < 3:
        return 1, 1
    (_, luma_across, luma_down, _), (_, across, down, _) = layers[:2]
    return max(luma_down // down, 1), max(luma_across // across, 1)


def _is_lossless(file: BinaryIO) -> bool:
    """Whether the picture of a WEBP is in a chunk of the kind without loss. Of several frames nothing is said."""
    file.seek(_HEAD)
    while len(head := file.read(8)) == 8:
        if head[:4] in (b"VP8L", b"VP8 "):
            return head[:4] == b"VP8L"
        length = int.from_bytes(head[4:], "little")
        file.seek(length + length % 2, os.SEEK_CUR)
    return False
