"""Several restorations of one picture, each as likely as the method can tell, and where they differ."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ldrps.errors import SettingsError
from ldrps.image.picture import Picture, Source, load_picture
from ldrps.progress import OnStep
from ldrps.restorer import Restorer
from ldrps.result import Result

SPREAD_OF_WHITE = 0.1  # of a map of spread, in units of [0, 1]


@dataclass(frozen=True)
class Samples:
    """Restorations of one picture that differ in what the picture leaves open.

    Attributes:
        results: the samples.
        spread: their standard deviation at each pixel, over samples and channels: black is none, white 0.1 or more.
    """

    results: list[Result]
    spread: Image.Image


def draw_samples(
    restorer: Restorer,
    image: Source,
    count: int,
    caption: str = "",
    *,
    on_step: OnStep | None = None,
) -> Samples:
    """`count` restorations, sample k with the seed of the settings plus k; each is the same whatever the count.

    By default a sample's tones are one of those that may be, damage that may be none is undone or not by chance, and
    its grain is drawn anew; the published method draws everything anew.

    Raises:
        SettingsError: fewer than 2 samples.
        InputError, Cancelled: as restoring one picture does.
    """
    check_count(count)
    picture = image if isinstance(image, Picture) else load_picture(image)
    settings = restorer.settings
    settings = dataclasses.replace(settings, method=settings.method.sampled())
    results = []
    for k in range(count):
        seeded = dataclasses.replace(settings, seed=(settings.seed + k) % 2**64)
        result = restorer.with_settings(seeded)(picture, caption, on_step=on_step)
        results.append(dataclasses.replace(result, rgb=None))  # floats of several pictures take much memory
    return Samples(results, _spread([result.image for result in results]))


def check_count(count: int) -> None:
    """Raise SettingsError for fewer than 2 samples."""
    if not isinstance(count, int) or count < 2:
        raise SettingsError(f"samples is {count!r}; it must be at least 2, in whole numbers, to see where they differ")


def _spread(images: list[Image.Image]) -> Image.Image:
    values = np.stack([np.asarray(image.convert("RGB"), dtype=np.float32) / 255 for image in images])
    deviation = np.sqrt(values.var(0).mean(-1))
    return Image.fromarray((255 * (deviation / SPREAD_OF_WHITE).clip(0, 1)).round().astype(np.uint8))
