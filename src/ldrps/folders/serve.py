"""The life of a worker process: it loads the prior once, then takes jobs until nobody has any more."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection
from multiprocessing.connection import Connection
from types import FrameType

from ldrps.errors import LdrpsError
from ldrps.folders.recipe import Recipe
from ldrps.folders.status import Place
from ldrps.jobs import Job
from ldrps.log import log_to_stderr

logger = logging.getLogger(__name__)

READY = "ready"  # what is said first


def serve(recipe: Recipe, place: Place | None, workers: int, line: Connection) -> None:
    """Answer each job that comes down the line by ticks and an outcome; an error that all pictures share ends it.

    `workers` is how many processes share the machine's cores.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the process that people see decides
    signal.signal(signal.SIGTERM, _leave)
    log_to_stderr()
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    try:
        _work(recipe, place, workers, line)
    except LdrpsError as error:
        line.send(error)
    except (EOFError, BrokenPipeError):  # nobody is there any more
        pass
    except Exception:
        logger.exception("a process for --jobs cannot go on")
        sys.exit(1)


def _work(recipe: Recipe, place: Place | None, workers: int, line: Connection) -> None:
    import torch

    from ldrps.folders.manifest import Manifest
    from ldrps.folders.worker import Worker

    if "OMP_NUM_THREADS" not in os.environ:  # else the user has decided
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
    with contextlib.ExitStack() as stack:
        manifest = None if place is None else stack.enter_context(contextlib.closing(Manifest(place)))
        worker = Worker(recipe.build(), manifest, lambda job, tick: line.send(tick))
        line.send(READY)
        while True:
            job = line.recv()
            assert isinstance(job, Job)
            line.send(worker.restore(job))


def _leave(signum: int, frame: FrameType | None) -> None:
    """End as after an exception: what is half written is removed on the way."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)  # the process that people saw was killed: nobody is there to take a result
