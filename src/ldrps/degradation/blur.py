"""Blur that is the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.base import Linear
from ldrps.degradation.kernels import stretched, taps
from ldrps.degradation.parameter import Parameter, broadcast, equals, is_field, mean_of
from ldrps.degradation.separable import Axis, Separable, mirrored
from ldrps.degradation.solve import conjugate_gradients
from ldrps.errors import InputError, SettingsError
from ldrps.image.tiles import Window

# What lies beyond the edge: the picture mirrored, the picture again, or nothing, so that the result is smaller.
Border = Literal["mirrored", "circular", "valid"]

_MANY = 128  # taps from which on a convolution is cheaper by Fourier's transform
_REGULAR = 0.1  # deviation of the noise to that of the change, where a blur is undone with no prior to ask


@dataclass(frozen=True, eq=False)
class Blur(Linear):
    """Convolution with a kernel.

    Attributes:
        kernel: [h, w] for all pictures or [B, h, w], of odd sides and sum 1; see `kernels`.
        border: what lies beyond the edge.

    Of `scaled`, the width of the kernel is, about its middle; see `kernels.stretched`. What a "valid" border leaves out
    goes in whole pixels.

    The data step has a closed form for a circular border, and for a mirrored one if the kernel is its own mirror image
    both ways; a "valid" one is solved from that of a circular one on, see `valid_step`. Others take hundreds of rounds
    of conjugate gradients.

    Raises:
        SettingsError: a kernel without a middle.
    """

    kind = "blur"

    kernel: Tensor
    border: Border = "mirrored"

    def __post_init__(self) -> None:
        if self.kernel.ndim not in (2, 3) or not all(side % 2 for side in self.kernel.shape[-2:]):
            raise SettingsError(
                f"a kernel of shape {list(self.kernel.shape)}: give [h, w] or [B, h, w], both sides odd"
            )

    @property
    def absent(self) -> Tensor:
        if self.kernel.shape[-2:] != (1, 1) and self.border == "valid":
            return torch.tensor(False)  # it is smaller in any case
        middle = self.kernel[..., self._reach[0], self._reach[1]]
        return (middle == 1) & (self.kernel.abs().sum((-2, -1)) == 1)

    @property
    def support(self) -> int:
        return max(self._reach)

    def output_window(self, window: Window) -> Window:
        down, across = self._reach if self.border == "valid" else (0, 0)
        return Window(window.top, window.left, window.height - 2 * down, window.width - 2 * across)

    def clean_size(self, y: Tensor) -> tuple[int, int]:
        down, across = self._reach if self.border == "valid" else (0, 0)
        return y.shape[-2] + 2 * down, y.shape[-1] + 2 * across

    def _apply(self, x: Tensor) -> Tensor:
        if self.border == "circular":
            return self._filtered(x, self._transfer(x))
        down, across = self._reach
        if self.border == "valid" and (x.shape[-2] <= 2 * down or x.shape[-1] <= 2 * across):
            (height, width), (rows, columns) = x.shape[-2:], self.kernel.shape[-2:]
            raise InputError(f"a picture of {width}x{height} and a kernel of {columns}x{rows}: give a larger one")
        if self.border == "mirrored":
            for dim, reach in ((-2, down), (-1, across)):
                length = x.shape[dim]
                x = x.index_select(dim, mirrored(torch.arange(-reach, length + reach, device=x.device), length))
        kernel = self.kernel.to(x).flip(-2, -1)
        kernel = kernel if kernel.ndim == 3 else kernel[None]
        places = (kernel != 0).any(0).nonzero()
        height, width = x.shape[-2] - 2 * down, x.shape[-1] - 2 * across
        if len(places) > _MANY:
            blurred = self._filtered(x, self._transfer(x))
            return blurred[..., down : down + height, across : across + width]
        total = x.new_zeros(*x.shape[:2], height, width)
        for row, column in places.tolist():
            tap = kernel[:, row, column].reshape(-1, 1, 1, 1)
            total = total + tap * x[..., row : row + height, column : column + width]
        return total

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._filtered(y, self._transfer(y).conj()) if self.border == "circular" else super()._adjoint(y)

    def valid_step(
        self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter, rounds: int | None = None
    ) -> Tensor:
        """The data step of y [B, C, h, w], which a "valid" border leaves of x, by a few rounds of conjugate gradients.

        Each begins with the closed form for a circular border, which only errs near the edge: after ten of them little
        is left to be seen. None goes on until nothing is left to be computed.

        Args:
            x0: what the prior expects, [B, C, H, W].
            y, sigma_x, sigma_y: as of `data_step`; where sigma_y is infinite, y tells nothing.
            rounds: at most.
        """
        transfer, (down, across) = self._transfer(x0), self._reach
        height, width = y.shape[-2:]
        prior, data = broadcast(sigma_x, x0) ** -2, broadcast(sigma_y, y) ** -2

        def seen(x: Tensor) -> Tensor:
            return self._filtered(x, transfer)[..., down : down + height, across : across + width]

        def back(y: Tensor) -> Tensor:
            return self._filtered(F.pad(y, (across, across, down, down)), transfer.conj())

        def normal(d: Tensor) -> Tensor:
            return back(data * seen(d)) + prior * d

        def nearly(residual: Tensor) -> Tensor:
            return self._filtered(residual, 1 / (_of_picture(data) * transfer.abs() ** 2 + _of_picture(prior)))

        given = {} if rounds is None else {"rounds": rounds}
        return x0 + conjugate_gradients(normal, back(data * (y - seen(x0))), nearly=nearly, **given)

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        if self.border == "valid":
            return self.valid_step(x0, y, sigma_x, sigma_y)
        doubled = self.border == "mirrored" and self._is_symmetric
        if not (doubled or self.border == "circular") or is_field(sigma_x) or is_field(sigma_y):
            return super()._data_step(x0, y, sigma_x, sigma_y)
        residual = y - self._apply(x0)
        if doubled:  # a picture and its mirror images, side by side, go on in circles as the one goes on mirrored
            residual = torch.cat([residual, residual.flip(-1)], -1)
            residual = torch.cat([residual, residual.flip(-2)], -2)
        transfer = self._transfer(residual)
        ratio = (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2
        change = self._filtered(residual, transfer.conj() / (transfer.abs() ** 2 + ratio))
        return x0 + change[..., : x0.shape[-2], : x0.shape[-1]]

    def _invert(self, y: Tensor) -> Tensor:
        start = y if self.border != "valid" else self._adjoint(y)
        return self._data_step(start, y, 1.0, _REGULAR)

    def _slope(self, y: Tensor) -> Tensor:
        transfer = self._transfer(y)
        undone = 1 + transfer.conj() * (1 - transfer) / (transfer.abs() ** 2 + _REGULAR**2)
        power = torch.fft.irfft2(undone, s=y.shape[-2:]).pow(2).sum((-2, -1), keepdim=True).sqrt()
        height, width = self.clean_size(y)
        return power.expand(len(y), y.shape[1], height, width)

    def words(self) -> str:
        kernel = (self.kernel if self.kernel.ndim == 2 else self.kernel[0]).cpu()
        rows, columns = (torch.arange(side, dtype=kernel.dtype) - side // 2 for side in kernel.shape)
        spread_out = (kernel * (rows[:, None] ** 2 + columns**2)).sum() / 2
        return f"blurred by {float(spread_out.clamp_min(0).sqrt()):.1f} px"

    def _scaled(self, strength: float) -> Self:
        return replace(self, kernel=stretched(self.kernel, strength))

    @property
    def _is_symmetric(self) -> bool:
        kernel = self.kernel
        return torch.equal(kernel, kernel.flip(-1)) and torch.equal(kernel, kernel.flip(-2))

    @property
    def _reach(self) -> tuple[int, int]:
        return self.kernel.shape[-2] // 2, self.kernel.shape[-1] // 2

    def _transfer(self, x: Tensor) -> Tensor:
        """The kernel in the Fourier domain of pictures of the size of x, [1 or B, 1, H, W // 2 + 1]."""
        (height, width), (down, across) = x.shape[-2:], self._reach
        kernel = self.kernel.to(x).reshape(-1, 1, *self.kernel.shape[-2:])
        rows = torch.arange(-down, down + 1, device=x.device) % height
        columns = torch.arange(-across, across + 1, device=x.device) % width
        # Added up, as a kernel larger than the picture goes round more than once.
        wrapped = x.new_zeros(len(kernel), 1, height, kernel.shape[-1]).index_add_(-2, rows, kernel)
        wrapped = x.new_zeros(len(kernel), 1, height, width).index_add_(-1, columns, wrapped)
        return torch.fft.rfft2(wrapped)

    def _filtered(self, x: Tensor, transfer: Tensor) -> Tensor:
        filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(x) * transfer, s=x.shape[-2:])
        return filtered


