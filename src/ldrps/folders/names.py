"""Which files of a folder are pictures, by their names alone."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Sequence
from pathlib import PurePath

from ldrps.image.files import MARKS
from ldrps.image.formats import FORMATS

READ_ONLY = frozenset({".gif", ".heic", ".heics", ".heif", ".heifs", ".hif"})  # become PNG
MANIFEST = ".ldrps.sqlite"
CLUSTER = ".ldrps-ray"  # the folder in the place of the manifest where a cluster restores, see `ldrps.distributed`

_SHEETS = (".compare.png", ".spread.png", MARKS)
_SAMPLE = re.compile(r"(.+)\.sample\d+(\.\w+)", re.DOTALL)


def matches(relative: PurePath, patterns: Sequence[str]) -> bool:
    """Whether a path fits one of the patterns, whatever its case: its name, or with a slash in the pattern, all of it.

    As in a shell, * is anything (slashes too), ? a character and [abc] one of those.
    """
    name, whole = relative.name.lower(), relative.as_posix().lower()
    return any(fnmatch.fnmatchcase(whole if "/" in each else name, each.lower()) for each in patterns)


def is_picture(name: str) -> bool:
    """Whether a name ends as those of pictures do."""
    return PurePath(name).suffix.lower() in FORMATS.keys() | READ_ONLY


def is_ours(name: str, siblings: Collection[str]) -> bool:
    """Whether a name is that of a sheet, sample, mask or map of spread beside a picture of ours, among its siblings."""
    if any(name.endswith(end) and name.removesuffix(end) in siblings for end in _SHEETS):
        return True
    sample = _SAMPLE.fullmatch(name)
    return sample is not None and sample[1] + sample[2] in siblings
