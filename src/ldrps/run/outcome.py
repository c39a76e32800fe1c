"""What became of the picture of a job, small enough to be sent between processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ldrps.run.job import Job


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: which.
        state: "done"; "finished": it was done before; "busy": another process is at it; "failed".
        written: the files, the restored picture first.
        words: what was found and done; see `Result.words`.
        unheeded: what was asked for and could do nothing for the picture; see `Findings`.
        unchanged: whether the restored picture is the picture as it was.
        reason: of the failure.
        seconds: wall time.
        no_room: whether it failed as there was no room on the disk, so that the next will fail too.
    """

    job: Job
    state: Literal["done", "finished", "busy", "failed"]
    written: tuple[Path, ...] = ()
    words: str = ""
    unheeded: tuple[str, ...] = ()
    unchanged: bool = False
    reason: str = ""
    seconds: float = 0.0
    no_room: bool = False
