"""What the compression that a picture has been through did to it: told by its file, or by its traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ldrps.degradation import Jpeg, JpegResidue
from ldrps.degradation.jpeg import BASES, BLOCK, tables
from ldrps.estimation.damage import Estimate
from ldrps.image.original import Original
from ldrps.image.tiles import Window
from ldrps.image.views import mosaic

# What the first compression did is larger than what the same does again on another grid, as that meets a picture which
# has lost some of its detail: 1.16 times, 1.06 to 1.3 for nine in ten of 24 held-out photographs at qualities 10 to 90.
_AGAIN = 1.16
_OTHER = 4  # pixels, both ways, from one grid of blocks to another
# Of the steps of quality 50: what programs take unless told otherwise, 75, has 0.5, and is as good as files are; with
# those themselves blocks are seen.
_GOOD, _COARSE = 0.55, 1.0
_CLEARLY = 1.2  # times as coarse: neighbouring qualities, and tables of other programs, leave traces that are alike
_ANY = 1e6  # a step that every coefficient fits
_FINE = 5  # the sum of the frequencies of a step, up to which it counts: that of others is rarely more than 0


def codec_of(original: Original | None) -> Jpeg | None:
    """The compression of the file that a picture is from, if it is a JPEG that was not turned since: of one that was,
    blocks begin wherever its sides end.
    """
    if original is None or not original.tables or original.turned:
        return None
    luma, chroma = original.tables[0], original.tables[min(1, len(original.tables) - 1)]
    steps = torch.tensor([luma, chroma], dtype=torch.float64).reshape(2, 8, 8).clamp_min(1)
    return Jpeg(steps, original.subsampling)


@torch.no_grad()
def estimated_residue(
    codec: Jpeg, y: Tensor, undone: Callable[[Tensor], Tensor] = lambda y: y, side: int = 512
) -> Estimate[JpegResidue]:
    """What the codec has done to y [1, 3, H, W], told by what it does again on another grid, and whether it is worth
    the name of damage; as it is when something else is `undone`, such as tones, which makes it more or less.

    Of a large picture no more than side^2 pixels are looked at.
    """
    other = codec.at(Window(_OTHER, _OTHER, *y.shape[-2:]))
    before = mosaic(y, side)
    again = mosaic(y, side, lambda part, window: other.at(window)(part).clamp(0, 1))
    level, as_given = (
        float((a - b).square().mean().sqrt()) for a, b in ((undone(again), undone(before)), (again, before))
    )
    place = (coarseness(codec) * level / max(as_given, 1e-9) - _GOOD) / (_COARSE - _GOOD)
    return Estimate(JpegResidue(_AGAIN * level), min(max(0.25 + place / 2, 0.0), 1.0))


def coarser(codec: Jpeg | None, traced: Jpeg | None) -> Jpeg | None:
    """Of what a file says and what traces say the coarser; the file, which knows its colours too, if they are alike."""
    if traced is None:
        return codec
    if codec is not None and coarseness(traced) < _CLEARLY * coarseness(codec):
        return codec
    return traced


def of_luma_alone(codec: Jpeg) -> Jpeg:
    """The same, of which the steps of colours say nothing: what the traces of luma leave open of them is a guess."""
    steps = codec.quantisation.clone()
    steps[1] = _ANY
    return replace(codec, quantisation=steps)


def coarseness(codec: Jpeg) -> float:
    """How coarse the steps of brightness are beside those of quality 50 of one of the `BASES`, that which they are most
    like: a factor.
    """
    fine = torch.tensor([[u + v <= _FINE for v in range(BLOCK)] for u in range(BLOCK)])
    bases = [tables(50, base)[0] for base in BASES]
    ratios = [(codec.quantisation[0] / each)[fine] for base in bases for each in (base, base.mT)]
    return float(min(ratios, key=lambda ratio: float(ratio.log().std())).mean())
