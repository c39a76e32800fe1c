"""Starting the service, with or without the page beside it, and ending it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from ldrps.errors import SettingsError, how_to_install
from ldrps.run.pool import ProcessPool
from ldrps.run.turns import Turns
from ldrps.serve.app import Address, Beside
from ldrps.serve.app import running as page_running
from ldrps.serve.limits import Limits as PageLimits
from ldrps.serve.work import PriorLoader
from ldrps.service.limits import Limits
from ldrps.service.work import ServiceWork

_GRACE = 1.0  # seconds that the process has to leave in which pictures are restored


@dataclass(frozen=True)
class Options:
    """How programs are served.

    Attributes:
        limits: what is refused.
        tokens: who is let in; see `Tokens`.
        folder: where jobs are kept; None for one that goes with the server.
        page: whether there is a page too.
    """

    limits: Limits = field(default_factory=Limits)
    tokens: tuple[str, ...] = ()
    folder: Path | None = None
    page: bool = True


def check_packages() -> None:
    """Find out before anything is loaded whether the packages are there.

    Raises:
        SettingsError: one is missing.
    """
    for name in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        if find_spec(name) is None:
            raise SettingsError(f"the service needs the package {name}: {how_to_install('serve')}")


@contextlib.contextmanager
def running(
    load: PriorLoader, page_limits: PageLimits, address: Address, options: Options, *, quick: bool = True
) -> Iterator[str]:
    """Serve programs, and the page if it is wanted, for as long as the context lasts; gives the URL.

    Both are restored for in turn, by one process. Programs are answered from the beginning, with 503 until all is
    loaded, and the URL is given when it is.

    Args:
        load: loads the prior that restores.
        page_limits: what the page refuses.
        address: where. Where its page asks for a password, programs need a token.
        options: of programs.
        quick: the page offers the presets that take seconds alone.

    Raises:
        PriorError: the prior cannot be loaded.
        OutputError: the jobs cannot be kept in that folder, or another server does.
        SettingsError: a package is missing, or the address cannot be used, or a token.
    """
    check_packages()
    from prometheus_client import disable_created_metrics

    from ldrps.service.app import Programs
    from ldrps.service.listening import listening, put_before
    from ldrps.service.metrics import Metrics
    from ldrps.service.queue import JobQueue
    from ldrps.service.service import Service
    from ldrps.service.store import Store
    from ldrps.service.tokens import Tokens

    disable_created_metrics()  # when each counter was made, which would be told beside each
    with contextlib.ExitStack() as stack:
        tokens = Tokens(options.tokens, closed=address.auth is not None)
        store = Store(options.folder or _temporary(stack))
        stack.callback(store.close)
        pool = ProcessPool(ServiceWork(load, options.limits.pixels, page_limits), 1, grace=_GRACE)
        stack.callback(pool.close)
        pool.start()  # it loads while this process does
        turns, metrics = Turns(), Metrics()
        queue = JobQueue(store, pool, turns, options.limits, metrics)
        service = Service(store, queue, options.limits, tokens, metrics)
        stack.callback(service.close)
        if options.page:
            beside = Beside(pool, turns, lambda config: put_before(config, Programs(service, config.loaded_app)))
            url = stack.enter_context(page_running(load, page_limits, address, quick=quick, beside=beside))
            queue.start()
        else:
            url = stack.enter_context(listening(Programs(service), address.host, address.port))
            queue.start()
        stack.callback(service.close)  # first, while it is still answered that the server is about to end
        queue.is_ready.wait()
        if queue.failure is not None:
            raise queue.failure
        yield url


def _temporary(stack: contextlib.ExitStack) -> Path:
    root = Path(tempfile.mkdtemp(prefix="ldrps-jobs-"))
    stack.callback(shutil.rmtree, root, ignore_errors=True)
    return root
