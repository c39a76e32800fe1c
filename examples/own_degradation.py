"""A degradation of one's own
==========================

A degradation is what happened to a picture, y = A(x) + n. Here ldrps is taught one that it does not know: a lens that
darkens the corners. What is needed is A itself, whether it does nothing, the same one weaker or stronger, and words.

``python examples/own_degradation.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import ldrps
from ldrps.degradation import Linear, WhiteNoise

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

# %%
# The degradation
# ---------------
# It is linear in x, so its adjoint and the step towards the data come with it; both may be overridden where there is
# something quicker, as there is of the adjoint here: a diagonal map is its own.


@dataclass(frozen=True, eq=False)
class Vignette(Linear):
    """y = (1 - depth r^2) x, r growing from 0 in the middle to 1 in the corners."""

    kind = "vignette"

    depth: float

    @property
    def absent(self) -> Tensor:
        return torch.tensor(self.depth == 0)

    def _apply(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        rows, columns = torch.linspace(-1, 1, height).square(), torch.linspace(-1, 1, width).square()
        return x * (1 - self.depth * (rows[:, None] + columns) / 2)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._apply(y)

    def _scaled(self, strength: float) -> Self:
        return dataclasses.replace(self, depth=self.depth * strength)

    def words(self) -> str:
        return f"corners {self.depth:.0%} darker"


# %%
# Undoing it
# ----------
# A plug-and-play loop needs no more than the step towards the data and a denoiser, here that of the embedded prior.
# Nothing is divided by what is nearly 0: where the corners are darkest, the prior counts for more.

levels = np.asarray(Image.open(SAMPLES / "small" / "tiny.png").convert("RGB"), dtype=np.float32)
clean = torch.from_numpy(levels).permute(2, 0, 1)[None] / 255
sigma = 10 / 255
damage, noise = Vignette(0.9), WhiteNoise(sigma)
y = noise.sample(damage(clean), np.random.default_rng(0))

denoiser = ldrps.Denoiser(shifts=1)
x = y
for level in np.geomspace(0.15, sigma / 2, 8):
    x = damage.data_step(
        x, y, sigma_x=2 * level, sigma_y=sigma
    )  # what is expected may be twice as far off as its noise
    x = denoiser(x, level)


def psnr(image: Tensor) -> float:
    """In dB to the photograph."""
    return float(-10 * (image.clamp(0, 1) - clean).square().mean().log10())


divided = y / damage(torch.ones_like(y))
print(f"{damage.words()}, {noise.words()}: {psnr(y):.2f} dB, divided: {psnr(divided):.2f} dB, undone: {psnr(x):.2f} dB")

# %%
# As it is, divided by the vignette, and undone by the loop:

sheet = (255 * torch.cat([y, divided, x], -1)[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
Image.fromarray(sheet).save(FOLDER / "own_degradation.png")
