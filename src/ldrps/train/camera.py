"""A photograph taken again: the noise of a sensor, and what a camera makes of it on the way to a file."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import BayerNoise, Jpeg, Rounding, Tone, resize
from ldrps.degradation.bayer import usual_read
from ldrps.degradation.jpeg import tables
from ldrps.degradation.kernels import taps
from ldrps.image.space import luma_of

# Brooks et al. 2019, section 3.1.
_SHOT = (2e-5, 1e-2)
_DEPARTURE = 0.26  # deviation of ln read^2 from what is usual
_SUBSAMPLINGS = ((1, 1), (1, 2), (2, 2), (2, 2))
_DARK, _REDUCED, _DENOISED, _SHARPENED, _SAVED, _HOT = 0.3, 0.4, 0.75, 0.35, 0.5, 0.1  # shares of pictures
_LUMA_DENOISED = 0.8  # of those that a camera denoised; colours are in nearly all


def photographed(image: Tensor, random: np.random.Generator) -> Tensor:
    """An image [1, 3, H, W] in [0, 1] with the noise that a camera would have left in it, rounded to bytes.

    Shot and read noise on a mosaic in linear light, hot pixels, demosaicking, white balance, the camera's denoising and
    sharpening, reduction by up to 2.5, JPEG. What the camera does to the picture itself is left out: the difference to
    `image` is noise. Some are taken too dark and brightened afterwards, noise, steps and blocks with them.
    """
    dark = _underexposure(random) if random.random() < _DARK else None
    exposed = image if dark is None else dark(image)
    scale = random.uniform(1, 2.5) if random.random() < _REDUCED else 1.0
    size = image.shape[-2:]
    large = resize(exposed, (round(size[0] * scale), round(size[1] * scale))).clamp(0, 1)
    noise = _processed(_sensor_noise(large, random), large, random)
    seen = exposed + resize(noise, (size[0], size[1]))
    if random.random() < _SAVED:
        seen = saved(seen, random.uniform(70, 98), random)
    seen = Rounding()(seen)
    return seen if dark is None else dark.invert(seen).clamp(0, 1)


def saved(image: Tensor, quality: float, random: np.random.Generator) -> Tensor:
    """An image [1, 3, H, W] through JPEG with its first block anywhere, rounded to bytes."""
    rows, columns = _SUBSAMPLINGS[random.integers(len(_SUBSAMPLINGS))]
    offset = (int(random.integers(8 * rows)), int(random.integers(8 * columns)))
    return Rounding()(Jpeg(tables(round(quality)), (rows, columns), offset)(Rounding()(image)))


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is as likely anywhere between those of two."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _underexposure(random: np.random.Generator) -> Tone:
    return Tone(log_uniform(random, 0.15, 0.8), gamma=random.uniform(0.8, 1.5))


def _sensor_noise(image: Tensor, random: np.random.Generator) -> Tensor:
    shot = log_uniform(random, *_SHOT)
    read = usual_read(shot, random.normal(0, _DEPARTURE))
    gains = torch.tensor([random.uniform(1.2, 2.6), 1.0, random.uniform(1.2, 2.4)])
    phase = (int(random.integers(2)), int(random.integers(2)))
    demosaicking = "gradients" if random.random() < 0.6 else "bilinear"
    noise = BayerNoise(shot, read, gains, phase, demosaicking).sample(image, random) - image  # type: ignore[arg-type]
    if random.random() < _HOT:  # a pixel that is always lit, which demosaicking spreads to its neighbours
        hot = torch.from_numpy(random.random((1, 1, *image.shape[-2:])) < random.uniform(1e-4, 2e-3)).float()
        channel = torch.eye(3)[random.integers(3)].reshape(1, 3, 1, 1)
        spread = smoothed(hot, 0.5)
        noise = noise + random.uniform(0.1, 0.8) * spread / 0.4 * channel
    return noise


def _processed(noise: Tensor, image: Tensor, random: np.random.Generator) -> Tensor:
    """Noise after a camera's denoising, which smooths colours most and spares edges, and its sharpening."""
    if random.random() < _DENOISED:
        luma = luma_of(noise)
        colour = noise - luma
        if random.random() < 0.9:
            colour = torch.lerp(colour, smoothed(colour, random.uniform(0.6, 3)), random.uniform(0.5, 1))
        if random.random() < _LUMA_DENOISED:
            share = random.uniform(0, 0.95) * (_flatness(image) if random.random() < 0.6 else 1.0)
            luma = torch.lerp(luma, smoothed(luma, random.uniform(0.5, 1.3)), share)
        noise = luma + colour
    if random.random() < _SHARPENED:
        noise = noise + random.uniform(0.2, 1.2) * (noise - smoothed(noise, random.uniform(0.6, 1.2)))
    return noise


def _flatness(image: Tensor) -> Tensor:
    """1 where there are no edges, to 0 on strong ones, [1, 1, H, W]."""
    grey = smoothed(image.mean(1, keepdim=True), 1.0)
    down, across = (F.pad(grey, pad, mode="replicate") for pad in ((0, 0, 0, 1), (0, 1, 0, 0)))
    slope = (down.diff(dim=-2).square() + across.diff(dim=-1).square()).sqrt()
    return torch.exp(-slope / 0.03)


def smoothed(x: Tensor, sigma: float) -> Tensor:
    """[1, C, H, W] by a Gaussian of that many pixels."""
    kernel = taps(sigma).to(x).expand(x.shape[1], 1, 1, -1)
    reach = kernel.shape[-1] // 2
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="reflect"), kernel, groups=x.shape[1])
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="reflect"), kernel.mT, groups=x.shape[1])
