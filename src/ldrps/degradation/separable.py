"""Operators that work along rows and along columns by themselves, y = R x C^T, and their data step in closed form."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation.base import Linear
from ldrps.degradation.parameter import Parameter, broadcast, is_field
from ldrps.degradation.solve import Map, conjugate_gradients


@dataclass(frozen=True, eq=False)
class Axis:
    """A linear map of a line of `length` values: value k of the result is the sum of `weight[k]` times `index[k]`.

    Attributes:
        length: of the line.
        index: which values, [n, taps].
        weight: how much of each, [n, taps] or, for the pictures of a batch, [B, 1, n, taps]; float64.
    """

    length: int
    index: Tensor
    weight: Tensor

    def along(self, x: Tensor, dim: int) -> Tensor:
        """The map along dimension -2 or -1 of x [..., H, W].

        Summed in float64 in the order of the taps, as Pillow does: the same to the bit on every processor.
        """
        precision = torch.float64 if x.device.type != "mps" else x.dtype
        index, weight, values = self.index.to(x.device), self.weight.to(x.device, precision), x.to(precision)
        taps = (
            values.index_select(dim, index[:, tap]).mul_(weight[..., tap].unsqueeze(-3 - dim))
            for tap in range(index.shape[1])
        )
        total = next(taps)
        for tap in taps:
            total.add_(tap)
        return total.to(x.dtype)

    def matrix(self, x: Tensor) -> Tensor:
        """The same as a dense matrix [n, length] or [B, 1, n, length], in the type of x."""
        dense = torch.zeros(*self.weight.shape[:-1], self.length, dtype=torch.float64)
        dense.scatter_add_(-1, self.index.expand(self.weight.shape), self.weight)
        return dense.to(x.device, x.dtype)

    def made_of(self, begin: int, end: int) -> tuple[int, int]:
        """The first of the values of the result that have any of the line from `begin` to `end` in them, and the one
        behind the last; weight is [n, taps].
        """
        inside = (self.index >= begin) & (self.index < end) & (self.weight != 0)
        values = inside.any(1).nonzero()
        return int(values.min()), int(values.max()) + 1

    def between(self, first: int, last: int) -> tuple[int, Axis]:
        """Where on the line what the values from `first` to `last` are made of begins, and the map from there to them,
        whose line is no longer than it must be; weight is [n, taps].
        """
        index, weight = self.index[first:last], self.weight[first:last]
        used = index[weight != 0]
        begin, end = int(used.min()), int(used.max()) + 1
        return begin, Axis(end - begin, (index - begin).clamp(0, end - begin - 1), weight)


class Separable(Linear):
    """y = R x C^T, exact at the border too, whatever is assumed beyond it."""

    @abstractmethod
    def axes(self, size: tuple[int, int]) -> tuple[Axis, Axis]:
        """R and C for a picture of size (H, W)."""

    def _apply(self, x: Tensor) -> Tensor:
        rows, columns = self.axes((x.shape[-2], x.shape[-1]))
        return rows.along(columns.along(x, -1), -2)

    def _adjoint(self, y: Tensor) -> Tensor:
        rows, columns = self.matrices(self.clean_size(y), y)
        return rows.mT @ y @ columns

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        if is_field(sigma_x) or is_field(sigma_y):
            return super()._data_step(x0, y, sigma_x, sigma_y)
        rows, columns = self.matrices((x0.shape[-2], x0.shape[-1]), x0)
        ratio = (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2
        return separable_step(rows, columns, x0, y, ratio)

    def matrices(self, size: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
        """R and C as dense matrices, to be multiplied with pictures such as `like`."""
        rows, columns = (axis.matrix(like) for axis in self.axes(size))
        return rows, columns


def separable_step(rows: Tensor, columns: Tensor, x0: Tensor, y: Tensor, ratio: Tensor) -> Tensor:
    """argmin over x of |R x C^T - y|^2 + ratio |x - x0|^2.

    By the eigenvectors of R R^T and C C^T: x = x0 + R^T (A A^T + ratio)^-1 (y - R x0 C^T) C, where A A^T is the
    Kronecker product of the two, so that its eigenvalues are the products of theirs.
    """
    (down, u), (across, v) = (_eigen(m) for m in (rows, columns))
    residual = u.mT @ (y - rows @ x0 @ columns.mT) @ v
    solved = residual / (down.clamp_min(0)[..., :, None] * across.clamp_min(0)[..., None, :] + ratio)
    return x0 + rows.mT @ (u @ solved @ v.mT) @ columns


def weighted_step(a: Map, adjoint: Map, x0: Tensor, y: Tensor, weight: Tensor, rounds: int | None = None) -> Tensor:
    """argmin over x of weight |a(x) - y|^2 + |x - x0|^2, for a linear map to few values and a weight of each of them.

    By conjugate gradients on the side of y, where there are fewer unknowns and, if the values share little of x, few
    rounds are needed: with w the square root of the weight, x = x0 + A* w u, (w A A* w + 1) u = w (y - A x0).

    Args:
        a, adjoint: the map, and its adjoint.
        x0: what is expected.
        y, weight: of the same shape, but for channels; where the weight is 0, y tells nothing.
        rounds: at most; None goes on until nothing is left to be computed.
    """
    root = weight**0.5

    def normal(u: Tensor) -> Tensor:
        return root * a(adjoint(root * u)) + u

    right = root * (y - a(x0))
    u = conjugate_gradients(normal, right) if rounds is None else conjugate_gradients(normal, right, rounds=rounds)
    return x0 + adjoint(root * u)


def _eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors of m m^T, in float64: squaring a matrix costs half of its digits."""
    exact = matrix.to("cpu" if matrix.device.type == "mps" else matrix.device).double()
    values, vectors = torch.linalg.eigh(exact @ exact.mT)
    return values.to(matrix), vectors.to(matrix)


def mirrored(index: Tensor, length: int) -> Tensor:
    """Places on an endless line to those of a line that goes on mirrored, its outermost value repeated."""
    index = index % (2 * length)  # ... 1 0 | 0 1 ... n-1 | n-1 ...
    return torch.where(index < length, index, 2 * length - 1 - index)
