"""Models of pixels that are too small to restore anything, and enough to run everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor

from ldrps.rivals.facts import Facts
from ldrps.rivals.pixel.model import PixelDiffusion, Prediction, Variance
from ldrps.rivals.pixel.schedule import adm_schedule

FACTS = Facts("test", "a rival in a test", "all", "nowhere")


@dataclass
class Told(PixelDiffusion):
    """Says that every picture is the same one, x0 in [-1, 1], and notes what it was asked."""

    x0: Tensor
    spread: float | None = None
    variance: Variance = "fixed_small"
    name: str = "told"
    size_multiple: int = 8
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    alphas_cumprod: Tensor = field(default_factory=adm_schedule)
    asked: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def predict(self, x_t: Tensor, t: int) -> Prediction:
        self.asked.append((tuple(x_t.shape), t))
        x0 = self.x0.expand_as(x_t)
        abar = self.alphas_cumprod[t]
        spread = None if self.spread is None else torch.full_like(x_t, self.spread)
        return Prediction(x0, (x_t - abar**0.5 * x0) / (1 - abar) ** 0.5, spread)


@pytest.fixture
def grey_model() -> Told:
    """To which every picture is a middle grey."""
    return Told(torch.zeros(1, 1, 1, 1))


SMALL_UNET = {
    "block_out_channels": (32, 32),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 8,
}


@pytest.fixture(scope="session")
def unet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random `UNet2DModel` as diffusers writes a pipeline, everything at the top."""
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    folder = tmp_path_factory.mktemp("unet2d")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        UNet2DModel(**SMALL_UNET).save_pretrained(folder)
    DDPMScheduler(num_train_timesteps=1000, variance_type="fixed_large").save_pretrained(folder)
    return folder
