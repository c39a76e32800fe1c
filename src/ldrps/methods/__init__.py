"""The ways of restoring a picture, as plans that `restorer` carries out: where to start, how to go, how to end."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from ldrps.degradation import Jpeg
from ldrps.errors import SettingsError
from ldrps.estimation.codec import coarser
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimate import estimate_damage
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.jpeg_traces import traced_jpeg
from ldrps.guidance.perceptual import Features
from ldrps.methods.base import Method
from ldrps.methods.blind import Blind, steps_to_keep
from ldrps.methods.deblur import Deblurring
from ldrps.methods.enlarge import Enlarging
from ldrps.methods.ldrps import learn_damage
from ldrps.methods.published import Published
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Step
from ldrps.settings import BlindSettings, LdrpsSettings, PublishedSettings, Settings


def plan(
    y: Tensor,
    prior: Prior,
    settings: Settings,
    generator: torch.Generator,
    *,
    estimators: Estimators,
    caption: str = "",
    features: Features | None = None,
    visible: Tensor | None = None,
    size: tuple[int, int] | None = None,
    damage: Damage | None = None,
    codec: Jpeg | None = None,
) -> Generator[Step, None, Method]:
    """The method that the settings ask for, for a picture y [1, 3, H, W] in [0, 1], multiples of the prior's.

    A generator of the steps that it takes to find out what happened to the picture, if they are a chain.

    Args:
        y, prior, settings, generator, caption: of the restoration.
        estimators: who is asked what happened to the picture.
        features: what perceptual terms compare.
        visible: how visible each pixel is, [1, 1, H, W], from 0, where it is made up, to 1; None that all are.
        size: (H, W) of the picture before it was padded at the right and the bottom; None that it was not.
        damage: what happened, where somebody knows: nobody is asked.
        codec: by which the picture's file was compressed, if y has its pixels.

    Raises:
        SettingsError: features or a damage are given to a method that has no use for them.
    """
    options = settings.method
    if isinstance(options, PublishedSettings):
        if damage is not None:
            settings.require_parts()
        return Published(y, prior, settings, caption, features, generator)
    if features is not None:
        raise SettingsError(f"preset {settings.preset!r} has no perceptual term: leave the features out")
    wanted = damage is None or damage.noise_kind == "jpeg"  # else nobody asks how y was compressed
    compression = coarser(codec, traced_jpeg(y, visible)) if wanted and options.strengths.noise != 0 else codec
    if damage is not None:
        damage = damage.with_strengths(options.strengths)
    elif isinstance(options, LdrpsSettings):
        damage = yield from learn_damage(y, prior, estimators, settings, caption, visible, compression)
    else:
        damage = estimate_damage(y, prior, estimators, options, visible, compression).in_larger(settings.scale)
    if options.sample:
        damage = damage.drawn(generator)
    if isinstance(options, LdrpsSettings):
        settings = settings.with_changes(steps=options.last_steps, recurrences=0)
    if settings.scale > 1:
        enlarger = estimators.enlarger if _may_be_expected(damage, settings, options) else None
        return Enlarging(y, prior, settings, damage, caption, visible, size, enlarger)
    if damage.blur_kernel is not None:
        return Deblurring(y, prior, settings, damage, caption, visible, size)
    steps = steps_to_keep(codec, compression, y, damage)
    return Blind(y, prior, settings, damage, caption, visible, steps)


def _may_be_expected(damage: Damage, settings: Settings, options: BlindSettings) -> bool:
    """See `BlindSettings.may_be_expected`; nor where a kernel is known, for which the network would not ask, or only
    some of the noise is to go.
    """
    is_all = damage.noise is None or damage.noise.strength == 1
    return options.may_be_expected(settings) and damage.blur_kernel is None and is_all
