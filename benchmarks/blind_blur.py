"""How well a blur is undone whose kernel is found on the picture, beside the same blur told.

    python benchmarks/blind_blur.py --data SETS
    python benchmarks/blind_blur.py --data SETS --sets levin kodak_noise30-clean --kernels-only -o out/blind

`blind` is told nothing at all, tones and noise neither. `told` is given the kernel, as in `deblur.py`. `found` begins
with nothing, and a path is searched for (`find_kernel`). `width` is told that it is a round Gaussian, and a deviation
30 % too large. The noise is told to these three. Prints mean RGB
PSNR in dB after the best shift by quarters of a pixel; the likeness of the kernels to the true ones (normalised
correlation, at the best shift by whole pixels); the gain of what was found, which on sharp pictures should be nothing;
and the errors of the widths. Writes kernels, true and found.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
from deblur import SETS, UNEXPLAINED, decibels, told, values
from PIL import Image
from tables import arguments, print_table
from torch import Tensor

from ldrps import Damage, Estimate, Restorer, load_prior
from ldrps.bench.data import data_set
from ldrps.bench.inputs import prepare
from ldrps.degradation import Blur, GaussianBlur, WhiteNoise
from ldrps.degradation.kernels import gaussian
from ldrps.estimation.kernel_search import find_kernel, find_width
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image

GUESS = 1.3  # times the true deviation
THUMBNAIL = 132


def likeness(one: Tensor, other: Tensor) -> float:
    """1 for kernels that differ by a shift of whole pixels."""
    size = [2 * max(*one.shape, *other.shape)] * 2
    product = torch.fft.rfft2(one.double(), s=size) * torch.fft.rfft2(other.double(), s=size).conj()
    return float(torch.fft.irfft2(product, s=size).max() / (one.double().norm() * other.double().norm()))


def round_gaussian(sigma: float) -> Tensor:
    return gaussian(sigma, sigma)


def thumbnail(kernel: Tensor) -> Image.Image:
    """A kernel as a picture, its largest value white."""
    levels = Image.fromarray((kernel / kernel.max() * 255).clamp(0, 255).byte().numpy())
    return levels.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST).convert("RGB")


def line(name: str, restorer: Restorer | None, roots: list[Path], limit: int | None, out: Path | None) -> list[str]:
    """A row of the table for a set, whose sheet is written."""
    dataset = data_set(name)
    shifted = replace(dataset, shift=max(dataset.shift, 2), border=max(dataset.border, 2))
    decibel: dict[str, list[float]] = {"before": [], "blind": [], "told": [], "found": [], "width": []}
    alike, gains, errors, rows = [], [], [], []
    for pair in dataset.pairs(*roots)[:limit]:
        damaged, truth = prepare(dataset, pair)
        assert truth is not None
        y, x = values(damaged), values(truth)
        blurred = name == "levin" or "blur" in (dataset.degrade or "") or "motion" in (dataset.degrade or "")
        damage = told(dataset, pair, roots, y, x) if blurred else Damage(noise=Estimate(WhiteNoise(UNEXPLAINED)))
        path = find_kernel(y[None].float())
        gains.append(path.gain)
        kernels = {"found": path.kernel}
        true = torch.ones(1, 1)
        if damage.blur is not None and isinstance(damage.blur.value, Blur | GaussianBlur):
            true = damage.blur.value.kernel
            kernels = {"told": true, **kernels}
            alike.append(likeness(true, path.kernel))
        if damage.blur is not None and isinstance(damage.blur.value, GaussianBlur):
            sigma = float(damage.blur.value.sigma)
            width = find_width(y[None].float(), round_gaussian, GUESS * sigma)[0]
            errors.append(width / sigma - 1)
            kernels["width"] = round_gaussian(width)
        row = [(damaged, pair.name), (thumbnail(true), "true"), (thumbnail(path.kernel), f"found, {path.gain:.2f} dB")]
        decibel["before"].append(decibels(y, x, shifted))
        if restorer is not None:
            result = restorer(damaged)
            decibel["blind"].append(decibels(values(result.image), x, shifted))
            row.append((result.image, f"blind: {decibel['blind'][-1]:.1f} dB"))
        for kind, each in kernels.items():
            if restorer is None:
                break
            result = restorer(damaged, damage=replace(damage, blur=Estimate(Blur(each.double()))))
            decibel[kind].append(decibels(values(result.image), x, shifted))
            row.append((result.image, f"{kind}: {decibel[kind][-1]:.1f} dB"))
        rows.append([*row, (truth, "clean")])
    if out is not None:
        write_image(contact_sheet(rows), out / f"{name}.png", overwrite=True)
    cells = [f"{len(rows)}", *(f"{fmean(each):.2f}" if each else "" for each in decibel.values())]
    cells += [f"{fmean(alike):.3f}" if alike else "", f"{min(gains):.2f}", f"{median(gains):.2f}", f"{max(gains):.2f}"]
    cells += [f"{np.abs(errors).max():.0%}, mean {np.mean(errors):+.0%}" if errors else ""]
    return cells


def main() -> None:
    parser = arguments(__doc__, [*SETS, "levin", "kodak_noise30-clean"])
    parser.add_argument("--kernels-only", action="store_true", help="restore nothing")
    given = parser.parse_args()
    restorer = None if given.kernels_only else Restorer(load_prior())
    columns = ["pictures", "before", "blind", "told", "found", "width guessed", "likeness"]
    columns += ["least gain", "median", "most", "width off"]
    print_table(columns, given, lambda name: line(name, restorer, given.data, given.limit, given.out))


if __name__ == "__main__":
    main()
