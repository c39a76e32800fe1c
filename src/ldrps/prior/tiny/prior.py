"""The embedded prior: a small latent diffusion model of photographs that ships inside the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.image.files import replace_file
from ldrps.prior import EMBEDDED, prior_folder
from ldrps.prior.base import NOISES, Denoised, NoiseKind, Prior
from ldrps.prior.device import usable_device
from ldrps.prior.folder import (
    INDEX,
    SCHEDULER,
    WEIGHT_STEMS,
    find_weights,
    read_scheduler,
    read_text,
)
from ldrps.prior.network import Network
from ldrps.prior.networks import load_network, save_network, write_weights
from ldrps.prior.prediction import interpret, read_schedule
from ldrps.prior.refusal import unusable
from ldrps.prior.terms import terms_of
from ldrps.prior.text import DeferredTextEncoder, TextEncoder, load_text_encoder
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import LatentUNet
from ldrps.prior.tiny.no_caption import digest_of, read_no_caption, write_no_caption
from ldrps.prior.tokens import TOKENIZER, read_tokenizer

PARTS: dict[str, type[PatchAutoencoder] | type[LatentUNet]] = {"vae": PatchAutoencoder, "unet": LatentUNet}
TEXT_ENCODER = "text_encoder"

# Stable Diffusion's noise levels: sigma from 0.03 (4 of 255 in pixels) to 14.6, so that its timetables mean the same.
_SCHEDULE = {
    "_class_name": "DDIMScheduler",
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "prediction_type": "sample",
}


_LEAST = 1e-8  # abar: with less nothing of the picture is left, and nothing could be told of it in 32 bits


class EmbeddedPrior(Prior):
    """An orthonormal patch autoencoder, a preconditioned UNet and a text encoder, which may be missing, behind the
    contract of `Prior`.
    """

    def __init__(
        self,
        name: str,
        autoencoder: PatchAutoencoder,
        unet: LatentUNet,
        alphas_cumprod: Tensor,
        text: TextEncoder | None = None,
    ) -> None:
        self.name = name
        self.autoencoder = autoencoder
        self.unet = unet
        self.text = text
        self._no_caption = None if text is None else text.no_caption()
        self.alphas_cumprod = alphas_cumprod
        self.device = unet.device
        self.latent_channels = int(autoencoder.config["latent_channels"])
        self.factor = int(autoencoder.config["patch_size"])
        self.size_multiple = self.factor * unet.size_multiple

    def networks(self) -> dict[str, nn.Module]:
        text = {} if self.text is None else {TEXT_ENCODER: self.text.model}
        return {"unet": self.unet, "vae": self.autoencoder, **text}

    @property
    def precision(self) -> str:
        return str(self.unet.dtype).removeprefix("torch.")  # asked of all networks, it would load the text encoder

    @property
    def has_text(self) -> bool:
        """Whether there is a text encoder. A caption is never needed: without one, "" stands for it."""
        return self.text is not None

    def embed(self, prompts: list[str]) -> Tensor:
        """Prompts to embeddings, float32 [B, L, D]: padded, or cut with a warning."""
        return super().embed(prompts) if self.text is None else self.text(prompts)

    def encode(self, images: Tensor) -> Tensor:
        sides = images.shape[-2:]
        if images.ndim != 4 or images.shape[1] != 3 or any(side % self.size_multiple for side in sides):
            raise InputError(
                f"images have shape {list(images.shape)}; it must be [B, 3, H, W], H and W multiples of "
                f"{self.size_multiple}: pad them"
            )
        return self.autoencoder.encode(2 * images.to(self.device) - 1)

    def decode(self, latents: Tensor) -> Tensor:
        return (self.autoencoder.decode(latents.to(self.device)) + 1) / 2

    @torch.no_grad()
    def denoise(self, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        text = self._words(text)
        if not 0 <= t < len(self.alphas_cumprod):
            raise InputError(f"t is {t}; this prior knows the timesteps 0 to {len(self.alphas_cumprod) - 1}")
        abar = self.alphas_cumprod[t].clamp_min(_LEAST)
        sigma = (((1 - abar) / abar) ** 0.5)[None].to(self.device)
        z0 = self.unet((z_t / abar**0.5).contiguous(memory_format=torch.channels_last), sigma, text)
        return interpret(z0.contiguous(), z_t, abar, "sample")

    @property
    def noise_kinds(self) -> tuple[NoiseKind, ...]:
        """White, and what else the network was trained on."""
        return NOISES[: self.unet.config["kinds"]]

    @torch.no_grad()
    def remove_noise(self, z: Tensor, level: float, kind: NoiseKind = "white", text: Tensor | None = None) -> Tensor:
        """As `Prior.remove_noise`; the network takes any level and kind as they are."""
        if kind not in self.noise_kinds:
            return super().remove_noise(z, level, text=text)
        sigma = torch.full((1,), level, device=self.device)
        index = torch.full((1,), NOISES.index(kind), device=self.device)
        latents = z.contiguous(memory_format=torch.channels_last)
        return self.unet(latents, sigma, self._words(text), index).contiguous()

    def _words(self, text: Tensor | None) -> Tensor | None:
        """The embeddings that the network wants: of no caption where there is no text."""
        if text is None:
            return None if self._no_caption is None else self._no_caption.to(self.device)
        if self._no_caption is None:
            raise InputError(f"text has shape {list(text.shape)}, but {self.name} knows no text: give None")
        return text[:1] if text.stride(0) == 0 else text  # a row that was expanded is one for all


def load_embedded(
    name: str | Path = EMBEDDED,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    called: str = "",
) -> EmbeddedPrior:
    """Load a prior that ships with the package, or one of the same make from a folder; `called` so in records, else as
    it was asked for.

    Raises:
        PriorError: a file is missing or broken, or the device cannot be used.
    """
    place = usable_device(device, dtype)
    root = prior_folder(name)
    alphas_cumprod, prediction = read_schedule(read_scheduler(root), root / SCHEDULER)
    if prediction != "sample":
        raise unusable(root / SCHEDULER, f"prediction_type {prediction}", "sample", "write the folder with ldrps train")
    # The transform must stay orthonormal, and captions are short: only the UNet gains by half precision.
    vae = load_part(root, "vae", place, torch.float32)
    unet = load_part(root, "unet", place, dtype)
    assert isinstance(vae, PatchAutoencoder) and isinstance(unet, LatentUNet)
    channels, wanted = vae.config["latent_channels"], len(unet.config["sigma_data"])
    if channels != wanted:
        raise unusable(root, f"latents of {channels} channels", f"{wanted}, as the UNet has", "train both on one")
    unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    text = load_text(root, place)
    width, wanted = text and text.width, unet.config.get("text_width", 0)
    if width is not None and width != wanted:
        raise unusable(root, f"a text encoder of width {width}", f"{wanted}, as the UNet has", "train both together")
    prior = EmbeddedPrior(called or str(name), vae, unet, alphas_cumprod, text)
    prior.terms = terms_of(root)
    return prior


def noise_levels() -> Tensor:
    """abar_t of the timesteps of a prior that is trained here."""
    return read_schedule(_SCHEDULE, prior_folder(EMBEDDED) / SCHEDULER)[0]


def load_part(root: Path, part: str, device: torch.device, dtype: torch.dtype) -> Network:
    """One component, "vae" or "unet", of a folder.

    Raises:
        PriorError: it is missing or broken.
    """
    return load_network(PARTS[part], root, part, device=device, dtype=dtype)


def load_text(root: Path, device: torch.device) -> TextEncoder | None:
    """The text encoder of a folder, which is small and stays in full precision, or None where it has none.

    Raises:
        PriorError: it is broken, or without its tokenizer.
    """
    if not (root / TEXT_ENCODER).is_dir():
        return None
    config, words, files = read_text(root), read_tokenizer(root), find_weights(root, TEXT_ENCODER)
    load = partial(load_text_encoder, root, config, words, files, device=device, dtype=torch.float32)
    known = read_no_caption(root / TEXT_ENCODER, digest_of(config, words, files))
    return load() if known is None else DeferredTextEncoder(load, known.to(device))


def save_text(root: Path, text: TextEncoder) -> None:
    """Put a text encoder, in half precision, and its tokenizer into a prior's folder."""
    (root / TEXT_ENCODER).mkdir(parents=True, exist_ok=True)
    text.model.config.save_pretrained(root / TEXT_ENCODER)
    text.tokenizer.save_pretrained(root / TOKENIZER)
    write_weights(root / TEXT_ENCODER / f"{WEIGHT_STEMS[TEXT_ENCODER]}.safetensors", text.model, torch.float16)
    keep_no_caption(root)
    _complete(root)


