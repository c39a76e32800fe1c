"""Whether a picture tells what its tones should be."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.image.views import thumbnail

# A page: that much of it is paper, light and all alike, and but for that much else all is one ink, or beside paper.
_PAPER, _ELSE = 0.5, 0.01
_RIM = 4  # pixels from paper, into which JPEG's blocks may have carried traces of ink, and ink those of paper
_ALIKE, _INK = 6 / 255, 24 / 255  # how much levels of paper and of ink may differ
_LIGHT, _CONTRAST = 0.5, 0.2  # of paper, and of ink on it
_INKED = 0.25  # of all; more is something black before a bright sky
# A surface: all but the strongest five in a thousand of the differences between neighbours are below that share of the
# deviation, which is below that share of the mean. Of 300 held-out photographs none is, of 890 with damaged tones one;
# but of those that a Gaussian of 1.6 of 256 pixels has blurred below a veil one in eight.
_SIDE, _STRONGEST = 256, 0.995
_EDGES, _SPREAD = 0.35, 0.2
_LEAST, _ONE = 1 / 255, 1.01 / 255  # of a deviation; a step that rounding makes
_SAMPLE = 1 << 16  # pixels by which the colour of paper is told


def tells_of_light(y: Tensor) -> bool:
    """Whether there is something in y [1, 3, H, W] in [0, 1] by which it can be judged how light and how colourful it
    should be: not on a page, nor on a surface without edges, such as snow, sand or a clear sky.
    """
    return not is_page(y) and not is_surface(y)


def is_page(y: Tensor) -> bool:
    """Whether it is one ink on light paper, such as text or a drawing, as programs and scanners make it: what is no
    paper has paper beside it, or is ink, and so has no shades of its own.
    """
    apart = max(1, round(math.sqrt(y.shape[-2] * y.shape[-1] / _SAMPLE)))
    sample = y[..., ::apart, ::apart].flatten(2)
    paper = sample.median(2).values[..., None, None]  # of what more than half of the pixels are alike in
    if float(paper.mean()) < _LIGHT:
        return False
    is_paper = ((y - paper).abs().amax(1, keepdim=True) <= _ALIKE).float()
    if float(is_paper.mean()) < _PAPER:
        return False
    within = F.max_pool2d(is_paper, 2 * _RIM + 1, 1, _RIM)[0, 0] == 0  # shapes
    inner, other = y[0, :, within], y[0, :, is_paper[0, 0] == 0]  # [3, N] each
    if not other.shape[1] or inner.shape[1] > _INKED * within.numel():
        return False
    if not inner.shape[1]:  # thin lines, of which the darkest are as dark as ink
        darkest = other.mean(0).sort().values[: max(1, other.shape[1] // 10)]
        return float(paper.mean() - darkest.mean()) >= _CONTRAST
    ink = inner.median(1, keepdim=True).values
    shaded = int(((inner - ink).abs().amax(0) > _INK).sum())
    return float((paper.flatten() - ink.flatten()).mean()) >= _CONTRAST and shaded <= _ELSE * within.numel()


def is_surface(y: Tensor) -> bool:
    """Whether it is nearly of one colour, and has no edges."""
    grey = thumbnail(y.float(), _SIDE).mean(1)
    spread = float(grey.std(correction=0))
    if spread >= _SPREAD * float(grey.mean()):
        return False
    steps = torch.cat([grey.diff(dim=-1).abs().flatten(), grey.diff(dim=-2).abs().flatten()])
    if not len(steps):
        return False
    return float(steps.quantile(_STRONGEST)) < max(_EDGES * (spread + _LEAST), _ONE)
