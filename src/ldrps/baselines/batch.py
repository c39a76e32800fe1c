"""Pictures of jobs restored by a rival, in place of the restorer."""

from __future__ import annotations

from functools import partial

from ldrps.baselines.rival import Rival
from ldrps.batch import Batch, Made, OnStep
from ldrps.errors import SettingsError
from ldrps.jobs import Job, Output


class RivalBatch(Batch):
    """Restores them with a rival; nobody asks for a prior or a caption.

    Args:
        rival: how.
        output: what is written for each.

    Raises:
        SettingsError: samples are wanted, which no rival draws.
    """

    def __init__(self, rival: Rival, output: Output) -> None:
        if output.samples:
            raise SettingsError(f"samples is {output.samples}; {rival.facts.name} draws none: leave --samples out")
        super().__init__(output)
        self.rival = rival

    def make(self, job: Job, on_step: OnStep | None = None) -> Made:
        picture = self.load(job)
        show = None if on_step is None else partial(on_step, job)
        return Made(job, self.rival(picture, on_step=show))
