"""Marks on a picture, found: which pixels are hidden by scratches, cracks, dust, or where the picture came off."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.image.tiles import Canvas, windows
from ldrps.image.views import thumbnail

_SIDE = 2048  # pixels of the copy that is looked at: of a larger scan a scratch is as much wider
_LIKELY = 0.3  # of a pixel of a mark
# Of the surest pixel of each mark. With version 1 of the detector, of 70 held-out photographs 66 % were left alone with
# 0.98 and one of 30 single lines missed, with 0.99 76 % and four, with 0.97 57 % and one.
_SURE = 0.98
_ENOUGH = 50.0  # pixels of all marks together, each as likely as it is: less is a leaf or an eyelash
_RIM = 1  # pixels around a mark, which it has spoiled


@torch.no_grad()
def find_scratches(
    rgb: Tensor, detector: ScratchDetector, tile: int, overlap: int, visible: Tensor | None = None
) -> Tensor | None:
    """Which pixels of a picture [1, 3, H, W] in [0, 1] marks hide, bool [1, 1, H, W]; None where none is found.

    Args:
        rgb: the picture.
        detector: what is asked, of a copy of no more than 2048 x 2048 pixels.
        tile, overlap: pixels of the windows in which it looks at it, and of what they share.
        visible: how much each pixel counts, [1, 1, H, W]; what is transparent is no mark.
    """
    y = thumbnail(rgb, _SIDE)
    places = windows(y.shape[-2], y.shape[-1], tile, overlap)
    canvas = Canvas(places, y.shape[-2], y.shape[-1])
    for window in places:
        canvas.add(window, _every_way(window.of(y).to(detector.device), detector).to(y.device))
    probability = canvas.image
    if visible is not None:
        probability = probability * (thumbnail(visible, _SIDE) > 0)
    marks = _marks(probability[0, 0].numpy())
    if float(probability[0, 0].numpy()[marks].sum()) < _ENOUGH:
        return None
    found = torch.from_numpy(marks)[None, None].float()
    reach = round(_RIM * rgb.shape[-1] / y.shape[-1])
    if found.shape[-2:] != rgb.shape[-2:]:
        found = F.interpolate(found, rgb.shape[-2:], mode="nearest")
    return F.max_pool2d(found, 2 * reach + 1, 1, reach) > 0


def _every_way(y: Tensor, detector: ScratchDetector) -> Tensor:
    """The probabilities of a picture [1, 3, H, W] as it stands, mirrored and on its side: the mean of their logits."""
    mirrored = detector(y.flip(-1)).flip(-1)
    turned = detector(y.rot90(1, (2, 3))).rot90(-1, (2, 3))
    return ((detector(y) + mirrored + turned) / 3).sigmoid()


def _marks(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The likely pixels [H, W] that are joined to one of which it is sure."""
    import cv2

    likely = (probability > _LIKELY).astype(np.uint8)
    count, labels = cv2.connectedComponents(likely, connectivity=8)
    surest = np.zeros(count, np.float32)
    np.maximum.at(surest, labels.ravel(), probability.ravel())
    return np.asarray((labels > 0) & (surest[labels] > _SURE))
