"""Colours that are lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Linear
from ldrps.degradation.parameter import Parameter, broadcast, is_field
from ldrps.image.space import LUMA


@dataclass(frozen=True, eq=False)
class Luma(Linear):
    """Only the luma of a pixel is left: pictures [B, 3, H, W] become [B, 1, H, W].

    There is no less and no more of it: `scaled` by any strength above 0, it is itself.

    Attributes:
        weights: of red, green and blue, of sum 1.
    """

    kind = "luma"

    weights: tuple[float, float, float] = LUMA

    @property
    def absent(self) -> Tensor:
        return torch.tensor(False)

    def _apply(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,c->bhw", x, x.new_tensor(self.weights))[:, None]

    def _invert(self, y: Tensor) -> Tensor:
        """The grey picture of that luma."""
        return y.expand(-1, 3, -1, -1)

    def _slope(self, y: Tensor) -> Tensor:
        return torch.ones_like(self._invert(y))

    def _adjoint(self, y: Tensor) -> Tensor:
        return y * y.new_tensor(self.weights).reshape(1, 3, 1, 1)

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        if is_field(sigma_x) or (isinstance(sigma_x, Tensor) and sigma_x.ndim > 1):
            return super()._data_step(x0, y, sigma_x, sigma_y)
        ratio = (broadcast(sigma_y, y) / broadcast(sigma_x, y)) ** 2
        return x0 + self._adjoint((y - self._apply(x0)) / (sum(weight**2 for weight in self.weights) + ratio))

    def _scaled(self, strength: float) -> Self:
        return self

    def words(self) -> str:
        return "without colours"
