"""y -> damage: what happened to a picture, told from the picture alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Jpeg, JpegResidue, SharedNoise, WhiteNoise
from ldrps.estimation.blur import estimate_blur
from ldrps.estimation.codec import estimated_residue
from ldrps.estimation.damage import NONE, Damage, Estimate, Removable
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.judgeable import tells_of_light
from ldrps.estimation.light import estimate_light
from ldrps.estimation.noise_posterior import SMALLEST, NoiseBelief, NoisePosterior
from ldrps.estimation.tone_traces import traced_tone
from ldrps.image.pad import large_enough, pad_to_multiple
from ldrps.image.views import mosaic, thumbnail
from ldrps.prior.base import NOISES, NoiseKind, Prior
from ldrps.sampling.noise import draw
from ldrps.settings import BlindSettings

_TOGETHER = 0.4  # of a pixel and those around it, how many are visible: less, and they are scattered
_NEAR, _LEFT = (8, 4, 2, 1), 0.2  # pixels, and the share of all that must be left to tell of noise
ENOUGH = 512  # pixels a side of what is looked at of a large picture
_PAGE = 1024  # of a page, whose letters are small
_SELDOM = 300  # times as rare is damage to tones where nothing tells of them; judges see it there all the same


@torch.no_grad()
def estimate_damage(
    y: Tensor,
    prior: Prior,
    estimators: Estimators,
    settings: BlindSettings,
    visible: Tensor | None = None,
    codec: Jpeg | None = None,
) -> Damage:
    """What happened to a picture: first its tones, then what blur and noise are left when they are as they should be.

    Parts of a strength of 0 are not looked for.

    Args:
        y: the picture, [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: whose sizes count.
        estimators: what judges tones, blur and noise.
        settings: what is known beforehand.
        visible: how much each pixel counts, [1, 1, H, W] in [0, 1]; what was made up tells of no noise.
        codec: by which y was compressed, as its file or its traces say; None where that is not known.
    """
    damage = Damage()
    if settings.strengths.tone != 0:
        traced = traced_tone(y, visible)
        undamaged = settings.undamaged
        if traced is None and not tells_of_light(thumbnail(y, _PAGE)):
            undamaged = _SELDOM * undamaged / (_SELDOM * undamaged + 1 - undamaged)
        damage = estimate_light(thumbnail(y, ENOUGH).to(prior.device), estimators, undamaged, traced)
        damage = damage.with_strengths(settings.strengths)
    if settings.strengths.blur != 0:
        blur = estimate_blur(y, damage, estimators.blur, settings, visible)
        damage = dataclasses.replace(damage, blur=blur).with_strengths(settings.strengths)
    return estimate_noise_of(y, damage, prior, estimators.noise, settings, visible, codec)


@torch.no_grad()
def estimate_noise_of(
    y: Tensor,
    damage: Damage,
    prior: Prior,
    judge: NoisePosterior,
    settings: BlindSettings,
    visible: Tensor | None = None,
    codec: Jpeg | None = None,
) -> Damage:
    """The damage of a picture whose tones were judged, with its noise; arguments as of `estimate_damage`."""
    if settings.strengths.noise == 0:
        return damage
    if settings.noise is not None:
        told = WhiteNoise(settings.noise / 255)
        noise: Estimate[Removable] = Estimate(told, probability=float(settings.noise > 0))
    elif visible is not None and is_scattered(visible):
        return damage
    else:
        x = undone_sample(y, damage, prior)
        seen = None if visible is None else well_within(noise_sample(visible, prior))
        belief = judge(large_enough(x, SMALLEST), None if seen is None else large_enough(seen, SMALLEST))
        noise = believed_noise(belief.with_prior(settings.noiseless, judge.config["none"]), settings)
        noise = unless_too_little(noise, settings.floor)
        if codec is not None:
            undo = Damage(damage.tone).undo_tone
            noise = with_compression(noise, estimated_residue(codec, y.to(prior.device), undo, ENOUGH))
    return dataclasses.replace(damage, noise=noise).with_strengths(settings.strengths)


def is_scattered(visible: Tensor) -> bool:
    """Whether what is visible, [1, 1, H, W], is single pixels for the most part: what was made up between them looks
    like noise. Of 12 pictures without noise and with 80 % of their pixels lost, 11 are taken for noisy, with 60 % none.
    """
    seen = (visible > 0).float()
    around = F.avg_pool2d(seen, 3, 1, 1, count_include_pad=False)
    return float((seen * around).sum()) < _TOGETHER * float(seen.sum())


def well_within(visible: Tensor) -> Tensor:
    """What is visible, [1, 1, H, W], less what is near to what is not, as far as enough is left.

    What was made up has no noise, and networks see it from beside: with squares of 24 pixels over 30 % of pictures with
    a camera's noise, it is taken for white, and with this for a camera's.
    """
    for reach in _NEAR:
        within = -F.max_pool2d(-F.pad(visible, [reach] * 4, value=1.0), 2 * reach + 1, 1)
        if float(within.sum()) >= _LEFT * within.numel():
            return within
    return visible


def believed_noise(belief: NoiseBelief, settings: BlindSettings) -> Estimate[Removable]:
    """The likeliest kind of the noise that a picture may have, how much there is, and how sure it is that any is there.

    How much is the mean over the kinds, in logarithms: on held-out photographs with the noise of cameras that gains
    0.1 dB over what the likeliest kind says alone.
    """
    none, *kinds = belief.probability[0].tolist()
    index = max(range(len(kinds)), key=kinds.__getitem__)
    middle = sum(p * float(m) for p, m in zip(kinds, belief.middle[0], strict=True)) / sum(kinds)
    sigma = settings.noise_factor * math.exp(middle)
    return Estimate(_NOISE[NOISES[index]](sigma), 1 - none)


def unless_too_little(noise: Estimate[Removable], floor: float) -> Estimate[Removable]:
    """The noise as it is believed, if there is as much to take away as `floor`, of 255. Else none is, which is not to
    say that there is none.
    """
    if 255 * noise.share * float(noise.value.sigma) >= floor:
        return noise
    return Estimate(noise.value, min(noise.probability, NONE))


_NOISE: dict[NoiseKind, Callable[[float], Removable]] = {
    "white": WhiteNoise,
    "camera": lambda sigma: SharedNoise(sigma, neighbours=0.3),
    "jpeg": JpegResidue,
}


def with_compression(noise: Estimate[Removable], known: Estimate[JpegResidue]) -> Estimate[Removable]:
    """What is believed of the noise, where it is known what a compression did.

    More than that may be seen: noise, or what the picture was saved by before and reduced since.
    """
    return noise if noise.share * float(noise.value.sigma) > known.share * float(known.value.sigma) else known


def noise_sample(image: Tensor, prior: Prior) -> Tensor:
    """Parts of an image [1, C, H, W] as they are, from all over it, as one that the prior can take."""
    return pad_to_multiple(mosaic(image, ENOUGH), prior.size_multiple)[0]


def undone_sample(y: Tensor, damage: Damage, prior: Prior) -> Tensor:
    """`noise_sample` of the picture y with its tones as they were, on the prior's device."""
    placed = damage.of_size(y.shape[-2], y.shape[-1])
    undone = mosaic(y, ENOUGH, lambda part, window: placed.undo_tone(part.to(prior.device), window))
    return pad_to_multiple(undone, prior.size_multiple)[0]


@torch.no_grad()
def latent_deviation(prior: Prior, x: Tensor, sigma: float, z: Tensor | None = None) -> float:
    """The deviation that white noise of deviation sigma in a picture x [1, 3, H, W] has in its latents z."""
    z = prior.encode(x) if z is None else z
    noise = draw(x.shape, torch.Generator().manual_seed(0), x.device)
    return float((prior.encode(x + sigma * noise) - z).pow(2).mean().sqrt())


def kept_detail(missing: Tensor, sigma: float, visible: Tensor | None = None) -> float:
    """The share to be kept of what an autoencoder cannot show, [1, C, H, W], which is picture and noise of deviation
    sigma: Wiener's factor, the share that is picture. Each place counts as much as it is visible, [1, 1, H, W].
    """
    return max(1 - sigma**2 / float(_mean_square(missing, visible).clamp_min(1e-12)), 0.0)


def _mean_square(values: Tensor, visible: Tensor | None) -> Tensor:
    """Of [1, C, H, W], where each place counts as much as it is visible, [1, 1, H, W]; 0 where nothing is."""
    if visible is None:
        return values.pow(2).mean()
    visible = visible.to(values.device)
    return (values.pow(2).mean(1, keepdim=True) * visible).sum() / visible.sum().clamp_min(1e-12)
