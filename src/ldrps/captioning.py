"""Asking a captioner about a damaged picture, with the picture as it may have been before as a hint."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from PIL import Image

from ldrps.align.tone import find_tone
from ldrps.caption.base import Caption, Captioner, Hints
from ldrps.image.arrays import to_pil
from ldrps.image.picture import Picture
from ldrps.prior.base import Prior

_SIDE = 256  # pixels of the longer side of the hint
_UNDAMAGED = 0.5  # prior probability: what is only shown to a captioner may be corrected lightly


def ask(captioner: Captioner, picture: Picture, prior: Prior, path: Path | None = None) -> Caption:
    """What the captioner says about a picture.

    Args:
        captioner: who is asked.
        picture: the damaged picture.
        prior: its tone posterior, if it has one, says what the picture's tones should be.
        path: where the picture is from, for captioners that look beside it.
    """
    versions = [] if prior.tone is None else [_corrected(picture, prior)]
    return captioner.describe(to_pil(picture.content.seen(picture.rgb)[0]), Hints(path=path, versions=versions))


def _corrected(picture: Picture, prior: Prior) -> Image.Image:
    assert prior.tone is not None
    seen = picture.content.seen(picture.rgb)
    shrink = min(1.0, _SIDE / max(seen.shape[-2:]))
    height, width = (max(1, round(side * shrink)) for side in seen.shape[-2:])
    small = F.interpolate(seen, (height, width), mode="area").to(prior.device)
    return to_pil(find_tone(small, prior.tone, 1.0, _UNDAMAGED).undo(small)[0])
