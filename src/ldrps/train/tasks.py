"""What each part of the embedded prior learns: its loss on a batch, and the figure that says how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from ldrps.caption.look import compose_caption, describe_look
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.prior.base import NOISES, NoiseKind
from ldrps.prior.text import TextEncoder
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import LatentUNet
from ldrps.prior.tiny.prior import EmbeddedPrior, noise_levels
from ldrps.sampling.trust import denoising_errors
from ldrps.sampling.unconditional import draw_from_noise
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.noise import add_noise
from ldrps.train.photos import Photographs

# Whole photographs, in pixels, and the noise relative to latents that leaves little of them but what a caption tells.
_WHOLE, _HEAVY = 64, 6.0
_DRAWN, _STEPS, _SCALE = 8, 20, 3.0  # pictures of the sheet, steps of each, guidance of the captioned ones


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


class CaptionedDenoiser(nn.Module):
    """The denoiser and the text encoder that learns with it; None for a prior without text."""

    def __init__(self, unet: LatentUNet, text: TextEncoder | None) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = None if text is None else text.model
        self._text = text

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Of all this, the one method that the loss calls."""
        self.unet.network = torch.compile(self.unet.network, *args, **kwargs)  # type: ignore[method-assign]

    @property
    def knows_text(self) -> bool:
        return self._text is not None

    def prior(self, autoencoder: PatchAutoencoder) -> EmbeddedPrior:
        """The prior that this would be by now."""
        return EmbeddedPrior("in training", autoencoder, self.unet, noise_levels(), self._text)

    def embed(self, captions: list[str]) -> Tensor | None:
        """Captions to embeddings [B, L, D], with gradient."""
        return None if self._text is None else self._text.states(captions)


@dataclass(frozen=True)
class View:
    """How photographs are cut for a batch: `count` crops of `size` pixels from photographs reduced by `reduction`, and
    the noise that they get: ln sigma is normal, sigma in units of [-1, 1] pixels.
    """

    share: float  # of all batches
    count: int
    size: int
    reduction: tuple[float, float]
    log_sigma_mean: float = -1.7  # the levels of real noise
    log_sigma_deviation: float = 1.4
    captioned: float = 0.85  # of the pictures; the others learn to do without, for classifier-free guidance
    real: float = 0.0  # of the crops with the noise of cameras or of JPEG in place of white, which has its own levels


# Of equal cost. Texture is learned from crops; composition, and what captions say, from whole photographs in noise that
# leaves only that to be told.
_VIEWS = (
    View(0.53, 8, 128, (1.0, 2.5), captioned=0.4, real=0.6),
    View(0.10, 2, 256, (1.0, 1.6), captioned=0.4, real=0.6),
    View(0.12, 8, 128, (3.0, 3.0), -0.5),
    View(0.25, 32, 64, (2.0, 8.0), 1.2, 1.0),
)


