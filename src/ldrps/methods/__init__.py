"""The two ways of restoring a picture, as plans that `restorer` carries out: where to start, how to go, how to end."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.errors import SettingsError
from ldrps.estimation.estimators import Estimators
from ldrps.guidance.perceptual import Features
from ldrps.methods.base import Method
from ldrps.methods.published import Published
from ldrps.methods.short import Short
from ldrps.prior.base import Prior
from ldrps.settings import GradientPosterior, Settings


def plan(
    y: Tensor,
    prior: Prior,
    estimators: Estimators,
    settings: Settings,
    caption: str,
    features: Features | None,
    generator: torch.Generator,
    visible: Tensor | None = None,
) -> Method:
    """The method that the settings ask for, for a picture y [1, 3, H, W] in [0, 1], multiples of the prior's.

    `visible` [1, 1, H, W] says how visible each pixel is, from 0, where it is made up, to 1; None that all are.

    Raises:
        SettingsError: features are given to a method that compares none.
    """
    if isinstance(settings.posterior, GradientPosterior):
        return Published(y, prior, settings, caption, features, generator)
    if features is not None:
        raise SettingsError(f"preset {settings.preset!r} has no perceptual term: leave the features out")
    return Short(y, prior, estimators, settings, caption, generator, visible)
