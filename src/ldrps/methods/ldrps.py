"""LD-RPS on any prior: psi, what happened to the picture, is learned along chains from pure noise that it steers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldrps.degradation import Curve, Jpeg
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimate import ENOUGH, estimate_noise_of
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.tone import ToneJudge, estimate_tone, oldest
from ldrps.guidance.domain import CleanDomain, clean_domain
from ldrps.guidance.expected import expected
from ldrps.guidance.recurrent import RecurrentPosterior
from ldrps.image.pad import pad_to_multiple
from ldrps.image.transfer import reduced
from ldrps.image.views import thumbnail
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Step, proximal_chain
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.noise import draw
from ldrps.sampling.schedule import Schedule
from ldrps.settings import LdrpsSettings, Settings, again


@dataclass(frozen=True)
class Recurred:
    """What came of a picture's small copy.

    Attributes:
        small: the copy of the degraded picture, [1, 3, h, w] in [0, 1].
        restored: the mean over chains and rounds, [1, 3, h, w] in [0, 1].
        psi: the degradation that was learned.
        damaged: the gate w, from 0, no degraded picture, to 1.
    """

    small: Tensor
    restored: Tensor
    psi: Curve
    damaged: float

    @property
    def tone(self) -> Estimate[Curve]:
        """psi as a part of the damage. The gate has weighed it already: where it is open at all, psi is undone."""
        return Estimate(self.psi, probability=0.75 + self.damaged / 4 if self.damaged else 0.0)


def learn_damage(
    y: Tensor,
    prior: Prior,
    estimators: Estimators,
    settings: Settings,
    caption: str,
    visible: Tensor | None = None,
    codec: Jpeg | None = None,
) -> Generator[Step, None, Damage]:
    """What happened to a picture, step by step: psi, and the noise that is left when it is undone.

    What the chain changed in the small copy beyond psi is not carried over to the full size, where the last step works
    on the picture's own noise: of noisy photographs that made 34.5 dB instead of 33.5.

    Args:
        y: the picture, [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: of undamaged pictures.
        estimators: who is asked what the clean picture may look like, and what noise is left.
        settings: of `LdrpsSettings`.
        caption: what it should show, for a prior that knows text.
        visible: how much each pixel counts, [1, 1, H, W]; what was made up tells of no noise.
        codec: by which the picture's file was compressed, if y has its pixels.
    """
    assert isinstance(settings.method, LdrpsSettings)
    # Its numbers were chosen with the judge that knows curves alone, and a curve is what it learns.
    found = yield from recur(y, prior, settings, caption, oldest(estimators.tone))
    damage = Damage(found.tone).with_strengths(settings.method.strengths)
    return estimate_noise_of(y, damage, prior, estimators.noise, settings.method, visible, codec)


def recur(
    y: Tensor,
    prior: Prior,
    settings: Settings,
    caption: str = "",
    judge: ToneJudge | None = None,
    domain: CleanDomain | None = None,
) -> Generator[Step, None, Recurred]:
    """Restore a small copy of y [1, 3, H, W] in [0, 1]: rounds of guided chains, each from the mean of those before.

    Args:
        y: the degraded picture, of any size.
        prior: of undamaged pictures.
        settings: of `LdrpsSettings`.
        caption: what it should show, for a prior that knows text.
        judge: who is asked what the clean picture may look like; None leaves that to the prior's free samples.
        domain: these, in place of the free chain; None takes those of `clean_domain`.
    """
    assert isinstance(settings.method, LdrpsSettings)
    loop, generator = settings.method.loop, torch.Generator().manual_seed(settings.seed)
    small, crop = pad_to_multiple(reduced(y, loop.side), prior.size_multiple)
    small = small.to(prior.device)
    domain = domain or clean_domain(prior)
    if loop.free < len(domain.quantiles):
        domain = domain.drawn(loop.free, generator)
    judged = None
    if judge is not None and loop.judged:
        judged = estimate_tone(thumbnail(y, ENOUGH).to(prior.device), judge, settings.method.undamaged)
    if settings.method.sample:  # its colours are drawn, and nothing is to draw them together
        loop, random = replace(loop, grey=0.0), generator
    else:
        random = None
    clean = expected(small, prior, domain, loop, judged, random)
    posterior = RecurrentPosterior(small, prior, clean, domain.variance, loop, generator)
    denoise = denoiser_for(prior, caption, settings.negative, settings.text_scale)
    schedule = Schedule(prior.alphas_cumprod)
    shape = (loop.chains, prior.latent_channels, *(side // prior.factor for side in small.shape[-2:]))
    timesteps = schedule.spaced(len(schedule) - 1, settings.steps)
    from_gamma = timesteps[-again(len(timesteps), settings.renoise) :]
    z = draw(shape, generator, prior.device)
    ends: list[Tensor] = []
    for number in range(settings.recurrences + 1):
        if number:  # section 3.3: the result of a round, re-noised to gamma T, is the start of the next
            mean = torch.stack(ends).mean((0, 1))[None]
            z = schedule.compose(mean, draw(shape, generator, z.device), from_gamma[0])
        z = yield from proximal_chain(denoise, posterior.agree, schedule, z, from_gamma if number else timesteps)
        ends.append(z)
    with torch.no_grad():
        restored = prior.decode(torch.cat(ends)).mean(0, keepdim=True).clamp(0, 1)
    return Recurred(crop(small), crop(restored), posterior.psi.curve.curve(), clean.damaged)
