"""Make the figures of docs/how-it-works.md: the forward model, what is believed of the samples, and the prior.

    python samples/make_figures.py [RESTORED] [FOLDER]    # else out/demo and docs/pictures

Writes model.jpg, belief.svg and prior.jpg into the folder, from the records that `make demo` leaves. Seeded, so anyone
gets the same figures.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import torch
from make_pictures import QUALITY, SAMPLES, TILES
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ldrps import Damage, Denoiser
from ldrps.degradation import Exposure, GaussianBlur, UncertainTone, WhiteNoise
from ldrps.image.sheet import contact_sheet, in_rows

PARTS = ("tone", "blur", "noise")
LEVELS = (0.1, 0.3, 1.0)  # of noise, of 1, in the figure of the prior
NOISE_QUALITY = 65  # of a JPEG that is mostly noise in double pixels, in which nothing of it is seen
CURVES = 30  # the likeliest of the tones that may have been
TRUTH = Exposure(-4.0)  # of dark.png, as samples/make_samples.py makes it


def photograph() -> Tensor:
    """An undamaged photograph, the small one, [1, 3, 100, 150] in [0, 1]."""
    levels = np.asarray(Image.open(SAMPLES / "small" / "tiny.png").convert("RGB"), dtype=np.float32)
    return torch.from_numpy(levels).permute(2, 0, 1)[None] / 255


def shown(x: Tensor) -> Image.Image:
    """A picture [1, 3, H, W] for people, each pixel twice as wide and high."""
    levels = (255 * x[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(levels)
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST)


def model() -> Image.Image:
    """x, and what becomes of it from part to part of A, and with n."""
    x, random = photograph(), np.random.default_rng(0)
    dark = Exposure(-2.5)(x)
    soft = GaussianBlur(1.2)(dark)
    y = WhiteNoise(12 / 255).sample(soft, random)
    words = ("x", "2.5 stops darker", "blurred by 1.2 px", "y: and noise of 12 of 255")
    return in_rows([(shown(each), word) for each, word in zip((x, dark, soft, y), words, strict=True)], columns=2)


def belief(restored: Path) -> Figure:
    """How likely each part of the damage of each sample is taken to be, and the tones that dark.png may have."""
    damages = {
        tile.label: Damage.load(restored / f"{Path(tile.source).name}.json")
        for tile in TILES  # in the order of the sheet
    }
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for offset, part in enumerate(PARTS):
        found = [0.0 if (each := getattr(damage, part)) is None else each.probability for damage in damages.values()]
        left.bar(np.arange(len(found)) + 0.27 * (offset - 1), found, 0.25, label=part)
    left.set_xticks(range(len(damages)), list(damages), rotation=25)
    left.set(ylabel="probability", ylim=(0, 1.2), title="What is taken for damage")
    left.legend(ncols=3, loc="upper center", frameon=False)
    tones_of(damages, right)
    return figure


def tones_of(damages: Mapping[str, Damage], axes: matplotlib.axes.Axes) -> None:
    """Draw the tones that are likeliest of the dark sample, and the true one."""
    tone = damages["dark"].tone
    assert tone is not None
    assert isinstance(tone.value, UncertainTone)
    x = torch.linspace(0, 1, 21)
    curves = tone.value.tones(x.expand(len(tone.value.weights), 3, 1, -1))[:, 1, 0]  # of green
    weights = tone.value.weights / tone.value.weights.max()
    for k in weights.argsort(descending=True)[:CURVES].flip(0).tolist():
        axes.plot(x, curves[k], color="tab:blue", alpha=0.7 * float(weights[k]), linewidth=1)
    axes.plot(x, TRUTH(x.reshape(1, 1, 1, -1)).flatten(), color="tab:red", label="what happened")
    axes.plot([], [], color="tab:blue", label="what may have happened")
    axes.plot([0, 1], [0, 1], color="0.8", linestyle="--", label="nothing")
    axes.set(xlabel="clean", ylabel="damaged", xlim=(0, 1), ylim=(0, 1), title="Tones that dark.png may have")
    axes.legend(loc="upper left", frameon=False)


def prior() -> Image.Image:
    """A photograph in more and more noise, and what the prior expects it to have been."""
    x, random = photograph(), np.random.default_rng(1)
    denoiser = Denoiser()
    noisy = [WhiteNoise(level).sample(x, random) for level in LEVELS]
    clean = [denoiser(y, level) for y, level in zip(noisy, LEVELS, strict=True)]
    upper = [(shown(y), f"noise of {255 * level:.0f} of 255") for y, level in zip(noisy, LEVELS, strict=True)]
    return contact_sheet([upper, [(shown(each), "what the prior expects") for each in clean]])


def main() -> None:
    restored, folder = (Path(given) for given in (*sys.argv[1:], *("out/demo", "docs/pictures")[len(sys.argv) - 1 :]))
    folder.mkdir(parents=True, exist_ok=True)
    model().save(folder / "model.jpg", quality=QUALITY, optimize=True)
    prior().save(folder / "prior.jpg", quality=NOISE_QUALITY, optimize=True)
    matplotlib.rcParams["svg.hashsalt"] = "ldrps"
    belief(restored).savefig(folder / "belief.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
