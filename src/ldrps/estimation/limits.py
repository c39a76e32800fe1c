"""Which numbers a damage may be told by: within them it can be undone in 32 bits, whatever its strength."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ldrps.degradation import Blur, Degradation, GaussianBlur, Noise, Pointwise
from ldrps.errors import InputError, SettingsError

# By the name of a parameter, whatever it is of: the least and the most, far beyond what an estimator tells.
_LIMITS = {
    "gain": (1e-4, 1e4),
    "gains": (1e-4, 1e4),
    "offset": (-10.0, 10.0),
    "gamma": (0.01, 100.0),
    "weights": (1e-30, 1e30),
    "values": (-10.0, 10.0),
    "stops": (-14.0, 14.0),
    "log_gain": (-10.0, 10.0),
    "transmission": (1e-3, 1.0),
    "airlight": (0.0, 10.0),
    "opacity": (0.0, 0.999),
    "sigma": (0.0, 10.0),
    "kernel": (0.0, 1.0),
}
_WIDEST = 129  # pixels a side of a kernel
_SUM = 1e-3  # by which that of a kernel may differ from 1: it was rounded when it was written
_PICTURES = ((1, 3, 7, 5), (1, 3, 2, 3))  # what fits both fits any


def check_limits(part: Degradation | Noise) -> None:
    """Refuse a part of the damage of which a number is out of range.

    Raises:
        SettingsError: one is, or a list of them is empty.
    """
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.name not in _LIMITS or value is None:
            continue
        least, most = _LIMITS[field.name]
        numbers = value.double().flatten() if isinstance(value, Tensor) else torch.tensor([value], dtype=torch.float64)
        wrong = numbers[~((numbers >= least) & (numbers <= most))]
        if len(wrong) or not len(numbers):
            found = f"{float(wrong[0]):g}" if len(wrong) else "an empty list"
            raise SettingsError(f"{field.name} of {part.kind!r} is {found}; it must be {least:g} to {most:g}")


def check_even(tone: Pointwise) -> None:
    """Refuse tones that are not those of all places of one picture.

    Raises:
        SettingsError: they are of several pictures, of places, or of other channels.
    """
    try:
        fits = all(tone.invert(torch.full(shape, 0.5)).shape == shape for shape in _PICTURES)
    except (InputError, RuntimeError):
        fits = False
    if not fits:
        raise SettingsError(
            f"{tone.kind!r} has parameters for several pictures, for places of one, or for other channels; "
            "give a number, or [1, 3] for three channels"
        )


def check_kernel(blur: GaussianBlur | Blur) -> None:
    """Refuse a blur that is not that of one picture, larger than can be undone, or makes it lighter or darker.

    Raises:
        SettingsError: it is.
    """
    if isinstance(blur, GaussianBlur):
        if isinstance(blur.sigma, Tensor) and blur.sigma.ndim:
            raise SettingsError("sigma of the blur is a list; it must be a number, the same everywhere")
        return
    shape, total = list(blur.kernel.shape), float(blur.kernel.sum())
    if len(shape) != 2 or max(shape) > _WIDEST:
        raise SettingsError(f"kernel of the blur has shape {shape}; it must be [h, w], {_WIDEST} a side at most")
    if abs(total - 1) > _SUM:
        raise SettingsError(f"kernel of the blur has a sum of {total:g}; it must be 1: divide it by its sum")


def widened(blur: GaussianBlur | Blur, factor: float) -> GaussianBlur | Blur:
    """A blur `factor` times as wide, above 0, or as wide as can be undone: too narrow a one only leaves softness."""
    if isinstance(blur, GaussianBlur):
        return GaussianBlur(min(float(blur.sigma) * factor, _LIMITS["sigma"][1]))
    reach = max(blur.kernel.shape) // 2
    wider = blur.scaled(min(factor, _WIDEST // 2 / max(reach, 1)))
    assert isinstance(wider, Blur)
    return wider
