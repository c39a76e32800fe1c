"""The forward model y = A(x) + n, part by part: what each part A can do.

Degradations of a picture are applied from the first to the last, and undone from the last to the first:

    x -> veil -> light -> blur -> sampling -> (noise) -> clipping, rounding -> holes -> JPEG = y
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from ldrps.degradation.parameter import Parameter, broadcast, by_strength, per_picture
from ldrps.degradation.solve import conjugate_gradients, gauss_newton, root_between, slope_of, vjp
from ldrps.errors import InputError
from ldrps.image.tiles import Window

_FAR = 8.0  # of [0, 1]: what was darkened to nothing may have been anything


class Degradation(ABC):
    """One part A of the forward model; its subclasses are frozen dataclasses.

    Pictures are floating [B, C, H, W], nominally in [0, 1]; the type and the device of the result are those of the
    input, and so are the gradients, but where something is rounded. Nothing is clipped unless a class says so.
    Parameters may differ between the pictures of a batch, see `Parameter`.

    A part that is *absent* (no gain, no blur, nothing hidden) is the identity, to the bit.

    Attributes:
        kind: its name in plain data.
    """

    kind: ClassVar[str]

    def __call__(self, x: Tensor) -> Tensor:
        """A(x), for x [B, C, H, W].

        Raises:
            InputError: x is not floating, not of four dimensions, or not of a size that the part was made for.
        """
        return self._unless_absent(self._apply, x)

    def invert(self, y: Tensor) -> Tensor:
        """The x to start from when y is all that is known: exact for tones (but near black, where the slope of a power
        is limited), regularised for blur, an enlargement for what was reduced, y itself where nothing better is known.
        """
        return self._unless_absent(self._invert, y)

    def slope(self, y: Tensor) -> Tensor:
        """|d invert / d y|, shaped as `invert(y)`: the factor by which inverting raises the noise of y."""
        return self._unless_absent(self._slope, y, torch.ones_like)

    def data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        """argmin over x of |A(x) - y|^2 / sigma_y^2 + |x - x0|^2 / sigma_x^2 (DiffPIR, Zhu et al. 2023, eq. 13).

        In closed form where there is one, else by iterations: of A that is not linear, to a stationary point.

        Args:
            x0: what the prior expects, [B, C, H, W].
            y: the data, shaped as A(x0).
            sigma_x, sigma_y: deviations of both, above 0; see `Parameter`.
        """
        require_pictures(x0)
        require_pictures(y)
        absent = self.absent.to(x0.device)
        if bool(absent.all()):
            return weighted_mean(x0, y, sigma_x, sigma_y)
        step = self._data_step(x0, y, sigma_x, sigma_y)
        if not bool(absent.any()):
            return step
        return torch.where(per_picture(absent, x0.ndim), weighted_mean(x0, y, sigma_x, sigma_y), step)

    def at(self, window: Window) -> Degradation:
        """The same damage in a part of the picture, equal to it within `window` less `support` pixels.

        Raises:
            InputError: the window does not begin or end where the part needs it to, such as on a whole pixel of y.
        """
        return self

    def output_window(self, window: Window) -> Window:
        """Where a window of x lies in A(x)."""
        return window

    @property
    def support(self) -> int:
        """How many pixels of x around its own place a pixel of A(x) depends on."""
        return 0

    def scaled(self, strength: float) -> Degradation:
        """The same damage, `strength` times as strong: itself for 1, nothing at all for 0, to the bit.

        What is scaled is the parameter, such as stops of light, the width of a blur, the logarithm of a gain; pictures
        are never blended. The result has no steps as the strength grows, but for parts that only work in whole steps or
        not at all: their class says so. Nothing at all is an empty `Compose`, whatever the part was.

        Raises:
            SettingsError: the strength is below 0 or no finite number, or a parameter leaves its range.
        """
        from ldrps.degradation.compose import Compose  # which is built on this module

        return by_strength(strength, self, self._scaled, Compose)

    @property
    @abstractmethod
    def absent(self) -> Tensor:
        """Whether the part does nothing: bool [] or [B]."""

    @abstractmethod
    def words(self) -> str:
        """What was done, in a few words for people: "blurred by 1.6 px"; of a batch, of its first picture."""

    def plain(self) -> dict[str, Any]:
        """Kind and parameters as plain data for JSON, which `from_plain` turns back."""
        return {"kind": self.kind, **plain_fields(self)}

    @abstractmethod
    def _apply(self, x: Tensor) -> Tensor:
        """A(x), where the part is not absent."""

    @abstractmethod
    def _scaled(self, strength: float) -> Self:
        """`scaled`, for a strength above 0."""

    def _invert(self, y: Tensor) -> Tensor:
        return y

    def _slope(self, y: Tensor) -> Tensor:
        return torch.ones_like(y)

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        return gauss_newton(self._apply, x0, y, broadcast(sigma_x, x0), broadcast(sigma_y, y))

    def _unless_absent(
        self, function: Callable[[Tensor], Tensor], x: Tensor, otherwise: Callable[[Tensor], Tensor] = lambda x: x
    ) -> Tensor:
        require_pictures(x)
        absent = self.absent.to(x.device)
        if bool(absent.all()):
            return otherwise(x)
        made = function(x)
        return torch.where(per_picture(absent, x.ndim), otherwise(x), made) if bool(absent.any()) else made


class Pointwise(Degradation):
    """A part under which each value becomes another, by a rising function of its own place and channel."""

    @property
    def is_affine(self) -> bool:
        """Whether that function is a straight line, y = g x + o."""
        return False

    @abstractmethod
    def _invert(self, y: Tensor) -> Tensor: ...

    def _slope(self, y: Tensor) -> Tensor:
        return slope_of(self._invert, y)

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        if self.is_affine:
            return affine_step(self._apply, x0, y, sigma_x, sigma_y)
        return pointwise_step(self._apply, self._invert(y), x0, y, sigma_x, sigma_y)


class Linear(Degradation):
    """A part that is linear in x."""

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y, shaped as x: <A x, y> = <x, A* y>."""
        return self._unless_absent(self._adjoint, y)

    def _adjoint(self, y: Tensor) -> Tensor:
        """Here by differentiation, which is exact: the gradient of <A x, y> in x."""
        x = y.new_zeros(*y.shape[:-2], *self.clean_size(y))
        return vjp(self._apply, x)[1](y)[0]

    def clean_size(self, y: Tensor) -> tuple[int, int]:
        """(H, W) of the x that y is made of."""
        return y.shape[-2], y.shape[-1]

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        return linear_step(self._apply, self._adjoint, x0, y, sigma_x, sigma_y)


