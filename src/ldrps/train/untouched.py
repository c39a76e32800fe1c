"""Pictures that are right as they are, however unusual: what a judge of damage must leave alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.train.camera import log_uniform
from ldrps.train.graphics import graphic, painting
from ldrps.train.places import along_edges, smooth

# Shares of what is not damaged; the rest are photographs.
_SHARES = {
    "graded": 0.14,
    "graphic": 0.1,
    "painting": 0.12,
    "grey": 0.06,
    "surface": 0.06,
    "outlined": 0.02,
    "cut": 0.03,
}


def untouched(image: Tensor, random: np.random.Generator) -> Tensor:
    """A photograph [1, 3, S, S] in [0, 1] itself, or as one of those that people made so, or something else instead:
    a page, a screen, a painting, a flat surface.
    """
    chance = random.random()
    for name, share in _SHARES.items():
        if (chance := chance - share) < 0:
            return _MADE[name](image, random).clamp(0, 1)
    return image


def _graded(image: Tensor, random: np.random.Generator) -> Tensor:
    """As its photographer liked it: a little lighter or darker, warmer or colder, with more or less contrast."""
    power = torch.from_numpy(np.exp(random.normal(0, 0.1) + random.normal(0, 0.03, (1, 3))))
    grade = Tone(random.uniform(0.85, 1.0), random.uniform(0, 0.04), gamma=power)
    luma = image.mean(1, keepdim=True)
    return grade(torch.lerp(luma.expand_as(image), image, random.uniform(0.5, 1.3)).clamp(0, 1))


def _graphic(image: Tensor, random: np.random.Generator) -> Tensor:
    return graphic(image.shape[-1], random)


def _grey(image: Tensor, random: np.random.Generator) -> Tensor:
    """In black and white, or in one tone, some with as much contrast as a print has."""
    grey = image.mean(1, keepdim=True).expand_as(image)
    if random.random() < 0.5:
        contrast = random.uniform(1, 1.8)
        grey = (0.5 + contrast * (grey - 0.5)).clamp(0, 1)
    if random.random() < 0.3:
        toned = torch.from_numpy(np.exp(random.normal(0, 0.15, (1, 3)))).float()
        grey = Tone(gamma=toned)(grey)
    return grey


def _surface(image: Tensor, random: np.random.Generator) -> Tensor:
    """Nothing but one surface, such as snow, fur, sea or sky, with a little structure; or of one colour, all over."""
    colour = torch.from_numpy(random.uniform(0, 1, (1, 3, 1, 1))).float()
    if random.random() < 0.5:  # most surfaces are grey
        colour = torch.lerp(colour.mean().expand_as(colour), colour, random.uniform(0, 0.2))
    if random.random() < 0.25:
        return colour.expand_as(image)
    strength = log_uniform(random, 0.02, 0.3)
    luma = image.mean(1, keepdim=True)
    by_chance = random.random() < 0.5
    structure = smooth(image, random, int(random.integers(3, 20))) if by_chance else 3 * (luma - luma.mean())
    return colour * (1 + strength * structure)


def _outlined(image: Tensor, random: np.random.Generator) -> Tensor:
    """Things that are black before a bright sky, or lights in the night."""
    luma = image.mean(1, keepdim=True)
    middle = float(luma.flatten().quantile(random.uniform(0.3, 0.85)))
    front = along_edges((luma < middle).float(), image)
    return image * (1 - front * random.uniform(0.92, 1.0))


def _cut(image: Tensor, random: np.random.Generator) -> Tensor:
    """On black or white, as a product or a plate is shown."""
    side = image.shape[-1]
    ground = float(random.random() < 0.6)
    down, across = torch.meshgrid(*(torch.linspace(-1, 1, side),) * 2, indexing="ij")
    inside = (down / random.uniform(0.4, 0.9)) ** 2 + (across / random.uniform(0.4, 0.9)) ** 2
    return torch.where(inside < 1, image, ground)


_MADE = {
    "graded": _graded,
    "graphic": _graphic,
    "painting": painting,
    "grey": _grey,
    "surface": _surface,
    "outlined": _outlined,
    "cut": _cut,
}
