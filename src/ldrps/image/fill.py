"""What lies under transparency, continued from what is around it, so that filters and judges can look at all of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def filled(image: Tensor, visible: Tensor) -> Tensor:
    """An image [1, C, H, W] with what is hidden in it taken from what is visible around, smoothly.

    `visible` [1, 1, H, W] is from 0, hidden, to 1. There a pixel stays as it is, to the bit; in between it counts as
    much as it is visible. Where nothing is visible all becomes 0.

    Pull and push (Gortler et al. 1996, The Lumigraph): means of two by two, weighted by how visible they are, fill a
    picture of half the size first, what is hidden in that is filled in the same way, and then shows through the holes.
    """
    if bool((visible >= 1).all()):
        return image
    height, width = image.shape[-2:]
    weight = F.avg_pool2d(visible, 2, ceil_mode=True)
    mean = F.avg_pool2d(image * visible, 2, ceil_mode=True) / weight.clamp_min(torch.finfo(weight.dtype).tiny)
    if height == width == 1:
        return mean
    half = filled(mean, (4 * weight).clamp_max(1))  # a single visible pixel is enough
    around = F.interpolate(half, scale_factor=2, mode="bilinear")[..., :height, :width]
    return torch.lerp(around, image, visible)
