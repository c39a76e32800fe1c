"""What a picture shows, as far as a small classifier of the thousand classes of ImageNet knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ldrps.image.arrays import pixels
from ldrps.metrics.efficientnet import EfficientNetLite0
from ldrps.metrics.featdist import packaged_network

_SIDE = 224
# Kinds of things by ranges of classes: where the classifier wavers among fifty breeds, it is still a dog.
_KINDS = (
    ("fish", (0, 6), (389, 397)), ("bird", (7, 24), (80, 100), (127, 146)), ("reptile", (25, 68)),
    ("spider", (70, 77)), ("shellfish", (118, 124)), ("whale", (147, 148)), ("dog", (151, 268)), ("wolf", (269, 275)),
    ("fox", (277, 280)), ("cat", (281, 287)), ("big cat", (288, 293)), ("bear", (294, 297)), ("insect", (300, 320)),
    ("butterfly", (321, 326)), ("rabbit", (330, 332)), ("deer", (349, 353)), ("monkey", (365, 384)),
    ("elephant", (385, 386)), ("food", (924, 935), (959, 968)), ("vegetable", (936, 947)), ("fruit", (948, 957)),
    ("coast", (973, 978)), ("mountain", (970, 970), (972, 972), (979, 980)), ("flower", (984, 986)),
    ("mushroom", (991, 997)), ("person", (981, 983)),
)  # fmt: skip
_CAR = (407, 436, 468, 511, 609, 627, 656, 661, 717, 751, 817)
_TRUCK = (555, 569, 675, 864, 867)
_BOAT = (403, 472, 484, 510, 554, 576, 625, 628, 724, 780, 814, 833, 871, 914)
_BUILDING = (425, 483, 497, 500, 536, 538, 580, 663, 668, 682, 698, 706, 727, 743, 832, 873, 884, 900)
_CLOTHES = (399, 400, 411, 568, 578, 601, 608, 610, 614, 617, 655, 689, 735, 775, 834, 841, 869, 906)
_INSTRUMENT = (
    401,
    402,
    420,
    432,
    486,
    513,
    541,
    546,
    558,
    566,
    577,
    579,
    593,
    594,
    642,
    683,
    684,
    687,
    776,
    875,
    881,
    889,
)
_LISTED = (("car", _CAR), ("truck", _TRUCK), ("boat", _BOAT), ("building", _BUILDING), ("clothes", _CLOTHES),
           ("musical instrument", _INSTRUMENT))  # fmt: skip


class Tag(NamedTuple):
    """A name and its probability, 0 to 1."""

    name: str
    probability: float


class Tagger:
    """Names the subject of pictures.

    Raises:
        PriorError: no network is given, and the package that brings its weights is not installed.
    """

    def __init__(self, network: EfficientNetLite0 | None = None, *, sure: float = 0.4) -> None:
        self._network = network or packaged_network("the tagger")
        self._sure = sure
        self._classes = class_names()

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> list[Tag | None]:
        """The subject of each of images [B, 3, H, W] in [0, 1]: a class, else a kind of thing, or None if unsure."""
        return [self._subject(row) for row in self._probabilities(_seen(images))]

    @torch.inference_mode()
    def agreed(self, versions: Sequence[Tensor]) -> Tag | None:
        """The subject of one picture of which there are versions [3, H, W] in [0, 1], of any size each: their mean."""
        seen = torch.cat([_seen(version[None]) for version in versions])
        return self._subject(self._probabilities(seen).mean(0))

    def of_image(self, image: Image.Image) -> Tag | None:
        """The subject of one PIL image."""
        return self(pixels(np.asarray(image.convert("RGB"))))[0]

    def _probabilities(self, seen: Tensor) -> Tensor:
        """Of each class for images [B, 3, 224, 224] in [0, 1]: [B, 1000] on the CPU."""
        return self._network.logits(seen).softmax(1).cpu()

    def _subject(self, probabilities: Tensor) -> Tag | None:
        best = int(probabilities.argmax())
        if probabilities[best] >= self._sure:
            return Tag(self._classes[best], float(probabilities[best]))
        kinds = [Tag(name, float(probabilities[classes].sum())) for name, classes in _kinds()]
        kind = max(kinds, key=lambda tag: tag.probability)
        return kind if kind.probability >= self._sure else None


def _seen(images: Tensor) -> Tensor:
    return F.interpolate(images, (_SIDE, _SIDE), mode="bicubic", antialias=True).clamp(0, 1)


@lru_cache
def class_names() -> tuple[str, ...]:
    """The first name of each class of ImageNet, in lower case, in the order of the classifier's answers."""
    return tuple((Path(__file__).parent / "classes.txt").read_text(encoding="utf-8").splitlines())


@lru_cache
def _kinds() -> tuple[tuple[str, list[int]], ...]:
    ranged = ((name, [k for first, last in ranges for k in range(first, last + 1)]) for name, *ranges in _KINDS)
    return (*ranged, *((name, list(classes)) for name, classes in _LISTED))
