"""What a JPEG file tells of its own damage, beside the damage that was done, on photographs that were held out.

    python benchmarks/jpeg_files.py PHOTOS... --count 24

Each photograph, cut to a square, is saved at libjpeg's qualities. `told` is the root mean square that is said of the
file, by what its own steps do again on another grid; `done` that of the file beside the photograph.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich import print
from rich.table import Table

from ldrps.estimation.codec import codec_of, estimated_residue
from ldrps.image.picture import load_picture
from ldrps.train.photos import Photographs

_SIDE, _REDUCTION = 256, (1.0, 1.6)


def told_and_done(x: torch.Tensor, quality: int, file: Path) -> tuple[float, float]:
    """Both of a photograph [3, H, W] in [0, 1], saved as `file`; of 255."""
    levels = (255 * x).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(levels).save(file, quality=quality)
    picture = load_picture(file)
    codec = codec_of(picture.original)
    assert codec is not None
    done = (255 * picture.rgb[0].permute(1, 2, 0) - torch.from_numpy(levels)).square().mean().sqrt()
    return 255 * float(estimated_residue(codec, picture.rgb).value.sigma), float(done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--qualities", type=int, nargs="+", default=[*range(10, 100, 10)])
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = Photographs(given.photos, held_out=True, min_side=_SIDE)
    crops = photos.crops(np.random.default_rng(0), given.count, _SIDE, _REDUCTION)
    table = Table("quality", "done: least, median, most of 255", "done / told: 5 %, median, 95 %")
    every: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for quality in given.qualities:
            pairs = np.array([told_and_done(x, quality, Path(folder, "saved.jpg")) for x in crops])
            ratios = pairs[:, 1] / pairs[:, 0]
            every += ratios.tolist()
            spread = [f"{value:.1f}" for value in np.percentile(pairs[:, 1], (0, 50, 100))]
            table.add_row(f"{quality}", ", ".join(spread), _quantiles(ratios))
    table.add_row("all", "", _quantiles(np.array(every)))
    print(table)


def _quantiles(ratios: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in np.percentile(ratios, (5, 50, 95)))


if __name__ == "__main__":
    main()
