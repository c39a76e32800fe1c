"""JPEG: quantisation of the cosine transform of blocks of 8 x 8 pixels (ITU-T T.81, JFIF)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.base import Projection
from ldrps.errors import SettingsError
from ldrps.image.tiles import Window

BLOCK = 8
# T.81, tables K.1 and K.2, which libjpeg scales by its quality.
_LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61), *(12, 12, 14, 19, 26, 58, 60, 55), *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62), *(18, 22, 37, 56, 68, 109, 103, 77), *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101), *(72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99), *(18, 21, 26, 66, 99, 99, 99, 99), *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99), *((99,) * 32),
)  # fmt: skip
# N. Robidoux's for brightness and colours alike, as ImageMagick offers it and MozJPEG takes it unless told otherwise.
_ROBIDOUX = (
    *(16, 16, 16, 18, 25, 37, 56, 85), *(16, 17, 20, 27, 34, 40, 53, 75), *(16, 20, 24, 31, 43, 62, 91, 135),
    *(18, 27, 31, 40, 53, 74, 106, 156), *(25, 34, 43, 53, 69, 94, 131, 189), *(37, 40, 62, 74, 94, 124, 169, 238),
    *(56, 53, 91, 106, 131, 169, 226, 311), *(85, 75, 135, 156, 189, 238, 311, 418),
)  # fmt: skip
BASES = {"libjpeg": (_LUMA, _CHROMA), "mozjpeg": (_ROBIDOUX, _ROBIDOUX)}
# JFIF's conversion of values 0 to 255, without the shift of Cb and Cr by 128.
TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_ROUNDED = 1.0  # levels by which rounding to bytes may move a coefficient; its deviation is a third of that


def tables(quality: float | Tensor, base: str = "libjpeg") -> Tensor:
    """Quantisation tables of a quality from 1 to 100, as libjpeg scales one of the `BASES`: [2, 8, 8], or [B, 2, 8, 8]
    for [B]; luma first.
    """
    quality = torch.as_tensor(quality, dtype=torch.float64)
    scale = torch.where(quality < 50, (5000 / quality.clamp_min(1)).floor(), 200 - 2 * quality)[..., None, None, None]
    steps = torch.tensor(BASES[base], dtype=torch.float64).reshape(2, BLOCK, BLOCK)
    return ((steps * scale + 50) / 100).floor().clamp(1, 255)


@dataclass(frozen=True, eq=False)
class Jpeg(Projection):
    """What a file of JPEG keeps of a picture [B, 3, H, W]: colours at less resolution, coefficients in whole steps.

    What is decoded is neither clipped nor rounded. The gradient passes the quantisation as if it were not there. Beyond
    its edge a picture goes on with its outermost pixels, as libjpeg fills its last blocks.

    Of `scaled`, the steps are; that colours have less resolution is on or off, and stays on above 0.

    Raises:
        SettingsError: tables of another shape, or with a step that is not positive.

    Attributes:
        quantisation: steps of the coefficients of luma and of chroma, [2, 8, 8] or [B, 2, 8, 8]; see `tables`.
        subsampling: pixels to one of chroma, (down, across): (2, 2) is 4:2:0, (1, 2) 4:2:2, (1, 1) 4:4:4.
        offset: how many rows and columns of the first block were cut off, below 8 or, with subsampling, below 16.
    """

    kind = "jpeg"

    quantisation: Tensor
    subsampling: tuple[int, int] = (2, 2)
    offset: tuple[int, int] = (0, 0)

    @classmethod
    def of_quality(
        cls, quality: float | Tensor, subsampling: tuple[int, int] = (2, 2), offset: tuple[int, int] = (0, 0)
    ) -> Jpeg:
        """As libjpeg writes it at a quality from 1 to 100."""
        return cls(tables(quality), subsampling, offset)

    def __post_init__(self) -> None:
        if self.quantisation.shape[-3:] != (2, BLOCK, BLOCK) or not bool((self.quantisation > 0).all()):
            raise SettingsError(
                f"tables of shape {list(self.quantisation.shape)}: give [2, 8, 8] or [B, 2, 8, 8] above 0"
            )

    @property
    def absent(self) -> Tensor:
        return torch.tensor(False)

    @property
    def support(self) -> int:
        return BLOCK * max(self.subsampling)

    def _apply(self, x: Tensor) -> Tensor:
        planes = [_quantised(plane, self._step(channel, plane)) for channel, plane in enumerate(self._planes(x))]
        ycc = [self._plane(plane, channel, x.shape[-2:], _smoothed) for channel, plane in enumerate(planes)]
        return (_from_ycc(torch.stack(ycc, 1)) + 128) / 255

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """x moved into the intervals of the coefficients that y stands for, widened for y's rounding to bytes: of the
        pictures there the nearest in YCbCr.

        y tells which multiple of its step each coefficient was: of subsampled chroma too, once the filter by which it
        was enlarged is undone. Blocks that the edge cuts tell nothing that could be held on to.
        """
        x_planes, y_planes = self._planes(x), self._planes(y)
        y_planes[1:] = [_blocks(self._unsmoothed(_pixels(plane))) for plane in y_planes[1:]]
        change = torch.zeros_like(x)
        for channel, (mine, data) in enumerate(zip(x_planes, y_planes, strict=True)):
            step = self._step(channel, mine)
            centre, half = step * (data / step).round(), step / 2 + _ROUNDED
            moved = (mine.clamp(centre - half, centre + half) - mine) * self._whole(channel, x)
            change[:, channel] = self._plane(moved, channel, x.shape[-2:], _repeated)
        return x + _from_ycc(change) / 255

    def at(self, window: Window) -> Jpeg:
        rows, columns = (BLOCK * factor for factor in self.subsampling)
        top, left = self.offset
        return replace(self, offset=((top + window.top) % rows, (left + window.left) % columns))

    def _scaled(self, strength: float) -> Self:
        return replace(self, quantisation=self.quantisation * strength)

    def words(self) -> str:
        step = self.quantisation.double().reshape(-1, 2, BLOCK, BLOCK)[0, 0].mean()
        return f"saved as JPEG with steps of {float(step):.0f} of 255"

    def _step(self, channel: int, plane: Tensor) -> Tensor:
        """Of the coefficients of a channel, [1 or B, 1, 1, 8, 8]."""
        steps = self.quantisation.to(plane).reshape(-1, 2, BLOCK, BLOCK)
        return steps[:, min(channel, 1), None, None]

    def _planes(self, x: Tensor) -> list[Tensor]:
        """The coefficients of Y, Cb and Cr, each [B, rows, columns, 8, 8] blocks."""
        ycc = torch.einsum("bchw,dc->bdhw", 255 * x - 128, x.new_tensor(TO_YCC))  # -128: that of the shift of Y
        padded = F.pad(ycc, self._margins(x.shape[-2:]), mode="replicate")
        small = F.avg_pool2d(padded[:, 1:], self.subsampling)
        return [_blocks(padded[:, 0]), _blocks(small[:, 0]), _blocks(small[:, 1])]

    def _plane(
        self, blocks: Tensor, channel: int, size: torch.Size, enlarged: Callable[[Tensor, tuple[int, int]], Tensor]
    ) -> Tensor:
        """A channel [B, H, W] of its coefficients."""
        plane = _pixels(blocks)
        plane = enlarged(plane, self.subsampling) if channel else plane
        left, _, top, _ = self._margins(size)
        return plane[:, top : top + size[0], left : left + size[1]]

    def _unsmoothed(self, plane: Tensor) -> Tensor:
        """The plane [B, h, w] that became `plane` by being enlarged, smoothly, and reduced again."""
        for factor, turned in zip(self.subsampling, (False, True), strict=True):
            if factor > 1:
                lines = plane.mT if turned else plane
                unit = torch.eye(lines.shape[-2], dtype=plane.dtype, device=plane.device)
                there_and_back = F.avg_pool2d(_smoothed(unit[None], (factor, 1)), (factor, 1))[0]
                lines = torch.linalg.solve(there_and_back, lines)
                plane = lines.mT if turned else lines
        return plane

    def _whole(self, channel: int, x: Tensor) -> Tensor:
        """1 for a channel's blocks within the picture, 0 for those that its edge cuts, [rows, columns, 1, 1]."""
        factors = self.subsampling if channel else (1, 1)
        left, right, top, bottom = self._margins(x.shape[-2:])
        sides = []
        for before, length, after, factor in zip((top, left), x.shape[-2:], (bottom, right), factors, strict=True):
            starts = torch.arange(0, before + length + after, BLOCK * factor, device=x.device) - before
            sides.append((starts >= 0) & (starts + BLOCK * factor <= length))
        return (sides[0][:, None] & sides[1]).to(x)[..., None, None]

    def _margins(self, size: torch.Size) -> tuple[int, int, int, int]:
        (top, left), (rows, columns) = self.offset, (BLOCK * factor for factor in self.subsampling)
        return left, -(size[1] + left) % columns, top, -(size[0] + top) % rows


