"""Random damage to the tones of clean photographs, as a judge meets it: darkness, glare, casts, veils, flatness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import (
    Compose,
    Degradation,
    Exposure,
    LocalLight,
    Rounding,
    Tone,
    Veil,
    WhiteBalance,
    WhiteNoise,
)
from ldrps.train.camera import log_uniform, saved
from ldrps.train.places import along_edges, depth, shade, smooth
from ldrps.train.untouched import untouched

UNTOUCHED = 0.2  # of all pictures; others turn out to be no examples, or hardly damaged
UNDAMAGED = 0.36  # of all pictures, then
NOTHING, EVEN, UNEVEN = range(3)  # kinds of damage
# Shares of what is damaged.
FAMILIES = {"dark": 0.24, "bright": 0.07, "cast": 0.14, "uneven": 0.17, "veil": 0.22, "flat": 0.08, "curve": 0.08}
DETAILS = 0.3  # of all pictures, which show a part of a scene that may have no white and no black in it
_LIT = 1 / 3  # of dark ones
_OWN_LIGHTS = 0.5  # of those: nothing else is in them than before
LEAST = 0.035  # root mean square of a change, of 1
_SEEN = 0.05  # deviation of ln y over places, of a grey x
_LIT_FROM_A_SIDE, _TINTED, _NOISY, _SAVED = 0.25, 0.3, 0.5, 0.15


@dataclass(frozen=True)
class DamagedTones:
    """`clean` is what there was to see, `exact` is it with the damage alone, `seen` has noise, JPEG and rounding too;
    each [B, 3, H, W] in [0, 1]. `kind` is which of `NOTHING`, `EVEN` and `UNEVEN` the damage is, [B].
    """

    clean: Tensor
    exact: Tensor
    seen: Tensor
    kind: Tensor

    @classmethod
    def none(cls, clean: Tensor) -> DamagedTones:
        """Pictures as they are."""
        return cls(clean, clean, clean, torch.full((len(clean),), NOTHING))

    def to(self, device: torch.device) -> DamagedTones:
        return DamagedTones(*(each.to(device) for each in (self.clean, self.exact, self.seen, self.kind)))

    def turned(self, quarters: int) -> DamagedTones:
        """All pictures by so many quarter turns."""
        clean, exact, seen = (each.rot90(quarters, (2, 3)) for each in (self.clean, self.exact, self.seen))
        return DamagedTones(clean, exact, seen, self.kind)


def damage_tones(
    clean: Tensor,
    random: np.random.Generator,
    families: Mapping[str, float] = FAMILIES,
    undamaged: float = UNTOUCHED,
    unusual: bool = True,
) -> DamagedTones:
    """Damage each of `clean` [B, 3, H, W], square, by one of the families; some not at all.

    Those that are not are photographs and, unless `unusual` is off, what is no photograph or looks unusual, and is
    right as it is. A third of the dark ones have lamps or bright windows in them, which stay white however dark the
    rest is.
    """
    names, shares = list(families), np.array(list(families.values()))
    scenes, exacts, seens, kinds = [], [], [], []
    for image in clean.split(1):
        family = names[random.choice(len(names), p=shares / shares.sum())]
        may_be = family not in _ONLY_WELL_EXPOSED or random.random() < exposure_of(image)
        damaged = may_be and random.random() >= undamaged
        right = untouched(image, random) if unusual and not damaged else image
        scene, damage = _damage(image, family, random) if damaged else (right, Compose())
        exact, scene = damage(scene).clamp(0, 1), scene.clamp(0, 1)
        if damaged and float((exact - scene).square().mean().sqrt()) < LEAST:
            scene, damaged = exact, False  # nobody would call it damage, and to undo it is a risk
        scenes.append(scene)
        exacts.append(exact)
        seens.append(with_faults(exact, random))
        kinds.append(NOTHING if not damaged else UNEVEN if _is_uneven(damage, image) else EVEN)
    return DamagedTones(torch.cat(scenes), torch.cat(exacts), torch.cat(seens), torch.tensor(kinds))


def _is_uneven(damage: Degradation, image: Tensor) -> bool:
    """Whether it does something else to one place than to another, to an amount that is seen."""
    spread = [damage(torch.full_like(image, level)).clamp(0.01, 1).mean(1).log().std() for level in (0.1, 0.6)]
    return float(max(spread)) > _SEEN


def _damage(image: Tensor, family: str, random: np.random.Generator) -> tuple[Tensor, Degradation]:
    """The scene of an image [1, 3, H, W], some with lights in it, and what is done to it."""
    damage = _DAMAGE[family](image, random)
    if family != "cast" and random.random() < _TINTED:
        damage = Compose((damage, _illuminant(random, 0.3)))
    lit = family in ("dark", "uneven") and random.random() < _LIT
    return _with_lights(image, damage, random) if lit else image, damage


def detail(image: Tensor, random: np.random.Generator) -> Tensor:
    """A part of an image [1, 3, S, S], enlarged to its size."""
    size = image.shape[-1]
    side = round(size / log_uniform(random, 1.3, 6))
    top, left = random.integers(0, size - side + 1, 2)
    part = image[..., top : top + side, left : left + side]
    return F.interpolate(part, (size, size), mode="bicubic", align_corners=False).clamp(0, 1)


def darken(clean: Tensor, random: np.random.Generator) -> Tensor:
    """Darken those of `clean` [B, 3, H, W] that are well exposed, and leave the others; with 8-bit rounding."""
    dark = [
        _darkness(image, random)(image) if random.random() < exposure_of(image) else image for image in clean.split(1)
    ]
    return Rounding()(torch.cat(dark))


def exposure_of(image: Tensor) -> float:
    """How far an image is well exposed, 0 to 1: one that is dark itself is no example of what a dark one should be."""
    luma = image.mean(1).flatten()
    in_the_middle = (float(luma.mean()) - 0.2) / 0.25
    of_the_range = (float(luma.quantile(0.98)) - 0.5) / 0.25
    return min(max(in_the_middle, 0.0), 1.0) * min(max(of_the_range, 0.0), 1.0)


def with_faults(exact: Tensor, random: np.random.Generator) -> Tensor:
    """With a little noise on some, as most of it is averaged away in a thumbnail; and some saved as JPEG."""
    seen = exact
    if random.random() < _NOISY:
        seen = WhiteNoise(0.04 * random.random() ** 2).sample(seen, random).clamp(0, 1)
    return saved(seen, random.uniform(40, 95), random) if random.random() < _SAVED else Rounding()(seen)


def _with_lights(image: Tensor, darkness: Degradation, random: np.random.Generator) -> Tensor:
    """The scene with lights in it that are so bright, beyond 1, that they clip in a dark picture too: its own brightest
    parts, such as a sky or a window, or one to four lamps or windows more.
    """
    if random.random() < _OWN_LIGHTS:
        luma = image.mean(1, keepdim=True)
        least = float(luma.flatten().quantile(random.uniform(0.6, 0.98)))
        bright = along_edges(((luma - least) / 0.05).clamp(0, 1), image, radius=3)
        return image + random.uniform(0.2, 1.5) * darkness.invert(torch.ones_like(image)) * bright
    y, x = torch.meshgrid(*(torch.linspace(0, 1, side) for side in image.shape[-2:]), indexing="ij")
    light = torch.zeros_like(y)
    for _ in range(random.integers(1, 5)):
        down, across = y - random.uniform(0, 1), x - random.uniform(0, 1)
        if random.random() < 0.6:  # a lamp, with its glow
            spread = random.uniform(0.01, 0.04)
            light = light + torch.exp(-(down**2 + across**2) / (2 * spread**2))
        else:  # a window
            tall, wide = random.uniform(0.03, 0.2, 2)
            inside = torch.minimum(tall - down.abs(), wide - across.abs())
            light = torch.maximum(light, (inside / 0.02).clamp(0, 1))
    colour = torch.from_numpy(np.exp(random.normal(0, 0.1, (1, 3, 1, 1)))).to(image)
    return image + random.uniform(1.2, 4) * colour * darkness.invert(torch.ones_like(image)) * light


def _darkness(image: Tensor, random: np.random.Generator) -> Degradation:
    """Too little light: stops of a camera, or gain * x ** gamma, over five stops below normal exposure; with a small
    error of white balance. A scene has its own light and shade, which are right as they are: only some are lit from a
    side, or in parts.
    """
    balance = torch.from_numpy(np.exp(random.normal(0, 0.08, (1, 3))))
    if random.random() < 0.15:
        dark: Degradation = Compose((Exposure(random.uniform(-4, -0.4)), WhiteBalance(balance.float())))
    else:
        # The toe of a camera's curve, where all of a dark picture lies, is steeper than the rest of it.
        dark = Tone(log_uniform(random, 0.03, 0.9) * balance, gamma=random.uniform(0.8, 2.4))
    if random.random() >= _LIT_FROM_A_SIDE:
        return dark
    sideways, downwards = random.normal(0, 0.3, 2)
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, side) for side in image.shape[-2:]), indexing="ij")
    return Compose((dark, LocalLight(0.2 * smooth(image, random) + sideways * x + downwards * y, "srgb")))


def _glare(image: Tensor, random: np.random.Generator) -> Degradation:
    """Too much light, so that the brightest part is cut off."""
    if random.random() < 0.6:
        return Exposure(random.uniform(0.4, 2.0))
    return Tone(log_uniform(random, 1.1, 2.0), gamma=random.uniform(0.6, 1.1))


def _cast(image: Tensor, random: np.random.Generator) -> Degradation:
    return _illuminant(random, 1.0)


def _illuminant(random: np.random.Generator, most: float) -> WhiteBalance:
    """Light that is warmer or colder than was thought, a little greener or more magenta; as bright as before, or with
    its strongest channel so.
    """
    linear = random.random() < 0.5
    warmth = random.uniform(-1, 1) * most * (1.5 if linear else 0.75)
    tint = random.normal(0, 0.12 * most)
    gains = np.exp(np.array([warmth / 2, tint, -warmth / 2]))
    gains /= gains.max() if random.random() < 0.5 else gains @ (0.3, 0.59, 0.11)
    return WhiteBalance(torch.from_numpy(gains).float(), "linear" if linear else "srgb")


def _unevenness(image: Tensor, random: np.random.Generator) -> Degradation:
    """A part in the shade: against the light, beside a window, beyond the reach of a lamp; and all a little off."""
    shaded = LocalLight(-random.uniform(0.5, 2.6) * shade(image, random), "linear")
    if random.random() < 0.5:
        return shaded
    return Compose((shaded, Exposure(random.uniform(-0.7, 0.8))))


def _veil(image: Tensor, random: np.random.Generator) -> Degradation:
    """A veil that hides what is far away; now and then on a picture that is too dark as well."""
    near, far = random.uniform(0, 0.6), random.uniform(0, 2.2)
    transmission = torch.exp(-(near + far * depth(image, random))).clamp(0.08, 1)
    colour = random.normal(0, 0.06 if random.random() < 0.25 else 0.015, (1, 3))
    airlight = torch.from_numpy(np.clip(random.uniform(0.6, 1.0) + colour, 0.4, 1.05)).float()
    veil = Veil(transmission, airlight, "linear" if random.random() < 0.4 else "srgb")
    return Compose((veil, Tone(random.uniform(0.55, 1.0)))) if random.random() < 0.2 else veil


def _flatness(image: Tensor, random: np.random.Generator) -> Degradation:
    """Less contrast, with greys for black and white."""
    if random.random() < 0.4:
        return Tone(random.uniform(0.3, 1.2), random.uniform(-0.1, 0.3))
    contrast = random.uniform(0.25, 0.92)
    return Tone(contrast, random.uniform(0, 1 - contrast))


def _bent(image: Tensor, random: np.random.Generator) -> Degradation:
    return Tone(random.uniform(0.9, 1.0), gamma=log_uniform(random, 0.45, 2.2))


_DAMAGE: dict[str, Callable[[Tensor, np.random.Generator], Degradation]] = {
    "dark": _darkness,
    "bright": _glare,
    "cast": _cast,
    "uneven": _unevenness,
    "veil": _veil,
    "flat": _flatness,
    "curve": _bent,
}
_ONLY_WELL_EXPOSED = frozenset({"dark", "uneven", "curve", "cast"})
