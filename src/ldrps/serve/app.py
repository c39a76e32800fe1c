"""Starting the page and ending it, with nothing left behind and nothing sent elsewhere."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.presets import PRESETS
from ldrps.run.pool import Pool, ProcessPool
from ldrps.run.turns import InTurn, Turns
from ldrps.serve import without_gradio
from ldrps.serve.address import bound, unusable
from ldrps.serve.limits import Limits
from ldrps.serve.order import quick_presets
from ldrps.serve.studio import Studio
from ldrps.serve.work import PriorLoader, UploadWork
from ldrps.serve.worker import TaskWorker

if TYPE_CHECKING:
    from gradio import Blocks

PARTY = "page"  # whose turn it is, where others share the process that restores
_GRACE = 1.0  # seconds that the process has to leave in which pictures are restored; its files go with the visits'


@dataclass(frozen=True)
class Address:
    """Where the page is, and for whom.

    Attributes:
        host: the interface; the loopback one keeps the page to this machine.
        port: 0 for any that is free.
        auth: user and password, or None to let everybody in.
        share: also publish it through Gradio's own servers.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None
    share: bool = False


@dataclass(frozen=True)
class Beside:
    """What else is served beside the page.

    Attributes:
        pool: who restores, for both, with all that `UploadWork` does. Who made it closes it.
        turns: of those who share it.
        join: is given the configuration of the page's server, when it is at work.
    """

    pool: Pool[Any, Any]
    turns: Turns
    join: Callable[[Any], None]


@contextlib.contextmanager
def running(
    load: PriorLoader, limits: Limits, address: Address, *, quick: bool = True, beside: Beside | None = None
) -> Iterator[str]:
    """Serve the page for as long as the context lasts; gives its URL.

    What restores is loaded in a process of its own, so that neither a picture that takes all cores nor one that takes
    too much memory is the end of the page.

    Args:
        load: loads the prior that restores.
        limits: what is refused.
        address: where.
        quick: offer the presets that take seconds alone.
        beside: what else is served; None for nothing.

    Raises:
        PriorError: the prior cannot be loaded.
        SettingsError: the package gradio is missing, or the address cannot be used.
    """
    if find_spec("gradio") is None:
        raise without_gradio()
    with contextlib.ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="ldrps-serve-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        pool: Pool[Any, Any]
        if beside is None:
            pool = ProcessPool(UploadWork(load, limits, preload=load.preload), 1, grace=_GRACE)
            stack.callback(pool.close)
            pool.start()  # it loads while this process does
        else:
            pool = InTurn(beside.pool, beside.turns, PARTY)
        worker = TaskWorker(pool)
        _quieten_gradio(root)
        from starlette.middleware import Middleware

        from ldrps.serve import look
        from ldrps.serve.door import Door, routes
        from ldrps.serve.page import Page
        from ldrps.serve.parts import example_style

        able = worker.abilities()
        studio = Studio(worker, root, limits)
        stack.callback(studio.close)
        presets = quick_presets() if quick else list(PRESETS)
        blocks = Page(studio, presets, able).blocks
        stack.callback(_close, blocks)
        studio.visits.keep_present()
        blocks.queue(api_open=False, default_concurrency_limit=8)
        try:
            with bound(address.host, address.port) as port:
                pass
            _, local, public = blocks.launch(
                server_name=address.host,
                server_port=port,
                auth=address.auth,
                share=address.share,
                max_file_size=limits.upload,
                prevent_thread_lock=True,
                quiet=True,
                inbrowser=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                enable_monitoring=False,
                footer_links=[],
                theme=look.theme(),
                css=example_style(),
                css_paths=[look.STYLE],
                js=look.script(),
                app_kwargs={
                    "routes": routes(studio.handout),
                    "middleware": [Middleware(Door)],
                    "openapi_url": None,
                },
            )
        except OSError as error:
            raise unusable(address.host, address.port, error) from error
        if beside is not None:
            beside.join(blocks.server.config)
        yield public or local


def _close(blocks: Blocks) -> None:
    """End the server, whoever is looking at the page still: by itself it would wait for them, for five seconds."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # which would tell of each answer that is cut short
    if hasattr(blocks, "server"):
        blocks.server.force_exit = True
    blocks.close(verbose=False)


def _quieten_gradio(root: Path) -> None:
    """Gradio reads these when it is imported: where uploads go, and that it tells nobody anything."""
    os.environ["GRADIO_TEMP_DIR"] = str(root)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
