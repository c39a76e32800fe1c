"""What visitors of the page can do, apart from how it looks."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ldrps.colour import is_grey
from ldrps.errors import InputError
from ldrps.estimation.damage import Damage
from ldrps.image.picture import load_picture, to_image
from ldrps.masks import Masks
from ldrps.printable import printable
from ldrps.serve.brush import Drawing
from ldrps.serve.handout import Handout
from ldrps.serve.limits import Limits, for_visitors, refuse_upload
from ldrps.serve.names import clean_name, result_name
from ldrps.serve.order import Order
from ldrps.serve.previews import save_shown, with_tones_undone
from ldrps.serve.queue import TaskQueue
from ldrps.serve.task import Task, Upload, UploadOutcome
from ldrps.serve.visits import Visit, Visits, take
from ldrps.settings import Strengths

_ROUND = 2.0  # seconds between looks at whether somebody has left
_RUN_ALONE = 30  # seconds for which a run goes on that nobody looks at; others may be waiting


class Studio:
    """Takes pictures in, has them restored one after the other, and keeps what is whose apart.

    Visitors are told apart by the session of the server that they are on; see `Visits`.

    Args:
        work: restores the pictures of a task, see `TaskWorker`.
        root: an empty folder for uploads and results.
        limits: what is refused.
    """

    def __init__(self, work: Callable[[Task], None], root: Path, limits: Limits) -> None:
        self.limits = limits
        self.queue = TaskQueue(work, limits.waiting)
        self.visits = Visits(root)
        self.handout = Handout()
        self._reading = threading.Lock()  # pictures are large when decoded: one at a time
        self._closed = threading.Event()
        self._house = threading.Thread(target=self._keep_house, name="ldrps-serve-house", daemon=True)
        self._house.start()

    def choose(self, session: str, files: Sequence[tuple[Path, str]]) -> list[str]:
        """Add files, each with the name that its owner gave it, to what the visitor's next run restores.

        Returns why those that cannot be were refused. A new choice after a run begins from nothing.
        """
        visit = self.visits.of(session)
        if visit.task is not None and not visit.is_running and visit.task.uploads == tuple(visit.chosen):
            self.clear(session)
        refused = []
        for path, given in files:
            name = clean_name(given)
            try:
                if len(visit.chosen) >= self.limits.pictures:
                    raise InputError(
                        f"{name} is one too many: {self.limits.pictures} pictures can be restored in one go"
                    )
                upload = self._upload(visit, path, name)
                visit.drawing, visit.looked_at, visit.suspects = None, None, False
                visit.uploads.append(upload)
                visit.chosen.append(upload)
            except InputError as error:
                refused.append(str(error))
        return refused

    def clear(self, session: str) -> None:
        """Forget what was chosen, and delete it unless it is being restored, or has a result, which stays."""
        visit = self.visits.of(session)
        visit.chosen, visit.drawing, visit.looked_at, visit.suspects = [], None, None, False
        visit.tidy()

    def start(self, session: str, order: Order, drawing: Drawing | None = None) -> Task:
        """Put a run with the chosen pictures in the queue.

        Args:
            session: of the visitor.
            order: how they are restored.
            drawing: what was drawn over the one picture; None for nothing.

        Raises:
            InputError: nothing was chosen, or the run before is not over; something is drawn, and there are several.
            SettingsError: the order cannot be carried out.
            FullError: too many wait.
        """
        visit = self.visits.of(session)
        if not visit.chosen:
            raise InputError("choose a picture first")
        if visit.is_running:
            raise InputError("your pictures before these are not done yet: wait for them, or stop them")
        if visit.suspects:
            order = replace(order, suspects=True)
        settings = order.settings()
        folder, masks = visit.new_folder(), Masks()
        if drawing is not None:
            if len(visit.chosen) > 1:
                raise InputError("something is drawn over one picture, and there are several: restore it alone")
            masks = drawing.masks(visit.chosen[0].size, folder)
            settings.with_masks(holes=masks.holes is not None, protected=masks.protected is not None)
        visit.drawing = drawing
        return self._begin(visit, Task(visit.chosen, order, folder, masks))

    def take_up(self, session: str) -> UploadOutcome | None:
        """Choose the picture again whose result is looked at, to draw over it; returns that, or None if it is gone.

        What was said of its tones counts for the next run too.
        """
        visit = self.visits.of(session)
        outcome = visit.looked_at
        if outcome is None or outcome.upload is None or visit.is_running:
            return None
        visit.chosen, visit.drawing, visit.looked_at = [outcome.upload], None, None
        visit.suspects = outcome.order.suspects
        return outcome

    def adjust(self, session: str, number: int, strengths: Strengths, *, filled: bool, suspects: bool = False) -> Task:
        """Put the restoration of a picture in the queue once more, with what was found before, undone more or less.

        One of the same visitor that is not over is stopped. `amend` takes its result in.

        Args:
            session: of the visitor.
            number: of the result.
            strengths: of the parts of the damage.
            filled: whether what is lost of the picture is filled.
            suspects: find out anew, take its tones for damaged, as they may be, and undo all that is found, whatever
                else was wanted before.

        Raises:
            InputError: the result is no longer kept, or tells nothing of the damage, or another run is not over.
            FullError: too many wait.
        """
        visit, outcome = self.visits.of(session), self.recall(session, number)
        if outcome is None or outcome.upload is None or outcome.damage is None:
            raise InputError("this result is no longer kept")
        if visit.task is not None and visit.is_running:
            if not visit.task.amends:
                raise InputError("your pictures are not done yet: wait for them, or stop them")
            self.queue.stop(visit.task)
        if suspects:
            strengths, filled = Strengths(), True
        masks = outcome.masks if filled else replace(outcome.masks, holes=None)
        order = replace(
            outcome.order, strengths=strengths, scratches=False, suspects=suspects or outcome.order.suspects
        )
        damage = None if suspects else outcome.damage
        return self._begin(visit, Task([outcome.upload], order, visit.new_folder(), masks, damage, amends=True))

    def foresee(self, outcome: UploadOutcome, strengths: Strengths) -> bytes | None:
        """What a result will look like at once, as far as its tones go, as a JPEG; None if nobody can say."""
        if outcome.damage is None or outcome.upload is None:
            return None
        return with_tones_undone(outcome.before, Damage.from_plain(outcome.damage).with_strengths(strengths))

    def amend(self, session: str, number: int, task: Task) -> UploadOutcome | None:
        """Put what `adjust` made in the place of the result that it was made of; returns it, or None if it failed."""
        visit, before = self.visits.of(session), self.recall(session, number)
        made = next((outcome for outcome in task.snapshot.outcomes if outcome.file), None)
        if made is None or before is None:
            return None
        kept = ["number", "masks", "marks", *([] if task.damage is None else ["parts", "doubt", "damage"])]
        same = {name: getattr(before, name) for name in kept}
        order = replace(made.order, scratches=before.order.scratches)
        after = replace(made, **same, order=order, filled=made.masks.holes is not None)
        visit.history = [after if each is before else each for each in visit.history]
        _delete(before, but=after)
        return after

    def stop(self, session: str) -> None:
        """Stop the visitor's run, if there is one."""
        task = self.visits.of(session).task
        if task is not None:
            self.queue.stop(task)

    def leave(self, session: str) -> None:
        """The visitor wants to be forgotten: stop the run, delete everything."""
        self._forget(self.visits.key(session))

    def remember(self, session: str, task: Task) -> list[UploadOutcome]:
        """Add the results of a run to the visitor's history, once; returns those of them that are there."""
        visit = self.visits.of(session)
        known = {each.file for each in visit.history}
        new = [outcome for outcome in task.snapshot.outcomes if outcome.file and outcome.file not in known]
        for place, outcome in enumerate(new):
            visit.counted += 1
            new[place] = replace(outcome, number=visit.counted)
        visit.history = [*reversed(new), *visit.history]
        visit.history, old = visit.history[: self.limits.history], visit.history[self.limits.history :]
        for outcome in old:
            _delete(outcome)
        visit.tidy()
        return [each for each in reversed(visit.history) if each.file and each.file.is_relative_to(task.folder)]

    def recall(self, session: str, number: int) -> UploadOutcome | None:
        """The result of the visitor's history that has a number; None if it is gone."""
        return next((each for each in self.visits.of(session).history if each.number == number), None)

    def address(self, session: str, path: Path, name: str = "") -> str:
        """Where the visitor's browser, and no other, gets one of the visitor's files: to look at, or under a name."""
        return self.handout.give(self.visits.of(session).browser, path, name)

    def pack(self, session: str) -> Path | None:
        """All results of a visitor as a ZIP; None if there are none."""
        visit = self.visits.of(session)
        if not visit.history:
            return None
        place, taken = visit.new_folder() / "restored.zip", set[str]()
        with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
            for outcome in reversed(visit.history):
                assert outcome.file is not None
                name = result_name(outcome.file.name, taken)
                taken.add(name.lower())
                archive.write(outcome.file, name)
        return place

    def close(self) -> None:
        """Stop all runs."""
        self._closed.set()
        self.queue.close()
        self._house.join()

    def _begin(self, visit: Visit, task: Task) -> Task:
        self.queue.join(task)
        visit.task = task
        return task

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
            reason = for_visitors(str(error)).replace(printable(place), name)
            raise InputError(reason) from None  # where it lies is nobody's business
        return Upload(name, place, shown, picture.size, grey=is_grey(picture.rgb))

    def _keep_house(self) -> None:
        """See to it, as long as the page is open, that visitors who have left leave nothing."""
        while not self._closed.wait(_ROUND):
            for key, visit in self.visits.left():
                if visit.away() >= self.limits.away:
                    self._forget(key)
                elif visit.away() >= min(_RUN_ALONE, self.limits.away) and visit.task is not None:
                    self.queue.stop(visit.task)
            for key in self.visits.idle():
                self._forget(key)
            self.visits.sweep()

    def _forget(self, key: str) -> None:
        visit = self.visits.end(key)
        if visit is not None:
            self.handout.take_back(visit.folder)
            if visit.task is not None:
                self.queue.stop(visit.task)


def _delete(outcome: UploadOutcome, but: UploadOutcome | None = None) -> None:
    """Delete the files of a result, but for those of its upload, and of another that is made of it."""
    kept = set() if but is None else _files(but)
    for path in _files(outcome) - kept:
        path.unlink(missing_ok=True)


def _files(outcome: UploadOutcome) -> set[Path]:
    own = {outcome.file, outcome.after, outcome.marks, outcome.before}
    own |= {Path(mask) for mask in (outcome.masks.holes, outcome.masks.protected) if mask is not None}
    return {path for path in own if path is not None} - {outcome.upload.shown if outcome.upload else None}
