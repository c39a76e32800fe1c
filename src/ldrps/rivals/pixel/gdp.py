"""GDP, the generative diffusion prior (Fei et al., CVPR 2023): each step is moved towards a picture that, degraded,
gives the data. The degradation is known, or it is y = A x + M and A and M are found on the way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.errors import SettingsError
from ldrps.guidance.terms import brightness, chrominance
from ldrps.image.tiles import Window
from ldrps.rivals.facts import Facts
from ldrps.rivals.pixel.model import PixelDiffusion
from ldrps.rivals.pixel.operators import Operator
from ldrps.rivals.pixel.patches import Mean, patches
from ldrps.rivals.pixel.rival import PixelRival, PixelSettings, require
from ldrps.rivals.pixel.step import PUBLISHED_SIDE, Moments, descent, guided, moments, stepped
from ldrps.rivals.rival import RivalStep
from ldrps.rivals.terms import total_variation
from ldrps.sampling.chains import Losses
from ldrps.sampling.noise import draw

_EXPOSURE_CELL, _EXPOSURE_LEVEL = 8, 0.3
# The scale at which a step along the gradient of the mean square of x - y, x and y in [0, 1], ends at y: half of twice
# the difference over all numbers, for x0 in [-1, 1], whose differences are twice as large.
_ONTO_THE_DATA = 2 * 3 * PUBLISHED_SIDE**2


class Guide(Protocol):
    """What GDP knows or learns of the degradation of one picture."""

    def correct(self, place: Window, step: Moments, x_t: Tensor) -> tuple[Tensor, Losses]:
        """What to add to the mean of the step of a patch, shaped as `x_t`, and the weighted losses there."""

    def settle(self) -> None:
        """All patches of a step were corrected."""


@dataclass(frozen=True)
class GdpSettings(PixelSettings):
    """The blind form, y = A x + M.

    Attributes:
        scale: of the guidance by the mean square of A x + M - y. The published 80,000 is applied twice in a step.
        exposure, colour, smoothness: weights, relative to that mean square, of the quality terms: Exp of cells of 8
            pixels at 0.3, the distance of the channel means, and TV of M, which moves M alone. The paper has them; the
            released code does not use them and would weigh them 0.01, 0.005 and 1.
        patch, stride: pixels; larger pictures are restored in patches that overlap.
    """

    scale: float = 160_000.0
    exposure: float = 0.0
    colour: float = 0.0
    smoothness: float = 0.0
    patch: int = 256
    stride: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scale", "exposure", "colour", "smoothness"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        require(self.patch >= 32, "patch", self.patch, "32 pixels or more")
        require(1 <= self.stride <= self.patch, "stride", self.stride, f"1 to {self.patch}, the size of a patch")


@dataclass(frozen=True)
class GdpLinearSettings(PixelSettings):
    """The form for a known degradation.

    Attributes:
        at: where the gradient is taken: at the predicted clean picture (GDP-x0) or at the noisy one (GDP-xt).
        patch, stride: as of `GdpSettings`.
    """

    at: Literal["x0", "xt"] = "x0"
    patch: int = 256
    stride: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.at in ("x0", "xt"), "at", repr(self.at), "'x0' or 'xt'")
        require(self.patch >= 32, "patch", self.patch, "32 pixels or more")
        require(1 <= self.stride <= self.patch, "stride", self.stride, f"1 to {self.patch}, the size of a patch")


class _Patched(PixelRival):
    """The chain of both forms: patch by patch the network and the guidance, then the means, then one noise for all."""

    @abstractmethod
    def guide(self, y: Tensor, places: list[Window], generator: torch.Generator) -> Guide:
        """Made for one picture y [1, 3, H, W] in [0, 1]."""

    def places(self, y: Tensor) -> list[Window]:
        """The patches of a picture [1, 3, H, W].

        Raises:
            SettingsError: the model does not take patches of that size and stride.
        """
        settings, multiple = self.settings, self.model.size_multiple
        assert isinstance(settings, GdpSettings | GdpLinearSettings)
        if max(y.shape[-2:]) > settings.patch and settings.patch % multiple:
            raise SettingsError(f"patch is {settings.patch}; {self.model.name} takes multiples of {multiple}")
        return patches(y.shape[-2], y.shape[-1], settings.patch, settings.stride)

    def chain(self, y: Tensor, generator: torch.Generator) -> Generator[RivalStep, None, Tensor]:
        assert isinstance(self.settings, PixelSettings)
        places = self.places(y)
        descending = descent(len(self.model.alphas_cumprod), self.settings.steps)
        guide = self.guide(y, places, generator)
        x_t = draw(y.shape, generator, y.device)
        for number, (t, following) in enumerate(descending, 1):
            mean, log_variance, x0 = (Mean(y.shape, places, y.device) for _ in range(3))
            losses: Losses = {}
            for place in places:
                part = place.of(x_t)
                step = moments(self.model, part, t, following)
                correction, found = guide.correct(place, step, part)
                mean.add(place, step.mean + correction)
                log_variance.add(place, step.log_variance)
                x0.add(place, step.x0)
                losses = {name: losses.get(name, 0.0) + value / len(places) for name, value in found.items()}
            guide.settle()
            noise = None if following is None else draw(y.shape, generator, y.device)
            x_t = stepped(mean.field, log_variance.field, noise)
            yield RivalStep(number, len(descending), losses, x0.field)
        return x_t


class Gdp(_Patched):
    """GDP where only the form of the degradation is known, y = A x + M: one number A, one map M for all channels."""

    settings_type = GdpSettings

    def guide(self, y: Tensor, places: list[Window], generator: torch.Generator) -> Guide:
        assert isinstance(self.settings, GdpSettings)
        return AffineGuide(y, places, generator, self.settings)


class GdpLinear(_Patched):
    """GDP where the degradation is known: an operator of ours, or of the caller's making. It is not blind."""

    settings_type = GdpLinearSettings

    def __init__(
        self, facts: Facts, model: PixelDiffusion, operator: Operator, settings: GdpLinearSettings | None = None
    ) -> None:
        super().__init__(facts, model, settings)
        self.operator = operator

    def guide(self, y: Tensor, places: list[Window], generator: torch.Generator) -> Guide:
        assert isinstance(self.settings, GdpLinearSettings)
        # A chain that leaves timesteps out would be held to the data by as much less. The blind form is near the limit
        # above which its guidance overshoots, and stays as it is.
        stride = len(self.model.alphas_cumprod) / self.settings.steps
        return KnownGuide(y, self.operator, self.settings.at, stride)