def keep_no_caption(root: Path) -> None:
    """Keep beside a text encoder what it makes of no caption, as it is once it was written and read again."""
    config, words, files = read_text(root), read_tokenizer(root), find_weights(root, TEXT_ENCODER)
    text = load_text_encoder(root, config, words, files, device=torch.device("cpu"), dtype=torch.float32)
    write_no_caption(root / TEXT_ENCODER, digest_of(config, words, files), text.no_caption())


def save_part(root: Path, part: str, network: Network) -> None:
    """Put a trained component into a prior's folder, in half precision but for the autoencoder, and complete the rest.

    The folder can be loaded once it has a vae and a unet.
    """
    save_network(network, root, part, torch.float32 if part == "vae" else torch.float16)
    _complete(root)


def _complete(root: Path) -> None:
    """Write the schedule, and the index of the parts that are there."""
    (root / SCHEDULER).parent.mkdir(parents=True, exist_ok=True)
    index = {"_class_name": "EmbeddedPrior", "scheduler": ["diffusers", "DDIMScheduler"]}
    index |= {part: ["ldrps", kind.__name__] for part, kind in PARTS.items() if (root / part).is_dir()}
    if (root / TEXT_ENCODER).is_dir():
        index |= {TEXT_ENCODER: ["transformers", "CLIPTextModel"], TOKENIZER: ["transformers", "CLIPTokenizer"]}
    for path, content in ((root / SCHEDULER, _SCHEDULE), (root / INDEX, index)):
        replace_file(path, partial(_write_json, content))


def _write_json(content: Mapping[str, Any], file: IO[bytes]) -> None:
    file.write(json.dumps(content, indent=2).encode() + b"\n")
