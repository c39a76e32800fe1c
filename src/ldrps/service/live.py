"""A job that is not over, as the queue and those who ask about it see it."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

from ldrps.run.handle import Handle
from ldrps.run.tick import Tick
from ldrps.service.ask import Ask
from ldrps.service.rows import Row
from ldrps.service.work import ServiceJob, ServiceOutcome

_PATIENCE = 1.5  # seconds for the step that is being done: those of large pictures take longer


@dataclass(eq=False, kw_only=True)
class Stoppable:
    """A job that can be told to stop, before it is begun too.

    Attributes:
        tick: the latest step; None before the first.
        began: when it was begun, in seconds of `time.monotonic`; None while it waits.
        why: why it is to stop: "forgotten", or "late"; "" if it is not.
    """

    tick: Tick | None = None
    began: float | None = None
    why: str = ""
    _stop_by: float = math.inf
    _handle: Handle[ServiceJob, ServiceOutcome] | None = None

    @property
    def is_overdue(self) -> bool:
        """Whether it was to stop, and its time to do so in order is over."""
        return time.monotonic() >= self._stop_by

    def stop(self, why: str, patience: float = _PATIENCE) -> None:
        """Stop it after the step that is being done, or within that step after so many seconds."""
        self.why = self.why or why
        self._stop_by = min(self._stop_by, time.monotonic() + patience)
        if self._handle is not None:
            self._handle.cancel()

    def at_work(self, handle: Handle[ServiceJob, ServiceOutcome]) -> None:
        """It is being carried out from now on."""
        self._handle = handle
        if self.why:  # meanwhile
            handle.cancel()

    def note(self, tick: Tick) -> None:
        self.tick = tick


@dataclass(eq=False)
class Live(Stoppable):
    """A job that waits or is being carried out, as it is kept.

    Attributes:
        row: as it is kept.
        ask: how it is restored.
        is_over: set when its row says what became of it, or it is forgotten.
    """

    row: Row
    ask: Ask
    is_over: threading.Event = field(default_factory=threading.Event)

    def share(self, speed: float) -> float:
        """How much of it is done, 0 to 1: by its steps, and before the first by its time, up to a fifth."""
        if self.began is None:
            return 0.0
        if self.tick is not None:
            return 0.2 + 0.8 * self.tick.number / max(self.tick.total, 1)
        return 0.2 * (1 - math.exp(-(time.monotonic() - self.began) / max(0.2 * self.row.cost * speed, 0.1)))

    def seconds_left(self, speed: float) -> float:
        """How long it will still take once it is begun, or from now on; `speed` is what a second of its cost takes."""
        whole = self.row.cost * speed
        if self.began is None:
            return whole
        elapsed, share = time.monotonic() - self.began, self.share(speed)
        return elapsed * (1 - share) / share if self.tick is not None else max(whole - elapsed, 0.0)
