"""What of a picture is photograph: no bars of one colour along its sides, nothing that is hidden by transparency.

Only that decides what is done, and only that is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.image.fill import filled
from ldrps.image.limits import MIN_SIDE
from ldrps.image.pad import pad_to_multiple
from ldrps.image.room import room
from ldrps.image.tiles import Window

_LEVEL = 1 / 255
_FRAMES = 3  # a frame within a frame, such as the mount of a slide and the edge of the film
_LEAST = 0.25  # of a side: a picture that its bars leave less of has none
_CELLS = 8  # of a line along a bar: each has the bar's colour
_RIPPLE = 3 * _LEVEL  # the deviation of noise and of JPEG that a bar may have
_THINNEST = 2  # lines
_SMEAR = 19  # lines beside the edge of a bar that JPEG ripples, in blocks of 16
_BEYOND = 16  # lines that must follow a bar, and tell how much the photograph differs from it
_SMEARED = 0.4  # of that difference, anywhere along a line: less is still the bar
_ABRUPT = 0.5  # of that difference, that most of a line makes within three
_GRID = 8  # cells a side on which structure is looked for
_FAINT = 4 * _LEVEL  # the deviation of cells that may be noise: more is structure, such as that of a halftone


@dataclass(frozen=True, eq=False)
class Content:
    """The photograph in a picture.

    Attributes:
        window: where it is.
        visible: how visible its pixels are, [1, 1, h, w], from 0 to 1 for the most visible; None where all are alike.
        bars: how many pixels were left out, by side; sides without a bar are left out.
        missing: why there is nothing to judge by: all is "hidden", or "flat", of one colour but for noise; else "".
    """

    window: Window
    visible: Tensor | None = field(default=None, repr=False)
    bars: dict[str, int] = field(default_factory=dict)
    missing: Literal["", "hidden", "flat"] = ""

    def seen(self, rgb: Tensor) -> Tensor:
        """The content of the picture [1, 3, H, W], what is hidden in it filled from what is visible: [1, 3, h, w]."""
        inside = self.window.of(rgb)
        if self.visible is not None:
            return filled(inside, self.visible)
        return rgb if inside.shape == rgb.shape else inside.contiguous()

    def visible_in(self, worked_on: Tensor, multiple: int) -> Tensor | None:
        """`visible`, reduced and padded as the content was to become `worked_on`, [1, 1, *its size]."""
        if self.visible is None:
            return None
        return pad_to_multiple(F.interpolate(self.visible, worked_on.shape[-2:], mode="area"), multiple)[0]

    def put_back(self, rgb: Tensor, seen: Tensor, restored: Tensor) -> Tensor:
        """The picture [1, 3, H, W] with its content restored, which was `seen`; both [1, 3, h, w].

        Bars and hidden pixels are as they were. What is partly visible was partly filled: it is given the change.
        """
        if restored.shape == rgb.shape and self.visible is None:
            return restored
        whole = room(*rgb.shape).copy_(rgb)
        place = self.window.of(whole)
        if self.visible is not None:
            partly = torch.where(self.visible > 0, place + (restored - seen), place)
            restored = torch.where(self.visible < 1, partly, restored)
        place.copy_(restored)
        return whole


def find_content(rgb: Tensor, visible: Tensor | None = None) -> Content:
    """What of a picture [1, 3, H, W] in [0, 1] is photograph; `visible` [1, 1, H, W] is its alpha, from 0 to 1."""
    window = Window(0, 0, *rgb.shape[-2:])
    if visible is not None:
        most = visible.max()
        if most == 0:
            return Content(window, missing="hidden")
        window = _around(visible[0, 0] > 0)
        visible = window.of(visible) / most  # a watermark of an even 50 % is judged as an opaque picture
    seen = Content(window, visible).seen(rgb)
    inside = _inside_bars(seen[0])
    bars = _left_out(inside, *seen.shape[-2:])
    missing: Literal["", "flat"] = "flat" if _is_flat(inside.of(seen)) else ""
    window = Window(window.top + inside.top, window.left + inside.left, inside.height, inside.width)
    visible = None if visible is None else inside.of(visible)
    if visible is not None and bool((visible == 1).all()):
        visible = None
    return Content(window, visible, bars, missing)


def _around(shown: Tensor) -> Window:
    """The smallest rectangle of at least MIN_SIDE a side with all that is shown of a mask [H, W]."""
    (top, tall), (left, wide) = (_span(shown.any(axis).nonzero(), shown.shape[1 - axis]) for axis in (1, 0))
    return Window(top, left, tall, wide)


def _span(places: Tensor, length: int) -> tuple[int, int]:
    """Where a span of at least MIN_SIDE of a length begins that has all of these places, and how long it is."""
    first, size = int(places.min()), max(int(places.max() - places.min()) + 1, MIN_SIDE)
    return min(first, length - size), size


def _inside_bars(image: Tensor) -> Window:
    """The part of an image [3, H, W] that is no bar and no frame; all of it where too little would be left."""
    height, width = image.shape[-2:]
    top, left, bottom, right = 0, 0, height, width
    for _ in range(_FRAMES):
        above, below = _bars(image[:, top:bottom, left:right])
        top, bottom = top + above, bottom - below
        before, behind = _bars(image[:, top:bottom, left:right].mT)
        left, right = left + before, right - behind
        if not above + below + before + behind:
            break
    if bottom - top < max(MIN_SIDE, _LEAST * height) or right - left < max(MIN_SIDE, _LEAST * width):
        return Window(0, 0, height, width)
    return Window(top, left, bottom - top, right - left)


def _bars(lines: Tensor) -> tuple[int, int]:
    """How many lines at the beginning and at the end of [3, L, W] are a bar."""
    if min(lines.shape[1:]) < 2 * _BEYOND:
        return 0, 0
    if all(float(end.std(-1).max()) > _RIPPLE for end in (lines[:, :_THINNEST], lines[:, -_THINNEST:])):
        return 0, 0  # as in nearly all photographs
    cell = lines.shape[2] // _CELLS
    cells = lines[..., : _CELLS * cell].unflatten(2, (_CELLS, cell))
    # What a line is mostly like: letters on paper make no edge.
    profile = torch.stack([cells.mean(-1), cells.median(-1).values])  # [2, 3, L, cells]
    deviations = lines.std(-1)  # [3, L]
    return _depth(profile, deviations), _depth(profile.flip(2), deviations.flip(1))


def _depth(profile: Tensor, deviations: Tensor) -> int:
    """How many lines from the picture's border on are a bar; 0 where that is not sure.

    A sky, snow or a backdrop is not of one colour over its whole length, or does not end abruptly along a straight
    line: a bar is, and does.

    Args:
        profile: means and medians of the cells of each line, [2, 3, L, cells].
        deviations: of each line, [3, L].
    """
    ripple = float(deviations[:, :_THINNEST].max())
    if ripple > _RIPPLE:
        return 0
    tolerance = _LEVEL / 2 + ripple
    colour = profile[0, :, :_THINNEST].mean((1, 2))
    means, medians = (profile - colour[:, None, None]).abs().amax(1)  # apart from it, [L, cells] each
    same = (means.amax(1) < tolerance) & (deviations.amax(0) < 2 * tolerance)
    depth = int(same.int().cumprod(0).sum())
    step = medians.median(1).values  # of most of a line
    found = range(max(depth, 1), min(depth + _SMEAR, len(step) - _BEYOND))
    if depth < _THINNEST or not found:
        return 0
    steepest = max(found, key=lambda line: float(step[line] - step[line - 1]))
    for edge in (steepest, depth):
        contrast = float(step[edge : edge + _BEYOND].median())
        rippled, risen = float(means[edge - 1].max()), float(step[edge + 2])
        if contrast > 3 * tolerance and rippled < _SMEARED * contrast and risen - rippled > _ABRUPT * contrast:
            return edge
    return 0


def _left_out(inside: Window, height: int, width: int) -> dict[str, int]:
    """How many pixels of a picture are outside of a part of it, by the sides where any are."""
    right, bottom = width - inside.left - inside.width, height - inside.top - inside.height
    sides = {"left": inside.left, "top": inside.top, "right": right, "bottom": bottom}
    return {side: pixels for side, pixels in sides.items() if pixels}


def _is_flat(image: Tensor) -> bool:
    """Whether an image [1, 3, H, W] has no structure, or none that its noise would not have made.

    What even and odd columns have in common is structure, where they differ is noise.
    """
    pairs = image[..., : image.shape[-1] // 2 * 2]
    even, odd = (F.adaptive_avg_pool2d(pairs[..., k::2], _GRID) for k in (0, 1))
    common, apart = (float(cells.var((2, 3)).mean()) for cells in ((even + odd) / 2, (even - odd) / 2))
    return common < min((_LEVEL / 2) ** 2 + 2 * apart, _FAINT**2)
