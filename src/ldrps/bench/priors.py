"""How good is a prior, part by part: its autoencoder, its denoiser, its judgement of tone, what it draws from nothing.

Everything is measured on data sets that no prior of ours was trained on, with fixed seeds.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.align.tone import find_tone
from ldrps.baselines.tones import meanstd, stretch
from ldrps.bench.data import data_set
from ldrps.bench.runner import prepare
from ldrps.errors import InputError, PriorError
from ldrps.image.pad import pad_to_multiple
from ldrps.image.sheet import contact_sheet
from ldrps.metrics import psnr
from ldrps.metrics.frechet import FrechetDistance
from ldrps.prior import EMBEDDED
from ldrps.prior.base import Prior
from ldrps.prior.tiny.prior import SHIPPED
from ldrps.prior.tiny.tone import TonePosterior
from ldrps.sampling.chains import proximal_chain
from ldrps.sampling.schedule import Schedule
from ldrps.settings import ProximalPosterior

logger = logging.getLogger(__name__)

SEED = 0
# White pixel noise, of 255, of the sets that are damaged here; the other's level is found by trying.
_NOISY_SETS = {"cbsd-noise15": 15.0, "cbsd-noise25": 25.0, "cbsd-noise50": 50.0}
_TRIED_LEVELS = (8.0, 10.0, 12.0, 14.0, 17.0)  # of 255
# Known damage to tones, each alone: y = gain * x ** gamma + offset, clipped to [0, 1].
_TONES = [
    *((gain, 0.0, 1.0) for gain in (0.1, 0.3, 0.6, 1.5, 3.0)),
    *((1.0 - offset, offset, 1.0) for offset in (0.15, 0.3, 0.45)),
    *((1.0, 0.0, gamma) for gamma in (0.5, 0.7, 1.5, 2.2)),
]
_SAMPLING_STEPS = 40


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, as nested plain data, and sheets of pictures by name."""

    figures: dict[str, Any]
    sheets: dict[str, Image.Image]


def evaluate(prior: Prior, root: Path | None, *, samples: int = 16, photos: Sequence[Image.Image] = ()) -> Evaluation:
    """Measure a prior on the sets below `root`; a set that is not there is left out, with a warning.

    Args:
        prior: which.
        root: the folder of data sets; None takes `LDRPS_DATA`.
        samples: how many pictures of 128x128 are drawn from noise.
        photos: real ones with which the samples are compared; at least 2, else there is no Frechet distance.

    Raises:
        InputError: no set is there.
    """
    clean = {name: list(_pictures(name, root)) for name in ("kodak_noise30", "cbsd")}
    if not any(clean.values()):
        raise InputError("neither kodak_noise30 nor cbsd is there: nothing to measure a prior on")
    truths = {name: [truth for _, truth in pairs] for name, pairs in clean.items() if pairs}
    sizes = {name: sum(p.numel() for p in network.parameters()) for name, network in prior.networks().items()}
    drawn = draw_samples(prior, samples)
    figures: dict[str, Any] = {
        "autoencoder_psnr": {name: _mean(psnr_of(_roundtrip(prior, x), x) for x in xs) for name, xs in truths.items()},
        "denoise_psnr": _denoising(prior, clean["kodak_noise30"], root),
        "tone_error": tone_errors(prior, [x for xs in truths.values() for x in xs]),
        "frechet": _frechet(drawn, photos),
        "parameters": {**sizes, "total": sum(sizes.values())},
        "megabytes": _megabytes(prior),
    }
    return Evaluation(figures, {"samples": _grid(drawn), **_examples(prior, clean["kodak_noise30"][:4])})


@torch.no_grad()
def denoised(prior: Prior, y: Tensor, level: float, steps: int) -> Tensor:
    """A picture [1, 3, H, W] with white noise of `level`, in [0, 1], after `steps` steps of a chain from there."""
    padded, crop = pad_to_multiple(y.to(prior.device), prior.size_multiple)
    z = prior.encode(padded)
    probe = torch.randn(padded.shape, generator=torch.Generator().manual_seed(SEED)).to(prior.device)
    in_latents = float((prior.encode(padded + level * probe) - z).pow(2).mean().sqrt())
    schedule = Schedule(prior.alphas_cumprod)
    timesteps = schedule.spaced(schedule.timestep_of(in_latents), steps)
    z = z * schedule.abar(timesteps[0]) ** 0.5
    return crop(prior.decode(_followed(prior, schedule, z, timesteps))).clamp(0, 1).cpu()


