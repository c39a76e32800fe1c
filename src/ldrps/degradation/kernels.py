"""Kernels of blur: [h, w] of odd sides, float64, not negative, of sum 1, the place of a pixel itself in the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_REACH = 4  # deviations at which a Gaussian is cut
_SUBPIXELS = 8  # each way, to tell how much of a pixel a disk covers


def taps(sigma: float | Tensor) -> Tensor:
    """A Gaussian along one axis, cut at four deviations: [n] for a number, [B, n] for sigma [B]."""
    deviation = torch.as_tensor(sigma, dtype=torch.float64)
    radius = math.ceil(_REACH * float(deviation.max()))
    places = torch.arange(-radius, radius + 1, dtype=torch.float64, device=deviation.device)
    each = deviation[..., None]
    weights = torch.exp(-0.5 * (places / each.clamp_min(1e-9)) ** 2) * (places.abs() <= (_REACH * each).ceil())
    return weights / weights.sum(-1, keepdim=True)


def gaussian(along: float, across: float, angle: float = 0.0) -> Tensor:
    """An anisotropic Gaussian: deviations in pixels `along` an axis `angle` degrees up from the right, and `across`."""
    radius = math.ceil(_REACH * max(along, across))
    rows, columns = _places(radius)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    u, v = columns * cosine - rows * sine, columns * sine + rows * cosine
    kernel = torch.exp(-0.5 * ((u / max(along, 1e-9)) ** 2 + (v / max(across, 1e-9)) ** 2))
    return kernel / kernel.sum()


def disk(radius: float) -> Tensor:
    """A lens out of focus: an even disk of that radius in pixels; pixels at its edge by their share of it."""
    reach = math.ceil(max(radius - 0.5, 0))
    side = (2 * reach + 1) * _SUBPIXELS
    places = (torch.arange(side, dtype=torch.float64) + 0.5) / _SUBPIXELS - reach - 0.5
    inside = (places[:, None] ** 2 + places**2 <= radius**2).double()
    kernel = inside.reshape(2 * reach + 1, _SUBPIXELS, 2 * reach + 1, _SUBPIXELS).mean((1, 3))
    if not float(kernel.sum()):  # less than a part of a pixel
        kernel[reach, reach] = 1.0
    return kernel / kernel.sum()


def line(length: float, angle: float) -> Tensor:
    """The path of an even motion over `length` pixels, `angle` degrees up from the right; a length of 1 is none.

    Points a pixel apart, shared among the four pixels around each.
    """
    reach = (length - 1) / 2
    count = math.ceil(length)
    steps = [reach * (2 * k / (count - 1) - 1) if count > 1 else 0.0 for k in range(count)]
    # Rounded, so that the sine of 180 degrees is 0 and not 1e-16 of a pixel.
    down, right = (round(-math.sin(math.radians(angle)), 12), round(math.cos(math.radians(angle)), 12))
    return path([(step * down, step * right) for step in steps], math.ceil(reach))


def path(points: list[tuple[float, float]], radius: int) -> Tensor:
    """The path of a motion through points (down, right) of equal weight, each shared among the four pixels around it.

    No point is further than `radius` pixels away either way.
    """
    kernel = torch.zeros(2 * radius + 1, 2 * radius + 1, dtype=torch.float64)
    for down, right in points:
        y, x = round(radius + down, 9), round(radius + right, 9)
        top, left = math.floor(y), math.floor(x)
        for row, low in ((top, 1 - (y - top)), (top + 1, y - top)):
            for column, near in ((left, 1 - (x - left)), (left + 1, x - left)):
                if low * near:
                    kernel[row, column] += low * near
    return kernel / kernel.sum()


def stretched(kernel: Tensor, factor: float) -> Tensor:
    """A kernel [h, w] or [B, h, w] `factor` times as wide about its middle, in its type; a delta stays one.

    The kernel is taken for mass on a plane: that of four neighbours in a square is spread evenly over the square, what
    is left of that of two, along the line between them, and the rest is at its points. The plane is stretched, and all
    mass shared among the four pixels around its place. So the sum stays, the mean moves by the factor, a factor of 1
    changes nothing, and no gaps open but between points that only touch at their corners.
    """
    rows, columns = (_stretches(side, factor, kernel) for side in kernel.shape[-2:])
    rest, total = kernel, kernel.new_zeros(*kernel.shape[:-2], len(rows.points), len(columns.points))
    for down, across in ((True, True), (False, True), (True, False)):
        row_map, column_map = rows.lines if down else rows.points, columns.lines if across else columns.points
        shared = rest
        if down:
            shared = torch.minimum(shared[..., 1:, :], shared[..., :-1, :])
        if across:
            shared = torch.minimum(shared[..., 1:], shared[..., :-1])
        shared = shared.clamp_min(0)
        total = total + row_map @ shared @ column_map.mT
        for dim, joined in ((-2, down), (-1, across)):
            shared = _halves(shared, dim) if joined else shared
        rest = rest - shared
    total = total + rows.points @ rest @ columns.points.mT
    for dim in (-2, -1):  # to the bit, as data steps in closed form want it
        if torch.equal(kernel, kernel.flip(dim)):
            total = (total + total.flip(dim)) / 2
    return total


def mean_of(kernel: Tensor) -> tuple[float, float]:
    """Where the mean of a kernel [h, w] lies, in pixels down and to the right of its middle."""
    rows, columns = (torch.arange(side).to(kernel) - side // 2 for side in kernel.shape)
    total = kernel.sum()
    return float(kernel.sum(1) @ rows / total), float(kernel.sum(0) @ columns / total)


def shape_of(kernel: Tensor) -> Tensor:
    """(l1 - l2) / (l1 + l2) of the variances of a kernel [h, w] along its axes, times the cosine and the sine of twice
    the angle of the longer one, up from the right.
    """
    vertical, horizontal, mixed = _variances(kernel)
    return torch.stack([horizontal - vertical, 2 * mixed]) / (horizontal + vertical).clamp_min(1e-9)


def spread_of(kernel: Tensor) -> float:
    """The deviation of a kernel along its longer axis, in pixels."""
    vertical, horizontal, _ = _variances(kernel)
    return math.sqrt(max(float(vertical + horizontal) * (1 + float(shape_of(kernel).norm())) / 2, 0.0))


def _variances(kernel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of a kernel: up, to the right, and how the two go together."""
    rows, columns = (torch.arange(side).to(kernel) - side // 2 for side in kernel.shape)
    down, right = mean_of(kernel)
    up, right_of = (down - rows)[:, None], columns - right
    vertical, horizontal, mixed = ((kernel * each).sum() for each in (up * up, right_of * right_of, up * right_of))
    return vertical, horizontal, mixed


@dataclass(frozen=True)
class _Stretches:
    """Where the pixels of a line go: those of its points [n, taps], and of the lines between two, [n, taps - 1]."""

    points: Tensor
    lines: Tensor


def _stretches(side: int, factor: float, like: Tensor) -> _Stretches:
    radius = math.ceil(round(factor * (side // 2), 9))
    places = torch.arange(-radius, radius + 1, dtype=torch.float64)[:, None]
    points = factor * (torch.arange(side, dtype=torch.float64) - side // 2)
    near = (1 - (places - points).abs()).clamp_min(0)
    from_left = (1 + places - points).clamp(0, 2)  # how far into a pixel's tent, whose integral is:
    filled = torch.where(from_left < 1, from_left**2 / 2, 1 - (2 - from_left) ** 2 / 2)
    lines = (filled[:, :-1] - filled[:, 1:]) / factor
    near, lines = (each / each.sum(0) for each in (near, lines))
    return _Stretches(near.to(like), lines.to(like))


def _halves(shared: Tensor, dim: int) -> Tensor:
    """Half of what two neighbours share to each."""
    shape = list(shared.shape)
    shape[dim] = 1
    nothing = shared.new_zeros(shape)
    return (torch.cat([shared, nothing], dim) + torch.cat([nothing, shared], dim)) / 2


def _places(radius: int) -> tuple[Tensor, Tensor]:
    places = torch.arange(-radius, radius + 1, dtype=torch.float64)
    return places[:, None], places
