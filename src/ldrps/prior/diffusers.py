"""Any Stable-Diffusion-like folder or hub id as a prior: loaded component by component, never as a pipeline."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from ldrps.errors import InputError, PriorError
from ldrps.prior.base import Denoised, Prior
from ldrps.prior.device import usable_device
from ldrps.prior.folder import SCHEDULER, Layout, cross_attention_width, read_layout
from ldrps.prior.hub import locate
from ldrps.prior.prediction import interpret, read_schedule
from ldrps.prior.terms import terms_of
from ldrps.prior.text import TextEncoder, load_text_encoder
from ldrps.prior.weights import build, load_weights

logger = logging.getLogger(__name__)

# Names under which the base model of Stable Diffusion 2 goes about: 2-1-base, 2.1-base, sd21_base, 2-base.
_BASE_NAME = re.compile(r"2([-_.]?[01])?[-_.]?base", re.IGNORECASE)
# Attention of autoencoders saved before diffusers 0.15, that of Stable Diffusion 1 and 2 on the hub among them.
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class StableDiffusionPrior(Prior):
    """A Stable Diffusion 1.x or 2.x, or a relative with the same inputs, behind the contract of `Prior`.

    Weights may be of half precision: images, latents and embeddings are float32 at the boundary, and so is the
    arithmetic on them. Inputs are moved to `device`; outputs stay there.

    Attributes:
        device: where the networks run.
        dtype: precision of their weights.
        prediction: what the UNet predicts: "epsilon", "v_prediction" or "sample".
        text_width: D of the embeddings that `denoise` wants; None for a UNet without cross attention.
        unet: the denoiser.
        vae: the autoencoder.
        text: the text encoder, or None.
    """

    def __init__(
        self,
        name: str,
        unet: UNet2DConditionModel,
        vae: AutoencoderKL,
        alphas_cumprod: Tensor,
        prediction: str,
        text_width: int | None,
        text: TextEncoder | None = None,
    ) -> None:
        self.name = name
        self.unet = unet
        self.vae = vae
        self.alphas_cumprod = alphas_cumprod
        self.prediction = prediction
        self.text_width = text_width
        self.text = text
        self.device: torch.device = unet.device
        self.dtype: torch.dtype = unet.dtype
        self.latent_channels = int(vae.config["latent_channels"])
        self.factor = 2 ** (len(vae.config["block_out_channels"]) - 1)
        # The UNet halves the latents this often; an odd size on the way would not come back at its own size.
        self._latent_multiple = 2 ** int(unet.num_upsamplers)
        self.size_multiple = self.factor * self._latent_multiple
        self._scale = float(vae.config["scaling_factor"])
        self._shift = float(vae.config.get("shift_factor") or 0.0)

    @property
    def has_text(self) -> bool:
        """Whether there is a text encoder. Without one, `denoise` still takes embeddings made elsewhere."""
        return self.text is not None

    def embed(self, prompts: list[str]) -> Tensor:
        """Prompts to embeddings, float32 [B, 77, D]: padded, or cut with a warning.

        Raises:
            PriorError: the folder had no text encoder.
            InputError: not a list of at least one string.
        """
        return super().embed(prompts) if self.text is None else self.text(prompts)

    def networks(self) -> dict[str, nn.Module]:
        """UNet, autoencoder and, where there is one, text encoder."""
        text = {} if self.text is None else {"text_encoder": self.text.model}
        return {"unet": self.unet, "vae": self.vae, **text}

    def encode(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] to the mean of their latents [B, C, H / factor, W / factor]. Differentiable.

        Values outside [0, 1] are encoded as they are.

        Raises:
            InputError: not float32, not of this shape, or a side is no multiple of `size_multiple`.
        """
        _require(images, "images", 3, self.size_multiple)
        x = self._as_weights(2 * images - 1)
        mean: Tensor = self.vae.encode(x).latent_dist.mode().float()
        return ((mean - self._shift) * self._scale).contiguous()

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] of any size to images [B, 3, h factor, w factor], not clamped. Differentiable.

        Raises:
            InputError: not float32 or not of this shape.
        """
        _require(latents, "latents", self.latent_channels, 1)
        x: Tensor = self.vae.decode(self._as_weights(latents / self._scale + self._shift)).sample
        return ((x.float() + 1) / 2).contiguous()

    @torch.no_grad()
    def denoise(self, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        """One UNet call on noisy latents [B, C, h, w] at timestep t, 0 <= t < T; z0 and eps agree with `z_t`.

        `text` [B, L, D] are embeddings from `embed` or from elsewhere, D = `text_width`.

        Raises:
            InputError: a wrong shape, type or timestep, or no text where `embed` could have made some.
            PriorError: no text, and no text encoder to make some.
        """
        _require(z_t, "latents", self.latent_channels, self._latent_multiple)
        if not 0 <= t < len(self.alphas_cumprod):
            raise InputError(f"t is {t}; this prior knows the timesteps 0 to {len(self.alphas_cumprod) - 1}")
        self._require_text(text, len(z_t))
        z_t = z_t.to(self.device)
        states = None if text is None else text.to(self.device, self.dtype)
        timesteps = torch.full((len(z_t),), t, device=self.device)
        output = self.unet(self._as_weights(z_t), timesteps, encoder_hidden_states=states).sample
        return interpret(output.float().contiguous(), z_t, self.alphas_cumprod[t], self.prediction)

    def _as_weights(self, x: Tensor) -> Tensor:
        return x.to(self.device, self.dtype, memory_format=torch.channels_last)

    def _require_text(self, text: Tensor | None, batch: int) -> None:
        if self.text_width is None and text is None:
            return
        expected = f"[{batch}, L, {self.text_width}]"
        if text is None and self.text is None:
            raise PriorError(
                f"{self.name} attends to text but has no text encoder: give embeddings {expected} made elsewhere, or "
                "load a folder with tokenizer/ and text_encoder/"
            )
        if text is None:
            raise InputError(f"text is None, but {self.name} attends to text; embed(['']) stands for no caption")
        if self.text_width is None:
            raise InputError(f"text has shape {list(text.shape)}, but {self.name} attends to no text: give None")
        if text.ndim != 3 or text.shape[0] != batch or text.shape[1] < 1 or text.shape[2] != self.text_width:
            raise InputError(f"text has shape {list(text.shape)}; it must be {expected}, a row for each latent")


def load_stable_diffusion(
    name_or_folder: str | Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    revision: str | None = None,
) -> StableDiffusionPrior:
    """Load a Stable Diffusion 1.x or 2.x, or a relative with the same inputs.

    Args:
        name_or_folder: a folder in diffusers layout (`unet/`, `vae/`, `scheduler/`, and `tokenizer/` with
            `text_encoder/` or neither), or a hub id such as `ldrps.prior.hub.DEFAULT_HUB_ID`. Weights are safetensors;
            files of half precision are taken where there are no others.
        device: where to run: "cpu", "cuda", "cuda:1", "mps".
        dtype: precision of the weights: float32, bfloat16, or float16 except on the CPU.
        revision: which commit, tag or branch of a hub id that does not say so itself.

    Raises:
        PriorError: it cannot be found, read or used; the message says where, what was found, and the remedy.
    """
    place = usable_device(device, dtype)
    name, folder = locate(name_or_folder, revision)
    return assemble(name, read_layout(folder), device=place, dtype=dtype)


def assemble(name: str, layout: Layout, *, device: torch.device, dtype: torch.dtype) -> StableDiffusionPrior:
    """The prior of a folder that was read, under the name that records shall have.

    Raises:
        PriorError: its files are broken, or do not fit each other.
    """
    folder = layout.folder
    alphas_cumprod, prediction = read_schedule(layout.scheduler, folder / SCHEDULER)
    _warn_of_mistaken_identity(name, layout, prediction)
    unet = build(lambda: UNet2DConditionModel.from_config(layout.unet), folder / "unet/config.json")
    vae = build(lambda: AutoencoderKL.from_config(layout.vae), folder / "vae/config.json")
    # Attention needs no choosing: diffusers takes torch's scaled_dot_product_attention wherever it applies.
    load_weights(unet, layout.weights["unet"], device=device, dtype=dtype)
    load_weights(vae, layout.weights["vae"], device=device, dtype=dtype, rename=current_attention)
    for network in (unet, vae):
        network.to(memory_format=torch.channels_last)
    text = None
    if layout.text is not None:
        text = load_text_encoder(
            folder, layout.text, layout.words, layout.weights["text_encoder"], device=device, dtype=dtype
        )
    width = cross_attention_width(layout.unet, folder)
    prior = StableDiffusionPrior(name, unet, vae, alphas_cumprod, prediction, width, text)
    prior.terms = terms_of(folder)
    return prior


def current_attention(key: str) -> str:
    """A weight's name as diffusers has it now, from those of early versions."""
    match = re.fullmatch(r"(.*\.attentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)", key)
    return f"{match[1]}.{_OLD_ATTENTION[match[2]]}.{match[3]}" if match else key


