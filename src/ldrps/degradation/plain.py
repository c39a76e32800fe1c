"""Degradations and noise from plain data, as JSON holds them."""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections.abc import Mapping
from typing import Any, get_args

import torch

from ldrps.degradation.base import Degradation
from ldrps.degradation.bayer import BayerNoise, Demosaicking
from ldrps.degradation.blur import Blur, Border, GaussianBlur
from ldrps.degradation.clipping import Clipping, Rounding
from ldrps.degradation.compose import Compose
from ldrps.degradation.curve import Curve
from ldrps.degradation.fields import LocalLight, Streaks, Veil
from ldrps.degradation.jpeg import Jpeg
from ldrps.degradation.local import LocalTone
from ldrps.degradation.luma import Luma
from ldrps.degradation.mask import Mask
from ldrps.degradation.noise import (
    GrainNoise,
    Noise,
    PoissonNoise,
    ReducedNoise,
    SharedNoise,
    ShotReadNoise,
    WhiteNoise,
)
from ldrps.degradation.residue import JpegResidue
from ldrps.degradation.sampling import Filter, Sampling
from ldrps.degradation.srgb import Domain
from ldrps.degradation.tone import Exposure, Tone, WhiteBalance
from ldrps.degradation.uncertain import UncertainTone
from ldrps.errors import SettingsError

Part = Degradation | Noise

_WORDS: dict[str, tuple[str, ...]] = {
    "Domain": get_args(Domain),
    "Border": get_args(Border),
    "Filter": get_args(Filter),
    "Demosaicking": get_args(Demosaicking),
}

_PARTS: tuple[type[Part], ...] = (
    *(Veil, Streaks, Exposure, LocalLight, WhiteBalance, Tone, UncertainTone, Curve, GaussianBlur, Blur, Sampling),
    *(LocalTone, Mask, Luma, Jpeg),
    *(Clipping, Rounding, Compose),
    *(WhiteNoise, PoissonNoise, ShotReadNoise, SharedNoise, GrainNoise, JpegResidue, ReducedNoise, BayerNoise),
)
KINDS: dict[str, type[Part]] = {part.kind: part for part in _PARTS}


def from_plain(data: Any) -> Part:
    """The part of which `plain()` made this.

    Raises:
        SettingsError: an unknown kind, a parameter too many or too few, or one of a wrong type.
    """
    if not isinstance(data, Mapping):
        raise SettingsError(f"a part of the damage is {reprlib.repr(data)}; give a kind and its parameters")
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise SettingsError(f"kind is {reprlib.repr(data.get('kind'))}; there are {', '.join(KINDS)}")
    fields = {field.name: str(field.type) for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in data.items() if name != "kind"}
    if unknown := sorted(given.keys() - fields.keys()):
        raise SettingsError(
            f"{kind.kind} has no {reprlib.repr(unknown[0])}; it has {', '.join(fields) or 'no parameters'}"
        )
    try:
        return kind(**{name: _parameter(value, fields[name]) for name, value in given.items()})
    except SettingsError:  # which says it all, however deep it is
        raise
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # the last from torch, and of too deep lists
        raise SettingsError(f"{kind.kind} cannot be read ({error}); give {', '.join(fields)}") from error


def _parameter(value: Any, wanted: str) -> Any:
    """A parameter of a type that is wanted, by its name in the dataclass.

    Raises:
        TypeError, ValueError: it is of another.
    """
    if wanted in _WORDS:
        if value not in _WORDS[wanted]:
            raise ValueError(f"{reprlib.repr(value)} is none of {', '.join(_WORDS[wanted])}")
        return value
    if wanted.startswith("tuple[Degradation"):
        parts = tuple(from_plain(each) for each in _list(value))
        if not all(isinstance(part, Degradation) for part in parts):
            raise TypeError("noise is no part of a chain of degradations")
        return parts
    if wanted.startswith("tuple"):
        return tuple(_number(each, whole="int" in wanted) for each in _list(value))
    if isinstance(value, list) and wanted not in ("int", "float"):
        found = torch.tensor(value, dtype=torch.float64)
        if not bool(found.isfinite().all()):
            raise ValueError("a number is not finite")
        return found
    if value is None and "None" in wanted:
        return None
    if wanted == "Tensor":
        raise TypeError(f"{reprlib.repr(value)} is no list of numbers")
    return _number(value, whole=wanted == "int")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{reprlib.repr(value)} is no list")
    return value


def _number(value: Any, *, whole: bool) -> float | int:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(f"{reprlib.repr(value)} is no number")
    if whole and value != int(value):
        raise TypeError(f"{reprlib.repr(value)} is no whole number")
    return int(value) if whole else value
