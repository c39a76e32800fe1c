"""ICC profiles made from primaries and a curve."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]  # chromaticity, x and y

_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_VERSION = 0x04300000


class Primaries(NamedTuple):
    """The white and the three lights of a screen."""

    white: Point
    red: Point
    green: Point
    blue: Point

    @property
    def is_sane(self) -> bool:
        """Whether they are lights that can be mixed."""
        if not all(0 < y <= 1 and abs(x) <= 1 for x, y in self):
            return False
        return abs(float(np.linalg.det(np.array([_xyz(point) for point in self[1:]])))) > 1e-3


class Curve(NamedTuple):
    """From a level v in [0, 1] to light: (a v + b)^gamma, and c v below d; v^gamma where that is all."""

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


def make_profile(primaries: Primaries, curve: Curve, channels: int) -> bytes:
    """An ICC profile of version 4 for pictures of 1 or 3 channels; of one, the primaries do not matter."""
    tags = {b"desc": _text("made of what the file said"), b"cprt": _text("none"), b"wtpt": _xyz_tag(_D50)}
    if channels == 1:
        tags[b"kTRC"] = _curve_tag(curve)
    else:
        for name, light in zip((b"r", b"g", b"b"), _adapted(primaries).T, strict=True):
            tags[name + b"XYZ"] = _xyz_tag(light)
            tags[name + b"TRC"] = _curve_tag(curve)
    offset, directory, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        directory += tag + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    space = b"RGB " if channels == 3 else b"GRAY"
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"\0\0\0\0", _VERSION, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", *map(_fixed, _D50))
    return head + bytes(128 - len(head)) + directory + body


def _adapted(primaries: Primaries) -> NDArray[Any]:
    """The lights, [3, 3], a column each, as seen by an eye that is used to D50."""
    lights, white = np.array([_xyz(point) for point in primaries[1:]]).T, np.array(_xyz(primaries.white))
    lights = lights * np.linalg.solve(lights, white)
    seen = np.diag((_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ seen @ _BRADFORD @ lights)


def _xyz(point: Point) -> tuple[float, float, float]:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _fixed(value: float) -> int:
    return round(value * 65536)


def _xyz_tag(values: Any) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *map(_fixed, values))


def _curve_tag(curve: Curve) -> bytes:
    if curve.d == 0:
        return b"para" + bytes(4) + struct.pack(">HHi", 0, 0, _fixed(curve.gamma))
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *map(_fixed, curve))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
