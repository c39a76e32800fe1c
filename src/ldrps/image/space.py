"""Colour profiles: pixels into sRGB to be worked on, and what was changed there back into the space they came from."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageCms
from torch import Tensor

from ldrps.image.arrays import pixels, row_blocks
from ldrps.image.room import room

log = logging.getLogger(__name__)

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's own conversion to L
_STEP = 5  # levels between nodes: 255 is a multiple of it, so each node is a level and none is rounded
_NODES = 255 // _STEP + 1
_ALIKE = 2  # levels: a profile that moves no colour by more is sRGB under another name
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


class ColourSpace(Protocol):
    """What a profile says: C values of a pixel, 1 or 3, all in [0, 1], to and from sRGB."""

    def to_srgb(self, values: Tensor) -> Tensor:
        """[C, h, W] to [3, h, W]; what sRGB cannot show is moved to its border."""

    def from_srgb(self, values: Tensor) -> Tensor:
        """[3, h, W] to [C, h, W]."""


@dataclass(frozen=True, eq=False)
class Profiled:
    """A picture in its own colour space, where that is not sRGB.

    Attributes:
        levels: uint8 or uint16 [H, W, C] as the file has them, upright.
        space: what they mean.
    """

    levels: NDArray[Any] = field(repr=False)
    space: ColourSpace = field(repr=False)

    def in_srgb(self) -> Tensor:
        """float32 [1, 3, H, W] in [0, 1]."""
        height, width = self.levels.shape[:2]
        planes = room(1, 3, height, width)
        for rows in row_blocks(height, width):
            planes[0, :, rows] = self.space.to_srgb(self._values(rows)).clamp(0, 1)
        return planes

    def changed(self, rows: slice, before: Tensor, after: Tensor) -> Tensor:
        """The rows [C, h, W] with what changed in sRGB, [3, h, W] each, done to them; not clamped.

        Where nothing changed they are as they were, and colours outside sRGB stay outside.
        """
        return self._values(rows) + (self.space.from_srgb(after) - self.space.from_srgb(before))

    def _values(self, rows: slice) -> Tensor:
        return pixels(self.levels[rows])[0, : self.levels.shape[2]]


def read_profile(profile: bytes, channels: int, name: str) -> ColourSpace | None:
    """What the profile of a picture of 1 or 3 channels says; None if it is sRGB, near enough, or of no use.

    A profile that is damaged, or of another kind of pixel, is named in the log.
    """
    try:
        return _space(profile, channels)
    except Exception as error:  # foreign bytes: lcms's own errors, and those of Pillow around it
        log.warning("%s: its colour profile is kept but cannot be followed (%s)", name, error or type(error).__name__)
        return None


def convert_to_srgb(image: Image.Image, profile: bytes | None, name: str) -> Image.Image:
    """A PIL image of mode CMYK or LAB as RGB, by its profile if that is one of CMYK, else by Pillow's rule of thumb."""
    log.warning("%s has %s pixels: they are converted, and written as RGB", name, image.mode)
    if profile and image.mode == "CMYK":
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            transform = _transform(source, _srgb(), "CMYK", "RGB")
            return transform.apply(image)
        except Exception as error:  # as above
            log.warning("%s: its colour profile is left out, as it cannot be followed (%s)", name, error)
    return image.convert("RGB")


@lru_cache(1)
def srgb_profile() -> bytes:
    """The profile of sRGB, to be embedded."""
    return ImageCms.ImageCmsProfile(_srgb()).tobytes()


def in_grey(rgb: Tensor) -> Tensor:
    """[3, h, W] to its luma, [1, h, W]."""
    return torch.einsum("chw,c->hw", rgb, torch.tensor(LUMA))[None]


def luma_of(images: Tensor) -> Tensor:
    """The luma of images, or of differences of such, [B, 3, H, W], as [B, 1, H, W]."""
    return (images * images.new_tensor(LUMA).reshape(1, 3, 1, 1)).sum(1, keepdim=True)


@lru_cache(4)  # pictures of a folder mostly share one
def _space(profile: bytes, channels: int) -> ColourSpace | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    kind = source.profile.xcolor_space.strip()
    wanted = "RGB" if channels == 3 else "GRAY"
    if kind != wanted:
        raise ValueError(f"it is one of {kind} pixels, not {wanted}")
    if channels == 1:
        curve = np.asarray(_transform(source, _srgb(), "L", "RGB").apply(Image.fromarray(_levels()[None])))[0, :, 0]
        if int(np.abs(curve.astype(int) - _levels()).max()) <= _ALIKE:
            return None
        return _Curve(np.maximum.accumulate(curve) / 255)
    nodes = _cube_of_nodes()
    forward = _mapped(nodes, _transform(source, _srgb(), "RGB", "RGB"))
    if int(np.abs(forward.astype(int) - nodes).max()) <= _ALIKE:
        return None
    return _Cube(_table(forward), _table(_mapped(nodes, _transform(_srgb(), source, "RGB", "RGB"))))


@dataclass(frozen=True, eq=False)
class _Cube:
    """Three channels: tables [1, 3, n, n, n] over blue, green and red, between whose nodes lines are drawn.

    Pillow's transforms take 8 bits; these take any depth.
    """

    forward: Tensor
    backward: Tensor

    def to_srgb(self, values: Tensor) -> Tensor:
        return _looked_up(self.forward, values)

    def from_srgb(self, values: Tensor) -> Tensor:
        return _looked_up(self.backward, values)


@dataclass(frozen=True, eq=False)
class _Curve:
    """One channel: the sRGB value, in [0, 1], of each of 256 levels, never falling."""

    curve: NDArray[np.float64]

    def to_srgb(self, values: Tensor) -> Tensor:
        shown = np.interp(values[0].numpy(), _levels() / 255, self.curve)
        return torch.from_numpy(shown.astype(np.float32)).expand(3, -1, -1)

    def from_srgb(self, values: Tensor) -> Tensor:
        own = np.interp(in_grey(values)[0].numpy(), self.curve, _levels() / 255)
        return torch.from_numpy(own.astype(np.float32))[None]


def _looked_up(table: Tensor, values: Tensor) -> Tensor:
    grid = values.permute(1, 2, 0)[None, None] * 2 - 1  # [1, 1, h, W, 3]: red is the innermost axis, which comes first
    return F.grid_sample(table, grid, padding_mode="border", align_corners=True)[0, :, 0]


def _table(colours: NDArray[np.uint8]) -> Tensor:
    """uint8 [n, n, n, 3] to [1, 3, n, n, n] in [0, 1]."""
    return torch.from_numpy(colours.astype(np.float32) / 255).permute(3, 0, 1, 2)[None].contiguous()


def _levels() -> NDArray[np.uint8]:
    return np.arange(256, dtype=np.uint8)


def _cube_of_nodes() -> NDArray[np.uint8]:
    """[n, n, n, 3]: at [b, g, r] the colour (r, g, b)."""
    blue, green, red = np.meshgrid(*[np.arange(0, 256, _STEP, dtype=np.uint8)] * 3, indexing="ij")
    return np.stack([red, green, blue], -1)


def _mapped(nodes: NDArray[np.uint8], transform: ImageCms.ImageCmsTransform) -> NDArray[np.uint8]:
    flat = Image.fromarray(nodes.reshape(_NODES, -1, 3))
    return np.asarray(transform.apply(flat)).reshape(nodes.shape)


def _transform(source: Any, target: Any, mode: str, out: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(source, target, mode, out, _INTENT, _FLAGS)


def _srgb() -> Any:
    return ImageCms.createProfile("sRGB")
