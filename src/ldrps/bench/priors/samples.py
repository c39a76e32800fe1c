"""What a prior draws from pure noise."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.priors.common import to_tensor
from ldrps.errors import PriorError
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.image.views import squared
from ldrps.metrics.frechet import FrechetDistance

logger = logging.getLogger(__name__)


def frechet(drawn: Tensor, photos: Sequence[Image.Image]) -> float | None:
    """The distance of samples to photos; None where there are too few, or the network is not installed."""
    if len(drawn) < 2 or len(photos) < 2:
        return None
    real = torch.cat([squared(to_tensor(photo), drawn.shape[-1]) for photo in photos])
    try:
        return float(FrechetDistance.from_package()(drawn, real))
    except PriorError as error:
        logger.warning("no Frechet distance: %s", error)
        return None


def sample_sheet(drawn: Tensor) -> Image.Image:
    """Eight in a row."""
    pictures = [(to_pil(picture), "") for picture in drawn] or [(Image.new("RGB", (32, 32)), "no samples")]
    return contact_sheet([pictures[start : start + 8] for start in range(0, len(pictures), 8)])
