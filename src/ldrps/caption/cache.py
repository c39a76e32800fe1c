"""Captions that were paid for once, kept in a file, so that the same picture is not asked about again."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.caption.base import NO_HINTS, Caption, Captioner, Hints
from ldrps.database import Kind, blaming, connect, lacks_tables, prepare, real, strange, text
from ldrps.errors import OutputError

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

_WAIT = 5.0  # seconds for another process that writes
_KIND = Kind(
    name="cache of captions",
    mark=0x4C445243,  # "LDRC"
    version=1,
    tables=(
        "CREATE TABLE IF NOT EXISTS captions (key TEXT PRIMARY KEY, text TEXT NOT NULL, negative TEXT NOT NULL,"
        " source TEXT NOT NULL, confidence REAL NOT NULL)",
    ),
    instead="set LDRPS_CACHE to another folder",
)


def cache_path() -> Path | None:
    """The file in $LDRPS_CACHE, else in $XDG_CACHE_HOME/ldrps, else in ~/.cache/ldrps; None without a home."""
    own, shared = os.environ.get("LDRPS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(own) if own else (Path(shared) if shared else Path.home() / ".cache") / "ldrps"
    except RuntimeError:
        return None
    return folder / "captions.sqlite"


class CaptionCache:
    """Captions by key in an SQLite file that several processes may use at once.

    A file that is broken, none of ours, or cannot be written is a warning in the log, once, and no cache from then on.

    Args:
        path: the file, made when needed; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, key: str) -> Caption | None:
        """The caption of that key, if there is one."""
        rows = self._execute("SELECT text, negative, source, confidence FROM captions WHERE key = ?", (key,))
        return rows[0] if rows else None

    def put(self, key: str, caption: Caption) -> None:
        """Keep a caption; one of that key is replaced."""
        values = (key, caption.text, caption.negative, caption.source, caption.confidence)
        self._execute("INSERT OR REPLACE INTO captions VALUES (?, ?, ?, ?, ?)", values)

    def _execute(self, statement: str, values: tuple[object, ...]) -> list[Caption]:
        with self._lock:
            if self._path is None:
                return []
            try:
                with blaming(self._path, _KIND, _WAIT):
                    self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    with closing(connect(self._path, _WAIT)) as database:
                        if lacks_tables(database, _KIND):
                            prepare(database, _KIND, _WAIT)
                        return [_caption(*row) for row in database.execute(statement, values)]
            except (OutputError, ValueError) as error:
                logger.warning("no captions are kept: %s", error)
                self._path = None
                return []


def _caption(words: object, negative: object, source: object, confidence: object) -> Caption:
    """A caption as it is in the file, which anybody may have written."""
    trust = real(confidence, "confidence")
    if not 0 <= trust <= 1:
        raise strange(confidence, "confidence")
    return Caption(text(words, "text"), text(negative, "negative"), text(source, "source"), trust)


class CachedCaptioner:
    """Asks a captioner only about pictures that it has not described yet.

    Args:
        captioner: whom to ask.
        about: all that its answers depend on beside the picture: model, URL, prompt.
        cache: where answers are kept.
    """

    def __init__(self, captioner: Captioner, about: tuple[str, ...], cache: CaptionCache) -> None:
        self.name = captioner.name
        self._captioner = captioner
        self._about = about
        self._cache = cache

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The caption that is kept for these pixels, else a new one.

        Raises:
            CaptionError: the captioner has no usable answer, and none is kept.
        """
        key = picture_key(image, *self._about)
        caption = self._cache.get(key)
        if caption is None:
            caption = self._captioner.describe(image, hints)
            self._cache.put(key, caption)
        return caption


def picture_key(image: Image.Image, *about: str) -> str:
    """SHA-256 of the pixels of an image, as RGB, and of what else an answer depends on."""
    rgb = image.convert("RGB")
    digest = hashlib.sha256(rgb.tobytes())
    for part in (f"{rgb.width}x{rgb.height}", *about):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(data), data))
    return digest.hexdigest()
