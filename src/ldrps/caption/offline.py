"""A caption without a language model: the subject that a small classifier sees, and what the picture looks like."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.caption.look import compose_caption, describe_look
from ldrps.caption.tagger import Tagger
from ldrps.errors import PriorError
from ldrps.image.arrays import pixels
from ldrps.image.tones import autogamma, stretch

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

_SIDE = 256  # pixels: the classifier sees 224, the look words 16
_MEAN = 0.45  # that of photographs
_LOOK_ALONE = 0.3  # confidence in a caption that names no subject
_LONGEST = 200  # characters
_DULL = {"very dark", "dark", "low contrast"}


class OfflineCaptioner:
    """Names the subject on which the classifier agrees over versions of the picture, then colours and layout.

    Args:
        tagger: the classifier; None takes the packaged one, or does without where it is not installed.
    """

    name = "offline"

    def __init__(self, tagger: Tagger | None = None) -> None:
        self._tagger = tagger
        self._looked_for = tagger is not None

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The subject first, if any, then what the picture looks like with its tones in order. Never fails."""
        began = time.perf_counter()
        given = [_planes(version) for version in hints.versions]
        original = _planes(image)
        stretched = _toned(stretch, original)
        tag = None
        tagger = self._packaged()
        if tagger is not None:
            tag = tagger.agreed([original, stretched, _toned(partial(autogamma, mean=_MEAN), original), *given])
        look = describe_look(original)
        if given:
            look = describe_look(given[-1])
        elif _DULL & set(look):
            look = describe_look(stretched)
        text = compose_caption(_bounded([tag.name if tag else "", *look]))
        confidence = tag.probability if tag else _LOOK_ALONE
        return Caption(text, source=self.name, confidence=confidence, seconds=time.perf_counter() - began)

    def _packaged(self) -> Tagger | None:
        if not self._looked_for:
            self._looked_for = True
            try:
                self._tagger = Tagger()
            except PriorError as error:
                logger.warning("captions only say what pictures look like, not what they show: %s", error)
        return self._tagger


def _planes(image: Image.Image) -> Tensor:
    """A PIL image to float32 [3, h, w] in [0, 1], of at most `_SIDE` pixels a side."""
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    return pixels(np.asarray(small))[0]


def _toned(tool: Callable[[NDArray[np.float32]], NDArray[np.float32]], x: Tensor) -> Tensor:
    """[3, h, w] after a tool for tones."""
    return torch.from_numpy(tool(x.permute(1, 2, 0).numpy())).permute(2, 0, 1)


def _bounded(words: list[str]) -> Iterator[str]:
    """The words as long as they fit."""
    room = _LONGEST
    for word in words:
        room -= len(word) + 2
        if room < 0:
            return
        yield word
