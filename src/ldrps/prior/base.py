"""The contract of a prior: a latent diffusion model as a few callables."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, get_args

from torch import Tensor

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import nn

NoiseKind = Literal["white", "camera", "jpeg"]
NOISES: tuple[NoiseKind, ...] = get_args(NoiseKind)


class Denoised(NamedTuple):
    """What a prior makes of a noisy latent z_t = sqrt(abar_t) z0 + sqrt(1 - abar_t) eps; both shaped as z_t."""

    z0: Tensor
    eps: Tensor


class Prior(ABC):
    """A latent diffusion model of photographs.

    Images are float32 [B, 3, H, W] in [0, 1], H and W multiples of `size_multiple`. Latents are float32
    [B, C, H / factor, W / factor] in the units in which the model diffuses: only the prior knows [-1, 1] and scaling
    factors. Weights may be of lower precision; what goes in and comes out is float32 on `device`.

    Attributes:
        name: what was loaded, for records.
        alphas_cumprod: abar_t for t = 0 .. T - 1, float32 on the CPU.
        latent_channels: C.
        factor: how many pixels a latent spans, each way.
        size_multiple: what image height and width must be multiples of.
        device: where its networks are, and what it returns.
        terms: under which its weights are, for people; "" where what was loaded does not say.
    """

    name: str
    terms: str = ""
    device: torch.device
    alphas_cumprod: Tensor
    latent_channels: int
    factor: int
    size_multiple: int

    @staticmethod
    def from_pretrained(
        name: str | Path = "embedded",
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        revision: str | None = None,
    ) -> Prior:
        """The prior of that name: what `ldrps.prior.load_prior` does, under the name that diffusers made familiar."""
        from ldrps.prior import load_prior

        return load_prior(name, device=device, dtype=dtype, revision=revision)

    def to(self, device: str | torch.device) -> Self:
        """The same prior on a device: itself if it is there, else a copy; it stays where it is.

        Raises:
            PriorError: the device is unknown or absent, or does not take the precision of the networks.
        """
        import torch

        from ldrps.prior.device import exact, usable_device

        place = exact(usable_device(device, getattr(torch, self.precision)))
        if place == self.device:
            return self
        moved = copy.deepcopy(self)
        for network in moved.networks().values():
            network.to(place)
        moved.device = place
        return moved

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] to the mean of their latents. Differentiable: it serves as features too."""

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Latents to images [B, 3, H, W], nominally in [0, 1], not clamped. Differentiable."""

    @abstractmethod
    def denoise(self, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        """One network call on noisy latents at timestep t, 0 <= t < T. Without gradient.

        `text` [B, L, D] comes from `embed`; a prior without text takes None.
        """

    @property
    def noise_kinds(self) -> tuple[NoiseKind, ...]:
        """The kinds of noise that `remove_noise` tells apart."""
        return ("white",)

    def remove_noise(self, z: Tensor, level: float, kind: NoiseKind = "white", text: Tensor | None = None) -> Tensor:
        """The expected clean latents z0 of z = z0 + n [B, C, h, w], in one network call, without gradient.

        Args:
            z: noisy latents.
            level: the deviation of n, however small.
            kind: of n; one that this prior does not know counts as white.
            text: as for `denoise`.
        """
        sigmas = ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()
        t = min(int((sigmas < level).sum()), len(sigmas) - 1)
        z0 = self.denoise(z * self.alphas_cumprod[t] ** 0.5, t, text).z0
        # Below the lowest level the denoiser is told of too much, and what it would change grows with the variance of
        # the noise (Tweedie's formula).
        return z.lerp(z0, min((level / float(sigmas[0])) ** 2, 1.0))

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """The networks by the names of their folders."""

    @property
    def precision(self) -> str:
        """That of the weights of the denoiser, such as "bfloat16"."""
        return str(next(self.networks()["unet"].parameters()).dtype).removeprefix("torch.")

    def describe(self) -> dict[str, str]:
        """What the prior is, for people: one short text per line of a table."""
        sigma = ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()
        facts = {
            "name": self.name,
            "device": str(self.device),
            "latents": f"{self.latent_channels} channels, one for {self.factor} pixels each way",
            "sizes": f"multiples of {self.size_multiple} pixels",
            "text": "yes" if self.has_text else "no",
            "timesteps": f"{len(sigma)}, noise levels {sigma[0]:.3f} to {sigma[-1]:.1f}",
        }
        for part, network in self.networks().items():
            parameters = list(network.parameters())
            count = sum(parameter.numel() for parameter in parameters) / 1e6
            facts[part] = f"{type(network).__name__}, {count:.2f} M parameters, {parameters[0].dtype}"
        return facts | ({"terms": self.terms} if self.terms else {})

    @property
    def has_text(self) -> bool:
        """Whether `embed` works and `denoise` wants its output."""
        return False

    def embed(self, prompts: list[str]) -> Tensor:
        """Prompts to embeddings [B, L, D].

        Raises:
            PriorError: the prior has no text encoder.
        """
        from ldrps.errors import PriorError

        raise PriorError(f"{self.name} has no text encoder: leave the caption out, or load a prior that has one")
