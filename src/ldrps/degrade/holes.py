"""Pixels that are lost: single ones, squares, scratches, and what is written over."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter

_SENTENCE = "what was written over the picture by somebody who meant well and is now to be gone again "


class Holes(Kind):
    """Lost pixels, black in all channels; the others are as they were."""

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Mask:
        import torch

        return degradation.Mask(torch.from_numpy(~self.lost(size, random)).float()[None, None])

    @abstractmethod
    def lost(self, size: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
        """Which pixels of a picture of that size (H, W) are lost, [H, W]."""


@dataclass(frozen=True)
class Mask(Holes):
    """Exactly the fraction of single pixels, or squares until at least that much.

    Squares lie anywhere, may overlap and reach over the border.
    """

    kind = "mask"
    title = "lost pixels"

    fraction: float = parameter(0.25, 0, 0.95, "of all pixels")
    side: int = parameter(1, 1, 1000, "of the lost squares, pixels")

    def lost(self, size: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
        height, width = size
        wanted = round(self.fraction * height * width)
        lost = np.zeros(size, dtype=bool)
        if self.side == 1:
            lost.flat[random.permutation(lost.size)[:wanted]] = True
        covered = int(lost.sum())
        while covered < wanted:
            top = int(random.integers(1 - self.side, height))
            left = int(random.integers(1 - self.side, width))
            square = lost[max(top, 0) : top + self.side, max(left, 0) : left + self.side]
            covered += int(square.size - square.sum())
            square[...] = True
        return lost


@dataclass(frozen=True)
class Scratches(Holes):
    """Straight lines between any two places, from half of the greatest width to all of it."""

    kind = "scratches"
    title = "scratches"

    count: int = parameter(10, 0, 1000, "how many")
    width: int = parameter(4, 1, 100, "of the widest, pixels")

    def lost(self, size: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
        sheet = Image.new("1", size[::-1])
        for _ in range(self.count):
            rows, columns = random.integers(0, size[0], 2).tolist(), random.integers(0, size[1], 2).tolist()
            width = int(random.integers((self.width + 1) // 2, self.width + 1))
            ImageDraw.Draw(sheet).line([columns[0], rows[0], columns[1], rows[1]], fill=1, width=width)
        return np.array(sheet)


@dataclass(frozen=True)
class Text(Holes):
    """Lines of words all over the picture, in Pillow's own font, that begin somewhere in a sentence."""

    kind = "text"
    title = "lines of text"

    height: int = parameter(20, 4, 1000, "of the letters and their lines, pixels")
    apart: float = parameter(1.6, 1, 100, "from one line to the next, in heights")

    def lost(self, size: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
        sheet, font = Image.new("1", size[::-1]), ImageFont.load_default(self.height)
        pen = ImageDraw.Draw(sheet)
        letters = 4 * size[1] // self.height + 1  # none is narrower than a quarter of its height
        for top in np.arange(0, size[0], self.apart * self.height).tolist():
            first = int(random.integers(len(_SENTENCE)))
            pen.text(
                (0, top),
                (_SENTENCE * (letters // len(_SENTENCE) + 2))[first:][:letters],
                fill=1,
                font=font,
                stroke_width=self.height / 40,
            )
        return np.array(sheet)
