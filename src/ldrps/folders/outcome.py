"""What is told of a picture while it is restored and after, small enough to be sent between processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ldrps.jobs import Job


@dataclass(frozen=True)
class Tick:
    """A step of a restoration: `number` of `total` are done. `loss` is the posterior's, None where it has none."""

    number: int
    total: int
    round: int
    loss: float | None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: which.
        state: "done"; "finished": it was done before; "busy": another process is at it; "failed".
        written: the files, the restored picture first.
        words: what was found and done; see `Result.words`.
        unchanged: whether the restored picture is the picture as it was.
        reason: of the failure.
        seconds: wall time.
        no_room: whether it failed as there was no room on the disk, so that the next will fail too.
    """

    job: Job
    state: Literal["done", "finished", "busy", "failed"]
    written: tuple[Path, ...] = ()
    words: str = ""
    unchanged: bool = False
    reason: str = ""
    seconds: float = 0.0
    no_room: bool = False


OnTick = Callable[[Job, Tick], None]
