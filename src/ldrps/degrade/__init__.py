"""Synthetic damage with a seed, asked for in a line of text: in floating point, rounded and clipped once, at the end.

damaged = apply(Image.open("clean.png"), "haze=0.4+noise=15", seed=7)
"""

from __future__ import annotations

from ldrps.degrade.base import Kind, Pixels
from ldrps.degrade.blur import Blur, MotionBlur
from ldrps.degrade.chain import KINDS, NONE, Chain, parse, usage
from ldrps.degrade.holes import Mask, Scratches, Text
from ldrps.degrade.light import Cast, Dark, Exposure, Fade
from ldrps.degrade.loss import Downscale, Jpeg
from ldrps.degrade.noise import Camera, CorrelatedNoise, Grain, Noise, ShotNoise
from ldrps.degrade.picture import apply, seed_of, to_8bit
from ldrps.degrade.weather import Haze, Rain

__all__ = [
    "KINDS",
    "NONE",
    "Blur",
    "Camera",
    "Cast",
    "Chain",
    "CorrelatedNoise",
    "Dark",
    "Downscale",
    "Exposure",
    "Fade",
    "Grain",
    "Haze",
    "Jpeg",
    "Kind",
    "Mask",
    "MotionBlur",
    "Noise",
    "Pixels",
    "Rain",
    "Scratches",
    "ShotNoise",
    "Text",
    "apply",
    "parse",
    "seed_of",
    "to_8bit",
    "usage",
]
