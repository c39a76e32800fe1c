"""A kind of damage as people ask for it: a name, parameters with limits, and the operator that is drawn from them."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ldrps import degradation
from ldrps.errors import InputError, SettingsError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.floating[Any]]


def parameter(default: float, low: float, high: float, meaning: str) -> Any:
    """A field of a kind with the limits that it must keep, both included."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "meaning": meaning})


class Kind(ABC):
    """One kind of damage; its subclasses are frozen dataclasses, and their fields made by `parameter`.

    Pixels are float64 or float32 [H, W, 3], nominally in [0, 1]; what an earlier part of a chain lets overshoot is
    taken as it is, unless a class says otherwise. Nothing is rounded or clipped here but by JPEG, which holds bytes.

    Attributes:
        kind: its name in `parse`.
        title: what it is, in a few words.

    Raises:
        SettingsError: a parameter is not a number, not whole where it must be, or outside its limits.
    """

    kind: ClassVar[str]
    title: ClassVar[str]

    def __post_init__(self) -> None:
        for field in parameters(self):
            value, limits = getattr(self, field.name), _limits(field)
            number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not field.metadata["low"] <= value <= field.metadata["high"]:
                raise SettingsError(f"{field.name} of {self.kind} is {value!r}; it must be {limits}")
            if field.type == "int" and not isinstance(value, int | np.integer):
                raise SettingsError(f"{field.name} of {self.kind} is {value!r}; it must be a whole number, {limits}")

    def apply(self, x: Pixels, random: np.random.Generator) -> Pixels:
        """The damaged picture, of x's type and, but for a `reduction`, its size; x is left as it is.

        Raises:
            InputError: x is not floating [H, W, 3] with pixels, or too small to be reduced.
        """
        import torch

        refuse_unfit(x)
        picture = torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None]
        return self._damage(picture, random)[0].permute(1, 2, 0).numpy().astype(x.dtype)

    @property
    def reduction(self) -> int:
        """How many pixels of the clean side become one, each way."""
        return 1

    def describe(self) -> str:
        """What it does, with its figures, for people."""
        figures = [f"{field.name} {number(getattr(self, field.name))}" for field in parameters(self)]
        return f"{self.title} ({', '.join(figures)})"

    def __str__(self) -> str:
        """The text that `parse` takes, with every parameter, so that it outlives a change of defaults."""
        return f"{self.kind}=" + ",".join(number(getattr(self, field.name)) for field in parameters(self))

    @classmethod
    def usage(cls) -> str:
        """How it is written for `parse`, with limits and defaults."""
        facts = [
            f"{field.name}: {field.metadata['meaning']}, {_limits(field)}, default {number(_default(field))}"
            for field in parameters(cls)
        ]
        return f"{cls.kind}={','.join(field.name for field in parameters(cls))}  {cls.title} ({'; '.join(facts)})"

    @abstractmethod
    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Degradation | degradation.Noise:
        """The operator, or the noise, for a picture of that size (H, W); what is random about it is drawn."""

    def _damage(self, x: Tensor, random: np.random.Generator) -> Tensor:
        part = self.draw((x.shape[-2], x.shape[-1]), random)
        return part.sample(x, random) if isinstance(part, degradation.Noise) else part(x)


def parameters(kind: Kind | type[Kind]) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a kind, in the order in which they are written."""
    return dataclasses.fields(kind)  # type: ignore[arg-type]  # every subclass is a dataclass


def refuse_unfit(x: Pixels) -> None:
    """Raise InputError unless x is floating [H, W, 3] with pixels."""
    if not np.issubdtype(x.dtype, np.floating):
        raise InputError(f"the picture is of type {x.dtype}: give floats in [0, 1], x / 255 if it holds bytes")
    if x.ndim != 3 or x.shape[2] != 3 or x.size == 0:
        raise InputError(f"the picture has shape {x.shape}: give (height, width, 3) with pixels")


def number(value: float) -> str:
    """The shortest text that stands for exactly this number."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _limits(field: dataclasses.Field[Any]) -> str:
    return f"{number(field.metadata['low'])} to {number(field.metadata['high'])}"


def _default(field: dataclasses.Field[Any]) -> float:
    assert isinstance(field.default, int | float)
    return field.default
