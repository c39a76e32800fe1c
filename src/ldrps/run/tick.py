"""What is told of a job while it is carried out, small enough to be sent between processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tick:
    """A step of a restoration: `number` of `total` are done.

    Attributes:
        round: 0 for the first chain, then the recurrences.
        loss: the posterior's; None where it has none.
        preview: a JPEG of the picture as it is by now; None where nobody wants one, or not at this step.
    """

    number: int
    total: int
    round: int = 0
    loss: float | None = None
    preview: bytes | None = field(default=None, repr=False)


OnTick = Callable[[Tick], object]
