"""How much what the enlarger expects should count beside what the loop makes of a small picture.

    python benchmarks/enlarge_share.py PHOTOS... --count 16

Held-out photographs, and pages, screens and drawings made by code, reduced to a half, a third and a quarter: well, and,
photographs, also blurred, noisy or compressed, as the enlarger learned from. PSNR in dB over a cubic, without a border
as wide as the factor, for shares of 0, the loop alone, to 1, the network alone. Tones are as they are: their errors
would hide all others. The data step that ends both is linear, so each is run once, and what is between them is a mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich import print
from rich.table import Table
from torch import Tensor

from ldrps import Restorer, load_prior
from ldrps.estimation.estimators import load_estimators
from ldrps.image.arrays import to_pil
from ldrps.prior import EMBEDDED, precision_of
from ldrps.settings import BlindSettings, Settings, Strengths
from ldrps.train.graphics import graphic
from ldrps.train.photos import Photographs
from ldrps.train.small import small_copies

SHARES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SIDE, _REDUCTION = 192, (1.3, 2.5)

Draw = Callable[[np.random.Generator], Tensor]


def levels(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def psnr_within(found: Tensor, x: Tensor, border: int) -> float:
    inside = (..., slice(border, -border), slice(border, -border))
    return float(-10 * torch.log10((found - x)[inside].square().mean()))


def gains(loop: Restorer, network: Restorer, draw: Draw, factor: int, good: float, count: int) -> list[float]:
    """Over a cubic, in dB, for each of `SHARES`; and before them what the cubic has."""
    rows = []
    for index in range(count):
        random = np.random.default_rng([9, index, factor])
        x = draw(random)
        small = to_pil(small_copies(x, factor, random, good=good)[0])
        by_loop, by_network = (levels(restorer(small).image) for restorer in (loop, network))
        cubic = psnr_within(levels(small.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)), x, factor)
        rows.append(
            [cubic, *(psnr_within(torch.lerp(by_loop, by_network, share), x, factor) - cubic for share in SHARES)]
        )
    return [float(each) for each in np.mean(rows, 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=16, help="pictures of each row")
    parser.add_argument("--estimators", default="packaged")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = Photographs(given.photos, held_out=True, min_side=200)
    prior, estimators = load_prior(dtype=precision_of(EMBEDDED, "auto", "cpu")), load_estimators(given.estimators)

    def restorer(share: float, factor: int) -> Restorer:
        method = BlindSettings(expected=share, strengths=Strengths(tone=0.0))
        return Restorer(prior, Settings(scale=float(factor), method=method), estimators=estimators)

    def photo(random: np.random.Generator) -> Tensor:
        return photos.crops(random, 1, _SIDE, _REDUCTION)

    def page(random: np.random.Generator) -> Tensor:
        return graphic(_SIDE, random)

    kinds: list[tuple[str, Draw, float]] = [("photographs", photo, 1), ("others", photo, 0), ("graphics", page, 1)]
    table = Table("", "cubic", *map(str, SHARES), title=f"gain in dB, {given.count} pictures each")
    for name, draw, good in kinds:
        for factor in (2, 3, 4):
            found = gains(restorer(0.0, factor), restorer(1.0, factor), draw, factor, good, given.count)
            table.add_row(f"{name} x{factor}", *(f"{value:.2f}" for value in found))
    print(table)


if __name__ == "__main__":
    main()