@dataclass(frozen=True)
class DiffusionTask:
    """Denoising score matching on latents."""

    autoencoder: PatchAutoencoder
    train: Photographs
    held_out: Photographs
    views: tuple[View, ...] = _VIEWS
    # EDM weighs each channel by 1 / c_out^2, which makes a channel that noise has drowned count as much as those that
    # can be saved. This much of the weight is the error in pixels instead.
    pixel_weight: float = 0.75

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, CaptionedDenoiser)
        view = self.views[random.choice(len(self.views), p=[view.share for view in self.views])]
        crops, subjects = self.train.crops_with_subjects(random, view.count, view.size, view.reduction)
        captions = [
            self._caption(crop, subject, random) if random.random() < view.captioned else ""
            for crop, subject in zip(crops, subjects, strict=True)
        ]
        text = model.embed(captions)
        sigma = np.exp(random.normal(view.log_sigma_mean, view.log_sigma_deviation, view.count))
        others = NOISES[1 : model.unet.config["kinds"]]
        share = view.real if others else 0.0
        kinds = [others[random.integers(len(others))] if random.random() < share else "white" for _ in crops]
        return self._weighted_errors(model.unet, crops, kinds, sigma, random, text).mean()

    def _caption(self, crop: Tensor, subject: str, random: np.random.Generator) -> str:
        """What the crop shows, each part left out now and then, so that short captions are understood too."""
        words = [subject] * (random.random() < 0.7) + [word for word in describe_look(crop) if random.random() < 0.8]
        return compose_caption(words)

    def _weighted_errors(
        self,
        unet: LatentUNet,
        crops: Tensor,
        kinds: list[NoiseKind],
        sigmas: NDArray[np.float64],
        random: np.random.Generator,
        text: Tensor | None,
    ) -> Tensor:
        """The loss of each crop [B, 3, H, W], [B]."""
        place = next(unet.parameters()).device
        with torch.autocast("cpu", enabled=False):  # bfloat16 rounds more away than the finest noise is
            noisy = add_noise(crops, kinds, torch.from_numpy(sigmas / 2).float(), random)
            z0, x = (self.autoencoder.encode(2 * pictures - 1).to(place) for pictures in (crops, noisy.seen))
        x, sigma, kind = (
            x.contiguous(memory_format=torch.channels_last),
            2 * noisy.level.to(place),
            noisy.kind.to(place),
        )
        c_skip, c_out, _ = unet.coefficients(sigma)
        error = (unet.network(x, sigma, text, kind) - (z0 - c_skip * x) / c_out).square()
        in_pixels = c_out.square() / c_out.square().mean(1, keepdim=True)
        return (error * (1 + self.pixel_weight * (in_pixels - 1))).mean((1, 2, 3))

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out crops, noisy and after one step, at three levels; and what is drawn from pure noise, without a
        caption and, if the model knows text, with those of held-out photographs.
        """
        assert isinstance(model, CaptionedDenoiser)
        return {"denoised": self._denoised_sheet(model), "drawn": self._drawn_sheet(model)}

    def _drawn_sheet(self, model: CaptionedDenoiser) -> Image.Image:
        prior = model.prior(self.autoencoder)
        row = [(to_pil(each), "") for each in draw_from_noise(prior, _DRAWN, _WHOLE, steps=_STEPS)]
        if not prior.has_text:
            return contact_sheet([row])
        captions = self.held_out.captions()[:_DRAWN]
        captioned = [draw_from_noise(prior, 1, _WHOLE, caption=each, scale=_SCALE, steps=_STEPS) for each in captions]
        return contact_sheet([row, [(to_pil(x[0]), caption) for x, caption in zip(captioned, captions, strict=True)]])

    def _denoised_sheet(self, model: CaptionedDenoiser) -> Image.Image:
        random = np.random.default_rng(VALIDATION_SEED)
        crops = self.held_out.crops(random, 6, 128, (1.0, 2.0))
        noise = torch.from_numpy(random.standard_normal(crops.shape, dtype=np.float32))
        rows = []
        for level in (15, 50, 150):
            x = 2 * crops - 1 + 2 * level / 255 * noise
            once = self._denoised(model, self.autoencoder.encode(x), torch.full((len(x),), 2 * level / 255))
            rows += [[(to_pil(each), "") for each in side] for side in ((x + 1) / 2, once)]
        return contact_sheet(rows)

    def _denoised(self, model: CaptionedDenoiser, x: Tensor, sigma: Tensor, kind: Tensor | None = None) -> Tensor:
        """One step without caption, decoded, [B, 3, H, W] in [0, 1], not clamped."""
        place = next(model.parameters()).device
        text = model.embed([""])
        words = None if text is None else text.expand(len(x), -1, -1)
        kind = None if kind is None else kind.to(place)
        z0 = model.unet(x.to(place), sigma.to(place), words, kind).float().cpu()
        return (self.autoencoder.decode(z0) + 1) / 2

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB after one step, at white pixel noise of 15, 25 and 50 of 255, on held-out crops; what a step gains
        on the other kinds of noise that the model knows; and, if it knows text, how many per cent of the error in heavy
        noise the right captions take away.
        """
        assert isinstance(model, CaptionedDenoiser)
        random = np.random.default_rng(VALIDATION_SEED)
        crops = self.held_out.crops(random, 32, 128, (1.0, 2.0))
        z0 = self.autoencoder.encode(2 * crops - 1)
        noise = torch.from_numpy(random.standard_normal(z0.shape, dtype=np.float32))
        figures = {}
        for level in (15, 25, 50):
            sigma = torch.full((len(crops),), 2 * level / 255)
            once = self._denoised(model, z0 + sigma.reshape(-1, 1, 1, 1) * noise, sigma)
            error = (once - crops).pow(2).mean((1, 2, 3))
            figures[f"psnr_{level}"] = float(-10 * error.log10().mean())
        for kind in NOISES[1 : model.unet.config["kinds"]]:
            noisy = add_noise(crops, [kind] * len(crops), torch.zeros(len(crops)), random)
            once = self._denoised(model, self.autoencoder.encode(2 * noisy.seen - 1), 2 * noisy.level, noisy.kind)
            before, after = ((each - crops).pow(2).mean((1, 2, 3)) for each in (noisy.seen, once))
            figures[f"gain_{kind}"] = float(10 * (before / after).log10().mean())
        if model.knows_text:
            figures["caption_gain"] = self._caption_gain(model)
        return figures

    def _caption_gain(self, model: CaptionedDenoiser) -> float:
        random = np.random.default_rng(VALIDATION_SEED)
        crops, subjects = self.held_out.crops_with_subjects(random, 64, _WHOLE, (8.0, 8.0))
        captions = [compose_caption([s, *describe_look(crop)]) for crop, s in zip(crops, subjects, strict=True)]
        prior = model.prior(self.autoencoder)
        z0 = prior.encode(crops)
        text = model.embed([*captions, *[""] * len(captions)])
        assert text is not None
        with_them, without = (float(denoising_errors(prior, z0, each, _HEAVY).mean()) for each in text.chunk(2))
        return 100 * (1 - with_them / without)
