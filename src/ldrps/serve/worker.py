"""Carrying out a task of the page: its pictures go to a pool, one after the other, and every step is shown."""

from __future__ import annotations

import logging
import time
from functools import partial

from ldrps.errors import Cancelled
from ldrps.run.handle import WorkerLost
from ldrps.run.pool import Pool, until_over
from ldrps.run.tick import Tick
from ldrps.serve.names import result_name
from ldrps.serve.task import Abilities, PageJob, PageOutcome, Question, Task, UploadJob, UploadOutcome
from ldrps.serve.time_left import Opening, TimeLeft

logger = logging.getLogger(__name__)


class TaskWorker:
    """Has the pictures of a task restored.

    Args:
        pool: who restores them, see `UploadWork`. It belongs to the thread that calls.
    """

    def __init__(self, pool: Pool[PageJob, PageOutcome]) -> None:
        self._pool = pool

    def abilities(self) -> Abilities:
        """What can be done, once all is loaded that it takes.

        Raises:
            LdrpsError: something cannot be loaded.
        """
        handle = self._pool.submit(Question())
        until_over(self._pool, handle)
        answer = handle.result()
        assert isinstance(answer, Abilities)
        return answer

    def __call__(self, task: Task) -> None:
        """Restore the pictures; one that fails has its reason in its outcome, and the others go on.

        Returns after the step that is being done if the task is to stop; what was finished stays.
        """
        left = TimeLeft([upload.size for upload in task.uploads])
        taken: set[str] = set()
        for number, upload in enumerate(task.uploads):
            if task.stopping:
                return
            opening = Opening.of(upload.size, task.order.settings())
            task.show(picture=number + 1, step=0, steps=0, preview=None, began=time.monotonic(), opening=opening)
            name = result_name(upload.name, taken)
            job = UploadJob(
                *(upload, number, task.order, task.folder, name, frozenset(taken)),
                masks=task.masks,
                damage=task.damage,
            )
            try:
                self._pool.start()
                outcome = self._outcome(task, job, left)
            except Cancelled:
                return
            finally:
                self._pool.start()  # another in the place of one that is lost
            if outcome.file is not None:
                taken.add(outcome.file.name.lower())
            task.show(outcomes=(*task.snapshot.outcomes, outcome), seconds_left=left.seconds(number, 1.0))
            logger.info("%s: %s", upload.name, outcome.error or f"{outcome.seconds:.1f} s")

    def _outcome(self, task: Task, job: UploadJob, left: TimeLeft) -> UploadOutcome:
        """What became of a picture.

        Raises:
            Cancelled: it was stopped.
        """
        handle = self._pool.submit(job, partial(_show, task, job.number, left))
        task.begin(handle)
        until_over(self._pool, handle, lambda: task.is_overdue)  # the next picture has a new worker then
        try:
            outcome = handle.result()
        except WorkerLost as lost:
            reason = f"{job.upload.name}: {lost} Make it smaller"
            outcome = UploadOutcome(job.upload.name, job.order, job.upload.shown, job.upload, error=reason)
        assert isinstance(outcome, UploadOutcome)
        return outcome


def _show(task: Task, number: int, left: TimeLeft, tick: Tick) -> None:
    done = task.snapshot.opening.done(0.0, tick.number, tick.total)
    task.show(step=tick.number, steps=tick.total, seconds_left=left.seconds(number, done))
    if tick.preview is not None:
        task.show(preview=tick.preview)
