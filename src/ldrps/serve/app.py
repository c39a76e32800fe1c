"""Starting the page and ending it, with nothing left behind and nothing sent elsewhere."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ldrps.caption.base import Captioner
from ldrps.caption.chain import make_captioner
from ldrps.errors import InputError
from ldrps.presets import PRESETS
from ldrps.prior.base import Prior
from ldrps.run.pool import ThisProcess
from ldrps.serve import without_gradio
from ldrps.serve.address import bound, unusable
from ldrps.serve.examples import examples
from ldrps.serve.limits import Limits
from ldrps.serve.order import OFFLINE, quick_presets
from ldrps.serve.studio import Studio
from ldrps.serve.work import UploadWork
from ldrps.serve.worker import TaskWorker


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


@contextlib.contextmanager
def running(prior: Prior, limits: Limits, address: Address, *, quick: bool = True) -> Iterator[str]:
    """Serve the page for as long as the context lasts; gives its URL.

    Args:
        prior: what restores.
        limits: what is refused.
        address: where.
        quick: offer the presets that take seconds alone.

    Raises:
        SettingsError: the package gradio is missing, or the address cannot be used.
    """
    root = Path(tempfile.mkdtemp(prefix="ldrps-serve-"))
    _quieten_gradio(root)
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        shutil.rmtree(root)
        raise without_gradio() from error
    from ldrps.serve import look
    from ldrps.serve.page import Page

    pool = ThisProcess(UploadWork(lambda: prior, limits, _captioner))
    studio = Studio(TaskWorker(pool), root, limits)
    presets = quick_presets() if quick else list(PRESETS)
    blocks = Page(studio, presets, captions=prior.has_text, offline=_has_tagger()).blocks
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
            allowed_paths=[str(path) for path in examples()],
            theme=look.theme(),
            css_paths=[look.STYLE],
            js=look.SCRIPT.read_text(encoding="utf-8"),
        )
        yield public or local
    except OSError as error:
        raise unusable(address.host, address.port, error) from error
    finally:
        studio.close()
        pool.close()
        blocks.close(verbose=False)
        shutil.rmtree(root, ignore_errors=True)


def _quieten_gradio(root: Path) -> None:
    """Gradio reads these when it is imported: where uploads go, and that it tells nobody anything."""
    os.environ["GRADIO_TEMP_DIR"] = str(root)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _captioner(spec: str) -> Captioner:
    return _tagger() if spec == OFFLINE else make_captioner(spec)


@functools.cache
def _tagger() -> Captioner:
    return make_captioner(OFFLINE)


def _has_tagger() -> bool:
    try:
        _tagger()
    except InputError:
        return False
    return True
