"""What a visitor asks for in one go, the pictures that came for it, and how far it is."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ldrps.masks import Masks
from ldrps.run.handle import Handle
from ldrps.serve.order import Order
from ldrps.serve.time_left import Opening, TimeLeft

_PATIENCE = 1.5  # seconds for the step that is being done: those of large pictures take longer


@dataclass(frozen=True)
class Upload:
    """A picture that a visitor gave.

    Attributes:
        name: what it is called, safe for a file.
        path: where it lies.
        shown: a copy of it, upright and small enough to be shown.
        size: width and height in pixels.
        grey: whether it has no colours to speak of.
    """

    name: str
    path: Path
    shown: Path
    size: tuple[int, int]
    grey: bool = False


@dataclass(frozen=True)
class UploadOutcome:
    """What became of a picture.

    Attributes:
        name: of the file, for people.
        order: what was asked for.
        before: the picture as it was, to look at.
        upload: the picture as it was given.
        after: the restored one, to look at; None if there is none.
        file: the restored picture, as it is downloaded; None if there is none.
        words: what was found and done; see `Result.words`.
        parts: the same of each part of the damage, by its name; see `Findings.parts`.
        doubt: what may be wrong and was left; see `Findings.doubt`.
        damage: what was found, as plain data; None if the method does not tell.
        masks: of what was filled, and of what was left as it is.
        marks: where the former is seen on the picture, to look at; None if nothing was filled.
        filled: whether what the masks tell is lost was filled.
        caption: the words that were used.
        seconds: it took.
        error: why there is no restored picture; "" if there is one.
        number: that tells it from others of the same visit.
    """

    name: str
    order: Order
    before: Path
    upload: Upload | None = None
    after: Path | None = None
    file: Path | None = None
    words: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    doubt: str = ""
    damage: Mapping[str, Any] | None = None
    masks: Masks = field(default_factory=Masks)
    marks: Path | None = None
    filled: bool = True
    caption: str = ""
    seconds: float = 0.0
    error: str = ""
    number: int = 0


@dataclass(frozen=True)
class Snapshot:
    """How far a task is; a new one for every change.

    Attributes:
        started: it waits no longer.
        over: nothing more will change.
        stopped: it was stopped before its end.
        began: when that began, in seconds of `time.monotonic`.
        picture: which of its pictures is being restored, from 1.
        opening: what comes before its first step.
        step, steps: of this picture; 0 of 0 before the first.
        seconds_left: until the end of the task, as far as can be told; None if it cannot.
        preview: a JPEG of the picture as it is by now; None before the first step.
        outcomes: of the pictures that are done.
    """

    started: bool = False
    over: bool = False
    stopped: bool = False
    began: float = 0.0
    picture: int = 0
    opening: Opening = field(default_factory=Opening)
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    preview: bytes | None = None
    outcomes: tuple[UploadOutcome, ...] = ()

    @property
    def elapsed(self) -> float:
        """Seconds since the picture was begun."""
        return time.monotonic() - self.began if self.began else 0.0

    def done(self, sizes: Sequence[tuple[int, int]]) -> float:
        """How much of the task is done, 0 to 1, whose pictures are of these sizes."""
        if not self.picture:
            return 0.0
        of_picture = self.opening.done(self.elapsed, self.step, self.steps)
        return TimeLeft(list(sizes)).share(self.picture - 1, of_picture)


@dataclass(frozen=True)
class UploadJob:
    """A picture to be restored, as a pool is given it.

    Attributes:
        upload: the picture.
        number: which it is of its task, from 0.
        order: how.
        folder: where the result goes.
        name: what the result is called, as long as its format has room for it.
        taken: names in that folder that results have by now, in lower case.
        masks: of what is lost of the picture, and of what is to stay as it is.
        damage: what happened to it, where an earlier result tells; None to find out.
    """

    upload: Upload
    number: int
    order: Order
    folder: Path
    name: str
    taken: frozenset[str] = frozenset()
    masks: Masks = field(default_factory=Masks)
    damage: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """A job that asks what can be done; its outcome are `Abilities`."""


@dataclass(frozen=True)
class Abilities:
    """What whoever restores can do.

    Attributes:
        has_text: whether the prior understands captions.
        has_tagger: whether the packaged tagger can be asked for them.
        terms: under which the prior's weights are, for people; "" where that is not known.
    """

    has_text: bool
    has_tagger: bool
    terms: str = ""


PageJob = UploadJob | Question
PageOutcome = UploadOutcome | Abilities


class Task:
    """Some pictures to be restored in one go.

    Args:
        uploads: the pictures.
        order: how.
        folder: where the results go.
        masks: of all of them; of several pictures there are none.
        damage: what happened to them, as an earlier result of one tells; None to find out.
        amends: whether its result takes the place of an earlier one.
    """

    def __init__(
        self,
        uploads: Sequence[Upload],
        order: Order,
        folder: Path,
        masks: Masks | None = None,
        damage: Mapping[str, Any] | None = None,
        *,
        amends: bool = False,
    ) -> None:
        self.uploads = tuple(uploads)
        self.order = order
        self.folder = folder
        self.masks = masks or Masks()
        self.damage = damage
        self.amends = amends
        self.snapshot = Snapshot()
        self._stop = threading.Event()
        self._stop_by = math.inf
        self._at_work: Handle[PageJob, PageOutcome] | None = None

    @property
    def stopping(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._stop.is_set()

    @property
    def is_overdue(self) -> bool:
        """Whether it was to stop, and its time to do so in order is over."""
        return time.monotonic() >= self._stop_by

    def stop(self, patience: float = _PATIENCE) -> None:
        """Stop it after the step that is being done, or within that step after so many seconds; what was finished
        stays.
        """
        self._stop_by = min(self._stop_by, time.monotonic() + patience)
        self._stop.set()
        if self._at_work is not None:
            self._at_work.cancel()

    def begin(self, handle: Handle[PageJob, PageOutcome]) -> None:
        """One of its pictures is at work from now on."""
        self._at_work = handle
        if self.stopping:  # meanwhile
            handle.cancel()

    def show(self, **changes: Any) -> None:
        """Make a new snapshot. Called by one thread at a time; others may read meanwhile."""
        self.snapshot = replace(self.snapshot, **changes)
