"""What a restoration leaves as it was: a picture without colours, and what is all black or all white."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def as_grey(image: Tensor) -> Tensor:
    """[B, 3, H, W] with three equal channels."""
    return image.mean(1, keepdim=True).expand_as(image)


def clipped(image: Tensor) -> Tensor:
    """Where an image [B, 3, H, W] and all around is black or white, [B, 1, H, W]: noise was cut off there as well."""
    ends = (image >= 1).all(1, keepdim=True) | (image <= 0).all(1, keepdim=True)
    return -F.max_pool2d(-ends.to(image), 3, 1, 1) > 0
