"""A hot folder: pictures are taken as they come, once whoever writes them is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ldrps.folders.find import Found
from ldrps.folders.status import Place, signature
from ldrps.image.whole import looks_cut
from ldrps.run.job import Job

QUIET = 2.0  # seconds without a change after which a file is taken for whole
PATIENCE = 60.0  # and seconds after which one that is cut is given up on: it is given out, and fails
EVERY = 1.0  # seconds between two looks at the folder

Signature = tuple[int, int] | None  # size and time of change
Look = tuple[Signature, ...]  # of a picture, and of what counts beside it, such as the text with its caption


@dataclass
class _Seen:
    look: Look
    since: float
    is_cut: bool | None = None  # None: not looked at yet
    is_taken: bool = False


def watch(
    find: Callable[[], Found],
    place: Place | None = None,
    on_clash: Callable[[Job, str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Job | None]:
    """Jobs without end, each once its picture has not changed for QUIET seconds; None for none at present.

    A picture that is cut is waited for longer: whoever copies it may have to wait, too, as for a network.

    A picture that is given out is given again only after it changed, failed or not. The folder is looked through at
    most once in EVERY seconds.

    Args:
        find: looks through the folder.
        place: knows where captions and masks are, if they are in files: one that changed counts as its picture does.
        on_clash: told of each picture whose result would have the name of another's, when it comes, and why.
        clock: in seconds.
    """
    seen: dict[Job, _Seen] = {}
    reported: set[Job] = set()
    while True:
        began = clock()
        found = find()
        reported = _report(found, reported, on_clash)
        for job in seen.keys() - found.jobs:  # gone: if it comes again, it is new
            del seen[job]
        for job in found.jobs:
            look, now = _look(job, place), clock()  # which goes on while those before are restored
            known = seen.get(job)
            if known is None or known.look != look:
                seen[job] = _Seen(look, now)
            elif look[0] is not None and not known.is_taken and now - known.since >= QUIET:
                if known.is_cut is None:
                    known.is_cut = looks_cut(job.source)
                if not known.is_cut or now - known.since >= PATIENCE:
                    known.is_taken = True
                    yield job
        yield None
        while clock() - began < EVERY:
            yield None


def _look(job: Job, place: Place | None) -> Look:
    beside = [] if place is None else place.beside(job)
    return signature(job.source), *map(signature, beside)


def _report(found: Found, reported: set[Job], on_clash: Callable[[Job, str], None] | None) -> set[Job]:
    """Tell of the clashes that are new; all that there are."""
    for job, reason in found.clashes:
        if job not in reported and on_clash is not None:
            on_clash(job, reason)
    return {job for job, _ in found.clashes}
