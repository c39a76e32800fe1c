"""Degradations and noise from plain data, as JSON holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from ldrps.degradation.base import Degradation
from ldrps.degradation.bayer import BayerNoise
from ldrps.degradation.blur import Blur, GaussianBlur
from ldrps.degradation.clipping import Clipping, Rounding
from ldrps.degradation.compose import Compose
from ldrps.degradation.curve import Curve
from ldrps.degradation.fields import LocalLight, Streaks, Veil
from ldrps.degradation.jpeg import Jpeg
from ldrps.degradation.luma import Luma
from ldrps.degradation.mask import Mask
from ldrps.degradation.noise import Noise, PoissonNoise, ReducedNoise, SharedNoise, ShotReadNoise, WhiteNoise
from ldrps.degradation.sampling import Sampling
from ldrps.degradation.tone import Exposure, Tone, WhiteBalance
from ldrps.errors import SettingsError

Part = Degradation | Noise

_PARTS: tuple[type[Part], ...] = (
    *(Veil, Streaks, Exposure, LocalLight, WhiteBalance, Tone, Curve, GaussianBlur, Blur, Sampling, Mask, Luma, Jpeg),
    *(Clipping, Rounding, Compose, WhiteNoise, PoissonNoise, ShotReadNoise, SharedNoise, ReducedNoise, BayerNoise),
)
KINDS: dict[str, type[Part]] = {part.kind: part for part in _PARTS}


def from_plain(data: Mapping[str, Any]) -> Part:
    """The part of which `plain()` made this.

    Raises:
        SettingsError: an unknown kind, a parameter too many or too few, or one of a wrong type.
    """
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise SettingsError(f"kind is {data.get('kind')!r}; there are {', '.join(KINDS)}")
    fields = {field.name: str(field.type) for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in data.items() if name != "kind"}
    if unknown := sorted(given.keys() - fields.keys()):
        raise SettingsError(f"{kind.kind} has no {unknown[0]!r}; it has {', '.join(fields) or 'no parameters'}")
    try:
        return kind(**{name: _parameter(value, fields[name]) for name, value in given.items()})
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{kind.kind} cannot be read ({error}); give {', '.join(fields)}") from error


def _parameter(value: Any, wanted: str) -> Any:
    if wanted.startswith("tuple[Degradation"):
        return tuple(from_plain(each) for each in value)
    if wanted.startswith("tuple"):
        return tuple(value)
    return torch.tensor(value) if isinstance(value, list) else value