@torch.no_grad()
def draw_samples(prior: Prior, count: int, side: int = 128) -> Tensor:
    """Pictures [count, 3, side, side] in [0, 1] from pure noise, without text."""
    if prior.has_text:
        logger.warning("%s knows text: its samples are drawn for an empty caption", prior.name)
    text = prior.embed([""]) if prior.has_text else None
    generator = torch.Generator().manual_seed(SEED)
    schedule = Schedule(prior.alphas_cumprod)
    timesteps = schedule.spaced(len(schedule) - 1, _SAMPLING_STEPS)
    side = side // prior.size_multiple * prior.size_multiple
    shape = (prior.latent_channels, side // prior.factor, side // prior.factor)
    drawn: list[Tensor] = []
    for _ in range(0, count, 8):  # a few at a time, whatever the count
        z = torch.randn((min(8, count - 8 * len(drawn)), *shape), generator=generator).to(prior.device)
        words = None if text is None else text.expand(len(z), -1, -1)
        drawn.append(prior.decode(_followed(prior, schedule, z, timesteps, words)).clamp(0, 1).cpu())
    return torch.cat(drawn) if drawn else torch.empty(0, 3, side, side)


def tone_errors(prior: Prior, clean: Sequence[Tensor]) -> dict[str, float] | None:
    """How far from the clean picture known damage to tones leaves it, root mean square in [0, 1], mean over all:
    after the prior's tone posterior, beside plain judges, for damaged pictures and for undamaged ones; and how often
    the error lies within the 50 and 90 % quantile that the posterior expects. None without a tone posterior.
    """
    posterior, settings = prior.tone, ProximalPosterior()
    if posterior is None:
        return None

    def ours(y: Tensor) -> Tensor:
        return find_tone(y.to(prior.device), posterior, settings.tone, settings.undamaged).undo(y)

    judges: dict[str, Callable[[Tensor], Tensor]] = {
        "posterior": ours,
        "mean_and_deviation": lambda y: _as_tensor(meanstd(_as_array(y))),
        "stretch": lambda y: _as_tensor(stretch(_as_array(y))),
    }
    damaged = [(x, (gain * x**gamma + offset).clamp(0, 1)) for x in clean for gain, offset, gamma in _TONES]
    errors = {name: _mean(_rms(judge(y), x) for x, y in damaged) for name, judge in judges.items()}
    untouched = {f"{name}_undamaged": _mean(_rms(judge(x), x) for x in clean) for name, judge in judges.items()}
    quantiles = [q for q in (_quantile_of_error(posterior, x, y) for x, y in damaged) if q is not None]
    coverage = {f"coverage_{level}": _mean(q <= level / 100 for q in quantiles) for level in (50, 90) if quantiles}
    return {**errors, **untouched, **coverage}


def psnr_of(restored: Tensor, clean: Tensor) -> float:
    """RGB PSNR in dB of pictures [1, 3, H, W] as 8 bits would show them."""
    return float(psnr((restored[0] * 255).round() / 255, clean[0]))


def _denoising(prior: Prior, kodak: Sequence[tuple[Tensor, Tensor]], root: Path | None) -> dict[str, Any]:
    """PSNR after one and after four steps; for kodak_noise30 at the one level, for all its pictures, that is best."""
    figures: dict[str, Any] = {}
    if kodak:
        for steps in (1, 4):
            by_level = {
                level: _mean(psnr_of(denoised(prior, y, level / 255, steps), x) for y, x in kodak)
                for level in _TRIED_LEVELS
            }
            figures["kodak_noise30" if steps == 1 else f"kodak_noise30_{steps}_steps"] = max(by_level.values())
    for name, level in _NOISY_SETS.items():
        pairs = list(_pictures(name, root))
        if pairs:
            figures[name.replace("-noise", "")] = _mean(
                psnr_of(denoised(prior, y, level / 255, 1), x) for y, x in pairs
            )
    return figures


def _frechet(drawn: Tensor, photos: Sequence[Image.Image]) -> float | None:
    if len(drawn) < 2 or len(photos) < 2:
        return None
    real = torch.cat([_as_tensor(_square(photo, drawn.shape[-1])) for photo in photos])
    try:
        return float(FrechetDistance.from_package()(drawn, real))
    except PriorError as error:
        logger.warning("no Frechet distance: %s", error)
        return None


def _megabytes(prior: Prior) -> float:
    """Of its files of weights; of its weights in memory, if it did not come from a folder."""
    folder = SHIPPED if prior.name == EMBEDDED else Path(prior.name)
    files = sum(file.stat().st_size for file in folder.rglob("*.safetensors")) if folder.is_dir() else 0
    held = sum(p.numel() * p.element_size() for network in prior.networks().values() for p in network.parameters())
    return round((files or held) / 1e6, 3)


def _followed(prior: Prior, schedule: Schedule, z: Tensor, timesteps: list[int], text: Tensor | None = None) -> Tensor:
    chain = proximal_chain(lambda z, t: prior.denoise(z, t, text), lambda z0, t: (z0, {}), schedule, z, timesteps)
    while True:
        try:
            next(chain)
        except StopIteration as finished:
            return finished.value


@torch.no_grad()
def _roundtrip(prior: Prior, x: Tensor) -> Tensor:
    padded, crop = pad_to_multiple(x.to(prior.device), prior.size_multiple)
    return crop(prior.decode(prior.encode(padded))).clamp(0, 1).cpu()


@torch.no_grad()
def _quantile_of_error(posterior: TonePosterior, clean: Tensor, damaged: Tensor) -> float | None:
    """Where the error of the likeliest hypothesis lies in the exponential distribution that it announces; None where
    that hypothesis is that nothing was done, which announces no error.
    """
    belief = posterior(damaged)
    best = int(belief.weights[0].argmax())
    if best == 0:
        return None
    error = _rms(belief.undone(damaged)[:, best].clamp(0, 1), clean)
    return 1 - math.exp(-error / float(belief.scales[0, best - 1]))


def _pictures(name: str, root: Path | None) -> Iterator[tuple[Tensor, Tensor]]:
    """The damaged and the clean side of a set's pictures, [1, 3, H, W] in [0, 1]."""
    dataset = data_set(name)
    try:
        pairs = dataset.pairs(root)
    except InputError as error:
        logger.warning("%s", error)
        return
    for pair in pairs:
        damaged, truth = prepare(dataset, pair)
        assert truth is not None
        yield _as_tensor(damaged), _as_tensor(truth)


def _examples(prior: Prior, pairs: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Image.Image]:
    rows = []
    for y, x in pairs:
        through, once = _roundtrip(prior, x), denoised(prior, y, 12 / 255, 1)
        rows.append(
            [
                (_as_image(x), "clean"),
                (_as_image(through), f"encoded and decoded, {psnr_of(through, x):.1f} dB"),
                (_as_image(y), "noisy"),
                (_as_image(once), f"one step, {psnr_of(once, x):.1f} dB"),
            ]
        )
    return {"denoised": contact_sheet(rows)} if rows else {}


def _grid(drawn: Tensor) -> Image.Image:
    pictures = [(_as_image(picture[None]), "") for picture in drawn] or [(Image.new("RGB", (32, 32)), "no samples")]
    return contact_sheet([pictures[start : start + 8] for start in range(0, len(pictures), 8)])


def _square(photo: Image.Image, side: int) -> Image.Image:
    short = min(photo.size)
    left, top = (photo.width - short) // 2, (photo.height - short) // 2
    box = (left, top, left + short, top + short)
    return photo.convert("RGB").resize((side, side), Image.Resampling.BICUBIC, box=box)


def _mean(values: Iterator[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def _rms(a: Tensor, b: Tensor) -> float:
    return float((a - b).pow(2).mean().sqrt())


def _as_tensor(image: Any) -> Tensor:
    array = np.array(image, dtype=np.float32)
    if isinstance(image, Image.Image):
        array /= 255
    return torch.from_numpy(array).permute(2, 0, 1)[None]


def _as_array(x: Tensor) -> Any:
    return x[0].permute(1, 2, 0).numpy()


def _as_image(x: Tensor) -> Image.Image:
    return Image.fromarray((255 * _as_array(x).clip(0, 1)).round().astype(np.uint8))
