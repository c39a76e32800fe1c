"""A hot folder: pictures are taken as they come, once whoever writes them is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ldrps.folders.find import Found
from ldrps.folders.standing import signature
from ldrps.jobs import Job

QUIET = 2.0  # seconds without a change after which a file is taken for whole
EVERY = 1.0  # seconds between two looks at the folder

Look = tuple[int, int] | None  # size and time of change


@dataclass
class _Seen:
    look: Look
    since: float
    is_taken: bool = False


def watch(find: Callable[[], Found], clock: Callable[[], float] = time.monotonic) -> Iterator[Job | None]:
    """Jobs without end, each once its picture has not changed for QUIET seconds; None for none at present.

    A picture that is given out is given again only after it changed, failed or not. The folder is looked through at
    most once in EVERY seconds.
    """
    seen: dict[Job, _Seen] = {}
    while True:
        now = clock()
        jobs = find().jobs
        for job in seen.keys() - jobs:  # gone: if it comes again, it is new
            del seen[job]
        for job in jobs:
            look = signature(job.source)
            known = seen.get(job)
            if known is None or known.look != look:
                seen[job] = _Seen(look, now)
            elif look is not None and not known.is_taken and now - known.since >= QUIET:
                known.is_taken = True
                yield job
        yield None
        while clock() - now < EVERY:
            yield None
