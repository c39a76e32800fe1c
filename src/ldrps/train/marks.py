"""The shapes of marks on old prints and films, drawn by chance: scratches, cracks, folds, dust, fibres, bare spots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from ldrps.train.camera import log_uniform
from ldrps.train.places import smooth

SHARES = {"scratch": 0.34, "crack": 0.12, "fold": 0.1, "dust": 0.18, "fibre": 0.12, "bare": 0.14}
_FINER = 4  # marks are drawn so many times as large, and reduced
_BROKEN = 0.4  # of the marks, with gaps

Points = NDArray[np.float64]
Draw = Callable[[ImageDraw.ImageDraw], None]


def mark(size: int, random: np.random.Generator) -> Tensor:
    """How much of each pixel a mark of some kind hides, [1, 1, size, size] in [0, 1]; some have gaps."""
    names, shares = list(SHARES), list(SHARES.values())
    draw = _KINDS[names[random.choice(len(names), p=shares)]](size, random)
    sheet = Image.new("L", (_FINER * size, _FINER * size))
    draw(ImageDraw.Draw(sheet))
    hidden = F.avg_pool2d(torch.from_numpy(np.asarray(sheet, dtype=np.float32) / 255)[None, None], _FINER)
    if random.random() < _BROKEN:
        field = smooth(hidden, random, int(log_uniform(random, 6, size / 3)))
        hidden = hidden * torch.sigmoid((field + random.uniform(0, 1.2)) / 0.15)
    return hidden


def _scratch(size: int, random: np.random.Generator) -> Draw:
    """One, or several beside each other: nearly straight, of any length, thicker and thinner."""
    count = 1 if random.random() < 0.6 else int(random.integers(2, 7))
    turn, width = random.uniform(0, np.pi), log_uniform(random, 0.7, 5)
    if random.random() < 0.3:  # along a film, or a shelf
        turn = np.pi / 2 * random.integers(2) + random.normal(0, 0.02)
    lines = []
    for _ in range(count):
        length = log_uniform(random, 0.1, 2.0) * size
        lines.append(_path(size, length, turn + random.normal(0, 0.1), random.normal(0, 0.15), 0.0, random))
        if random.random() < 0.2:
            turn = random.uniform(0, np.pi)
    return _lines(lines, width, random)


def _fibre(size: int, random: np.random.Generator) -> Draw:
    """Hairs and threads that curl."""
    count, width = int(random.integers(1, 6)), log_uniform(random, 0.7, 2.2)
    lines = []
    for _ in range(count):
        length, turn = log_uniform(random, 0.08, 0.7) * size, random.uniform(0, 2 * np.pi)
        lines.append(_path(size, length, turn, random.normal(0, 2.5), 0.0, random))
    return _lines(lines, width, random)


def _crack(size: int, random: np.random.Generator) -> Draw:
    """Jagged, with branches."""
    width, turn = log_uniform(random, 0.7, 3), random.uniform(0, 2 * np.pi)
    lines = [_path(size, random.uniform(0.3, 1.6) * size, turn, random.normal(0, 0.5), 0.5, random)]
    for _ in range(random.integers(0, 5)):
        trunk = lines[random.integers(len(lines))]
        length = log_uniform(random, 0.05, 0.6) * size
        branch = _path(size, length, turn + random.normal(0, 1.2), random.normal(0, 0.5), 0.5, random)
        lines.append(branch - branch[0] + trunk[random.integers(len(trunk))])
    return _lines(lines, width, random)


def _fold(size: int, random: np.random.Generator) -> Draw:
    """A straight line all across, along which flakes came off."""
    along = np.pi / 2 * random.integers(2) + random.normal(0, 0.03)  # a side
    turn = along if random.random() < 0.5 else random.uniform(0, np.pi)
    line = _path(size, 3 * size, turn, random.normal(0, 0.03), 0.05, random)
    width = log_uniform(random, 1, 4)
    places = line[random.integers(0, len(line), int(random.integers(0, 40)))]
    flakes = [place + _outline(log_uniform(random, 1, 5), random) for place in places]

    def draw(pen: ImageDraw.ImageDraw) -> None:
        _lines([line], width, random)(pen)
        for flake in flakes:
            pen.polygon(_at(flake), fill=255)

    return draw


def _dust(size: int, random: np.random.Generator) -> Draw:
    """Specks, from a single pixel on."""
    radius = log_uniform(random, 0.5, 4)
    count = int(log_uniform(random, 1, 60 / max(radius, 1)))
    radii = [radius * log_uniform(random, 0.6, 1.7) for _ in range(count)]
    specks = [random.uniform(0, size, 2) + _outline(each, random) for each in radii]
    pixels = random.random() < 0.2  # of a sensor

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for speck in specks:
            if pixels:
                left, top = (_FINER * np.floor(speck.mean(0))).tolist()
                pen.rectangle([left, top, left + _FINER - 1, top + _FINER - 1], fill=255)
            else:
                pen.polygon(_at(speck), fill=255)

    return draw


def _bare(size: int, random: np.random.Generator) -> Draw:
    """Spots where the picture came off, with rough rims; some at an edge or a corner."""
    spots = []
    for _ in range(random.integers(1, 5)):
        middle = random.uniform(0, size, 2)
        if random.random() < 0.3:
            middle[random.integers(2)] = size * random.integers(2)
        spots.append(middle + _outline(log_uniform(random, 3, 0.15 * size), random, corners=40))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for spot in spots:
            pen.polygon(_at(spot), fill=255)

    return draw


def _path(size: int, length: float, turn: float, bend: float, jagged: float, random: np.random.Generator) -> Points:
    """A curve [N, 2] in pixels through some place of the picture, that starts towards `turn`, turns by `bend` radians
    on its way, evenly, and by `jagged` at every step, anyhow.
    """
    count = max(int(length / 4), 2)
    turns = turn + bend * np.linspace(-0.5, 0.5, count) + jagged * random.standard_normal(count)
    steps = length / count * np.stack([np.cos(turns), np.sin(turns)], 1)
    path = np.cumsum(steps, 0)
    through = path[random.integers(count)]
    return path - through + random.uniform(0, size, 2)


def _outline(radius: float, random: np.random.Generator, corners: int = 9) -> Points:
    """The corners [N, 2] of a rough shape around 0."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    waves = sum(random.normal(0, 0.35 / k) * np.cos(k * turns + random.uniform(0, 6.3)) for k in range(1, 7))
    reach = radius * np.exp(waves)[:, None]
    squeezed = np.array([1.0, log_uniform(random, 0.35, 1.0)])
    tilt = random.uniform(0, np.pi)
    around = np.stack([np.cos(turns), np.sin(turns)], 1) * squeezed
    rotation = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    return reach * (around @ rotation)


def _lines(lines: list[Points], width: float, random: np.random.Generator) -> Draw:
    """Curves of about that width in pixels, which changes on their way."""
    widths = [width * np.exp(0.25 * random.standard_normal(max(len(line) // 6, 1))) for line in lines]

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for line, wide in zip(lines, widths, strict=True):
            for part, each in zip(np.array_split(np.arange(len(line)), len(wide)), wide, strict=True):
                points = line[part[0] : part[-1] + 2]
                pen.line(_at(points), fill=255, width=max(round(_FINER * each), 1), joint="curve")

    return draw


def _at(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in _FINER * points]


_KINDS: dict[str, Callable[[int, np.random.Generator], Draw]] = {
    "scratch": _scratch,
    "crack": _crack,
    "fold": _fold,
    "dust": _dust,
    "fibre": _fibre,
    "bare": _bare,
}
