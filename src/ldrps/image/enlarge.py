"""A picture as it is where more pixels are wanted of it, enlarged by a plain cubic: what a restoration is held against,
and its transparency, its own colours and what it says about itself.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.image.arrays import peak
from ldrps.image.content import Content
from ldrps.image.limits import enlarged_size
from ldrps.image.metadata import of_size
from ldrps.image.picture import Picture
from ldrps.image.tiles import Window

_AROUND = 2  # pixels of a small picture around one that is seen, over which a cubic spreads it


def enlarged(picture: Picture, scale: float) -> Picture:
    """The picture in `scale` times its size, by a cubic with a = -0.5, clipped; itself for a scale of 1.

    Pixels per inch stay, so that it is larger on paper too; the sizes that EXIF and XMP data tell are the new ones.
    What has one bit a pixel has shades of grey then.
    """
    if scale == 1:
        return picture
    size = enlarged_size(picture.size, scale)
    profiled = picture.profiled
    if profiled is not None:
        profiled = replace(profiled, levels=_enlarged_levels(profiled.levels, size))
    alpha = picture.alpha
    if alpha is not None:
        alpha = Image.fromarray(_enlarged_levels(np.asarray(alpha)[..., None], size)[..., 0])
    exif, xmp = of_size(picture.exif, picture.xmp, size)
    return replace(
        picture,
        rgb=_cubic(picture.rgb, (size[1], size[0])).clamp(0, 1),
        alpha=alpha,
        exif=exif,
        xmp=xmp,
        bilevel=False,
        profiled=profiled,
        scale=picture.scale * scale,
    )


def put_in(picture: Picture, seen: Tensor, restored: Tensor, scale: float) -> Tensor:
    """A picture in `scale` times its size with its content restored, [1, 3, H, W]; bars and what is hidden are as they
    were, each pixel repeated.

    Args:
        picture: as it was.
        seen: its content, with what is hidden filled in, [1, 3, h, w].
        restored: that, restored and enlarged.
    """
    content, (width, height) = picture.content, enlarged_size(picture.size, scale)
    if restored.shape[-2:] == (height, width) and content.visible is None:
        return restored
    whole = F.interpolate(picture.rgb, (height, width), mode="nearest-exact")
    tall, wide = restored.shape[-2:]
    top, left = (round(place * scale) for place in (content.window.top, content.window.left))
    inside = Window(min(top, height - tall), min(left, width - wide), tall, wide)
    if picture.alpha is not None:
        hidden = torch.from_numpy(np.asarray(picture.alpha) == 0)[None, None].to(whole)
        _continue(whole, restored, inside, F.interpolate(hidden, (height, width), mode="nearest-exact") > 0, scale)
    place = inside.of(whole)
    if content.visible is not None:
        restored = _where_visible(content, content.visible, picture.rgb, seen, restored, place)
    place.copy_(restored)
    return whole


def _continue(whole: Tensor, restored: Tensor, inside: Window, hidden: Tensor, scale: float) -> None:
    """Let a restored part of a picture go on around its place, where all is hidden: a cubic makes some of it show."""
    reach, (height, width) = math.ceil(_AROUND * scale), whole.shape[-2:]
    above, before = min(reach, inside.top), min(reach, inside.left)
    below = min(reach, height - inside.top - inside.height)
    behind = min(reach, width - inside.left - inside.width)
    wider = F.pad(restored, (before, behind, above, below), mode="replicate")
    around = Window(inside.top - above, inside.left - before, wider.shape[-2], wider.shape[-1])
    place = around.of(whole)
    place.copy_(torch.where(around.of(hidden), wider, place))


def _where_visible(
    content: Content, visible: Tensor, rgb: Tensor, seen: Tensor, restored: Tensor, otherwise: Tensor
) -> Tensor:
    """The restored content where any of it shows; what was partly filled to be looked at has its own colours back."""
    size = (restored.shape[-2], restored.shape[-1])
    partly = (visible > 0) & (visible < 1)
    own = _cubic(torch.where(partly, content.window.of(rgb) - seen, 0.0), size)
    side = 2 * _AROUND + 1
    shown = F.max_pool2d((visible > 0).to(rgb), side, 1, _AROUND)
    return torch.where(F.interpolate(shown, size, mode="nearest-exact") > 0, restored + own, otherwise)


def _cubic(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size, mode="bicubic", antialias=True)  # without `antialias` it is another cubic


def _enlarged_levels(levels: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """uint8 or uint16 [H, W, C] in (width, height) `size`."""
    white = peak(levels)
    planes = torch.from_numpy(levels.astype(np.float32)).permute(2, 0, 1)[None]
    larger = _cubic(planes, (size[1], size[0])).clamp(0, white).round()
    return larger[0].permute(1, 2, 0).numpy().astype(levels.dtype)
