"""What YOLY knows of haze without learning: colour attenuation, a first airlight, and a guided filter."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.rivals.terms import box_mean

_PATCH = 15  # pixels a side of the dark channel
_BRIGHTEST = 1e-4  # the share of the dark channel that the airlight is looked for in


def colour_attenuation(j: Tensor) -> Tensor:
    """CAP: mean (V - S)^2 of a picture [B, 3, H, W] in [0, 1], value and saturation of HSV: haze is pale and bright."""
    value, least = j.amax(1), j.amin(1)
    saturation = (value - least) / value.clamp_min(1e-6)  # of black, which has none, 0
    return (value - saturation).pow(2).mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of N(mean, e^log_variance) from the standard normal, summed over all numbers."""
    return -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum()


def unevenness(airlight: Tensor) -> Tensor:
    """Mean square of the luma of A [B, 3, H, W] less its 5x5 box mean."""
    luma = (airlight * airlight.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return (luma - box_mean(luma, 2)).pow(2).mean()


def first_airlight(x: Tensor) -> Tensor:
    """A0 [1, 3, 1, 1]: the largest value of each channel of x [1, 3, H, W] where its dark channel is brightest."""
    lowest = F.pad(x.amin(1, keepdim=True), [_PATCH // 2] * 4, value=1.0)
    dark = -F.max_pool2d(-lowest, _PATCH, stride=1)
    count = max(1, int(_BRIGHTEST * dark.numel()))
    places = dark.flatten().topk(count).indices
    return x.flatten(2)[0, :, places].amax(1).view(1, 3, 1, 1)


def guided_filter(guide: Tensor, p: Tensor, radius: int = 50, epsilon: float = 1e-4) -> Tensor:
    """He's filter with a colour guide [1, 3, H, W] in [0, 1]: p [1, 1, H, W], its edges moved to the guide's."""
    mean_i, mean_p = box_mean(guide, radius), box_mean(p, radius)
    covariance = box_mean(guide * p, radius) - mean_i * mean_p  # [1, 3, H, W]
    products = (guide[:, :, None] * guide[:, None]).flatten(1, 2)
    variance = box_mean(products, radius).unflatten(1, (3, 3)) - mean_i[:, :, None] * mean_i[:, None]
    matrices = variance.permute(0, 3, 4, 1, 2) + epsilon * torch.eye(3, device=p.device)
    a = torch.linalg.solve(matrices, covariance.permute(0, 2, 3, 1))
    a = a.permute(0, 3, 1, 2)
    b = mean_p - (a * mean_i).sum(1, keepdim=True)
    return (box_mean(a, radius) * guide).sum(1, keepdim=True) + box_mean(b, radius)
