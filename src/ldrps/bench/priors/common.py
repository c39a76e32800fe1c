"""What the measurements of priors share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.data import data_set, tell_parts
from ldrps.bench.inputs import prepare
from ldrps.errors import InputError
from ldrps.image.arrays import pixels
from ldrps.metrics import psnr

logger = logging.getLogger(__name__)

SEED = 0


def set_pictures(name: str, roots: Sequence[Path]) -> Iterator[tuple[Tensor, Tensor]]:
    """The damaged and the clean side of a set's pictures, [1, 3, H, W] in [0, 1]; a warning where there is no set."""
    dataset = data_set(name)
    try:
        pairs = dataset.pairs(*roots)
    except InputError as error:
        logger.warning("%s", error)
        return
    tell_parts([(dataset, len(pairs))])
    for pair in pairs:
        damaged, truth = prepare(dataset, pair)
        assert truth is not None
        yield to_tensor(damaged), to_tensor(truth)


def psnr_of(restored: Tensor, clean: Tensor) -> float:
    """RGB PSNR in dB of pictures [1, 3, H, W] as 8 bits would show them."""
    return float(psnr((restored[0] * 255).round() / 255, clean[0]))


def rms(a: Tensor, b: Tensor) -> float:
    """The root mean square difference."""
    return float((a - b).pow(2).mean().sqrt())


def mean(values: Iterable[float]) -> float:
    """To four decimals, as records have it."""
    return round(float(np.mean(list(values))), 4)


def to_tensor(image: Image.Image | np.ndarray[Any, np.dtype[np.float32]]) -> Tensor:
    """A PIL image, or values [H, W, 3] in [0, 1], as [1, 3, H, W] in [0, 1]."""
    if isinstance(image, Image.Image):
        return pixels(np.asarray(image.convert("RGB")))
    return torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1)[None]


def to_array(x: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """[1, 3, H, W] as [H, W, 3]."""
    return x[0].permute(1, 2, 0).numpy()
