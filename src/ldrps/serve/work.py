"""Carrying out a task: each of its pictures is restored step by step, and shown at each step."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ldrps.caption.base import Captioner
from ldrps.captioning import ask
from ldrps.errors import LdrpsError, OutputError
from ldrps.image.header import read_size
from ldrps.image.limits import refuse_enlarged
from ldrps.image.picture import load_picture, to_image
from ldrps.printable import printable
from ldrps.prior.base import Prior
from ldrps.restorer import Restorer
from ldrps.result import Result
from ldrps.serve.clock import Clock
from ldrps.serve.limits import Limits
from ldrps.serve.names import result_name
from ldrps.serve.previews import Preview, save_shown
from ldrps.serve.task import Task, UploadOutcome

logger = logging.getLogger(__name__)

_PREVIEW_EVERY = 0.25  # seconds: more often than an eye follows, it would only cost


class TaskWorker:
    """Restores the pictures of a task with one prior, loaded once.

    Args:
        prior: see `ldrps.load_prior`.
        limits: those of the page.
        captioner_for: who is asked for a caption, as `make_captioner`.
    """

    def __init__(self, prior: Prior, limits: Limits, captioner_for: Callable[[str], Captioner]) -> None:
        self._prior = prior
        self._restorer = Restorer(prior)
        self._limits = limits
        self._captioner_for = captioner_for

    def __call__(self, task: Task) -> None:
        """Restore the pictures; one that fails has its reason in its outcome, and the others go on.

        Returns after the step that is being done if the task is to stop; what was finished stays.
        """
        clock = Clock([upload.size for upload in task.uploads])
        taken: set[str] = set()
        for number, upload in enumerate(task.uploads):
            if task.stopping:
                return
            task.show(picture=number + 1, step=0, steps=0, preview=None)
            outcome = self._outcome(task, number, clock, taken)
            if outcome is None:
                return
            if outcome.file is not None:
                taken.add(outcome.file.name.lower())
            task.show(outcomes=(*task.snapshot.outcomes, outcome), seconds_left=clock.seconds_left(number, 1.0))
            logger.info("%s: %s", upload.name, outcome.error or f"{outcome.seconds:.1f} s")

    def _outcome(self, task: Task, number: int, clock: Clock, taken: set[str]) -> UploadOutcome | None:
        """What became of a picture; None if it was stopped."""
        upload = task.uploads[number]
        began = time.monotonic()
        try:
            result = self._restore(task, number, clock)
            if result is None:
                return None
            file = _save(result, task.folder, result_name(upload.name, taken), taken)
            after = save_shown(result.image, task.folder / f".{number}.after.jpg")
            before = upload.shown
            if result.picture.scale != 1:  # as large as the result, to lie beside it
                shown = to_image(result.picture, result.picture.rgb)
                before = save_shown(shown, task.folder / f".{number}.before.jpg")
        except LdrpsError as error:
            message = str(error).replace(printable(upload.path), upload.name)  # where it lies is nobody's business
            return UploadOutcome(upload.name, task.order, upload.shown, error=message)
        except Exception:  # memory, a driver, a bug: this picture's failure, not that of the page
            logger.exception("a picture failed")
            message = f"{upload.name} could not be restored, for a reason that the server's log tells"
            return UploadOutcome(upload.name, task.order, upload.shown, error=message)
        return UploadOutcome(
            name=file.name,
            order=task.order,
            before=before,
            after=after,
            file=file,
            words=result.words,
            caption=result.caption.text,
            seconds=time.monotonic() - began,
        )

    def _restore(self, task: Task, number: int, clock: Clock) -> Result | None:
        """Restore a picture, looking at every step whether to stop."""
        path = task.uploads[number].path
        restorer = self._restorer.with_settings(task.order.settings())
        size = read_size(path, self._limits.pixels)
        refuse_enlarged(str(path), *size, restorer.settings.scale, self._limits.pixels)
        restorer = restorer.within(size, None)
        picture = load_picture(path, max_pixels=self._limits.pixels)
        captioner = self._captioner_for(task.order.captioner())
        caption = ask(captioner, picture, self._restorer.estimators) if self._prior.has_text else ""
        preview = Preview(picture, restorer.settings.working_size, restorer.settings.scale)
        steps = restorer.steps(picture, caption)
        shown = float("-inf")
        try:
            while not task.stopping:
                try:
                    progress = next(steps)
                except StopIteration as finished:
                    return finished.value
                left = clock.seconds_left(number, progress.number / progress.total)
                task.show(step=progress.number, steps=progress.total, seconds_left=left)
                if time.monotonic() - shown >= _PREVIEW_EVERY:
                    task.show(preview=preview.show(progress))
                    shown = time.monotonic()
        finally:
            steps.close()
        return None


def _save(result: Result, folder: Path, name: str, taken: set[str]) -> Path:
    """Write the result in the upload's format, or as PNG if that has no room for it, such as for transparency."""
    try:
        return result.save(folder / name, trace=False)
    except OutputError:
        if name.lower().endswith(".png"):
            raise
        return result.save(folder / result_name(f"{name}.png", taken), trace=False)
