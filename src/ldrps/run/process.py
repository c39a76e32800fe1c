"""The life of a worker process: it opens its work once, then takes jobs until nobody has any more."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection
from multiprocessing.connection import Connection
from types import FrameType
from typing import TypeVar

from ldrps.errors import Cancelled, LdrpsError
from ldrps.log import log_to_stderr
from ldrps.run.share import Share
from ldrps.run.tick import Tick
from ldrps.run.work import READY, Ended, Work

logger = logging.getLogger(__name__)

J = TypeVar("J")
R = TypeVar("R")


def serve(work: Work[J, R], share: Share, line: Connection) -> None:
    """Answer each job that comes down the line by ticks and its end; an error that all jobs share ends it.

    What comes are pairs of a number and a job, and the numbers of jobs that are to stop.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the process that people see decides
    signal.signal(signal.SIGTERM, _leave)
    log_to_stderr()
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    try:
        share.take()
        with work.open(share) as carry:
            line.send(READY)
            while True:
                message = line.recv()
                if isinstance(message, tuple):  # else the number of a job that is over
                    number, job = message
                    try:
                        line.send(Ended(carry(job, _Reporter(line, number))))
                    except Cancelled as error:
                        line.send(Ended(error))
    except LdrpsError as error:
        line.send(error)
    except (EOFError, BrokenPipeError):  # nobody is there any more
        pass
    except Exception:
        logger.exception("a worker process cannot go on")
        sys.exit(1)


class _Reporter:
    """Sends the steps of a job up the line, and sees whether it is to stop."""

    def __init__(self, line: Connection, number: int) -> None:
        self._line, self._number = line, number

    def __call__(self, tick: Tick) -> bool:
        self._line.send(tick)
        is_wanted = True
        while self._line.poll():
            is_wanted = self._line.recv() != self._number and is_wanted
        return is_wanted


def _leave(signum: int, frame: FrameType | None) -> None:
    """End as after an exception: what is half written is removed on the way."""
    signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)  # the process that people saw was killed: nobody is there to take a result
