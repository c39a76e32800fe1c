"""What compression adds to a picture, told by how large it is alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation.jpeg import Jpeg
from ldrps.degradation.noise import Noise
from ldrps.degradation.parameter import Parameter, broadcast, mean_of

_HALVINGS = 7  # of the qualities 1 to 100


@dataclass(frozen=True, eq=False)
class JpegResidue(Noise):
    """What a file of JPEG has that the picture had not, and lacks of what it had: blocks, ringing, smears of colour.

    It is the picture's own, so that each sample is the same: that of the quality which comes nearest to the size.

    Attributes:
        sigma: root mean square, of 1.
    """

    kind = "jpeg residue"

    sigma: Parameter

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        wanted = torch.as_tensor(self.sigma).expand(len(x))
        return torch.cat([_of_size(image, float(size)) for image, size in zip(x.split(1), wanted, strict=True)])

    def variance(self, x: Tensor) -> Tensor:
        return (broadcast(self.sigma, x) ** 2).expand_as(x)

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    def words(self) -> str:
        return f"JPEG compression {255 * mean_of(self.sigma):.0f} of 255"


def _of_size(image: Tensor, sigma: float) -> Tensor:
    """The image through JPEG, with an error as near to sigma as a quality brings it."""
    best, least = image, sigma  # as it is
    low, high = 1, 100
    for _ in range(_HALVINGS):
        quality = (low + high) // 2
        saved = Jpeg.of_quality(quality)(image)
        error = float((saved - image).square().mean().sqrt())
        if abs(error - sigma) < least:
            best, least = saved, abs(error - sigma)
        low, high = (quality, high) if error > sigma else (low, quality)
    return best
