"""What all networks of ours have in common: each knows the sizes that it was made with.

The base classes of diffusers do as much, and more that no network of ours has a use for; but to import them takes
longer than to import torch, and than to restore a small picture.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import torch
from torch import nn

Made = TypeVar("Made", bound="Network")
Sizes = ParamSpec("Sizes")


class Network(nn.Module):
    """A network that can be made again by its configuration.

    Attributes:
        config: all arguments of its `__init__`, which is `configured`, by name.
        lower: what its convolutions and matrix products are computed in; None for the precision of its weights.
    """

    config: dict[str, Any]
    lower: torch.dtype | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A network of such sizes, untrained; what `__init__` does not take is let be.

        Raises:
            TypeError: a size that has no default is missing.
        """
        known = list(inspect.signature(cls).parameters)
        return cls(**{name: value for name, value in config.items() if name in known})

    def computing_in(self, lower: torch.dtype | None) -> Self:
        """The same network, with the same weights, that computes in another precision where that does no harm."""
        if lower == self.lower:
            return self
        other = copy.copy(self)
        other.lower = lower
        return other

    def __call__(self, *given: Any, **named: Any) -> Any:
        if self.lower is None:
            return super().__call__(*given, **named)
        with torch.autocast(self.device.type, self.lower):
            return super().__call__(*given, **named)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The precision of its weights."""
        return next(self.parameters()).dtype


def configured(make: Callable[Concatenate[Made, Sizes], None]) -> Callable[Concatenate[Made, Sizes], None]:
    """An `__init__` that leaves its arguments in `config`."""
    signature = inspect.signature(make)

    @functools.wraps(make)
    def remember(self: Made, /, *args: Sizes.args, **given: Sizes.kwargs) -> None:
        make(self, *args, **given)
        bound = signature.bind(self, *args, **given)
        bound.apply_defaults()
        self.config = {name: value for name, value in bound.arguments.items() if value is not self}

    return remember
