"""How often an earlier JPEG is told from its traces, on photographs that were held out, and where there is none.

    python benchmarks/jpeg_traces.py PHOTOS... --count 60

Each photograph is reduced, so that no file that it was in before shows, cut to a square, saved at a quality, cut by 3
pixels both ways, and saved again at another. An answer is right if it has the place of the first blocks, and their
steps or those of a quality that is at most 2 off; of what was never saved, and of graphics, any answer is wrong. The
limit that a find must pass was set on other graphics.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich import print
from rich.table import Table
from torch import Tensor

from ldrps.degradation.jpeg import Jpeg, tables
from ldrps.estimation.jpeg_traces import traced_jpeg
from ldrps.train.graphics import graphic
from ldrps.train.photos import Photographs

_CUT = 3
_REDUCTION = (1.2, 2.0)
_PAIRS = ((10, None), (20, None), (40, None), (60, None), (10, 90), (20, 90), (40, 90), (60, 90), (20, 75), (40, 75))


def saved(x: Tensor, quality: int, base: str = "libjpeg") -> Tensor:
    """x [1, 3, H, W] as a file of that quality has it."""
    levels = (255 * x[0].permute(1, 2, 0)).round().clamp(0, 255).byte().numpy()
    steps = [table.int().flatten().tolist() for table in tables(quality, base)]
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", qtables=steps)
    with Image.open(file) as image:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255


def is_right(found: Jpeg | None, quality: int, base: str) -> bool:
    if found is None or found.offset != (_CUT, _CUT):
        return False
    return any(torch.equal(found.quantisation, tables(quality + off, base)) for off in range(-2, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=60, help="of photographs; of graphics 15 times as many")
    parser.add_argument("--sides", type=int, nargs="+", default=[96, 200])
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = Photographs(given.photos, held_out=True, min_side=round(max(given.sides) * _REDUCTION[0]))
    table = Table("saved at, and again at", *[f"right, of {given.count} of {side} px" for side in given.sides])
    pieces = {
        side: photos.crops(np.random.default_rng(0), given.count, side, _REDUCTION).split(1) for side in given.sides
    }

    def row(name: str, is_counted: Callable[[Tensor], bool]) -> None:
        table.add_row(name, *[f"{sum(map(is_counted, pieces[side]))}" for side in given.sides])

    for base in ("libjpeg", "mozjpeg"):
        for first, again in _PAIRS:

            def told(x: Tensor, first: int = first, again: int | None = again, base: str = base) -> bool:
                y = saved(x, first, base)[..., _CUT:, _CUT:]
                return is_right(traced_jpeg(y if again is None else saved(y, again)), first, base)

            row(f"{base} {first}, {again or 'not again'}", told)
    row("never: wrong", lambda x: traced_jpeg((255 * x).round() / 255) is not None)
    print(table)
    random, count = np.random.default_rng(0), 15 * given.count
    sides = random.choice([96, 176, 256, 400], count)
    wrong = sum(traced_jpeg((255 * graphic(int(side), random)).round() / 255) is not None for side in sides)
    print(f"of {count} graphics {wrong} are taken for JPEG")


if __name__ == "__main__":
    main()
