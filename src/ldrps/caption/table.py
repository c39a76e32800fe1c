"""`captions.tsv`: what the pictures of a folder show, in lines of a path, a tab and a few words."""

from __future__ import annotations

import logging
from importlib.resources.abc import Traversable
from pathlib import Path

from ldrps.errors import InputError

logger = logging.getLogger(__name__)

TABLE = "captions.tsv"


def read_table(file: Path | Traversable) -> dict[str, str]:
    """Captions by path; none where there is no such file. A line without a tab is named in a warning and skipped.

    Raises:
        InputError: the file is not UTF-8.
    """
    if not file.is_file():
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}): save it as such") from error
    captions = {}
    for number, line in enumerate(lines, 1):
        path, tab, text = line.partition("\t")
        if tab:
            captions[path] = text.strip()
        else:
            logger.warning("%s, line %d has no tab: it must be a path, a tab and a caption; skipped", file, number)
    return captions
