"""What the rivals in pixel space have in common: a diffusion model of pixels beside their settings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ldrps.errors import SettingsError
from ldrps.image.pad import pad_to_multiple
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.model import PixelDiffusion
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run


@dataclass(frozen=True)
class PixelSettings(RivalSettings):
    """Settings of a chain of pixels.

    Attributes:
        steps: of the chain; as published, every timestep of the model.
    """

    steps: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.steps >= 2, "steps", self.steps, "2 or more, and no more than the model has timesteps")


def require(good: bool, name: str, value: object, wanted: str) -> None:
    """Refuse a setting.

    Raises:
        SettingsError: it is not good.
    """
    if not good:
        raise SettingsError(f"{name} is {value}; it must be {wanted}")


class PixelRival(Rival):
    """A rival that stands on a diffusion model of pixels.

    Args:
        facts, settings: as of any rival.
        model: the unconditional diffusion model, which also says on which device all is computed.
    """

    def __init__(self, facts: Facts, model: PixelDiffusion, settings: RivalSettings | None = None) -> None:
        super().__init__(facts, settings, device=str(model.device))
        self.model = model

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """A rival with the model that `options.weights` names, see `load_pixel_model`.

        Raises:
            PriorError: the model is missing or cannot be used.
            SettingsError: there is no such setting, or a value is out of range.
        """
        settings = cls.settings_of(facts, options)
        return cls(facts, load_pixel_model(options.weights, device=options.device), settings)

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        padded, crop = pad_to_multiple(y, self.model.size_multiple)
        chain = self.chain(padded, generator)
        while True:
            try:
                step = next(chain)
            except StopIteration as finished:
                return crop(_in_unit(finished.value))
            yield RivalStep(step.number, step.total, step.losses, crop(_in_unit(step.picture)))

    @abstractmethod
    def chain(self, y: Tensor, generator: torch.Generator) -> Generator[RivalStep, None, Tensor]:
        """As `run`, of y whose sides the model can take; but the pictures that it yields and returns are in [-1, 1]."""


def _in_unit(x: Tensor) -> Tensor:
    """[-1, 1] to [0, 1], clamped."""
    return ((x + 1) / 2).clamp(0, 1)
