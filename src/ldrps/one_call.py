"""`ldrps.restore`: one picture in one call."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Unpack

import torch

from ldrps.caption.base import Caption
from ldrps.errors import InputError
from ldrps.estimation.damage import Damage
from ldrps.image.limits import MAX_PIXELS, refuse_enlarged
from ldrps.image.mask import MaskSource
from ldrps.image.picture import Picture, Source, load_picture
from ldrps.presets import preset as preset_settings
from ldrps.prior import EMBEDDED, load_prior
from ldrps.prior.base import Prior
from ldrps.restorer import Restorer
from ldrps.result import Result
from ldrps.settings import NamedSettings, check_names


def restore(
    image: Source,
    caption: Caption | str = "",
    *,
    mask: MaskSource | None = None,
    protect: MaskSource | None = None,
    preset: str = "default",
    prior: str | Path | Prior = EMBEDDED,
    damage: Damage | str | Path | None = None,
    strength: float | Mapping[str, float] | None = None,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    max_pixels: int = MAX_PIXELS,
    first_frame: bool = False,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    **settings: Unpack[NamedSettings],
) -> Result:
    """Restore one picture, of any damage: a short cut for `Restorer(load_prior(prior), settings)(image)`.

    >>> result = restore("samples/noisy.png", preset="fast", seed=3, skip=["tone"])
    >>> result.words
    'noise ... of 255'
    >>> result.image.size
    (300, 200)

    Args:
        image: a path, a PIL image, a numpy array [H, W, 3] (uint8, or floating in [0, 1]), or a torch tensor
            [3, H, W] or [1, 3, H, W] (floating in [0, 1]); at least 32 pixels a side.
        caption: what the picture should show; used by priors that know text.
        mask: what is lost of it and to be filled: white in a picture of its size, as it is shown, in part where that is
            grey; a path, a PIL image, or an array or tensor [H, W] of bool, uint8 or floats in [0, 1]. "alpha" fills
            what is transparent, and the result is opaque.
        protect: what comes back as it is, in the same way; the rest does not see its edge.
        preset: "default", "fast", "best", or one of the paper's.
        prior: "embedded", a folder, a hub id, or a loaded prior (the way to go for many pictures).
        damage: what happened to it, such as an earlier `Result.damage`, edited, or a file with one, such as a record;
            None to have it estimated.
        strength: how much of the damage is undone, 0 to 4, or of its parts by name; 1 is all of it.
        only, skip: the parts that alone are undone, or that are not: "tone", "noise", "blur".
        max_pixels: larger pictures are refused, and such as would become larger.
        first_frame: take the first of the frames or pages of a file, which is refused else.
        device: "cpu", "cuda", "mps"; None for the CPU, or for where a loaded prior is.
        dtype: precision of the prior's networks, unless it is loaded; None for float32.
        settings: any other, instead of the preset's, by name: those of `Settings`, such as `seed`, `steps`, or `scale`,
            how many times larger the result is each way, up to 8; and those of the preset's method.

    Raises:
        InputError: the image or another argument cannot be used.
        SettingsError: there is no such setting, the preset has none of that name, or its value cannot be.
        PriorError: the prior cannot be loaded.
    """
    check_names(settings, inspect.signature(restore).parameters)
    chosen = preset_settings(preset).with_changes(**settings).with_strengths(strength, only=only, skip=skip)
    if not isinstance(image, Picture):
        image = load_picture(image, max_pixels=max_pixels, first_frame=first_frame)
    refuse_enlarged(image.source, *image.size, chosen.scale, max_pixels)
    damage = Damage.load(damage, chosen.scale) if isinstance(damage, str | Path) else damage
    restorer = Restorer(_loaded(prior, device, dtype), chosen)
    return restorer(image, caption, mask=mask, protect=protect, damage=damage)


def _loaded(prior: str | Path | Prior, device: str | None, dtype: torch.dtype | None) -> Prior:
    if not isinstance(prior, Prior):
        return load_prior(prior, device=device or "cpu", dtype=dtype)
    wanted = prior.precision if dtype is None else str(dtype).removeprefix("torch.")
    if wanted != prior.precision:
        raise InputError(f"the prior is loaded in {prior.precision} and dtype is {wanted}: give it to load_prior")
    return prior if device is None else prior.to(device)
