"""Pictures that are no photographs: pages, screens, drawings, paintings, made by chance. None has noise."""

from __future__ import annotations

import string

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

_LETTERS = string.ascii_letters + string.digits + ".,:;-()[]{}=+*/ " * 2


def graphic(size: int, random: np.random.Generator) -> Tensor:
    """A picture [1, 3, size, size] in [0, 1] of flat shapes, lines, ramps and letters, as a screen has it."""
    ground, ink = _colours(random)
    canvas = Image.fromarray(_ground(size, ground, random))
    draw = ImageDraw.Draw(canvas)
    for _ in range(random.integers(0, 8)):
        _shape(draw, size, random)
    if random.random() < 0.75:
        _text(draw, size, ink, random)
    if random.random() < 0.4:  # a scan, or a screen that was reduced
        canvas = canvas.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1)[None].float() / 255


def painting(photo: Tensor, random: np.random.Generator) -> Tensor:
    """A photo [1, 3, size, size] in [0, 1] in strokes of a brush, each of the colour that was there, more or less."""
    size = photo.shape[-1]
    levels = (255 * photo[0].permute(1, 2, 0)).round().to(torch.uint8).numpy()
    canvas = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(random.uniform(1, 3)))
    draw = ImageDraw.Draw(canvas)
    width, length, change = random.uniform(1.5, 5), random.uniform(6, 18), random.uniform(4, 25)
    count = int(random.uniform(0.4, 1.2) * size**2 / (width * length))
    places, slant = random.integers(0, size, (count, 2)), random.normal(0, 1.0)
    turns = slant + random.normal(0, random.uniform(0.1, 1.0), count)
    colours = np.clip(levels[places[:, 1], places[:, 0]] + random.normal(0, change, (count, 1)), 0, 255).astype(int)
    for (x, y), turn, colour in zip(places, turns, colours, strict=True):
        across, down = length / 2 * np.cos(turn), length / 2 * np.sin(turn)
        draw.line([x - across, y - down, x + across, y + down], tuple(map(int, colour)), max(round(width), 1))
    if random.random() < 0.5:  # it was photographed, and reduced
        canvas = canvas.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 0.8)))
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1)[None].float() / 255


def _colours(random: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of the ground and of what is written on it: dark on light, or light on dark."""
    levels, tint = (random.integers(200, 256), random.integers(0, 70)), random.integers(-12, 13, 3)
    light, dark = (tuple(int(each) for each in np.clip(level + tint, 0, 255)) for level in levels)
    return (light, dark) if random.random() < 0.6 else (dark, light)


def _ground(size: int, colour: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    flat = np.broadcast_to(np.array(colour, dtype=np.float64), (size, size, 3))
    if random.random() < 0.3:
        ramp = np.linspace(0, random.uniform(-60, 60), size)[:, None, None]
        flat = flat + (ramp if random.random() < 0.5 else ramp.transpose(1, 0, 2))
    return np.rint(np.clip(flat, 0, 255)).astype(np.uint8)


def _shape(draw: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    left, top = random.integers(-size // 4, size, 2)
    width, height = random.integers(2, size, 2)
    box = [int(left), int(top), int(left + width), int(top + height)]
    colour = tuple(int(each) for each in random.integers(0, 256, 3))
    kind = random.integers(4)
    if kind == 0:
        draw.rectangle(box, fill=colour)
    elif kind == 1:
        draw.ellipse(box, fill=colour)
    elif kind == 2:
        draw.rounded_rectangle(box, 6, outline=colour, width=int(random.integers(1, 4)))
    else:
        draw.line(box, fill=colour, width=int(random.integers(1, 4)))


def _text(draw: ImageDraw.ImageDraw, size: int, colour: tuple[int, ...], random: np.random.Generator) -> None:
    height = float(random.uniform(7, 22))
    font = ImageFont.load_default(height)
    top = random.uniform(-height, size / 3)
    while top < size * random.uniform(0.6, 1.2):
        letters = "".join(random.choice(list(_LETTERS), int(random.integers(3, 40))))
        draw.text((random.uniform(-10, size / 3), top), letters, fill=colour, font=font)
        top += height * random.uniform(1.1, 2.0)
