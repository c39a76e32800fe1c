"""Mean RGB PSNR on folders of pairs, beside doing nothing.

    python benchmarks/dev_psnr.py FOLDER... [--preset default] [--limit N] [--out FOLDER]

A folder has `input/` and `target/` with the same file stems and sizes. A target is read only after its result exists.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps import Restorer, load_prior, preset


def pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("RGB"), dtype=np.float64) / 255


def psnr(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures in [0, 1]."""
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    targets = {path.stem: path for path in (folder / "target").iterdir()}
    return [(path, targets[path.stem]) for path in sorted((folder / "input").iterdir()) if path.stem in targets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--prior", default="embedded")
    parser.add_argument("--limit", type=int, help="the first N pairs of each folder only")
    parser.add_argument("--out", type=Path, help="keep the results here")
    given = parser.parse_args()
    restorer = Restorer(load_prior(given.prior), preset(given.preset))
    for folder in given.folders:
        before, after, seconds = [], [], []
        for source, target in pairs(folder)[: given.limit]:
            result = restorer(source)
            clean = pixels(Image.open(target))
            before.append(psnr(pixels(Image.open(source)), clean))
            after.append(psnr(pixels(result.image), clean))
            seconds.append(result.seconds["total"])
            print(f"{folder.name}/{source.name}: {before[-1]:.2f} -> {after[-1]:.2f} dB, {seconds[-1]:.1f} s")
            if given.out is not None:
                place = given.out / folder.name
                place.mkdir(parents=True, exist_ok=True)
                result.save(place / f"{source.stem}.png", overwrite=True)
        print(
            f"{folder.name}: {len(after)} pairs, doing nothing {np.mean(before):.2f}, "
            f"{given.preset} {np.mean(after):.2f} dB, {np.mean(seconds):.1f} s each"
        )


if __name__ == "__main__":
    main()
