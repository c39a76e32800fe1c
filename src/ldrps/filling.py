"""What is lost of a picture, filled at last: from what is known, once that is as it should be."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import torch
from torch import Tensor

from ldrps.estimation.damage import Damage
from ldrps.estimation.holes import Holes
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.scratches import find_scratches
from ldrps.findings import Findings
from ldrps.image.mask import MaskSource, PixelMask
from ldrps.image.picture import Picture, Source, load_picture
from ldrps.image.tiles import Window
from ldrps.methods.fill import HoleFilling, HoleWindows
from ldrps.prior.base import Prior
from ldrps.progress import Progress, Reporter
from ldrps.settings import BlindSettings, Settings


def masked(image: Source, mask: MaskSource | None, protect: MaskSource | None, damage: Damage | None) -> Picture:
    """The picture with what is lost of it, by a mask or else by a damage that knows one, and what is protected.

    Raises:
        InputError: as `load_picture`, `Picture.with_masks` and `Holes.mask`.
    """
    picture = image if isinstance(image, Picture) else load_picture(image)
    if mask is None and picture.lost is None and damage is not None and damage.holes is not None:
        mask = damage.holes.mask()
    return picture.with_masks(mask, protect)


def with_marks(picture: Picture, detector: ScratchDetector, settings: Settings) -> Picture:
    """The picture with the marks on it, scratches and the like, as what is lost of it, if it has any.

    They are looked for where the settings ask for it: not where a mask tells what is lost, where the result is larger,
    or where there is no photograph to judge by.
    """
    method, content = settings.method, picture.content
    wanted = isinstance(method, BlindSettings) and method.scratches and settings.scale == 1
    if not wanted or picture.lost is not None or content.missing or not picture.has_shades:
        return picture
    opacity = None if picture.opacity is None else content.window.of(picture.opacity)
    found = find_scratches(content.window.of(picture.rgb), detector, settings.tile, settings.overlap, opacity)
    if found is None:
        return picture
    values = torch.zeros_like(picture.rgb[:, :1])
    content.window.of(values).copy_(found)
    return replace(picture, lost=PixelMask(values, found=True))


class Filler:
    """Fills the holes of one picture, if it has any.

    Args:
        picture: with what is `lost` of it.
        prior, settings: of the restoration.

    Attributes:
        steps: of the prior that it takes.
    """

    def __init__(self, picture: Picture, prior: Prior, settings: Settings) -> None:
        self._picture, self._prior, self._settings = picture, prior, settings
        self._windows = None if picture.lost is None else HoleWindows.of(picture.lost.values, prior, settings)
        self.steps = 0 if self._windows is None else self._windows.steps(settings)

    def fill(
        self, restored: Tensor, caption: str, reporter: Reporter, shown: Window, number: int
    ) -> Generator[Progress, None, Tensor]:
        """The restored picture [1, 3, H, W] with its holes filled; itself if it has none.

        Args:
            restored: where something is lost it decides nothing.
            caption: what the picture shows.
            reporter: of the whole restoration, whose round `number` this is.
            shown: the window in which steps are told, that of all of the content.
        """
        lost, known = self._picture.lost, self._picture.known
        if self._windows is None or lost is None or known is None:
            return restored
        filling = HoleFilling(restored, known, lost.values, self._windows, self._prior, self._settings, caption)
        content = self._picture.content.window
        x = yield from reporter.follow(filling.chain(), shown, lambda x: content.of(filling.placed(x)), number)
        return filling.placed(x)

    def told(self, findings: Findings) -> Findings:
        """Those of the rest of the restoration, with the holes."""
        lost, known = self._picture.lost, self._picture.known
        if lost is None or known is None:
            return findings
        return replace(findings, damage=replace(findings.damage or Damage(), holes=Holes.of(lost, known)))
