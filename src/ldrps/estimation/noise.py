"""How noisy a picture is, told from the picture alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_MAD_TO_DEVIATION = 0.6745  # median of |n| for n of deviation 1


def estimate_noise(images: Tensor, visible: Tensor | None = None) -> Tensor:
    """The deviation of white Gaussian noise in images [B, 3, H, W] in [0, 1], per channel, [B, 3].

    The median of a second difference both ways (Immerkaer 1996), which plane surfaces and straight edges along an axis
    do not enter. It takes fine texture for noise, and sees too little of noise that neighbouring pixels share.

    `visible` [1, 1, H, W] in [0, 1] is how much each pixel counts; what was made up must not, as that has no noise.
    """
    mask = torch.tensor([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]], device=images.device)
    kernel = mask.expand(images.shape[1], 1, 3, 3)
    response = F.conv2d(images, kernel, groups=images.shape[1])
    sizes = response.abs().flatten(2)
    if visible is None:
        median = sizes.median(2).values
    else:
        visible = visible.to(images.device)
        # What is partly made up has as much less noise. A difference counts as little as the least of its pixels.
        sizes = sizes / visible[..., 1:-1, 1:-1].flatten(2).clamp_min(1e-3)
        median = _weighted_median(sizes, -F.max_pool2d(-visible, 3, 1).flatten(1))
    return median / (_MAD_TO_DEVIATION * mask.norm())


def _weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """The lower median [B, C] of values [B, C, N] with weights [1, N]; 0 where all weights are."""
    ordered, order = values.sort(2)
    below = weights[:, None].double().expand_as(values).gather(2, order).cumsum(2)
    middle = (below >= below[..., -1:] / 2).int().argmax(2, keepdim=True)
    return torch.where(below[..., -1] > 0, ordered.gather(2, middle)[..., 0], 0.0)
