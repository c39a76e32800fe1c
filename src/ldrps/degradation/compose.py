"""Several degradations, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Degradation, Linear, Pointwise, Projection, affine_step, linear_step, pointwise_step
from ldrps.degradation.parameter import Parameter, broadcast, is_field
from ldrps.degradation.separable import Separable, separable_step
from ldrps.image.tiles import Window


@dataclass(frozen=True, eq=False)
class Compose(Degradation):
    """A = A_n ... A_1, for the parts (A_1, ..., A_n) in the order in which a picture meets them."""

    kind = "compose"

    parts: tuple[Degradation, ...] = ()

    @property
    def present(self) -> tuple[Degradation, ...]:
        """The parts that do something to some picture."""
        return tuple(part for part in self.parts if not bool(part.absent.all()))

    @property
    def absent(self) -> Tensor:
        return reduce(torch.logical_and, (part.absent.cpu() for part in self.parts), torch.tensor(True))

    @property
    def support(self) -> int:
        return sum(part.support for part in self.present)

    def at(self, window: Window) -> Compose:
        placed = []
        for part in self.parts:
            placed.append(part.at(window))
            window = part.output_window(window)
        return Compose(tuple(placed))

    def output_window(self, window: Window) -> Window:
        return reduce(lambda seen, part: part.output_window(seen), self.parts, window)

    def _scaled(self, strength: float) -> Self:
        return replace(self, parts=tuple(part.scaled(strength) for part in self.parts))

    def words(self) -> str:
        return ", ".join(part.words() for part in self.present) or "no damage"

    def _apply(self, x: Tensor) -> Tensor:
        return reduce(lambda image, part: part(image), self.present, x)

    def _invert(self, y: Tensor) -> Tensor:
        return reduce(lambda image, part: part.invert(image), reversed(self.present), y)

    def _slope(self, y: Tensor) -> Tensor:
        slope, image = torch.ones_like(y), y
        for part in reversed(self.present):
            here = part.slope(image)
            slope = here * (slope if slope.shape == here.shape else part.invert(slope))
            image = part.invert(image)
        return slope

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        """What loses information without noise comes last and is peeled off: y is replaced by the nearest picture to
        the expected one that would have given it. Pointwise parts are solved together, so are separable ones, and other
        linear ones by conjugate gradients. What is mixed is solved by Gauss-Newton steps: exact, and slow, so that a
        chain had better undo tones first.
        """
        *rest, last = self.present
        if not rest:
            return last.data_step(x0, y, sigma_x, sigma_y)
        before = Compose(tuple(rest))
        if isinstance(last, Projection):
            return before.data_step(x0, last.project(before(x0), y), sigma_x, sigma_y)
        if all(isinstance(part, Pointwise) for part in self.present):
            if all(isinstance(part, Pointwise) and part.is_affine for part in self.present):
                return affine_step(self._apply, x0, y, sigma_x, sigma_y)
            return pointwise_step(self._apply, self._invert(y), x0, y, sigma_x, sigma_y)
        if all(isinstance(part, Separable) for part in self.present) and not (is_field(sigma_x) or is_field(sigma_y)):
            return self._separable_step(x0, y, sigma_x, sigma_y)
        if all(isinstance(part, Linear) for part in self.present):
            return linear_step(self._apply, self._adjoint, x0, y, sigma_x, sigma_y)
        return super()._data_step(x0, y, sigma_x, sigma_y)

    def _adjoint(self, y: Tensor) -> Tensor:
        for part in reversed(self.present):
            assert isinstance(part, Linear)
            y = part.adjoint(y)
        return y

    def _separable_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        size = (x0.shape[-2], x0.shape[-1])
        rows, columns = (torch.eye(side, dtype=x0.dtype, device=x0.device) for side in size)
        for part in self.present:
            assert isinstance(part, Separable)
            down, across = part.matrices(size, x0)
            rows, columns = down @ rows, across @ columns
            size = (rows.shape[-2], columns.shape[-2])
        return separable_step(rows, columns, x0, y, (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2)
