"""How far a task is, and how long it will still take, told from what it took so far."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from ldrps.cost import estimate
from ldrps.settings import Settings

_LEAST, _MOST = 0.02, 0.5  # of a picture: what finding out what happened to it may count


@dataclass(frozen=True)
class Opening:
    """What comes before the first step of a picture: it is read, and what happened to it is found out.

    Attributes:
        seconds: that it is expected to take.
        share: of the whole of it.
    """

    seconds: float = 1.0
    share: float = _LEAST

    @classmethod
    def of(cls, size: tuple[int, int], settings: Settings) -> Opening:
        """That of a picture of (width, height) `size`, by what such a picture costs."""
        whole = estimate(size, settings).seconds
        seconds = max(0.5, size[0] * size[1] / 2e6 + settings.method.seconds_before)
        return cls(seconds, min(max(seconds / whole, _LEAST), _MOST))

    def done(self, elapsed: float, step: int, steps: int) -> float:
        """How much of the picture is done, 0 to 1, with so many of its steps, and after so many seconds.

        Before the first step it is a guess, which moves from the start and comes ever nearer to the opening's end.
        """
        if steps:
            return 1 - (1 - self.share) * (steps - step) / steps
        return self.share * (1 - math.exp(-elapsed / self.seconds))


class TimeLeft:
    """Counts the pixels of a task's pictures: a large one takes longer than a small one.

    Args:
        sizes: width and height of each picture, in the order in which they are restored.
    """

    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        self._work = [width * height for width, height in sizes]
        self._began = time.monotonic()

    def share(self, picture: int, share: float) -> float:
        """How much of the task is done, 0 to 1, with `share` of `picture` (from 0)."""
        return (sum(self._work[:picture]) + share * self._work[picture]) / sum(self._work)

    def seconds(self, picture: int, share: float) -> float | None:
        """With `share` of `picture` (from 0) done; None while nothing is."""
        done = self.share(picture, share)
        if done <= 0:
            return None
        return (time.monotonic() - self._began) * (1 / done - 1)
