"""What of a blurred photograph tells of its kernel, and how well a kernel explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError
from ldrps.estimation.few_edges import edge_energy, gradients, in_circles
from ldrps.image.space import LUMA
from ldrps.image.tiles import Window

_WHITE = 1 - 1e-6  # what undoing the tones makes of white
_SIDES = 4  # times its kernel that a picture must have a side
_LIGHTS = 0.9  # of a picture, that is white or near to it: more, and only what is white itself is left out
# Of an edge, where kernels are compared: about texture, fine structure and the edges of things. Each by itself is more
# often misled by what the picture happens to be.
_PRICES = (2e-4, 1e-4, 5e-5)
_NOTHING = 1e-12  # the energy of a picture that is flat


@dataclass(frozen=True)
class BlurredPart:
    """A part of a blurred picture, grey.

    Attributes:
        grey: [h, w] in [0, 1].
        weights: [h, w] of 0 and 1, which pixels count.
    """

    grey: Tensor
    weights: Tensor

    @classmethod
    def of(cls, y: Tensor, reach: int, visible: Tensor | None = None, side: int = 512) -> BlurredPart:
        """The part of y [1, 3, H, W], `side` pixels a side at most, that has most edges.

        Where `visible` [1, 1, H, W] is below 1 the picture is made up, and where y is white it may have been brighter:
        that, and what lies as near as a kernel reaches, counts for nothing.

        Raises:
            InputError: a picture that is too small for that reach, or of more than one.
        """
        if y.ndim != 4 or y.shape[:2] != (1, 3):
            raise InputError(f"a picture of shape {list(y.shape)}: give [1, 3, H, W]")
        (height, width), kernel = y.shape[-2:], 2 * reach + 1
        if reach > (most := largest_reach(height, width)):
            raise InputError(
                f"a picture of {width}x{height} and a reach of {reach}: give a larger one, or a reach of {most} at most"
            )
        grey = (y[0].float() * torch.tensor(LUMA, device=y.device).reshape(3, 1, 1)).sum(0)
        known = (y[0] < _WHITE).all(0)
        if visible is not None:
            known &= visible[0, 0].to(y.device) >= 1
        near = F.max_pool2d((~known).float()[None, None], kernel, 1, reach)[0, 0]
        weights = 1 - near if float(near.mean()) < _LIGHTS else known.float()
        window = _busiest(grey, weights, side)
        return cls(window.of(grey), window.of(weights))

    def scaled(self, factor: float) -> BlurredPart:
        """A copy of another size."""
        if factor == 1:
            return self
        size = [max(1, round(side * factor)) for side in self.grey.shape]
        both = torch.stack([self.grey, self.weights])[None]
        small = F.interpolate(both, size, mode="bicubic", antialias=True, align_corners=False)[0]
        return BlurredPart(small[0], (small[1] > 0.99).float())

    def inside(self, margin: int, size: torch.Size) -> Tensor:
        """The weights in a picture of a larger size, without a margin at the edges."""
        weights = self.grey.new_zeros(size)
        height, width = self.grey.shape
        inner = (slice(margin, height - margin), slice(margin, width - margin))
        weights[inner] = self.weights[inner]
        return weights

    def gains(self, kernels: list[Tensor]) -> list[float]:
        """By how many decibels each kernel [h, w] explains the edges better than no blur does.

        From the same part of the picture for all, so that they can be compared.
        """
        margin = max(max(kernel.shape) for kernel in kernels) // 2 + 1
        y = in_circles(self.grey, margin)
        weights = self.inside(margin, y.shape)
        if not float(weights.sum()):  # it is hidden, or white, all over
            return [0.0] * len(kernels)
        none, *energies = (self._energy(y, each, weights) for each in (y.new_ones(1, 1), *kernels))
        return [none - energy for energy in energies]

    @staticmethod
    def _energy(y: Tensor, kernel: Tensor, weights: Tensor) -> float:
        """In decibels, the mean of all prices."""
        energies = [edge_energy(y, kernel, price, weights) for price in _PRICES]
        return sum(10 * math.log10(max(energy, _NOTHING)) for energy in energies) / len(energies)


def largest_reach(height: int, width: int) -> int:
    """Of a kernel that a picture of that size can tell, in pixels from its middle."""
    return max((min(height, width) // _SIDES - 1) // 2, 0)


def _busiest(grey: Tensor, weights: Tensor, side: int) -> Window:
    """The part, `side` pixels a side at most, that has most of what tells of a kernel."""
    (height, width), step = grey.shape, max(side // 4, 1)
    tall, wide = min(side, height), min(side, width)
    worth = (gradients(grey).square().sum(0).sqrt() * weights).cpu().double()
    worth[-1], worth[:, -1] = 0.0, 0.0  # steps to the other edge
    sums = F.avg_pool2d(worth[None, None], (tall, wide), step)[0, 0]
    top, left = divmod(int(sums.argmax()), sums.shape[1])
    return Window(top * step, left * step, tall, wide)
