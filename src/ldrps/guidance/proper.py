"""The data step on the proper z0: what the prior expects, moved to where psi makes the picture of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_PROBE = 0.01  # how long a step is by which a slope is measured, of what the prior leaves open


def proper_step(
    model: Callable[[Tensor], Tensor], z0: Tensor, y: Tensor, noise: Tensor | float, open_: Tensor, rounds: int
) -> Tensor:
    """Towards argmin over z of |y - model(z)|^2 / noise^2 + |z - z0|^2 / open_, for any smooth model.

    Each round takes one step of preconditioned descent, of the length that is best where the model is a straight line
    (Gauss and Newton). The preconditioner is measured, not known: how much the model answers to a random direction.

    Args:
        model: psi(f(z)), latents [B, C, h, w] to pictures [B, 3, H, W].
        z0: where it starts, what the prior expects.
        y: the picture [1, 3, H, W].
        noise: its deviation.
        open_: how much the prior leaves open, a variance, [1, C, 1, 1].
        rounds: 2 are enough for a curve.
    """
    data = 1 / noise**2
    random = torch.randn(z0.shape, generator=torch.Generator().manual_seed(0)).to(z0.device) * open_.sqrt()
    z = z0.detach()
    for _ in range(rounds):
        z = z.requires_grad_()
        made = model(z)
        residual = y - made
        (gradient,) = torch.autograd.grad((residual.square() * data).sum() / 2, z)
        z = z.detach()
        with torch.no_grad():
            gradient = gradient + (z - z0) / open_
            answer = _square(_along(model, z, made, random, open_)) / _square(random)
            direction = -gradient / (answer * data + 1 / open_)
            moved = _along(model, z, made, direction, open_)
            curvature = _square(moved) * data + (direction.square() / open_).sum((1, 2, 3), keepdim=True)
            fall = -(gradient * direction).sum((1, 2, 3), keepdim=True)
            z = z + (fall / curvature.clamp_min(1e-20)).clamp(0, 2) * direction
    return z.detach()


def _along(model: Callable[[Tensor], Tensor], z: Tensor, made: Tensor, direction: Tensor, open_: Tensor) -> Tensor:
    """The derivative of the model in a direction, by a small step: not every decoder knows another way."""
    size = _PROBE * (open_.mean() / direction.square().mean().clamp_min(1e-20)).sqrt()
    return (model(z + size * direction) - made) / size


def _square(v: Tensor) -> Tensor:
    return v.square().sum((1, 2, 3), keepdim=True)
