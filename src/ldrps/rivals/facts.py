"""What is told of a rival before it is built, and what is ordered of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Purpose = Literal["dark", "haze", "noise", "all"]


@dataclass(frozen=True)
class Facts:
    """What people should know of a rival before they run it.

    Attributes:
        name: on the command line and in tables.
        what: what it is, in a line.
        purpose: the damage it is for.
        source: the paper.
        needs: weights or packages that do not come with ldrps; "" for nothing.
        takes: weights that may be given instead of those that come with ldrps; "" for none.
        own: the weights that come with ldrps, a file or folder of the package; "" for none.
        licence: of the original code and weights, as far as they matter to who runs ours; "" for nothing to note.
        seconds: for 256x256 pixels on one CPU core with AVX-512, measured; None where it was not. One with AVX2 took
            up to five times as long.
        place: "module:Class" of the implementation.
        changes: settings of this entry that differ from the class's own.
        is_random: whether a result depends on the seed.
    """

    name: str
    what: str
    purpose: Purpose
    source: str
    needs: str = ""
    takes: str = ""
    own: str = ""
    licence: str = ""
    seconds: float | None = None
    place: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_random: bool = True

    @property
    def has_weights(self) -> bool:
        """Whether weights can be given to it."""
        return bool(self.takes) or self.needs.startswith("weights")


@dataclass(frozen=True)
class RivalOptions:
    """What the caller decides about a rival; None leaves it as published.

    Attributes:
        seed, steps: of its settings; a rival that has no steps refuses them.
        weights: a file, or a folder that holds it under the name that its authors gave it.
        device: "cpu", "cuda", "mps".
        changes: further settings by name.
    """

    seed: int | None = None
    steps: int | None = None
    weights: Path | None = None
    device: str = "cpu"
    changes: Mapping[str, Any] = field(default_factory=dict)
