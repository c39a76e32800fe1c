"""Colours that are lost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation.base import Linear, Parameter, broadcast, is_field
from ldrps.image.space import LUMA


@dataclass(frozen=True, eq=False)
class Luma(Linear):
    """Only the luma of a pixel is left: pictures [B, 3, H, W] become [B, 1, H, W].

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

    def words(self) -> str:
        return "without colours"
