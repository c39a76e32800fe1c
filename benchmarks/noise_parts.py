"""What each part of taking noise away is worth, on photographs that were held out of training.

    python benchmarks/noise_parts.py PHOTOS... --count 30

First, by kind and family of noise, the PSNR in dB of noisy pictures and of one call of the denoiser: told what there
is; told the level alone, all noise taken for white; told the kind, with the best of six levels, picked with the clean
picture in hand; as the judge of noise says; and with the level of a statistic, the median of the finest wavelets
(Donoho and Johnstone 1994), in its place. Then of dark pictures with white noise of 1 to 6 of 255, whose tones are
told: noise taken away before they are undone, after, at one level, and after, at a level for each place, by the slope
of the curve there.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich import print
from rich.table import Table
from skimage.restoration import estimate_sigma
from torch import Tensor

from ldrps.bench.priors.common import psnr_of
from ldrps.degradation import Rounding, Tone, WhiteNoise
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.prior import load_prior
from ldrps.prior.base import NOISES, NoiseKind, Prior
from ldrps.prior.device import native_precision
from ldrps.train.noise import FAMILIES, add_noise
from ldrps.train.photos import Photographs

_LEVELS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # of the one that is told
_SIDE, _REDUCTION = 192, (1.0, 1.6)


@torch.no_grad()
def denoised(prior: Prior, y: Tensor, sigma: float, kind: NoiseKind) -> Tensor:
    """y [1, 3, H, W] in [0, 1] after one call, at a deviation sigma of 1."""
    text = prior.embed([""]) if prior.has_text else None
    return prior.decode(prior.remove_noise(prior.encode(y), 2 * sigma, kind, text)).float().clamp(0, 1)


def by_part(
    prior: Prior, judge: NoisePosterior, photos: Photographs, count: int, kind: NoiseKind, family: str | None
) -> dict[str, float]:
    """Means over `count` pictures."""
    rows = []
    for index in range(count):
        random = np.random.default_rng([5, index])
        x = photos.crops(random, 1, _SIDE, _REDUCTION)
        families = {family: 1.0} if family else FAMILIES
        level = torch.tensor([random.uniform(4, 30) / 255])
        noisy = add_noise(x, [kind], level, random, families)
        y, sigma = noisy.seen, float(noisy.level)
        statistic = float(np.mean(estimate_sigma(y[0].numpy(), channel_axis=0)))
        with torch.no_grad():
            belief = judge(y)
        likeliest = int(belief.probability[0].argmax())
        judged = y.clamp(0, 1)
        if likeliest:
            deviation = float(belief.middle[0, likeliest - 1].exp())
            judged = denoised(prior, y, deviation, NOISES[likeliest - 1])
        around = [denoised(prior, y, sigma * part, kind) for part in _LEVELS]
        rows.append(
            {
                "noisy": psnr_of(y.clamp(0, 1), x),
                "told": psnr_of(around[_LEVELS.index(1.0)], x),
                "as white": psnr_of(denoised(prior, y, sigma, "white"), x),
                "best level": max(psnr_of(each, x) for each in around),
                "judged": psnr_of(judged, x),
                "statistic": psnr_of(denoised(prior, y, max(statistic, 1e-3), "white"), x),
            }
        )
    return means(rows)


def by_order(prior: Prior, photos: Photographs, count: int, kind: NoiseKind) -> dict[str, float]:
    """Means over `count` dark pictures, with their noise told as of that kind once their tones are undone."""
    rows = []
    for index in range(count):
        random = np.random.default_rng([5, index])
        x = photos.crops(random, 1, _SIDE, _REDUCTION)
        tone = Tone(float(np.exp(random.uniform(np.log(0.05), np.log(0.5)))), gamma=random.uniform(0.8, 2.0))
        sigma = random.uniform(1, 6) / 255
        y = Rounding()(WhiteNoise(sigma).sample(tone(x), random)).clamp(0, 1)
        undone = tone.invert(y).clamp(0, 1)
        level = float((undone - x).square().mean().sqrt())
        around = [denoised(prior, undone, level * part, kind) for part in _LEVELS]
        there = (sigma**2 + 1 / 12 / 255**2) ** 0.5 * slope(tone, y) / level
        rows.append(
            {
                "noisy": psnr_of(undone, x),
                "before": psnr_of(tone.invert(denoised(prior, y, sigma, "white")).clamp(0, 1), x),
                "after": psnr_of(around[_LEVELS.index(1.0)], x),
                "after, by place": psnr_of(between(around, there.log()), x),
            }
        )
    return means(rows)


def slope(tone: Tone, y: Tensor) -> Tensor:
    """By what noise grows when a tone is undone, at the mean of 9 pixels around each, [1, 1, H, W]."""
    local = F.avg_pool2d(F.pad(y, (4, 4, 4, 4), mode="reflect"), 9, 1)
    step = 1 / 255
    rise = tone.invert(local + step) - tone.invert((local - step).clamp_min(0))
    return (rise / (2 * step)).mean(1, keepdim=True)


def between(pictures: list[Tensor], place: Tensor) -> Tensor:
    """Pictures at `_LEVELS`, each weighed at each place by how near its logarithm is to `place`, [1, 1, H, W]."""
    levels = torch.tensor(_LEVELS).log()
    place = place.clamp(float(levels[0]), float(levels[-1]))
    above = torch.searchsorted(levels, place.flatten()).reshape(place.shape).clamp(1, len(levels) - 1)
    share = (place - levels[above - 1]) / (levels[above] - levels[above - 1])
    stack = torch.stack(pictures)[:, 0]  # [L, 3, H, W]
    low, high = (torch.gather(stack, 0, each[0].expand(1, 3, -1, -1))[0] for each in (above - 1, above))
    return torch.lerp(low, high, share[0])[None]


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def table(title: str, rows: Mapping[str, Mapping[str, float]]) -> Table:
    found = Table("", *next(iter(rows.values())), title=title)
    for name, values in rows.items():
        found.add_row(name, *(f"{value:.2f}" for value in values.values()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=30, help="pictures of each row")
    parser.add_argument("--prior", default="embedded")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos, prior = Photographs(given.photos, held_out=True), load_prior(given.prior, dtype=native_precision("cpu"))
    which: list[tuple[str, NoiseKind, str | None]] = [("white", "white", None), ("JPEG", "jpeg", None)]
    which += [(f"camera: {family}", "camera", family) for family in FAMILIES]
    judge = load_estimators().noise
    rows = {name: by_part(prior, judge, photos, given.count, kind, family) for name, kind, family in which}
    print(table(f"noise of held-out photographs, {given.count} each, PSNR in dB", rows))
    orders = {f"as {kind}": by_order(prior, photos, given.count, kind) for kind in ("white", "camera")}
    print(table(f"dark ones with white noise, {given.count}", orders))


if __name__ == "__main__":
    main()
