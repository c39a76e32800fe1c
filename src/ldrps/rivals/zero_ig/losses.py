"""ZERO-IG's loss, term by term. Slips of the published code that change results are kept, and named."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.rivals.terms import box_mean, box_variance, total_variation
from ldrps.rivals.zero_ig.nets import LEAST, Seen, clamped, pair

# The published code's: weights of blue, green, red on red, green, blue, and 0.144 where 0.114 is meant.
_LUMA = (0.144, 0.587, 0.299)
_GREY = (0.299, 0.587, 0.114)
_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_BLUR = 21  # pixels


def loss_terms(seen: Seen) -> dict[str, Tensor]:
    """The weighted terms by name; their sum is what is minimised."""
    return {
        "light": _light(seen),
        "noise before": _noise_before(seen),
        "noise after": _noise_after(seen),
        "colour": _colour(seen),
        "consistency": _consistency(seen),
        "variance": 1000 * F.mse_loss(box_variance(seen.lit, 2), box_variance(seen.result - seen.lit, 2)),
    }


def gain(clean: Tensor) -> Tensor:
    """f: what brings the mean luma of L to 0.5, within 1 and 25."""
    return (0.5 / (clean * clean.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1).mean()).clamp(1, 25)


def smoothness(guide: Tensor, s: Tensor) -> Tensor:
    """Sum over the 24 neighbours in 5x5 pixels of the mean of exp(-|d YCbCr(guide)|^2 / 200) |d s|_1."""
    ycbcr = torch.einsum("kc,bchw->bkhw", guide.new_tensor(_YCBCR), guide)
    half = [(down, across) for down in range(3) for across in range(-2, 3) if (down, across) > (0, 0)]
    total = s.new_zeros(())
    for down, across in half:
        weights = (-_difference(ycbcr, down, across).pow(2).sum(1) / 200).exp()
        total = total + (weights * _difference(s, down, across).abs().sum(1)).mean()
    return 2 * total  # the opposite neighbours give the same


def blurred(x: Tensor) -> Tensor:
    """B: 21x21 pixels, the square root of a Gaussian's outer product with itself, cut at 15/14 of its deviation."""
    edges = torch.linspace(-15 / 14, 15 / 14, _BLUR + 1, dtype=torch.float64)
    weights = torch.erf(edges / math.sqrt(2)).diff().sqrt()
    weights = (weights / weights.sum()).to(x).view(1, 1, -1, 1).expand(x.shape[1], 1, -1, 1)
    padded = F.pad(x, [_BLUR // 2] * 4, mode="reflect")
    down = F.conv2d(padded, weights, groups=x.shape[1])
    return F.conv2d(down, weights.transpose(2, 3), groups=x.shape[1])


def alike(p1: Tensor, p2: Tensor) -> Tensor:
    """m, 1 where the deviations a, b of 5x5 grey pixels of both agree: 2 a b / (a^2 + b^2 + 1e-5) > 0.975; else 0."""
    with torch.no_grad():
        grey = p1.new_tensor(_GREY).view(1, 3, 1, 1)
        a, b = (box_variance((p * grey).sum(1, keepdim=True), 2).sqrt() for p in (p1, p2))
        return (2 * a * b / (a * a + b * b + 1e-5) > 0.975).to(p1.dtype)


def _light(seen: Seen) -> Tensor:
    clean, s = seen.clean.detach(), seen.light
    f = gain(clean)
    wanted = clamped(0.7**-f / f * (f * clean) ** f)
    return (
        700 * F.mse_loss(s, wanted)
        + 1000 * F.mse_loss((clean / s).clamp(LEAST, 0.8), clamped(f * clean))
        + 5 * smoothness(clean, s)
        + 1600 * total_variation(s)
    )


def _noise_before(seen: Seen) -> Tensor:
    first, second = pair(seen.clean)
    return 1000 * (
        F.mse_loss(seen.x1, seen.q2)
        + F.mse_loss(seen.x2, seen.q1)
        + F.mse_loss(seen.q1, first)
        + F.mse_loss(seen.q2, second)
    )


def _noise_after(seen: Seen) -> Tensor:
    p1, p2 = pair(seen.result)
    first = torch.cat([seen.h1, seen.s1], 1).detach()
    second = torch.cat([seen.h2, seen.s2], 1).detach()
    return 1000 * (
        F.mse_loss(seen.r1, second)
        + F.mse_loss(seen.r2, first)
        + F.mse_loss(seen.r1[:, :3], p1)
        + F.mse_loss(seen.r2[:, :3], p2)
    )


def _colour(seen: Seen) -> Tensor:
    wanted = blurred((seen.clean / seen.light).clamp(0, 1)).detach()
    again = 1000 * F.mse_loss(seen.light.detach(), seen.light_again)
    return 10_000 * F.mse_loss(wanted, blurred(seen.result)) + again


def _consistency(seen: Seen) -> Tensor:
    p1, p2 = pair(seen.result)
    m = alike(p1, p2)
    first = F.mse_loss(p1, (1 - m) * box_mean(p1, 2) + m * p1)
    # The published code's: p1 for the p2 that is meant.
    second = F.mse_loss(p2, (1 - m) * box_mean(p2, 2) + m * p1)
    return 10_000 * (first + second)


def _difference(x: Tensor, down: int, across: int) -> Tensor:
    """x at a neighbour less x, where both are in the picture; `down` is 0 or more."""
    height, width = x.shape[-2:]
    left = max(-across, 0)
    here = x[..., : height - down, left : width - max(across, 0)]
    return x[..., down:, left + across : width - max(across, 0) + across] - here
