"""Pictures of jobs restored by a rival, in place of the restorer."""

from __future__ import annotations

from functools import partial

from ldrps.baselines.rival import Rival
from ldrps.batch import Batch, Made, OnStep
from ldrps.errors import SettingsError
from ldrps.jobs import Job, Output


class RivalBatch(Batch):
    """As `Batch`, with a rival. The base checks, loads and writes; nobody asks for a prior or a caption.

    Raises:
        SettingsError: samples are wanted, which no rival draws.
    """

    def __init__(self, rival: Rival, output: Output) -> None:
        if output.samples:
            raise SettingsError(f"samples is {output.samples}; {rival.facts.name} draws none: leave --samples out")
        self.rival = rival
        self.output = output

    def make(self, job: Job, on_step: OnStep | None = None) -> Made:
        """Restore the picture of a job, in memory.

        Raises:
            LdrpsError: as loading and restoring a picture do.
        """
        picture = self.load(job)
        show = None if on_step is None else partial(on_step, job)
        return Made(job, self.rival(picture, on_step=show))
