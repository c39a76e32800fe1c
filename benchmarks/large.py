"""A large picture: seconds, peak memory beside what was announced, and windows beside the whole.

    python benchmarks/large.py [PICTURE ...] [--megapixels 24] [--preset default] [--dtype auto] [--threads 2] [-o DIR]
    python benchmarks/large.py samples/hazy.png --noise 0
    python benchmarks/large.py [PICTURE ...] --compare 768

The large picture is laid out of the given ones (the samples, if none) at their own scale, side by side and mirrored,
darkened to a third and made noisy (sigma 8 of 255, or as `--noise` says). Memory is the process's largest resident set;
the process keeps it as the command does; threads wait as OpenMP has them, longer than on the command line.
Into DIR goes a sheet of crops at 100 %, before and after. `--compare` restores a square of that side whole and in
windows of 256 pixels.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import ldrps
from ldrps.cost import estimate
from ldrps.image.sheet import before_after
from ldrps.memory import peak_mib
from ldrps.prior import EMBEDDED, precision_of
from ldrps.run.share import keep_memory

SAMPLES = Path(__file__).parent.parent / "samples"
CROP = 384


def laid_out(pictures: list[Path], width: int, height: int) -> NDArray[np.uint8]:
    """[height, width, 3], filled with the pictures row by row, every other one mirrored."""
    tiles = [np.asarray(Image.open(path).convert("RGB")) for path in pictures]
    side = min(min(tile.shape[:2]) for tile in tiles)
    squares = [tile[:side, :side] for tile in tiles]
    rows = []
    for row in range(math.ceil(height / side)):
        across = [squares[(row * 7 + column) % len(squares)] for column in range(math.ceil(width / side))]
        rows.append(np.concatenate([tile[:, ::-1] if k % 2 else tile for k, tile in enumerate(across)], 1))
    return np.concatenate(rows)[:height, :width]


def damaged(clean: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Dark and noisy, by a deviation of 255, in place of memory: row by row."""
    random = np.random.default_rng(0)
    out = np.empty_like(clean)
    for k, row in enumerate(clean):
        noise = random.standard_normal(row.shape, dtype=np.float32)
        out[k] = (row / 3 + sigma * noise).clip(0, 255).round()
    return out


def one(
    pictures: list[Path],
    megapixels: float,
    sigma: float,
    settings: ldrps.Settings,
    prior: ldrps.Prior,
    out: Path | None,
) -> None:
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    picture = Image.fromarray(damaged(laid_out(pictures, width, height), sigma))
    restorer = ldrps.Restorer(prior, settings)
    said = estimate((width, height), settings)
    began = time.perf_counter()
    result = restorer(picture)
    took = time.perf_counter() - began
    peak = peak_mib() or math.nan
    print(f"{width} x {height}, {settings.preset}, {prior.precision}: {took:.1f} s, peak {peak:.0f} MiB")
    print(f"announced: {said.seconds:.0f} s, {said.bytes / 2**20:.0f} MiB; found: {result.words}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(1)
        corners = [(int(rng.integers(width - CROP)), int(rng.integers(height - CROP))) for _ in range(3)]
        for k, (x, y) in enumerate(corners):
            box = (x, y, x + CROP, y + CROP)
            before_after(picture.crop(box), result.image.crop(box)).save(out / f"crop{k}.png")


def compare(pictures: list[Path], side: int, sigma: float, settings: ldrps.Settings, prior: ldrps.Prior) -> None:
    picture = Image.fromarray(damaged(laid_out(pictures, side, side), sigma))
    cut, whole = (
        np.asarray(ldrps.Restorer(prior, dataclasses.replace(settings, tile=tile))(picture).image, dtype=np.float64)
        for tile in (256, side)
    )
    error = float(((cut - whole) ** 2).mean())
    psnr = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    print(f"{side} x {side}, {settings.preset}: windows of 256 beside the whole {psnr:.1f} dB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*", type=Path, default=sorted(SAMPLES.glob("*.png")))
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--noise", type=float, default=8, help="its deviation, of 255")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compare", type=int, metavar="SIDE")
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_memory()
    settings = ldrps.preset(given.preset)
    prior = ldrps.load_prior(dtype=precision_of(EMBEDDED, given.dtype, "cpu"))
    if given.compare:
        compare(given.pictures, given.compare, given.noise, settings, prior)
    else:
        one(given.pictures, given.megapixels, given.noise, settings, prior, given.out)


if __name__ == "__main__":
    main()