class AffineGuide:
    """A and M of y = A x + M, learned by plain descent of rate 1 while they guide.

    Args:
        y: the data, [1, 3, H, W] in [0, 1].
        places: the patches in which it is restored.
        generator: draws where A and M begin.
        settings: scale and quality terms.
    """

    def __init__(self, y: Tensor, places: list[Window], generator: torch.Generator, settings: GdpSettings) -> None:
        self.settings, self._y, self._places = settings, y, places
        self.gain = float(torch.randn((), generator=generator)) / 100  # A
        height, width = y.shape[-2:]
        self.offset = torch.rand((1, 1, height, width), generator=generator).to(y.device) / 1e4  # M
        self._forget()

    def correct(self, place: Window, step: Moments, x_t: Tensor) -> tuple[Tensor, Losses]:
        x0 = step.x0.detach().requires_grad_()
        gain = torch.tensor(self.gain, device=x0.device, requires_grad=True)
        offset = place.of(self.offset).clone().requires_grad_()
        x, settings = (x0 + 1) / 2, self.settings
        terms = {"distance": F.mse_loss(Tone(gain, offset)(x), place.of(self._y))}
        if settings.exposure:
            terms["exposure"] = settings.exposure * brightness(x, _EXPOSURE_CELL, _EXPOSURE_LEVEL)
        if settings.colour:
            terms["colour"] = settings.colour * chrominance(x)
        if settings.smoothness:
            terms["smoothness"] = settings.smoothness * total_variation(offset)
        loss = torch.stack(list(terms.values())).sum()
        at_x0, at_gain, at_offset = torch.autograd.grad(loss, (x0, gain, offset))
        self._gains.append(self.gain - float(at_gain))
        # As of the guidance, a gradient of a mean over the pixels of the published size.
        self._offsets.add(place, (offset + guided(at_offset, 1.0)).detach())
        return guided(at_x0, settings.scale), {
            f"posterior/{name}": float(term.detach()) for name, term in terms.items()
        }

    def settle(self) -> None:
        """A and M become the means of what the patches made of them."""
        self.gain, self.offset = sum(self._gains) / len(self._gains), self._offsets.field
        self._forget()

    def _forget(self) -> None:
        self._gains: list[float] = []
        self._offsets = Mean(self.offset.shape, self._places, self.offset.device)


class KnownGuide:
    """The gradient of the mean square of D(x) - y, and of the colour term that goes with D.

    Args:
        y: the data, [1, 3, H, W] in [0, 1].
        operator: D.
        at: "x0" or "xt", as of `GdpLinearSettings`.
        stride: for how many timesteps a step stands.
    """

    def __init__(self, y: Tensor, operator: Operator, at: Literal["x0", "xt"], stride: float = 1.0) -> None:
        self._y, self._operator, self._at = y, operator, at
        self._stride = min(stride, _ONTO_THE_DATA / operator.scale)  # no step leads beyond the data

    def correct(self, place: Window, step: Moments, x_t: Tensor) -> tuple[Tensor, Losses]:
        operator = self._operator.at(place)
        point = (step.x0 if self._at == "x0" else x_t).detach().requires_grad_()
        degraded = operator.degradation((point + 1) / 2)
        terms = {"distance": operator.scale * F.mse_loss(degraded, operator.observed(place.of(self._y)))}
        if operator.colour:
            terms["colour"] = operator.colour * chrominance(point)
        (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), point)
        return guided(gradient, self._stride), {
            f"posterior/{name}": float(term.detach()) for name, term in terms.items()
        }

    def settle(self) -> None:
        """Nothing is learned."""
