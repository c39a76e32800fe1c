"""The step that GDP and TAO share: DDPM's (Ho et al. 2020), its mean moved by a gradient at the predicted picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ldrps.errors import SettingsError
from ldrps.rivals.pixel.model import PixelDiffusion

PUBLISHED_SIDE = 256  # pixels of the pictures for which the scales of guidance were published


class Moments(NamedTuple):
    """Of the step from x_t: its mean, the logarithm of its variance, and the clamped x0; each [B, 3, H, W]."""

    mean: Tensor
    log_variance: Tensor
    x0: Tensor


def descent(timesteps: int, steps: int) -> list[tuple[int, int | None]]:
    """The timesteps of a chain, each with the one after it, None after the last: T - 1 down to 0, equally spaced.

    As many steps as timesteps is the chain as trained. Fewer leave timesteps out (Nichol and Dhariwal 2021, section 4).

    Raises:
        SettingsError: more steps than the model has timesteps, or fewer than 2.
    """
    if not 2 <= steps <= timesteps:
        raise SettingsError(f"steps is {steps}; this model takes 2 to {timesteps}")
    places = [round(k * (timesteps - 1) / (steps - 1)) for k in reversed(range(steps))]
    return list(zip(places, [*places[1:], None], strict=True))


def moments(model: PixelDiffusion, x_t: Tensor, t: int, following: int | None) -> Moments:
    """One network call, and what it says of the step from t to the following timestep: q(x_s | x_t, x0), DDPM eq. 7."""
    prediction = model.predict(x_t, t)
    x0 = prediction.x0.clamp(-1, 1)
    abar_t = float(model.alphas_cumprod[t])
    abar_s = 1.0 if following is None else float(model.alphas_cumprod[following])
    alpha = abar_t / abar_s
    beta = 1 - alpha
    mean = abar_s**0.5 * beta / (1 - abar_t) * x0 + alpha**0.5 * (1 - abar_s) / (1 - abar_t) * x_t
    # The posterior's variance is zero at the last step, where no noise is added: any small one will do.
    small = math.log(max(beta * (1 - abar_s) / (1 - abar_t), 1e-20))
    large = math.log(beta)
    if prediction.spread is not None:  # learned: Nichol and Dhariwal 2021, eq. 15
        share = (prediction.spread + 1) / 2
        log_variance = share * large + (1 - share) * small
    else:
        log_variance = torch.full_like(mean, large if model.variance == "fixed_large" else small)
    return Moments(mean, log_variance, x0)


def stepped(mean: Tensor, log_variance: Tensor, noise: Tensor | None) -> Tensor:
    """x_s = mean + sigma * noise; None is no noise, as at the last step. All [B, 3, H, W]."""
    return mean if noise is None else mean + (0.5 * log_variance).exp() * noise


def guided(gradient: Tensor, scale: float) -> Tensor:
    """What to add to the mean: -scale * gradient of a loss that is a mean over the picture [B, 3, H, W].

    The scales are those of 256x256 pixels. Of a picture of another size the mean is over more or fewer pixels; each is
    moved as it would be there.
    """
    height, width = gradient.shape[-2:]
    return -scale * (height * width / PUBLISHED_SIDE**2) * gradient
