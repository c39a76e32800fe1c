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
        exact: of one that computes in a lower precision the one that it was made of.
    """

    config: dict[str, Any]
    lower: torch.dtype | None = None
    exact: Self | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A network of such sizes, untrained; what `__init__` does not take is let be.

        Raises:
            TypeError: a size that has no default is missing.
        """
        known = list(inspect.signature(cls).parameters)
        return cls(**{name: value for name, value in config.items() if name in known})

    def computing_in(self, lower: torch.dtype | None) -> Self:
        """The same network that computes in another precision where that does no harm.

        Its convolutions and matrices have their weights in that; to convert them in each call takes an eighth
        of it.
        """
        if lower == self.lower:
            return self
        exact = self.exact or self
        if lower is None:
            return exact
        other = copy.deepcopy(exact)
        other.lower = lower
        object.__setattr__(other, "exact", exact)  # not one of its parts
        for layer in other.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.to(lower)
        return other

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        if self.exact is not None:  # goes where it goes
            self.exact._apply(fn, recurse)
        return super()._apply(fn, recurse)

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
