"""A figure, and how it came about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_FORMATS = {"psnr": "{:.2f} dB", "ciede2000": "{:.2f}", "niqe": "{:.2f}"}


@dataclass(frozen=True)
class Score:
    """A metric's value for one picture or pair; `protocol` says what else the value depends on, in plain data.

    Two scores may be compared, or averaged, only where name and protocol are equal.
    """

    name: str
    value: float
    protocol: dict[str, Any]

    def __float__(self) -> float:
        return self.value

    def text(self) -> str:
        """The value as it is usually written: "23.49 dB", "0.8114", or "inf"."""
        return "inf" if math.isinf(self.value) else _FORMATS.get(self.name, "{:.4f}").format(self.value)
