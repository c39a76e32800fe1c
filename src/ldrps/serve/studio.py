"""What visitors of the page can do, apart from how it looks."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ldrps.errors import InputError
from ldrps.image.picture import load_picture, to_image
from ldrps.printable import printable
from ldrps.serve.limits import Limits, refuse_upload
from ldrps.serve.names import clean_name
from ldrps.serve.order import Order
from ldrps.serve.previews import save_shown
from ldrps.serve.queue import TaskQueue
from ldrps.serve.task import Task, Upload, UploadOutcome
from ldrps.serve.visits import Visit, Visits, take


class Studio:
    """Takes pictures in, has them restored one after the other, and keeps what is whose apart.

    Args:
        work: restores the pictures of a task, see `TaskWorker`.
        root: an empty folder for uploads and results.
        limits: what is refused.
    """

    def __init__(self, work: Callable[[Task], None], root: Path, limits: Limits) -> None:
        self.limits = limits
        self.queue = TaskQueue(work, limits.waiting)
        self.visits = Visits(root)
        self._reading = threading.Lock()  # pictures are large when decoded: one at a time

    def choose(self, key: str, files: Sequence[tuple[Path, str]]) -> list[str]:
        """Add files, each with the name that its owner gave it, to what the visitor's next run restores.

        Returns why those that cannot be were refused. A new choice after a run begins from nothing.
        """
        self._let_idle_go()
        visit = self.visits.of(key)
        if visit.task is not None and visit.task.snapshot.over and visit.task.uploads == tuple(visit.chosen):
            self.clear(key)
        refused = []
        for path, given in files:
            name = clean_name(given)
            try:
                if len(visit.chosen) >= self.limits.pictures:
                    raise InputError(
                        f"{name} is one too many: {self.limits.pictures} pictures can be restored in one go"
                    )
                visit.chosen.append(self._upload(visit, path, name))
            except InputError as error:
                refused.append(str(error))
        return refused

    def clear(self, key: str) -> None:
        """Forget what was chosen, and delete it unless it is being restored. Results stay."""
        visit = self.visits.of(key)
        busy = () if visit.task is None or visit.task.snapshot.over else visit.task.uploads
        for upload in visit.chosen:
            if upload not in busy:
                upload.path.unlink(missing_ok=True)
        visit.chosen = []

    def start(self, key: str, order: Order) -> Task:
        """Put a run with the chosen pictures in the queue.

        Raises:
            InputError: nothing was chosen, or the run before is not over.
            SettingsError: the order cannot be carried out.
            FullError: too many wait.
        """
        visit = self.visits.of(key)
        if not visit.chosen:
            raise InputError("choose a picture first")
        if visit.task is not None and not visit.task.snapshot.over:
            raise InputError("your pictures before these are not done yet: wait for them, or stop them")
        order.settings()
        task = Task(visit.chosen, order, visit.new_folder())
        self.queue.join(task)
        visit.task = task
        return task

    def stop(self, key: str) -> None:
        """Stop the visitor's run, if there is one."""
        task = self.visits.of(key).task
        if task is not None:
            self.queue.stop(task)

    def leave(self, key: str) -> None:
        """The visitor is gone: stop the run, delete everything."""
        visit = self.visits.end(key)
        if visit is not None and visit.task is not None:
            self.queue.stop(visit.task)

    def remember(self, key: str, outcomes: Sequence[UploadOutcome]) -> list[UploadOutcome]:
        """Add results to the visitor's history; returns it, the latest first."""
        visit = self.visits.of(key)
        visit.history = [*reversed([outcome for outcome in outcomes if outcome.file]), *visit.history]
        visit.history, old = visit.history[: self.limits.history], visit.history[self.limits.history :]
        for outcome in old:
            paths = [outcome.file, outcome.after]
            if outcome.after is not None and outcome.before.parent == outcome.after.parent:
                paths.append(outcome.before)  # enlarged, not the upload's
            for path in paths:
                if path is not None:
                    path.unlink(missing_ok=True)
        return visit.history

    def recall(self, key: str, which: str) -> UploadOutcome | None:
        """The result of the visitor's history that `mark` gave that mark; None if it is gone."""
        return next((each for each in self.visits.of(key).history if mark(each) == which), None)

    def close(self) -> None:
        """Stop all runs."""
        self.queue.close()

    def _upload(self, visit: Visit, path: Path, name: str) -> Upload:
        refuse_upload(path, name, self.limits)
        folder = visit.new_folder()
        place = take(path, folder, name)
        if path.is_relative_to(self.visits.root):  # an example, which is elsewhere, is not ours to delete
            visit.borrowed.add(path)
        try:
            with self._reading:
                picture = load_picture(place, max_pixels=self.limits.pixels)
                shown = save_shown(to_image(picture, picture.rgb), folder / ".before.jpg")
        except InputError as error:
            place.unlink()
            raise InputError(str(error).replace(printable(place), name)) from None  # where it lies is nobody's business
        return Upload(name, place, shown, picture.size)

    def _let_idle_go(self) -> None:
        for key in self.visits.idle():
            self.leave(key)
        self.visits.sweep()


def mark(outcome: UploadOutcome) -> str:
    """What tells a result from the others of the same visit."""
    assert outcome.file is not None
    return f"{outcome.file.parent.name}/{outcome.file.name}"


def pack(outcomes: Sequence[UploadOutcome], place: Path) -> Path | None:
    """What a visitor downloads of a run: the one file, or a ZIP at `place` of several; None where nothing came out."""
    files = [outcome.file for outcome in outcomes if outcome.file is not None]
    if len(files) <= 1:
        return files[0] if files else None
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for file in files:
            archive.write(file, file.name)
    return place
