"""How well a picture is enlarged: blind, and told what is wrong with it beside that it is small.

    python benchmarks/enlarge.py --data SETS
    python benchmarks/enlarge.py --data SETS --sets set5-x2 imagenet_sr4 -o out/enlarge

The field's protocol: luma, PSNR in dB without as many pixels of border as the scale, of clean sides cut to multiples of
it. Beside it a cubic and a windowed sinc. Told are "nothing is wrong" for a set that is only reduced, else the kernel,
in pixels of the large picture, and the noise as far as it is left after the reduction; of a set of pairs nobody knows.
Then the least gain over the cubic, seconds, and how many times as long as taking noise away from a picture of the
result's size. Writes sheets of what was seen: cubic, blind, clean.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image
from tables import arguments, print_table, seconds_of_denoising

from ldrps import Damage, Estimate, Restorer, load_prior
from ldrps.bench.data import DataSet, data_set
from ldrps.bench.inputs import prepare
from ldrps.degradation import GaussianBlur, WhiteNoise
from ldrps.degrade import parse
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.metrics import psnr
from ldrps.tools import BASELINES

SETS = [f"set5-x{factor}{damage}" for damage in ("", "-blur1.2-noise5") for factor in (2, 3, 4)]


def told(dataset: DataSet) -> Damage | None:
    """What is known of a set's damage beside the reduction; None where nobody knows."""
    if not dataset.degrade:
        return None
    blur = noise = None
    for part in parse(dataset.degrade).parts:
        drawn = part.draw((64, 64), np.random.default_rng(0))
        if isinstance(drawn, GaussianBlur):
            blur = Estimate(drawn)
        elif isinstance(drawn, WhiteNoise):  # a reduction averages it
            noise = Estimate(WhiteNoise(float(drawn.sigma) / dataset.enlarge))
    return Damage(blur=blur, noise=noise)


def plain(name: str, damaged: Image.Image, factor: int) -> Image.Image:
    """What a tool of the benchmark makes of it."""
    pixels = BASELINES[name](np.asarray(damaged, np.float32) / np.float32(255), factor)
    return Image.fromarray((255 * pixels).round().astype(np.uint8))


def line(name: str, restorer: Restorer, roots: list[Path], limit: int | None, out: Path | None) -> list[str]:
    """A row of the table for a set, whose sheet is written."""
    dataset = data_set(name)
    larger = restorer.with_settings(restorer.settings.with_changes(scale=float(dataset.enlarge)))
    damage = told(dataset)
    found: dict[str, list[float]] = {method: [] for method in ("bicubic", "lanczos", "blind", "told")}
    seconds, denoising, rows = [], [], []
    for pair in dataset.pairs(*roots)[:limit]:
        damaged, truth = prepare(dataset, pair)
        assert truth is not None
        made = {method: plain(method, damaged, dataset.enlarge) for method in ("bicubic", "lanczos")}
        result = larger(damaged)
        made["blind"] = result.image
        if damage is not None:
            made["told"] = larger(damaged, damage=damage).image
        for method, image in made.items():
            found[method].append(float(psnr(image, truth, "y", dataset.border)))
        seconds.append(result.seconds["total"])
        denoising.append(seconds_of_denoising(restorer, truth))
        captions = (pair.name, f"{found['blind'][-1]:.1f} dB", "clean")
        rows.append(list(zip((made["bicubic"], made["blind"], truth), captions, strict=True)))
    if out is not None:
        write_image(contact_sheet(rows), out / f"{name}.png", overwrite=True)
    gain = min(map(float.__sub__, found["blind"], found["bicubic"]))
    cells = [f"{len(rows)}", *(f"{fmean(values):.2f}" if values else "" for values in found.values()), f"{gain:.2f}"]
    return [*cells, f"{fmean(seconds):.1f}", f"{fmean(seconds) / fmean(denoising):.1f}"]


def main() -> None:
    given = arguments(__doc__, [*SETS, "imagenet_sr4"]).parse_args()
    restorer = Restorer(load_prior())
    columns = ["pictures", "bicubic", "lanczos", "blind", "told", "least gain", "seconds", "times of denoising"]
    print_table(columns, given, lambda name: line(name, restorer, given.data, given.limit, given.out))


if __name__ == "__main__":
    main()
