"""Is it better to diffuse latents or pixels? Priors that differ in nothing else, in the same samplers.

    ldrps train pixels    --data PHOTOS --out pixels  --config SMALL.toml
    ldrps train autoencoder --data PHOTOS --out latents
    ldrps train diffusion --data PHOTOS --out latents --config SMALL.toml
    python benchmarks/latent_or_pixels.py latents pixels --data SETS -o out/latent_or_pixels

SMALL.toml gives both the same network and the same steps. Then both stand in the same places: as the denoiser of
`default`; as the model that GDP steers towards data whose degradation is known (means of 4x4 pixels, half of the
pixels, a blur), and towards the damaged pictures of the sets in its blind form. Without --blind the latter, which
takes an hour, is left out. Prints mean PSNR in dB; writes sheets of what was seen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from ldrps import Restorer, load_prior
from ldrps.bench.data import Pair, data_set
from ldrps.image.arrays import to_pil
from ldrps.image.picture import load_picture
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.metrics import psnr
from ldrps.result import Result
from ldrps.rivals.pixel.gdp import Gdp, GdpLinear, GdpLinearSettings, GdpSettings
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.operators import Operator, blurred, masked, pooled
from ldrps.rivals.registry import RIVALS

Method = Callable[[Image.Image], Result]
SETS = ("lol", "hsts", "kodak_noise30")


def half_of_the_pixels(side: int) -> Operator:
    known = torch.rand((1, 1, side, side), generator=torch.Generator().manual_seed(0)) < 0.5
    return masked(known.float())


def known_degradations(side: int) -> dict[str, tuple[Operator, Callable[[Tensor], Tensor]]]:
    """The operators, each with what makes the picture that is shown, and restored, of a clean one."""
    means, mask, blur = pooled(side, side), half_of_the_pixels(side), blurred()

    def in_blocks(x: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(means.degradation(x), x.shape[-2:], mode="nearest")

    def padded(x: Tensor) -> Tensor:
        return torch.nn.functional.pad(blur.degradation(x), [blur.degradation.support] * 4, mode="replicate")

    return {
        "means of 4x4": (means, in_blocks),
        "half of the pixels": (mask, mask.degradation),
        "blur": (blur, padded),
    }


class Table:
    """Scores by task and prior, and the pictures that they are of."""

    def __init__(self, names: list[str], out: Path | None) -> None:
        self.names, self.out = names, out
        print(f"| task | pictures | before | {' | '.join(names)} | seconds each |")
        print(f"|---|---|---|{'---|' * len(names)}---|", flush=True)

    def add(self, task: str, pairs: list[tuple[Image.Image, Image.Image]], methods: Sequence[Method]) -> None:
        """A row: of each (damaged, clean), what each method makes."""
        began = time.monotonic()
        rows = [[damaged, *(restore(damaged).image for restore in methods), clean] for damaged, clean in pairs]
        seconds = (time.monotonic() - began) / len(pairs) / len(methods)
        means = [fmean(float(psnr(row[k], row[-1])) for row in rows) for k in range(len(methods) + 1)]
        cells = " | ".join(f"{mean:.2f}" for mean in means)
        print(f"| {task} | {len(pairs)} | {cells} | {seconds:.0f} |", flush=True)
        if self.out is not None:
            heads = ["before", *self.names, "clean"]
            sheet = contact_sheet([list(zip(row, heads, strict=True)) for row in rows])
            write_image(sheet, self.out / f"{'-'.join(task.replace(',', '').split())}.png", overwrite=True)


def opened(pair: Pair) -> tuple[Image.Image, Image.Image]:
    assert pair.target is not None
    with Image.open(pair.source) as damaged, Image.open(pair.target) as clean:
        return damaged.convert("RGB"), clean.convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("priors", nargs="+", help="folders, embedded, embedded-pixels")
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="a folder of lol, hsts, kodak_noise30"
    )
    parser.add_argument("--steps", type=int, default=100, help="of GDP where it knows the degradation")
    parser.add_argument("--limit", type=int, default=6, help="pictures of each task of GDP")
    parser.add_argument("--blind", type=int, default=0, help="steps of GDP in its blind form; 1000 as published")
    parser.add_argument("-o", "--out", type=Path, help="a folder for the sheets")
    given = parser.parse_args()
    priors = [load_prior(name) for name in given.priors]
    models = [load_pixel_model(name) for name in given.priors]
    pairs = {name: [opened(pair) for pair in data_set(name).pairs(*given.data)] for name in SETS}
    table = Table([Path(name).name for name in given.priors], given.out)
    table.add("noise, default", pairs["kodak_noise30"], [Restorer(prior) for prior in priors])
    gdp, clean = RIVALS["gdp"], [target for _, target in pairs["kodak_noise30"][: given.limit]]
    for task, (operator, degrade) in known_degradations(clean[0].width).items():
        settings = GdpLinearSettings(steps=given.steps)
        damaged = [to_pil(degrade(load_picture(image).rgb)[0]) for image in clean]
        rivals = [GdpLinear(gdp, model, operator, settings) for model in models]
        table.add(task, list(zip(damaged, clean, strict=True)), rivals)
    for name in SETS if given.blind else ():
        table.add(
            f"{name}, blind",
            pairs[name][: given.limit],
            [Gdp(gdp, model, GdpSettings(steps=given.blind)) for model in models],
        )


if __name__ == "__main__":
    main()