class Projection(Degradation):
    """A part that loses information and adds no noise: what is known of x is that it lies in a set."""

    @abstractmethod
    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """Of the pictures of which A makes y, the one nearest to x."""

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        return self.project(x0, y)  # whatever the levels are: inside the set y prefers nothing


def require_pictures(x: Tensor) -> None:
    """Raise InputError unless x is floating [B, C, H, W] with pixels."""
    if not x.is_floating_point():
        raise InputError(f"the picture is of type {x.dtype}: give floats in [0, 1], x / 255 if it holds bytes")
    if x.ndim != 4 or x.numel() == 0:
        raise InputError(f"the picture has shape {list(x.shape)}: give [B, C, H, W] with pixels")


def pointwise_step(
    a: Callable[[Tensor], Tensor], exact: Tensor, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter
) -> Tensor:
    """The data step of a rising function of each value, `exact` being the x of which it makes y."""
    weight, exact = (broadcast(sigma_x, x0) / broadcast(sigma_y, y)) ** 2, exact.clamp(-_FAR, _FAR)

    def objective(x: Tensor) -> Tensor:
        return weight * (a(x) - y) ** 2 + (x - x0) ** 2

    def gradient(x: Tensor) -> Tensor:
        return weight * (a(x) - y) * slope_of(a, x) + x - x0

    best = root_between(gradient, x0, exact)  # the solution lies between what either side asks for
    for end in (x0, exact):
        best = torch.where(objective(end) < objective(best), end, best)
    return best


def affine_step(a: Callable[[Tensor], Tensor], x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
    """The data step of y = g x + o for each value."""
    gain, ratio = slope_of(a, x0), (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2
    return x0 + gain * (y - a(x0)) / (gain**2 + ratio)


def linear_step(
    a: Callable[[Tensor], Tensor],
    adjoint: Callable[[Tensor], Tensor],
    x0: Tensor,
    y: Tensor,
    sigma_x: Parameter,
    sigma_y: Parameter,
) -> Tensor:
    """The data step of a linear map by conjugate gradients: x = x0 + d, (A* A / sigma_y^2 + 1 / sigma_x^2) d =
    A* (y - A x0) / sigma_y^2.
    """
    prior, data = broadcast(sigma_x, x0) ** 2, broadcast(sigma_y, y) ** 2

    def normal(d: Tensor) -> Tensor:
        return adjoint(a(d) / data) + d / prior

    return x0 + conjugate_gradients(normal, adjoint((y - a(x0)) / data))


def weighted_mean(x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
    """The data step of the identity."""
    share = 1 / (1 + (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2)
    return x0 + share * (y - x0)


def plain_fields(part: Any) -> dict[str, Any]:
    """The fields of a dataclass as plain data."""
    return {field.name: _plain(getattr(part, field.name)) for field in dataclasses.fields(part)}


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple):
        return [each.plain() if isinstance(each, Degradation) else _plain(each) for each in value]
    return value
