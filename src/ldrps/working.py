"""What of a picture is worked on: its content, in the size and with the colours that the settings ask for; and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from ldrps.colour import is_grey
from ldrps.degradation import Jpeg
from ldrps.estimation.codec import codec_of
from ldrps.findings import Findings
from ldrps.image.enlarge import put_in
from ldrps.image.pad import pad_to_multiple
from ldrps.image.picture import Picture
from ldrps.image.transfer import carry_over, reduced
from ldrps.prior.base import Prior
from ldrps.settings import Settings

_COLOURED = "it is no grey picture, and was given no colours"


@dataclass(frozen=True, eq=False)
class Working:
    """A picture on its way through a restoration.

    Attributes:
        picture: the damaged one.
        seen: its content, with what is hidden filled in, [1, 3, h, w].
        small: that, reduced to the working size.
        y: that, padded to multiples of the prior's, [1, 3, H, W].
        visible: how much each pixel of y counts; None that all do.
        codec: by which the file was compressed, if y has its pixels.
        colouring: whether it is grey and wants colours.
        unheeded: what was asked for and can do nothing for it, in words.
        scale: how many times larger the result is than the picture, each way.
        crop: what was padded of a restored y, away; an enlarged one has no padding.
    """

    picture: Picture
    seen: Tensor = field(repr=False)
    small: Tensor = field(repr=False)
    y: Tensor = field(repr=False)
    visible: Tensor | None = field(repr=False)
    codec: Jpeg | None = field(repr=False)
    colouring: bool
    unheeded: tuple[str, ...]
    scale: float
    crop: Callable[[Tensor], Tensor] = field(repr=False)

    @staticmethod
    def of(picture: Picture, prior: Prior, settings: Settings) -> Working:
        """What is worked on with these settings."""
        content = picture.content
        seen = content.seen(picture.rgb)
        small = reduced(seen, settings.working_size) if settings.working_size else seen
        y, crop = pad_to_multiple(small, prior.size_multiple)
        visible = content.visible_in(small, prior.size_multiple)
        codec = codec_of(picture.original) if small is seen else None
        codec = None if codec is None else codec.at(content.window)
        colouring = settings.colourise and is_grey(seen)
        unheeded = (_COLOURED,) if settings.colourise and not colouring else ()
        crop = crop if settings.scale == 1 else _as_it_is
        return Working(picture, seen, small, y, visible, codec, colouring, unheeded, settings.scale, crop)

    def full(self, restored: Tensor) -> Tensor:
        """A restored y as the content in its full size, [1, 3, h, w], times the scale."""
        restored = self.crop(restored)
        return restored if self.small is self.seen else carry_over(self.seen, self.small, restored)

    def whole(self, restored: Tensor) -> Tensor:
        """The restored content in its place, [1, 3, *size of the picture], times the scale."""
        if self.scale != 1:
            return put_in(self.picture, self.seen, restored, self.scale)
        return self.picture.content.put_back(self.picture.rgb, self.seen, restored)


def _as_it_is(restored: Tensor) -> Tensor:
    return restored


def nothing_to_judge_by(picture: Picture, *, is_known: bool) -> Findings | None:
    """Why a picture is to be left alone: no content, or no shades, which light, haze and noise would have left.

    Where the damage is known nobody has to judge, but a picture that is hidden is left alone even so.
    """
    content = picture.content
    if content.missing == "hidden" or (content.missing and not is_known):
        return Findings(bars=content.bars, missing=content.missing)
    return None if picture.has_shades or is_known else Findings(bars=content.bars, shades=False)