@dataclass(frozen=True, eq=False)
class GaussianBlur(Separable):
    """Convolution with a round Gaussian; the picture goes on mirrored beyond its edge.

    Attributes:
        sigma: deviation in pixels, cut at four of them; a number, or [B].
    """

    kind = "gaussian blur"

    sigma: Parameter

    @property
    def absent(self) -> Tensor:
        return equals(self.sigma, 0)

    @property
    def support(self) -> int:
        return taps(self.sigma).shape[-1] // 2

    @property
    def kernel(self) -> Tensor:
        """As `Blur` takes it, [h, w] or [B, h, w]."""
        weight = taps(self.sigma)
        return weight[..., :, None] * weight[..., None, :]

    def __post_init__(self) -> None:
        if float(torch.as_tensor(self.sigma).min()) < 0:
            raise SettingsError(f"sigma is {self.sigma}; it must be 0 or more pixels")

    def _invert(self, y: Tensor) -> Tensor:
        return self._data_step(y, y, 1.0, _REGULAR)

    def _slope(self, y: Tensor) -> Tensor:
        rows, columns = self.matrices((y.shape[-2], y.shape[-1]), y)
        down, across = (torch.linalg.eigvalsh(m.double().cpu()).to(y) for m in (rows, columns))
        passed = down[..., :, None] * across[..., None, :]
        undone = 1 + passed * (1 - passed) / (passed**2 + _REGULAR**2)
        return undone.pow(2).mean((-2, -1), keepdim=True).sqrt().expand_as(y)

    def axes(self, size: tuple[int, int]) -> tuple[Axis, Axis]:
        weight = taps(self.sigma)
        weight = weight if weight.ndim == 1 else weight[:, None]
        reach = weight.shape[-1] // 2
        rows, columns = (self._axis(weight, length, reach) for length in size)
        return rows, columns

    def words(self) -> str:
        return f"blurred by {mean_of(self.sigma):.1f} px"

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    @staticmethod
    def _axis(weight: Tensor, length: int, reach: int) -> Axis:
        places = torch.arange(length)[:, None] + torch.arange(-reach, reach + 1)
        shape = (*weight.shape[:-1], length, weight.shape[-1])
        return Axis(length, mirrored(places, length), weight.cpu()[..., None, :].expand(shape))


def _of_picture(weight: Tensor) -> Tensor:
    """One weight for all places of a picture: the largest, [1 or B, 1, 1, 1], which most of them have."""
    return weight if weight.ndim == 0 else weight.amax((-3, -2, -1), keepdim=True)
