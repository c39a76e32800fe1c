"""The clean domain: what pictures look like that a prior draws freely, and how far a picture is from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.image.files import replace_file
from ldrps.prior import EMBEDDED
from ldrps.prior.base import Prior
from ldrps.sampling.unconditional import draw_from_noise

LEVELS = 32  # quantiles of a channel
# What samples are asked to show, so that they differ: captions that say nothing of light or colour.
SUBJECTS = (
    "a street in a town", "a room with furniture", "mountains and a lake", "a person", "people outdoors", "a dog",
    "a bird in a tree", "flowers in a garden", "a house", "a car on a road", "food on a table", "the sea and the sky",
    "a forest", "an animal in the grass", "a shop", "a kitchen",
)  # fmt: skip
# Four of each are enough: with 4 samples in all the restored tones of 24 darkened photographs vary by 0.4 dB between
# draws, with 16 by 0.3, with 32, 64 and more by 0.1, and no mean rises any more.
SAMPLES = 4
SIDE = 64  # pixels: the domain is told by values, not by detail
STEPS = 14
SCALE = 3.0  # of guidance: samples differ half as much again as at 1 in their colours; restored tones are the same
# The deviation of all values of 140 undamaged photographs. Samples of a small prior are flatter, of a guided large one
# harder, so they are stretched, all by one factor, until they have it.
DEVIATION = 0.277

# The darkest and the lightest of a photograph lie near black and white, its middle where its subject has it: what the
# ends weigh more than the middle, and how fast that falls off. Best of a dozen on 48 damaged photographs: darkened ones
# gain 0.5 dB over equal weights, veiled ones 1.2.
_ENDS, _FALL = 32.0, 8

_SHIPPED = "embedded.safetensors"
_drawn: WeakKeyDictionary[Prior, CleanDomain] = WeakKeyDictionary()


@dataclass(frozen=True)
class CleanDomain:
    """Free samples of a prior, which stand for undamaged pictures in place of the published free chain.

    One chain, or four, are too few to tell what is usual; a pool is drawn once for all pictures.

    Attributes:
        quantiles: of each sample and channel, [N, 3, LEVELS], rising.
        variance: of each channel of their latents, [C].
    """

    quantiles: Tensor
    variance: Tensor

    @property
    def typical(self) -> Tensor:
        """The quantiles of the domain, [3, LEVELS]: the barycentre of the samples' in the Wasserstein distance."""
        return self.quantiles.mean(0)

    def drawn(self, count: int, random: torch.Generator) -> CleanDomain:
        """So many of the samples by chance, in place of all; all where there are no more."""
        chosen = torch.randperm(len(self.quantiles), generator=random)[:count]
        return CleanDomain(self.quantiles[chosen], self.variance)

    def line_to(self, y: Tensor) -> Tone:
        """The line that gives grey values of the domain the mean and deviation of y's."""
        clean, degraded = self.typical.mean(0), quantiles(y)[0].mean(0)
        gain = float(degraded.std() / clean.std().clamp_min(1e-3))
        return Tone(gain, float(degraded.mean()) - gain * float(clean.mean()))


def clean_domain(prior: Prior) -> CleanDomain:
    """That of a prior, on the CPU: shipped with the embedded one, drawn once a process for any other."""
    if prior.name == EMBEDDED:
        return _read_shipped()
    if prior not in _drawn:
        _drawn[prior] = draw_domain(prior)
    return _drawn[prior]


@torch.no_grad()
def draw_domain(prior: Prior, samples: int = SAMPLES, steps: int = STEPS) -> CleanDomain:
    """Draw a domain: `samples` of each of the subjects, or as many in all from a prior that knows no text."""
    side = max(SIDE // prior.size_multiple, 1) * prior.size_multiple
    if prior.has_text:
        parts = [
            draw_from_noise(prior, samples, side, caption=said, scale=SCALE, steps=steps, seed=number)
            for number, said in enumerate(SUBJECTS)
        ]
    else:
        parts = [draw_from_noise(prior, samples * len(SUBJECTS), side, steps=steps)]
    pictures = torch.cat(parts)
    mean = pictures.mean((1, 2, 3), keepdim=True)
    pictures = (mean + (pictures - mean) * DEVIATION / pictures.std().clamp_min(1e-3)).clamp(0, 1)
    latents = torch.cat([prior.encode(few).cpu() for few in pictures.split(8)])
    return CleanDomain(quantiles(pictures), latents.var((0, 2, 3)))


def save_domain(domain: CleanDomain, path: Path) -> None:
    """Write a domain as safetensors, its quantiles in bytes."""
    tensors = {"quantiles": (255 * domain.quantiles).round().byte(), "variance": domain.variance.float()}
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    replace_file(path, lambda file: file.write(data))


def read_domain(data: bytes) -> CleanDomain:
    """What `save_domain` wrote."""
    tensors = load(data)
    return CleanDomain(tensors["quantiles"].float() / 255, tensors["variance"])


def quantiles(images: Tensor) -> Tensor:
    """LEVELS even quantiles of each channel of images [B, 3, H, W], rising, [B, 3, LEVELS]."""
    ordered = images.flatten(2).sort(-1).values
    places = (torch.arange(LEVELS, device=images.device) + 0.5) / LEVELS * ordered.shape[-1]
    return ordered[..., places.long()]


def with_quantiles(images: Tensor, wanted: Tensor) -> Tensor:
    """Images [B, 3, H, W] with the values of each channel changed, in their order, until quantiles are [3, LEVELS]."""
    even = F.interpolate(wanted[None], size=images.shape[-2] * images.shape[-1], mode="linear", align_corners=False)
    order = images.flatten(2).argsort(-1).argsort(-1)
    return even.expand(len(images), -1, -1).gather(-1, order).reshape(images.shape)


def distance(made: Tensor, degraded: Tensor) -> Tensor:
    """How far two domains are apart, told by quantiles [3, LEVELS], in units of the deviation of the degraded one.

    It does not depend on the size of pictures, and of two dark pictures tells as much as of two bright ones.
    """
    place = (2 * torch.arange(LEVELS, device=made.device) + 1) / LEVELS - 1  # from -1 to 1
    weights = 1 + _ENDS * place.abs() ** _FALL
    apart = ((made - degraded) / degraded.std().clamp_min(1e-2)).square()
    return (weights / weights.mean() * apart).mean()


@cache
def _read_shipped() -> CleanDomain:
    return read_domain(resources.files("ldrps.guidance").joinpath("domains", _SHIPPED).read_bytes())
