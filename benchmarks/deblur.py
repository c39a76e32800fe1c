"""How well a blur is undone that is known: what is lost when it has to be estimated is not in these figures.

    python benchmarks/deblur.py --data SETS
    python benchmarks/deblur.py --data SETS --sets levin kodak_noise30-motion9 -o out/deblur

`default` is told the kernel, and the deviation of the noise where the set adds some. Levin's kernels are those that
were measured, and what they do not explain counts as noise of 1.5 of 255. Prints mean RGB PSNR in dB, without the
border of each set and, of Levin's, after the best shift by quarters of a pixel; of an unsharp mask and, told the same
kernel, of Wiener's filter and of Richardson and Lucy's (scikit-image), each with the best of three settings for each
picture; the least gain; and how many times as long it takes as to take noise away from the same picture. Writes sheets
of what was seen: before, after, clean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import restoration
from skimage.filters import unsharp_mask
from tables import arguments, print_table, seconds_of_denoising
from torch import Tensor

from ldrps import Damage, Estimate, Restorer, load_prior
from ldrps.bench.data import DataSet, Pair, data_set
from ldrps.bench.inputs import prepare
from ldrps.bench.scores import aligned
from ldrps.degradation import Blur, GaussianBlur, WhiteNoise
from ldrps.degrade import parse
from ldrps.estimation.kernel_search import shifted
from ldrps.image.arrays import pixels
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.metrics import psnr

SETS = [f"kodak_noise30-{kind}" for kind in ("blur1.0", "blur1.6", "blur2.5", "motion5", "motion9", "motion15")]
UNEXPLAINED = 1.5 / 255


def values(image: Image.Image) -> Tensor:
    """[3, H, W], in float64."""
    return pixels(np.asarray(image.convert("RGB")))[0].double()


def decibels(image: Tensor, x: Tensor, dataset: DataSet) -> float:
    """PSNR, of a set with a shift of the best one by quarters of a pixel: a measured kernel has no known middle."""
    quarters = (-0.5, -0.25, 0.0, 0.25) if dataset.shift else (0.0,)
    places = [
        shifted(image, (down, right)).clamp(0, 1) if dataset.shift else image for down in quarters for right in quarters
    ]
    return max(float(psnr(*aligned(place, x, dataset.border, dataset.shift))) for place in places)


def measured_kernel(dataset: DataSet, pair: Pair, roots: list[Path], y: Tensor, x: Tensor) -> Blur:
    """Of Levin's set, whose files have some kernels turned by 180 degrees: the way round that explains y better."""
    with Image.open(dataset.folder(*roots) / "target" / f"{pair.name.split('_')[-1]}.png") as image:
        levels = torch.from_numpy(np.array(image.convert("L"), dtype=np.float64))
    kernel = levels / levels.sum()
    ways = [Blur(way) for way in (kernel, kernel.flip(0, 1))]
    return max(ways, key=lambda blur: decibels(blur(x[None])[0], y, dataset))


def told(dataset: DataSet, pair: Pair, roots: list[Path], y: Tensor, x: Tensor) -> Damage:
    """The blur and the noise that were made, or measured."""
    if not dataset.degrade:
        blur = measured_kernel(dataset, pair, roots, y, x)
        return Damage(blur=Estimate(blur), noise=Estimate(WhiteNoise(UNEXPLAINED)))
    found: dict[str, Any] = {}
    for part in parse(dataset.degrade).parts:
        drawn = part.draw((y.shape[-2], y.shape[-1]), np.random.default_rng(0))
        found["noise" if isinstance(drawn, WhiteNoise) else "blur"] = Estimate(drawn)
    assert isinstance(found["blur"].value, GaussianBlur | Blur)
    return Damage(**found)


def rivals(y: Tensor, x: Tensor, damage: Damage, dataset: DataSet) -> list[float]:
    """What plain tools reach, in dB, with the setting that suits the picture best."""
    assert damage.blur_kernel is not None
    picture, kernel = y.permute(1, 2, 0).numpy(), damage.blur_kernel.numpy()
    reach = max(kernel.shape)
    wide = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    inside = slice(reach, -reach)

    def each(restored: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.stack([restored(wide[..., channel]) for channel in range(3)], -1)[inside, inside]

    made = (
        [each(partial(unsharp_mask, radius=radius, amount=1.0)) for radius in (1, 2, 4)],
        [each(partial(restoration.wiener, psf=kernel, balance=balance)) for balance in (1e-3, 1e-2, 1e-1)],
        [each(partial(restoration.richardson_lucy, psf=kernel, num_iter=count)) for count in (10, 30, 100)],
    )
    return [
        max(decibels(torch.from_numpy(result).permute(2, 0, 1).clamp(0, 1), x, dataset) for result in results)
        for results in made
    ]


def line(name: str, restorer: Restorer, roots: list[Path], limit: int | None, out: Path | None) -> list[str]:
    """A row of the table for a set, whose sheet is written."""
    dataset = data_set(name)
    before, after, seconds, plain, rows, others = [], [], [], [], [], []
    for pair in dataset.pairs(*roots)[:limit]:
        damaged, truth = prepare(dataset, pair)
        assert truth is not None
        y, x = values(damaged), values(truth)
        damage = told(dataset, pair, roots, y, x)
        result = restorer(damaged, damage=damage)
        before.append(decibels(y, x, dataset))
        after.append(decibels(values(result.image), x, dataset))
        others.append(rivals(y, x, damage, dataset))
        seconds.append(result.seconds["total"])
        plain.append(seconds_of_denoising(restorer, damaged))
        rows.append([(damaged, pair.name), (result.image, f"{after[-1]:.1f} dB"), (truth, "clean")])
    if out is not None:
        write_image(contact_sheet(rows), out / f"{name}.png", overwrite=True)
    cells = [
        f"{len(rows)}",
        f"{fmean(before):.2f}",
        *(f"{fmean(values):.2f}" for values in zip(*others, strict=True)),
        f"{fmean(after):.2f}",
        f"{min(map(float.__sub__, after, before)):.1f}",
    ]
    return [*cells, f"{fmean(seconds):.1f}", f"{fmean(seconds) / fmean(plain):.1f}"]


def main() -> None:
    given = arguments(__doc__, [*SETS, "levin"]).parse_args()
    restorer = Restorer(load_prior())
    columns = ["pictures", "before", "unsharp", "Wiener", "Richardson-Lucy", "told", "least gain", "seconds", "times"]
    print_table(columns, given, lambda name: line(name, restorer, given.data, given.limit, given.out))


if __name__ == "__main__":
    main()
