"""How long a task will still take, told from what it took so far."""

from __future__ import annotations

import time


class TimeLeft:
    """Counts the pixels of a task's pictures: a large one takes longer than a small one.

    Args:
        sizes: width and height of each picture, in the order in which they are restored.
    """

    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        self._work = [width * height for width, height in sizes]
        self._began = time.monotonic()

    def seconds(self, picture: int, share: float) -> float | None:
        """With `share` of `picture` (from 0) done; None while nothing is."""
        done = sum(self._work[:picture]) + share * self._work[picture]
        if done <= 0:
            return None
        return (time.monotonic() - self._began) * (sum(self._work) / done - 1)
