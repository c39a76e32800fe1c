"""Random blur of clean photographs, as a judge meets it: out of focus, shaken, enlarged; and what only looks so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur, Rounding, Veil, WhiteNoise, resize
from ldrps.degradation.kernels import disk, gaussian, path, shape_of, spread_of
from ldrps.degradation.srgb import to_linear, to_srgb
from ldrps.estimation.blur_posterior import BLURS, BlurKind
from ldrps.train.camera import log_uniform, saved
from ldrps.train.graphics import graphic, painting
from ldrps.train.noise import camera_noise
from ldrps.train.places import depth

REACH = 16  # of a kernel, in pixels
MARGIN = REACH + 4  # around a picture, that its blur needs: a lens may be added to a path
SHARP = 0.4  # of all pictures
_SHARES: dict[BlurKind, float] = {"gaussian": 0.35, "disk": 0.15, "motion": 0.3, "enlarged": 0.2}
_GRAPHICS, _PAINTINGS, _SHALLOW, _FOGGY = 0.12, 0.1, 0.15, 0.1  # of the sharp ones
_LINEAR, _LIT, _WHITE, _CAMERA, _SAVED = 0.4, 0.5, 0.5, 0.2, 0.35


@dataclass(frozen=True)
class Blurred:
    """Pictures, of which most are blurred.

    Attributes:
        seen: [B, 3, H, W] in [0, 1], rounded to bytes, with noise on some, and some of them saved.
        kind: 0 for what is sharp, 1 for the first of `BLURS`, [B].
        size: of the kernel, in the unit of its kind, see `BlurPosterior`; 1 where there is none, [B].
        shape: how far it is longer than wide, and in which direction, [B, 2]; see `shape_of`.
    """

    seen: Tensor
    kind: Tensor
    size: Tensor
    shape: Tensor


@dataclass(frozen=True)
class _Done:
    """What was done to a picture: to [1, 3, H, W], wider by a margin, and how large it is."""

    act: Callable[[Tensor], Tensor]
    size: float
    shape: Tensor


_NOTHING = _Done(lambda image: image, 1.0, torch.zeros(2))


def blur_some(
    clean: Tensor, random: np.random.Generator, sharp: float = SHARP, kind: BlurKind | None = None
) -> Blurred:
    """Blur each of `clean` [B, 3, H + 2 M, W + 2 M], of which a margin of M pixels is cut off; some not at all.

    Those that are not blurred are photographs, pages, screens, paintings, photographs of which a part is out of focus,
    and what lies in fog.
    """
    shares = np.array([_SHARES[each] for each in BLURS])
    seen, kinds, all_done = [], [], []
    for image in clean.split(1):
        if random.random() < sharp:
            number, done, picture = 0, _NOTHING, _not_blurred(image, random)
        else:
            chosen = kind or BLURS[random.choice(len(BLURS), p=shares / shares.sum())]
            number, done = 1 + BLURS.index(chosen), _BLURS[chosen](random)
            picture = _in_light(image, done, random)
        seen.append(_seen(_cut(picture).clamp(0, 1), random))
        kinds.append(number)
        all_done.append(done)
    sizes, shapes = torch.tensor([done.size for done in all_done]), torch.stack([done.shape for done in all_done])
    return Blurred(torch.cat(seen), torch.tensor(kinds), sizes, shapes.float())


def shake(random: np.random.Generator, length: float) -> Tensor:
    """The path of a hand that shakes while the shutter is open, a kernel of about that many pixels along."""
    straight = random.random() < 0.4
    steps = random.normal(0, 1, (64, 2))
    if straight:
        turn = random.uniform(0, np.pi)
        places = np.linspace(-0.5, 0.5, 64)[:, None] * np.array([np.sin(turn), np.cos(turn)])
    else:
        speed = random.normal(0, 1, 2) + np.cumsum(steps, 0) * random.uniform(0.05, 0.4)
        places = np.cumsum(speed, 0)
    places = places - places.mean(0)
    extent = np.linalg.norm(places[:, None] - places[None], axis=-1).max()
    places = places * min((length - 1) / max(extent, 1e-9), (REACH - 1) / max(np.abs(places).max(), 1e-9))
    return path([(float(down), float(right)) for down, right in places], math.ceil(np.abs(places).max()) + 1)


def _gaussian(random: np.random.Generator) -> _Done:
    sigma = log_uniform(random, 0.6, 3.8)
    ratio = random.uniform(0.4, 1.0) if random.random() < 0.35 else 1.0
    along, across = sigma / ratio**0.5, sigma * ratio**0.5
    along = min(along, REACH / 4)
    kernel = gaussian(along, across, random.uniform(0, 180))
    return _Done(Blur(kernel), (along * across) ** 0.5, shape_of(kernel))


def _disk(random: np.random.Generator) -> _Done:
    radius = log_uniform(random, 1.2, 8)
    return _Done(Blur(disk(radius)), radius, torch.zeros(2))


def _motion(random: np.random.Generator) -> _Done:
    kernel = shake(random, log_uniform(random, 3, 2 * REACH - 4))
    if random.random() < 0.4:  # a lens is no point
        kernel = _both(kernel, gaussian(*(random.uniform(0.3, 0.8),) * 2))
    return _Done(Blur(kernel), max(spread_of(kernel), 0.3), shape_of(kernel))


def _enlarged(random: np.random.Generator) -> _Done:
    factor = log_uniform(random, 1.35, 4)
    bilinear = random.random() < 0.3

    def act(image: Tensor) -> Tensor:
        side = image.shape[-1]
        small = resize(image, (round(side / factor),) * 2)
        if bilinear:
            return F.interpolate(small, (side, side), mode="bilinear", align_corners=False)
        return resize(small, (side, side))

    return _Done(act, factor, torch.zeros(2))


_BLURS: dict[BlurKind, Callable[[np.random.Generator], _Done]] = {
    "gaussian": _gaussian,
    "disk": _disk,
    "motion": _motion,
    "enlarged": _enlarged,
}


def _both(one: Tensor, other: Tensor) -> Tensor:
    """Two kernels, one after the other."""
    reach = [side // 2 for side in other.shape]
    wide = F.pad(one, (reach[1] * 2, reach[1] * 2, reach[0] * 2, reach[0] * 2))
    return F.conv2d(wide[None, None], other.flip(0, 1)[None, None])[0, 0]


def _in_light(image: Tensor, done: _Done, random: np.random.Generator) -> Tensor:
    """As light is blurred, in which lamps are far brighter than white; or, as benchmarks do, what the file holds."""
    if random.random() >= _LINEAR:
        return done.act(image)
    light = to_linear(image)
    if random.random() < _LIT:
        bright = ((image.amin(1, keepdim=True) - 0.9) / 0.1).clamp(0, 1)
        light = light * (1 + random.uniform(0, 8) * bright)
    return to_srgb(done.act(light).clamp(0, 1))


def _not_blurred(image: Tensor, random: np.random.Generator) -> Tensor:
    chance = random.random()
    if (chance := chance - _GRAPHICS) < 0:
        return graphic(image.shape[-1], random)
    if (chance := chance - _PAINTINGS) < 0:
        return painting(image, random)
    if (chance := chance - _SHALLOW) < 0:  # what is far, or near, is out of focus
        far = depth(image, random)
        focus = random.uniform(0.15, 0.85)
        soft = ((far - focus) if random.random() < 0.7 else (focus - far)).mul(6).clamp(0, 1)
        return torch.lerp(image, Blur(disk(random.uniform(2, 8)))(image), soft)
    if (chance := chance - _FOGGY) < 0:
        return Veil(torch.exp(-random.uniform(0.3, 2) * depth(image, random)), random.uniform(0.6, 1.0))(image)
    return image


def _seen(picture: Tensor, random: np.random.Generator) -> Tensor:
    """With what cameras and files add to it."""
    chance = random.random()
    if chance < _WHITE:
        picture = WhiteNoise(10 / 255 * random.random() ** 2).sample(picture, random).clamp(0, 1)
    elif chance < _WHITE + _CAMERA:
        picture = camera_noise(picture, random)
    return saved(picture, random.uniform(40, 98), random) if random.random() < _SAVED else Rounding()(picture)


def _cut(image: Tensor) -> Tensor:
    return image[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