def _quantised(coefficients: Tensor, step: Tensor) -> Tensor:
    whole = (coefficients.detach() / step).round() * step
    return coefficients + (whole - coefficients.detach())


def _from_ycc(ycc: Tensor) -> Tensor:
    """RGB of values Y, Cb, Cr [B, 3, H, W], linear: neither is shifted."""
    return torch.einsum("bchw,dc->bdhw", ycc, torch.tensor(TO_YCC, dtype=torch.float64).inverse().to(ycc))


def cosines(like: Tensor) -> Tensor:
    """The orthonormal transform of eight values, [8, 8], a row for each frequency, of the type of `like`."""
    k = torch.arange(BLOCK, dtype=torch.float64)
    rows = torch.cos(math.pi / BLOCK * k[:, None] * (k + 0.5)) * math.sqrt(2 / BLOCK)
    rows[0] /= math.sqrt(2)
    return rows.to(like)


def _blocks(plane: Tensor) -> Tensor:
    transform = cosines(plane)
    blocks = plane.unflatten(2, (-1, BLOCK)).unflatten(1, (-1, BLOCK)).transpose(2, 3)
    return transform @ blocks @ transform.T


def _pixels(blocks: Tensor) -> Tensor:
    transform = cosines(blocks)
    return (transform.T @ blocks @ transform).transpose(2, 3).flatten(3, 4).flatten(1, 2)


def _smoothed(plane: Tensor, factors: tuple[int, int]) -> Tensor:
    """Enlarged as libjpeg does by default ("fancy"): three parts of the nearer value and one of the farther."""
    size = (plane.shape[-2] * factors[0], plane.shape[-1] * factors[1])
    return F.interpolate(plane[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def _repeated(plane: Tensor, factors: tuple[int, int]) -> Tensor:
    """Enlarged so that the means of the pixels are the values themselves."""
    return plane.repeat_interleave(factors[0], 1).repeat_interleave(factors[1], 2)
