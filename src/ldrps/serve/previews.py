"""Pictures to look at on the page: small copies, and the state of a restoration while it runs."""

from __future__ import annotations

import io
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image

from ldrps.estimation.damage import Damage
from ldrps.image.arrays import to_pil
from ldrps.image.picture import Picture, load_picture, to_image
from ldrps.progress import Progress

SHOWN_SIDE = 1600  # pixels of the longer side of what is shown; the download has all of them
PREVIEW_SIDE, FORESEEN_SIDE = 640, 800
_WHITE = (255, 255, 255)
_RED, _BLUE = (224, 36, 36, 255), (36, 96, 224, 255)


def save_shown(image: Image.Image, path: Path) -> Path:
    """A copy for browsers as a JPEG: reduced, upon white where it is transparent, with its colour profile."""
    _jpeg(_flat(image), path, quality=92)
    return path


def save_marks(lost: Image.Image | None, kept: Image.Image | None, path: Path) -> Path:
    """Where masks are white, as a red, or a blue, over the copy of their picture that `save_shown` makes; a PNG."""
    layers = [(mask, colour) for mask, colour in ((lost, _RED), (kept, _BLUE)) if mask is not None]
    sheet = None
    for mask, colour in layers:
        small = mask.copy()
        small.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BOX)
        layer = Image.new("RGBA", small.size, colour)
        layer.putalpha(small.point(lambda level: min(255, 2 * level)))  # thin marks would pale otherwise
        sheet = layer if sheet is None else Image.alpha_composite(sheet, layer)
    assert sheet is not None
    sheet.save(path, "PNG")
    return path


def _flat(image: Image.Image) -> Image.Image:
    """The image in RGB or L, no side longer than SHOWN_SIDE."""
    profile = image.info.get("icc_profile")
    if max(image.size) > SHOWN_SIDE:
        image = image.copy()
        image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    if image.mode in ("LA", "RGBA"):
        sheet = Image.new("RGB", image.size, _WHITE)
        sheet.paste(image.convert("RGB"), mask=image.getchannel("A"))
        profile = None if image.mode == "LA" else profile  # that of grey values does not go with three channels
        image = sheet
    if profile:
        image.info["icc_profile"] = profile
    return image


def _jpeg(image: Image.Image, file: Path | io.BytesIO, quality: int) -> None:
    profile = image.info.get("icc_profile")
    image.save(file, "JPEG", quality=quality, subsampling="4:4:4", icc_profile=profile)


def with_tones_undone(shown: Path, damage: Damage) -> bytes:
    """A JPEG of a picture that is shown, no side longer than FORESEEN_SIDE, with its tones as they were.

    That takes no network, and can be had at once.
    """
    with Image.open(shown) as image:
        image.thumbnail((FORESEEN_SIDE, FORESEEN_SIDE), Image.Resampling.BOX)
        picture = load_picture(image)
    rgb, window = picture.rgb.clone(), picture.content.window
    part = window.of(rgb)
    part.copy_(damage.of_size(window.height, window.width).undo_tone(part.clone()))
    buffer = io.BytesIO()
    _jpeg(to_image(picture, rgb), buffer, quality=90)
    return buffer.getvalue()


class Preview:
    """The picture as it is by now: the damaged one, with the windows that have been worked on in their places.

    Args:
        picture: the damaged one.
        working_size, scale: of the settings that it is restored with.
    """

    def __init__(self, picture: Picture, working_size: int = 0, scale: float = 1.0) -> None:
        content = picture.content.window
        # Windows are told in pixels of what is worked on, which may be smaller than the picture's content, or larger.
        worked_on = min(1.0, working_size / max(content.height, content.width)) if working_size else scale
        shrink = min(1.0, PREVIEW_SIDE / max(picture.size))
        self._top, self._left = content.top * shrink, content.left * shrink
        self._scale = shrink / worked_on
        width, height = (max(1, round(side * shrink)) for side in picture.size)
        self._canvas = F.interpolate(picture.rgb, (height, width), mode="area")  # [1, 3, h, w]

    @torch.no_grad()
    def show(self, progress: Progress) -> bytes:
        """A JPEG of it after that step."""
        window, scale = progress.window, self._scale
        top, left = round(self._top + window.top * scale), round(self._left + window.left * scale)
        tall, wide = max(1, round(window.height * scale)), max(1, round(window.width * scale))
        part = progress.picture().cpu()
        small = F.interpolate(part, (tall, wide), mode="area" if scale <= 1 else "nearest")
        place = self._canvas[..., top : top + tall, left : left + wide]
        place.copy_(small[..., : place.shape[-2], : place.shape[-1]].clamp(0, 1))
        buffer = io.BytesIO()
        _jpeg(to_pil(self._canvas[0]), buffer, quality=85)
        return buffer.getvalue()
