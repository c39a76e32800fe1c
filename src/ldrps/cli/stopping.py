"""Being asked to stop, by Ctrl-C or by the system: both end a command in order."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: nothing that catches errors catches it."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within this, SIGTERM is raised as Terminated where the program is, so that it cleans up on its way out."""
    if threading.current_thread() is not threading.main_thread():  # where Python takes no handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(signum: int, frame: FrameType | None) -> None:
    signal.signal(signum, signal.SIG_IGN)  # once is enough: the way out is not to be disturbed
    raise Terminated
