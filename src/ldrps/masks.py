"""Which pictures have which masks: plain data that can be sent to other processes and compared. Free of torch."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.errors import InputError
from ldrps.image.formats import ALPHA
from ldrps.image.limits import another_size

if TYPE_CHECKING:
    from ldrps.image.picture import Picture

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Masks:
    """The masks of pictures, each a file, or a folder that has one for each picture, under its name or its stem.

    Attributes:
        holes: of what is lost and is to be filled; "alpha" for what is transparent, None for nothing.
        protected: of what comes back as it is.
    """

    holes: str | None = None
    protected: str | None = None

    def __bool__(self) -> bool:
        return self.holes is not None or self.protected is not None

    def check(self, pictures: int | None) -> None:
        """Find out early whether there are such files, for so many pictures; None for those of folders.

        Raises:
            InputError: one is neither a file nor a folder, or is one mask for several pictures.
        """
        for option, given in (("--mask", self.holes), ("--protect", self.protected)):
            if given is None or (option == "--mask" and given == ALPHA):
                continue
            if not Path(given).exists():
                raise InputError(f"{given} does not exist: check {option}, a file or a folder of masks")
            if not Path(given).is_dir() and pictures != 1:
                many = "a folder of pictures" if pictures is None else f"{pictures} pictures"
                raise InputError(
                    f"{given} is one mask, for {many}: give {option} a folder that has one for each, named as it is"
                )

    def check_sizes(self, source: Path, size: tuple[int, int], max_pixels: int) -> None:
        """Find out from headers whether the masks of a picture of that (width, height) may be of its size.

        Raises:
            InputError: one cannot be read, or has other sides, however it is turned.
        """
        from ldrps.image.header import read_size

        for path in self.files(source):
            found = read_size(path, max_pixels)
            if sorted(found) != sorted(size):
                raise another_size(str(path), found, str(source), size)

    def files(self, source: Path) -> list[Path]:
        """The masks of the picture from a file, as far as they are in files."""
        return [path for path in self._of(source) if isinstance(path, Path)]

    def mark(self, source: Path) -> str:
        """A hash of the masks of the picture from a file, as they are now; "" where none is in a file."""
        digest = hashlib.sha256()
        for path in self._of(source):
            try:
                content = path.read_bytes() if isinstance(path, Path) else repr(path).encode()
            except OSError:  # of which restoring will tell
                content = b"unreadable"
            digest.update(b"%d " % len(content) + content)
        return digest.hexdigest() if self.files(source) else ""

    def on(self, picture: Picture, source: Path) -> Picture:
        """The picture from a file with its masks. One that has none, where others have, is logged.

        Raises:
            InputError: as `Picture.with_masks`.
        """
        holes, protected = self._of(source)
        for given, found in ((self.holes, holes), (self.protected, protected)):
            if given is not None and found is None:
                logger.warning("%s: there is no mask of its name in %s", source, given)
        return picture.with_masks(holes, protected)

    def _of(self, source: Path) -> tuple[str | Path | None, Path | None]:
        """That of the holes of a picture, and of what is protected of it."""
        return ALPHA if self.holes == ALPHA else _mask_of(source, self.holes), _mask_of(source, self.protected)


def _mask_of(source: Path, given: str | None) -> Path | None:
    """Of a picture, the mask: a file itself, or that in a folder which has the picture's name, or else its stem."""
    place = None if given is None else Path(given)
    if place is None or not place.is_dir():
        return place
    if (same := place / source.name).is_file():
        return same
    return next((path for path in sorted(place.iterdir()) if path.stem == source.stem and path.is_file()), None)
