"""Asking a captioner about a damaged picture, with the picture as it may have been before as a hint."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from PIL import Image

from ldrps.caption.base import Caption, Captioner, Hints
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.light import estimate_light
from ldrps.image.arrays import to_pil
from ldrps.image.picture import Picture

_SIDE = 256  # pixels of the longer side of the hint
_UNDAMAGED = 0.5  # prior probability: what is only shown to a captioner may be corrected lightly


def ask(captioner: Captioner, picture: Picture, estimators: Estimators, path: Path | None = None) -> Caption:
    """What the captioner says about a picture.

    Args:
        captioner: who is asked.
        picture: the damaged picture.
        estimators: what says what the picture's tones should be.
        path: where the picture is from, for captioners that look beside it.
    """
    hints = Hints(path=path, versions=[_corrected(picture, estimators)])
    return captioner.describe(to_pil(picture.content.seen(picture.rgb)[0]), hints)


def _corrected(picture: Picture, estimators: Estimators) -> Image.Image:
    seen = picture.content.seen(picture.rgb)
    shrink = min(1.0, _SIDE / max(seen.shape[-2:]))
    height, width = (max(1, round(side * shrink)) for side in seen.shape[-2:])
    small = F.interpolate(seen, (height, width), mode="area").to(estimators.tone.device)
    return to_pil(estimate_light(small, estimators, _UNDAMAGED).undo_tone(small)[0])
