"""The numbers of LD-RPS as it was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ldrps.settings.checks import take_values
from ldrps.settings.method import MethodSettings, Rounds


@dataclass(frozen=True)
class Until:
    """A weight that holds below a timestep and is zero above it: the two-stage timetable as data."""

    weight: float = 0.0
    t: int = 700

    def __post_init__(self) -> None:
        take_values(self)

    def at(self, t: int) -> float:
        return self.weight if t < self.t else 0.0


@dataclass(frozen=True)
class Alignment:
    """How F-PAM, psi(x), learns the degradation: one Adam step on S_psi per diffusion step."""

    distance: float = 0.02  # weight of MSE(psi(x), x)
    perceptual: float = 0.3  # weight of the distance of features of psi(x) and x
    adversarial: float = 0.8  # weight of -log D1(psi(x))
    learning_rate: float = 5e-4
    weight_decay: float = 1e-5
    discriminator_rate: float = 4e-5
    # The reference multiplies a weighted perceptual term above 10 by 0.2, in stage two only.
    perceptual_limit: float = 10.0
    perceptual_damping: float = 0.2

    def __post_init__(self) -> None:
        take_values(self)


@dataclass(frozen=True)
class Guidance:
    """The posterior's loss terms and when they act; the gradient of their sum times `scale` is subtracted."""

    distance: Until = Until(1.0)  # MSE(psi(x), y)
    perceptual: Until = Until(0.0)  # distance of features of psi(x) and y
    adversarial: Until = Until(0.0)  # -log D2(x - y)
    brightness: Until = Until(0.0)  # mean over cells of (grey - 0.5)^2
    chrominance: Until = Until(0.0)  # distance of the channel means
    brightness_cell: int = 32  # pixels
    scale: float = 80_000.0
    discriminator_rate: float = 4e-5

    def __post_init__(self) -> None:
        take_values(self)


@dataclass(frozen=True)
class PublishedSettings(MethodSettings):
    """LD-RPS as published: a guided and a free chain, F-PAM between picture and data, gradient of the posterior."""

    in_windows: ClassVar[bool] = False  # what F-PAM learns is of the whole picture
    knows_parts: ClassVar[bool] = False
    seconds_of_pass: ClassVar[float] = 142
    bytes_of_pixel: ClassVar[int] = 2880

    alignment: Alignment = Alignment()
    guidance: Guidance = Guidance()
    # Clamp z0 to this quantile of its absolute values (never below 1); None leaves it alone.
    clamp_quantile: float | None = 0.995
    # The reference computes the z0 that is guided from the latent *after* the step, with the old noise and timestep.
    z0_from_stepped: bool = True

    def __post_init__(self) -> None:
        take_values(self)

    def passes(self, settings: Rounds) -> float:
        """How often a picture goes through the networks."""
        return settings.steps * (1 + settings.renoise * settings.recurrences)
