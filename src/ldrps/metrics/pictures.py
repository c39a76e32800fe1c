"""Pictures as every metric takes them, checked rather than guessed at."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.errors import InputError, SettingsError

ImageLike = Tensor | Image.Image
Channel = Literal["rgb", "y"]

LUMA = "BT.601 studio swing, (65.481 R + 128.553 G + 24.966 B + 16) / 255, as MATLAB's rgb2ycbcr"

_OVERSHOOT = 1e-3  # what resizing and half precision may add; it is clipped


def picture(image: ImageLike, name: str = "the picture") -> Tensor:
    """A picture as float64 [1, 3, H, W] in [0, 1] on the CPU; never the caller's memory.

    Args:
        image: a floating tensor [3, H, W] or [1, 3, H, W] in [0, 1], which may overshoot by 1e-3 and is then clipped,
            on any device; or a PIL image of 8 bits without alpha, which is converted to RGB.
        name: what the errors call it.

    Raises:
        InputError: for type, dtype, rank, channels, size, NaN or range, in this order.
    """
    if isinstance(image, Image.Image):
        return _from_pil(image, name)
    if not isinstance(image, Tensor):
        raise InputError(f"{name} is a {type(image).__name__}: give a PIL image, or a torch tensor (3, height, width)")
    shape = tuple(image.shape)
    if not image.is_floating_point():
        raise InputError(f"{name} is of type {image.dtype}: give floats in [0, 1], x.float() / 255 if it holds bytes")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[0] != 1):
        raise InputError(f"{name} has shape {shape}: give one picture, (3, height, width) or (1, 3, height, width)")
    if shape[-3] != 3:
        raise InputError(f"{name} has shape {shape}, {shape[-3]} channels, not 3: give RGB, channels first")
    if 0 in shape:
        raise InputError(f"{name} has shape {shape}: it is empty, give a picture")
    values = image.detach().cpu().double().reshape(1, *shape[-3:])
    bad = int((~values.isfinite()).sum())
    if bad:
        raise InputError(f"{name} holds {bad:,} values that are NaN or infinite: give the picture before they came in")
    low, high = float(values.min()), float(values.max())
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        raise InputError(
            f"{name} has values from {low:.6g} to {high:.6g}, outside [0, 1] by more than {_OVERSHOOT}: "
            "divide by 255 if it holds bytes, or clip it as it would be clipped in a file"
        )
    return values.clamp(0, 1)


def pair(restored: ImageLike, clean: ImageLike) -> tuple[Tensor, Tensor]:
    """A restored picture and the clean one, both float64 [1, 3, H, W] in [0, 1].

    Raises:
        InputError: as `picture`; or they differ in size.
    """
    x, y = picture(restored, "the restored picture"), picture(clean, "the clean picture")
    if x.shape != y.shape:
        sizes = [f"{z.shape[-1]}x{z.shape[-2]}" for z in (x, y)]
        raise InputError(
            f"the restored picture is {sizes[0]}, the clean one {sizes[1]}: give both at the same size, "
            "and resize neither without saying so beside the figure"
        )
    return x, y


def luma(x: Tensor) -> Tensor:
    """The luma [..., 1, H, W] in [16, 235] / 255 of RGB [..., 3, H, W] in [0, 1], as MATLAB's rgb2ycbcr has it.

    BT.601 in studio swing, not rounded: what restoration papers mean by PSNR and SSIM "on Y".
    """
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=x.dtype, device=x.device).reshape(3, 1, 1)
    return ((x * weights).sum(-3, keepdim=True) + 16) / 255


def channels(x: Tensor, y: Tensor, channel: Channel) -> tuple[Tensor, Tensor, dict[str, str]]:
    """Both [1, 3, H, W] as they are, or their luma [1, 1, H, W]; and the entries of the protocol that say so.

    Raises:
        SettingsError: `channel` is neither "rgb" nor "y".
    """
    if channel == "rgb":
        return x, y, {"channel": "rgb"}
    if channel == "y":
        return luma(x), luma(y), {"channel": "y", "luma": LUMA}
    raise SettingsError(f"channel is {channel!r}: give 'rgb' or 'y'")


def crop(x: Tensor, border: int) -> Tensor:
    """Pictures [..., H, W] without `border` pixels on each side.

    Raises:
        SettingsError: `border` is negative.
        InputError: nothing would be left.
    """
    height, width = x.shape[-2:]
    if border < 0:
        raise SettingsError(f"border is {border}: give 0 or more pixels")
    if 2 * border >= min(height, width):
        raise InputError(
            f"a border of {border} leaves nothing of {width}x{height} pixels: "
            f"give at most {(min(height, width) - 1) // 2}"
        )
    return x[..., border : height - border, border : width - border]


def _from_pil(image: Image.Image, name: str) -> Tensor:
    if image.mode.startswith(("I", "F")):
        raise InputError(f"{name} has mode {image.mode}: give 8 bits, or a tensor of floats in [0, 1]")
    if image.has_transparency_data:
        raise InputError(f"{name} has mode {image.mode} with alpha: put it on a background first, then give RGB")
    if 0 in image.size:
        raise InputError(f"{name} has {image.size} pixels: it is empty, give a picture")
    values = np.array(image.convert("RGB"), dtype=np.float64)
    return torch.from_numpy(values).permute(2, 0, 1)[None] / 255
