"""y -> damage: what happened to a picture, told from the picture alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import WhiteNoise
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.noise import estimate_noise
from ldrps.estimation.tone import estimate_tone
from ldrps.image.pad import pad_to_multiple
from ldrps.image.views import mosaic, thumbnail
from ldrps.prior.base import Prior
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.noise import draw
from ldrps.sampling.schedule import Schedule
from ldrps.settings import BlindSettings

ENOUGH = 512  # pixels a side of what is looked at of a large picture


@torch.no_grad()
def estimate_damage(
    y: Tensor, prior: Prior, estimators: Estimators, settings: BlindSettings, visible: Tensor | None = None
) -> Damage:
    """What happened to a picture: first its tones, then the noise that is left when they are as they should be.

    Parts of a strength of 0 are not looked for.

    Args:
        y: the picture, [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: what tells noise from texture.
        estimators: what judges tones.
        settings: what is known beforehand.
        visible: how much each pixel counts, [1, 1, H, W] in [0, 1]; what was made up tells of no noise.
    """
    damage = Damage()
    if settings.strengths.tone != 0:
        tone = estimate_tone(thumbnail(y, ENOUGH).to(prior.device), estimators.tone, settings.undamaged)
        damage = Damage(tone=tone).with_strengths(settings.strengths)
    return estimate_noise_of(y, damage, prior, settings, visible)


@torch.no_grad()
def estimate_noise_of(
    y: Tensor, damage: Damage, prior: Prior, settings: BlindSettings, visible: Tensor | None = None
) -> Damage:
    """The damage of a picture whose tones were judged, with its noise; arguments as of `estimate_damage`."""
    if settings.strengths.noise == 0:
        return damage
    if settings.noise is not None:
        noise = Estimate(WhiteNoise(settings.noise / 255), probability=float(settings.noise > 0))
    else:
        x = damage.undo_tone(noise_sample(y, prior).to(prior.device))
        noise = estimate_white_noise(x, prior, settings, None if visible is None else noise_sample(visible, prior))
    return Damage(damage.tone, noise).with_strengths(settings.strengths)


def estimate_white_noise(
    x: Tensor, prior: Prior, settings: BlindSettings, visible: Tensor | None = None
) -> Estimate[WhiteNoise]:
    """The noise of a picture x [1, 3, H, W] in [0, 1] with good tones, multiples of the prior's.

    What `estimate_noise` measures may be fine texture; the prior does not take that for noise. If there is noise of
    that level, a denoising step takes about as much away; if it is texture, the step lets most of it stand.
    """
    sigma = float(estimate_noise(x, visible).mean())
    if 255 * sigma < settings.floor:
        return Estimate(WhiteNoise(sigma), 0.0)
    denoise, schedule = denoiser_for(prior, "", "", 1.0), Schedule(prior.alphas_cumprod)
    z = prior.encode(x)
    t = schedule.timestep_of(settings.noise_factor * latent_deviation(prior, x, sigma, z))
    z0 = denoise(z * schedule.abar(t) ** 0.5, t).z0
    if visible is not None:
        visible = F.avg_pool2d(visible, prior.factor)  # a mean for each latent
    taken = float(mean_square(z - z0, visible).sqrt()) / schedule.sigma(t)
    none, all_of_it = settings.texture
    share = min(max((taken - none) / (all_of_it - none), 0.0), 1.0)
    left_alone = 255 * sigma * share < settings.floor
    return Estimate(WhiteNoise(sigma), 0.0 if left_alone else 0.25 + share / 2)  # as `Estimate.share` reads it


def noise_sample(image: Tensor, prior: Prior) -> Tensor:
    """Parts of an image [1, C, H, W] as they are, from all over it, as one that the prior can take."""
    return pad_to_multiple(mosaic(image, ENOUGH), prior.size_multiple)[0]


@torch.no_grad()
def latent_deviation(prior: Prior, x: Tensor, sigma: float, z: Tensor | None = None) -> float:
    """The deviation that white noise of deviation sigma in a picture x [1, 3, H, W] has in its latents z."""
    z = prior.encode(x) if z is None else z
    noise = draw(x.shape, torch.Generator().manual_seed(0), x.device)
    return float((prior.encode(x + sigma * noise) - z).pow(2).mean().sqrt())


def mean_square(values: Tensor, visible: Tensor | None) -> Tensor:
    """Of [1, C, H, W], where each place counts as much as it is visible, [1, 1, H, W]; 0 where nothing is."""
    if visible is None:
        return values.pow(2).mean()
    visible = visible.to(values.device)
    return (values.pow(2).mean(1, keepdim=True) * visible).sum() / visible.sum().clamp_min(1e-12)
