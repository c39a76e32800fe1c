"""Loss of pixels and of detail."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.degrade.base import Degradation, parameter
from ldrps.degrade.resize import resize
from ldrps.errors import InputError


@dataclass(frozen=True)
class Downscale(Degradation):
    """Bicubic reduction by a whole factor, the one of the super-resolution benchmarks (MATLAB's, a = -0.5).

    Rows and columns that do not fill a whole pixel are dropped at the bottom and at the right, as those benchmarks do:
    cut the clean side with `Chain.crop` before comparing.
    """

    kind = "downscale"
    title = "bicubic reduction"

    factor: int = parameter(2, 1, 16, "pixels that become one, each way")

    @property
    def reduction(self) -> int:
        """How many pixels of the clean side become one, each way."""
        return self.factor

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        height, width = (side // self.factor for side in x.shape[:2])
        if self.factor == 1:
            return x
        if not height or not width:
            raise InputError(
                f"a picture of {x.shape[1]} x {x.shape[0]} pixels cannot be reduced by {self.factor}: "
                f"give one of at least {self.factor} a side, or a smaller factor"
            )
        return resize(x[: height * self.factor, : width * self.factor], height, width).astype(np.float64)


@dataclass(frozen=True)
class Jpeg(Degradation):
    """JPEG as Pillow writes it (colour at half the resolution), of the picture rounded and clipped to bytes."""

    kind = "jpeg"
    title = "JPEG compression"

    quality: int = parameter(25, 1, 100, "libjpeg's quality")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        levels = np.clip(np.rint(x * 255), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(levels).save(file, "JPEG", quality=self.quality)
        with Image.open(file) as image:
            return np.asarray(image, dtype=np.float64) / 255


@dataclass(frozen=True)
class Mask(Degradation):
    """Lost pixels, black in all channels: exactly the fraction of single ones, or squares until at least that much.

    Squares lie anywhere, may overlap and reach over the border.
    """

    kind = "mask"
    title = "lost pixels"

    fraction: float = parameter(0.25, 0, 0.95, "of all pixels")
    side: int = parameter(1, 1, 1000, "of the lost squares, pixels")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        height, width = x.shape[:2]
        wanted = round(self.fraction * height * width)
        lost = np.zeros((height, width), dtype=bool)
        if self.side == 1:
            lost.flat[random.permutation(lost.size)[:wanted]] = True
        covered = int(lost.sum())
        while covered < wanted:
            top = int(random.integers(1 - self.side, height))
            left = int(random.integers(1 - self.side, width))
            square = lost[max(top, 0) : top + self.side, max(left, 0) : left + self.side]
            covered += int(square.size - square.sum())
            square[...] = True
        return np.where(lost[..., None], 0.0, x)
