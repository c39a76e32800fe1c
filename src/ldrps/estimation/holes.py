"""Which pixels of a picture are lost: a mask tells, or marks that were found; a damage remembers which ones."""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError, SettingsError
from ldrps.image.formats import ALPHA
from ldrps.image.mask import MaskSource, PixelMask, load_mask

_FAR = 8  # pixels from any that is known: what is further in a hole is made up, not continued


@dataclass(frozen=True)
class Holes:
    """The mask of a picture's lost pixels, by its file: pixels by the million are no matter for a record.

    Attributes:
        file: that the mask is from, "alpha" for what was transparent, or "" of a mask that was in no file.
        sha256: of its size and values; see `PixelMask`.
        share: of all pixels that are lost, 0 to 1.
        guessed: of all pixels those that are so far from any that is known that they are made up.
        found: whether nobody told: they were taken for scratches and other marks.

    Raises:
        SettingsError: a text or a number is none, or a share is out of range.
    """

    file: str = ""
    sha256: str = ""
    share: float = 0.0
    guessed: float = 0.0
    found: bool = False

    def __post_init__(self) -> None:
        for name in ("file", "sha256"):
            if not isinstance(value := getattr(self, name), str):
                raise SettingsError(f"{name} of holes is {reprlib.repr(value)}; it must be a text")
        if not isinstance(self.found, bool):
            raise SettingsError(f"found of holes is {reprlib.repr(self.found)}; it must be true or false")
        for name in ("share", "guessed"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
                raise SettingsError(f"{name} of holes is {reprlib.repr(value)}; it must be 0 to 1")

    @classmethod
    def of(cls, mask: PixelMask, known: Tensor) -> Holes:
        """Those of a mask, in a picture of which so much is `known`, [1, 1, H, W]."""
        lost = mask.values > 0
        reached = F.max_pool2d((known > 0).float(), 2 * _FAR + 1, 1, _FAR) > 0
        share, guessed = (round(float(each.float().mean()), 6) for each in (lost, lost & ~reached))
        file = "" if mask.name == PixelMask.name else mask.name
        return cls(file, mask.sha256, share, guessed, mask.found)

    @classmethod
    def from_plain(cls, data: Any) -> Holes:
        """The holes of which `plain()` made this, or somebody by hand: {"file": "mask.png"} is enough.

        Raises:
            SettingsError: it is no object, or has a field that there is not, or a value that cannot be.
        """
        names = [each.name for each in dataclasses.fields(cls)]
        if not isinstance(data, Mapping):
            raise SettingsError(f"holes of the damage is {reprlib.repr(data)}; give an object with {', '.join(names)}")
        if unknown := [key for key in data if key not in names]:
            raise SettingsError(f"holes has no {reprlib.repr(unknown[0])}; it has {', '.join(names)}")
        return cls(**data)

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return dataclasses.asdict(self)

    def mask(self) -> MaskSource:
        """The mask itself, or "alpha".

        Raises:
            InputError: it was in no file, the file cannot be read, or is another mask by now.
        """
        if not self.file:
            raise InputError("the damage has holes, whose mask is in no file: give the mask too, or leave holes out")
        if self.file == ALPHA:
            return ALPHA
        mask = load_mask(Path(self.file))
        if self.sha256 and mask.sha256 != self.sha256:
            raise InputError(
                f"{self.file} is another mask than that of the damage: give the mask as well, or leave holes out"
            )
        return mask

    def words(self) -> str:
        """How much was filled, such as "3.1% of the pixels filled, 0.4% by guess, far from any that is known"."""
        far = f", {_percent(self.guessed)} by guess, far from any that is known" if self.guessed else ""
        marks = "scratches and other marks: " if self.found else ""
        return f"{marks}{_percent(self.share)} of the pixels filled{far}"


def _percent(share: float) -> str:
    return f"{max(share, 0.001):.1%}" if share < 0.0995 else f"{share:.0%}"
