"""How well marks are found: on photographs that were held out of training, drawn over by another generator than that of
the training, and on the same photographs as they are.

    python benchmarks/scratches.py PHOTOS... -o out/scratches

Prints, for lines of `ldrps degrade` in black, white and grey, solid and half through: how many of the hidden pixels are
found, and how many others of the picture are taken for such; then of clean photographs, and of pages, screens and
paintings that code makes, how many are left alone, and how many of their pixels are taken. Leaves a sheet of what was
found.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.degrade.holes import Scratches
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.scratches import find_scratches
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.train.graphics import graphic, painting
from ldrps.train.photos import Photographs

_LINES = {"black": (0.0, 1.0), "white": (1.0, 1.0), "grey": (0.6, 1.0), "faint white": (1.0, 0.5)}  # level, opacity
_SHOWN = 8


def marked(x: Tensor, level: float, opacity: float, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A picture [1, 3, H, W] with eight lines of up to 5 pixels, rounded to bytes, and where they are, [1, 1, H, W]."""
    lost = torch.from_numpy(Scratches(count=8, width=5).lost((x.shape[-2], x.shape[-1]), random))[None, None]
    y = torch.where(lost, torch.lerp(x, torch.full_like(x, level), opacity), x)
    return (255 * y).round() / 255, lost


def found_in(y: Tensor, detector: ScratchDetector) -> Tensor:
    marks = find_scratches(y, detector, 512, 64)
    return torch.zeros_like(y[:, :1], dtype=torch.bool) if marks is None else marks


def told(name: str, pictures: list[Tensor], detector: ScratchDetector) -> list[Tensor]:
    """What is found in pictures that have no mark, and a line about it."""
    found = [found_in(x, detector) for x in pictures]
    alone = [not bool(each.any()) for each in found]
    share = np.mean([float(each.float().mean()) for each in found])
    print(f"{name:<14}{len(found):5d}{100 * np.mean(alone):9.0f} % left alone{100 * share:9.3f} % of the pixels")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=100, help="photographs")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = Photographs(given.photos, held_out=True, min_side=200)
    chosen = np.random.default_rng(0).permutation(len(photos.images))[: given.count]
    clean = [torch.from_numpy(np.array(photos.images[k])).permute(2, 0, 1)[None].float() / 255 for k in chosen]
    detector = load_estimators(given.estimators).scratches
    rows: list[list[tuple[Image.Image, str]]] = [[], []]
    for name, (level, opacity) in _LINES.items():
        recall, beside = [], []
        for number, x in enumerate(clean):
            y, lost = marked(x, level, opacity, np.random.default_rng(number))
            found = found_in(y, detector)
            recall.append(float(found[lost].float().mean()))
            beside.append(float((found & ~lost).float().mean()))
            if number < _SHOWN // len(_LINES):
                rows[0].append((to_pil(y[0]), name))
                rows[1].append((to_pil(found[0].float().expand(3, -1, -1)), "found"))
        print(f"{name:<14}{len(clean):5d}{100 * np.mean(recall):9.1f} % found{100 * np.mean(beside):14.3f} % beside")
    told("photographs", clean, detector)
    random = np.random.default_rng(0)
    told("pages, screens", [graphic(256, random) for _ in range(given.count)], detector)
    square = photos.crops(random, given.count, 256, (1.0, 1.5))
    told("paintings", [painting(x, random) for x in square.split(1)], detector)
    given.out.mkdir(parents=True, exist_ok=True)
    write_image(contact_sheet(rows), given.out / "found.png", overwrite=True)


if __name__ == "__main__":
    main()
