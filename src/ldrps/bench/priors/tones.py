"""How well a prior judges tone: exposure, contrast, colour."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.bench.priors.common import SEED, mean, psnr_of, rms, set_pictures, to_array, to_tensor
from ldrps.degradation import Tone
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.light import estimate_light
from ldrps.estimation.tone import newest
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.image.tones import meanstd, stretch
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.settings import BlindSettings

# Known damage to tones, each alone, and clipped to [0, 1].
_TONES = [
    *(Tone(gain) for gain in (0.1, 0.3, 0.6, 1.5, 3.0)),
    *(Tone(1.0 - offset, offset) for offset in (0.15, 0.3, 0.45)),
    *(Tone(gamma=gamma) for gamma in (0.5, 0.7, 1.5, 2.2)),
]
_DARKEST = 1 / 512  # of what the likelihood is asked about: half a level, where a power is still steep but finite
_SETS = ("lol", "hsts", "kodak_noise30", "lol-clean", "hsts-clean", "kodak_noise30-clean", "cbsd")
_EXACT = 50.0  # dB; a picture that is left as it is has no larger PSNR
# The likelihood is asked on thumbnails, at these noise levels, and about the known tones only: it is slow.
_THUMBNAIL = 64
_LEVELS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_LIKELIHOOD_PICTURES = 4


def tone_errors(prior: Prior, clean: Sequence[Tensor]) -> dict[str, float]:
    """How far from the clean picture known damage to tones leaves it, root mean square in [0, 1], mean over all:
    after the package's judges of light, beside plain ones, for damaged pictures and for undamaged ones; and how often
    the error lies within the 50 and 90 % quantile that the posterior expects.

    The judge "likelihood" chooses, of the known tones and none at all, the one under which the denoiser finds the
    picture likeliest, Jacobian included; it sees a few thumbnails only, for which "posterior_of_those" stands beside.
    """
    estimators = load_estimators(device=prior.device)

    def ours(y: Tensor) -> Tensor:
        return _undone(estimators, y)

    judges: dict[str, Callable[[Tensor], Tensor]] = {
        "posterior": ours,
        "mean_and_deviation": lambda y: to_tensor(meanstd(to_array(y))),
        "stretch": lambda y: to_tensor(stretch(to_array(y))),
    }
    damaged = [(x, tone(x).clamp(0, 1)) for x in clean for tone in _TONES]
    errors = {name: mean(rms(judge(y), x) for x, y in damaged) for name, judge in judges.items()}
    untouched = {f"{name}_undamaged": mean(rms(judge(x), x) for x in clean) for name, judge in judges.items()}
    few = [F.interpolate(x, (_THUMBNAIL, _THUMBNAIL), mode="area") for x in clean[:_LIKELIHOOD_PICTURES]]
    pairs = [(x, tone(x).clamp(0, 1)) for x in few for tone in _TONES]
    likelihood = {
        "likelihood": mean(rms(_likeliest(prior, y), x) for x, y in pairs),
        "posterior_of_those": mean(rms(ours(y), x) for x, y in pairs),
        "likelihood_undamaged": mean(rms(_likeliest(prior, x), x) for x in few),
    }
    quantiles = [q for q in (_quantile_of_error(newest(estimators.tone), x, y) for x, y in damaged) if q is not None]
    coverage = {f"coverage_{level}": mean(q <= level / 100 for q in quantiles) for level in (50, 90) if quantiles}
    return {**errors, **untouched, **likelihood, **coverage}


def tone_psnr(roots: Sequence[Path], device: torch.device) -> dict[str, float]:
    """PSNR of sets after the package's judges of light alone, as `default` asks it; no picture above 50 dB."""
    estimators = load_estimators(device=device)
    figures = {}
    for name in _SETS:
        pairs = list(set_pictures(name, roots))
        scores = [min(_EXACT, psnr_of(_undone(estimators, y), x)) for y, x in pairs]
        if scores:
            figures[name] = mean(scores)
    return figures


def _undone(estimators: Estimators, y: Tensor) -> Tensor:
    seen, settings = y.to(estimators.tone.device), BlindSettings()
    return estimate_light(seen, estimators, settings.undamaged).undo_tone(seen).cpu()


@torch.no_grad()
def _likeliest(prior: Prior, y: Tensor) -> Tensor:
    """Of y [1, 3, H, W] and y with each known tone undone, the picture whose y is likeliest."""
    candidates, jacobians = [y], [0.0]
    for tone in _TONES:
        line = replace(tone, gamma=None)
        within = line(line.invert(y).clamp(_DARKEST, 1))  # the values that the damage can make
        candidates.append(tone.invert(within))
        jacobians.append(float(tone.slope(within).log().sum()))  # log |dx / dy|
    scores = -_negative_log_likelihood(prior, torch.cat(candidates)) + torch.tensor(jacobians)
    return candidates[int(scores.argmax())]


def _negative_log_likelihood(prior: Prior, x: Tensor) -> Tensor:
    """A bound, [B], up to what all x [B, 3, H, W] have in common: the integral of |D(z + sigma n) - z|^2 / sigma^2 over
    log sigma (Kingma et al. 2021, eq. 15), with the same noise for all.
    """
    z = prior.encode(x.to(prior.device))
    noise = torch.randn(z.shape[1:], generator=torch.Generator().manual_seed(SEED)).to(z.device).expand_as(z)
    schedule = Schedule(prior.alphas_cumprod)
    spacing = math.log(_LEVELS[1] / _LEVELS[0])
    bound = torch.zeros(len(x))
    for level in _LEVELS:
        t = schedule.timestep_of(level)
        found = prior.denoise(schedule.compose(z, noise, t), t).z0
        bound += ((found - z) / schedule.sigma(t)).pow(2).sum((1, 2, 3)).cpu() * spacing
    return bound


@torch.no_grad()
def _quantile_of_error(posterior: TonePosterior, clean: Tensor, damaged: Tensor) -> float | None:
    """Where the error of the likeliest hypothesis lies in the exponential distribution that it announces; None where
    that hypothesis is that nothing was done, which announces no error.
    """
    place = next(posterior.parameters()).device
    clean, damaged = clean.to(place), damaged.to(place)
    belief = posterior(damaged)
    best = int(belief.weights[0].argmax())
    if best == 0:
        return None
    error = rms(belief.undone(damaged)[:, best].clamp(0, 1), clean)
    return 1 - math.exp(-error / float(belief.scales[0, best - 1]))
