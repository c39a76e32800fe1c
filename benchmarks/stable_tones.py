"""Whether what is said of the tones of a picture is said of it turned, mirrored, cropped, resized or saved too.

    python benchmarks/stable_tones.py PICTURES...

For each change: in how many pictures the mean of the undone picture moves by more than a level of 255, over what both
show, the largest move, and in how many it is decided otherwise whether there is damage at all.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ldrps.estimation.estimate import ENOUGH
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.light import estimate_light
from ldrps.image.arrays import pixels, to_pil
from ldrps.image.views import thumbnail
from ldrps.settings import BlindSettings

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_PIXELS = 5  # that are cropped


def resized(factor: float) -> Callable[[Tensor], Tensor]:
    return lambda y: F.interpolate(y, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)


def saved(quality: int) -> Callable[[Tensor], Tensor]:
    def again(y: Tensor) -> Tensor:
        file = io.BytesIO()
        to_pil(y[0]).save(file, "JPEG", quality=quality)
        return opened(file)

    return again


def opened(file: Path | io.BytesIO) -> Tensor:
    """[1, 3, H, W] in [0, 1]."""
    with Image.open(file) as image:
        return pixels(np.asarray(image.convert("RGB")))


_CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "quarter turn": lambda y: y.rot90(1, (2, 3)),
    "mirrored": lambda y: y.flip(3),
    "cropped left": lambda y: y[..., _PIXELS:],
    "cropped top": lambda y: y[..., _PIXELS:, :],
    "size 0.8": resized(0.8),
    "size 1.25": resized(1.25),
    "JPEG 95": saved(95),
    "JPEG 75": saved(75),
}


@torch.no_grad()
def judged(y: Tensor, judges: Estimators, undamaged: float) -> tuple[Tensor, bool]:
    """The picture with its tones undone, and whether there was anything to undo."""
    damage = estimate_light(thumbnail(y, ENOUGH), judges, undamaged)
    return damage.undo_tone(y), not damage.absent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="+", help="files, or folders of them")
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--undamaged", type=float, default=BlindSettings().undamaged, help="before a picture is seen")
    given = parser.parse_args()
    torch.set_num_threads(1)
    judges = load_estimators(given.estimators)
    files = [f for each in given.pictures for f in (sorted(each.rglob("*")) if each.is_dir() else [each])]
    pictures = [opened(file) for file in files if file.suffix.lower() in _SUFFIXES]
    whole = [judged(y, judges, given.undamaged) for y in pictures]
    print(f"{len(pictures)} pictures")
    for name, change in _CHANGES.items():
        moved, decided = [], 0
        for y, (undone, acted) in zip(pictures, whole, strict=True):
            again, acts = judged(change(y), judges, given.undamaged)
            same = change(undone) if "cropped" in name else undone  # over what both show
            moved.append(255 * float((again.mean() - same.mean()).abs()))
            decided += acts != acted
        beyond = sum(each > 1 for each in moved)
        print(f"{name:<13} moved {beyond:4d}, at most {max(moved):5.1f} levels; decided otherwise {decided:4d}")


if __name__ == "__main__":
    main()
