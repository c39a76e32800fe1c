"""Loss of detail."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter
from ldrps.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Downscale(Kind):
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

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Sampling:
        if min(size) < self.factor:
            raise InputError(
                f"a picture of {size[1]} x {size[0]} pixels cannot be reduced by {self.factor}: "
                f"give one of at least {self.factor} a side, or a smaller factor"
            )
        rows, columns = (side // self.factor * self.factor for side in size)
        return degradation.Sampling((rows, columns), self.factor)

    def _damage(self, x: Tensor, random: np.random.Generator) -> Tensor:
        operator = self.draw((x.shape[-2], x.shape[-1]), random)
        rows, columns = operator.size
        # In float32, as Pillow reduces pictures, by which it was first done: the same damage to the bit.
        return operator(x[..., :rows, :columns].float()).to(x.dtype) if self.factor > 1 else x


@dataclass(frozen=True)
class Jpeg(Kind):
    """JPEG as Pillow writes it (colour at half the resolution), of the picture rounded and clipped to bytes."""

    kind = "jpeg"
    title = "JPEG compression"

    quality: int = parameter(25, 1, 100, "libjpeg's quality")
    shift: int = parameter(0, 0, 15, "rows and columns of the first block cut off, as of one saved again")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Jpeg:
        return degradation.Jpeg.of_quality(self.quality, offset=(self.shift, self.shift))

    def _damage(self, x: Tensor, random: np.random.Generator) -> Tensor:
        """By the codec itself: the operator is the same but for its rounding."""
        import torch

        levels = (x[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        before = (self.shift, 0)
        file = io.BytesIO()
        Image.fromarray(np.pad(levels, (before, before, (0, 0)), "edge")).save(file, "JPEG", quality=self.quality)
        with Image.open(file) as image:
            decoded = np.asarray(image, dtype=np.float64)[self.shift :, self.shift :] / 255
        return torch.from_numpy(decoded).permute(2, 0, 1)[None]
