"""What each part of the embedded prior learns: its loss on a batch, and the figure that says how good it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import PreconditionedUNet
from ldrps.prior.tiny.tone import TonePosterior
from ldrps.train.photos import Photographs
from ldrps.train.tones import damage_tones

VALIDATION_SEED = 12345


def fit_autoencoder(photos: Photographs, *, latent_channels: int, patch_size: int, seed: int) -> PatchAutoencoder:
    """Principal components of the patches of 4,000 crops, reduced a little to lose the blocks of JPEG."""
    random = np.random.default_rng(seed)
    crops = torch.cat([photos.crops(random, 100, 64, (1.0, 3.0)) for _ in range(40)])
    patches = F.unfold(2 * crops - 1, patch_size, stride=patch_size)  # [N, 3pp, L]
    flat = patches.transpose(1, 2).reshape(-1, 3, patch_size, patch_size)
    return PatchAutoencoder.fit(flat, latent_channels)


def latent_deviation(autoencoder: PatchAutoencoder, photos: Photographs, seed: int) -> list[float]:
    """The root mean square of each latent channel over crops, sigma_data of the preconditioning."""
    random = np.random.default_rng(seed)
    crops = torch.cat([photos.crops(random, 100, 128, (1.0, 3.0)) for _ in range(5)])
    deviation = autoencoder.encode(2 * crops - 1).pow(2).mean((0, 2, 3)).sqrt()
    return [round(value, 4) for value in deviation.tolist()]


def autoencoder_psnr(autoencoder: PatchAutoencoder, held_out: Photographs) -> float:
    """PSNR in dB of held-out crops that were encoded and decoded."""
    crops = held_out.crops(np.random.default_rng(VALIDATION_SEED), 100, 128, (1.0, 3.0))
    restored = autoencoder.decode(autoencoder.encode(2 * crops - 1))
    return float(-10 * ((restored + 1) / 2 - crops).pow(2).mean((1, 2, 3)).log10().mean())


@dataclass(frozen=True)
class DiffusionTask:
    """Denoising score matching on latents, each channel weighted by 1 / c_out^2 (EDM)."""

    autoencoder: PatchAutoencoder
    train: Photographs
    held_out: Photographs
    batch: int = 8
    crop: int = 128
    log_sigma_mean: float = -1.7  # in units of [-1, 1] pixels: the levels of real noise, up to ...
    log_sigma_deviation: float = 1.4  # ... those at which only brightness and composition are left

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, PreconditionedUNet)
        crops = self.train.crops(random, self.batch, self.crop, (1.0, 3.2))
        z0 = self.autoencoder.encode(2 * crops - 1)
        log_sigma = random.normal(self.log_sigma_mean, self.log_sigma_deviation, self.batch)
        sigma = torch.from_numpy(np.exp(log_sigma)).float()
        noise = torch.from_numpy(random.standard_normal(z0.shape, dtype=np.float32))
        x = z0 + sigma.reshape(-1, 1, 1, 1) * noise
        c_skip, c_out, _ = model.coefficients(sigma)
        return F.mse_loss(model.network(x, sigma), (z0 - c_skip * x) / c_out)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB after one step, at white pixel noise of 15, 25 and 50 of 255, on held-out crops."""
        random = np.random.default_rng(VALIDATION_SEED)
        crops = self.held_out.crops(random, 32, self.crop, (1.0, 2.0))
        z0 = self.autoencoder.encode(2 * crops - 1)
        noise = torch.from_numpy(random.standard_normal(z0.shape, dtype=np.float32))
        figures = {}
        for level in (15, 25, 50):
            sigma = torch.full((len(crops),), 2 * level / 255)
            restored = self.autoencoder.decode(model(z0 + sigma.reshape(-1, 1, 1, 1) * noise, sigma))
            error = ((restored + 1) / 2 - crops).pow(2).mean((1, 2, 3))
            figures[f"psnr_{level}"] = float(-10 * error.log10().mean())
        return figures


@dataclass(frozen=True)
class ToneTask:
    """Telling what random damage was done to the tones of thumbnails.

    The loss is the negative log likelihood of the mixture, and the expected error of its hypotheses, without which
    those that are seldom right would never learn.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 48
    size: int = 64
    reduction: tuple[float, float] = (1.5, 8.0)  # from details of walls and skies to whole scenes
    expected_error: float = 5.0

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, TonePosterior)
        clean = self.train.crops(random, self.batch, self.size, self.reduction)
        damaged = damage_tones(clean, random)
        belief = model(damaged.seen)
        undone = belief.undone(damaged.exact).clamp(-0.5, 1.5)  # noise is not the curves' to answer for
        errors = ((undone - clean[:, None]).pow(2).mean((2, 3, 4)) + 1e-6).sqrt()  # [B, K + 1]
        expected = (belief.weights * errors).sum(1)
        return (self.expected_error * expected - belief.log_likelihood(errors)).mean()

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB of the expected clean picture for damaged held-out thumbnails and for undamaged ones, and the mean
        probability of no damage that each is given.
        """
        random = np.random.default_rng(VALIDATION_SEED)
        clean = self.held_out.crops(random, 256, self.size, self.reduction)
        damaged = damage_tones(clean, random)
        figures = {}
        for name, seen, exact in (("damaged", damaged.seen, damaged.exact), ("clean", clean, clean)):
            belief = model(seen)
            expected = torch.einsum("bk,bkchw->bchw", belief.weights, belief.undone(exact).clamp(0, 1))
            error = (expected - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-6)
            figures[f"psnr_{name}"] = float(-10 * error.log10().mean())
            figures[f"undamaged_{name}"] = float(belief.weights[:, 0].mean())
        return figures