def _warn_of_mistaken_identity(name: str, layout: Layout, prediction: str) -> None:
    """Stable Diffusion 2.1 predicts v and wants 768 pixels, 2.1-base predicts epsilon and wants 512.

    Copies mix the two up, and either one read as the other yields noise.
    """
    names = [name, str(layout.unet.get("_name_or_path")), str(layout.index.get("_name_or_path"))]
    if prediction == "v_prediction" and any(_BASE_NAME.search(each) for each in names):
        logger.warning(
            "%s calls itself a base model of Stable Diffusion 2, which predicts epsilon, but its scheduler says "
            "v_prediction: if pictures are noise, mend prediction_type in %s", name, SCHEDULER,
        )  # fmt: skip
    if prediction == "epsilon" and layout.unet.get("sample_size") == 96:
        logger.warning(
            "%s is a checkpoint for 768 pixels; that of Stable Diffusion 2 predicts v, but its scheduler says epsilon: "
            "if pictures are noise, mend prediction_type in %s", name, SCHEDULER,
        )  # fmt: skip
    if layout.text is None and layout.index.get("text_encoder"):
        logger.warning("%s names a text encoder that is not in the folder: it takes no captions", name)


def _require(x: Tensor, what: str, channels: int, multiple: int) -> None:
    shape = list(x.shape)
    if x.ndim != 4 or shape[1] != channels or 0 in shape:
        raise InputError(f"{what} have shape {shape}; reshape or convert them to [B, {channels}, H, W]")
    if x.dtype != torch.float32:
        raise InputError(f"{what} are {x.dtype}; they must be float32: convert them, images to the range 0 to 1")
    if shape[2] % multiple or shape[3] % multiple:
        size = f"{shape[2]} by {shape[3]}"
        raise InputError(f"{what} are {size}; both sides must be multiples of {multiple}: pad or crop them")
