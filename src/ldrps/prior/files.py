"""Files of a prior's folder, opened without trusting it: whoever reads such a file reads it here. Free of torch.

A folder comes from anywhere. What is read of it must be a regular file: a pipe would wait for ever, a device never end.
A link may lead anywhere inside the folder, which may itself be reached by one. Of a snapshot in the hub's cache,
`models--*/snapshots/REVISION`, links may also lead to the blobs of that model and to those that models share, where the
hub's client keeps the files. No other link may lead out.

A JSON file has at most `MOST_JSON` bytes (a config has 2 kB, the largest index of shards 100 kB), a tokenizer's at most
`MOST_VOCABULARY` (CLIP's have 2 to 4 MB). It has at most `DEEPEST` levels, and at most `MOST_LISTS` lists and objects,
which take twenty times the memory of their text (CLIP's merges are 48,894). No name may be in an object twice, and
numbers are finite.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from ldrps.prior.refusal import shown, unusable

Config = dict[str, Any]

MOST_JSON = 1 << 20
MOST_VOCABULARY = 1 << 23
DEEPEST, MOST_LISTS = 32, 300_000

AGAIN = "the download was probably interrupted: fetch the folder again"
_ITSELF = "put the file itself there"
_KINDS = {
    stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}  # fmt: skip
# What was a file a moment ago may have become a pipe or a link. Windows has none of these but the last.
_CAREFULLY = ("O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
_READ_ONLY = os.O_RDONLY | sum(getattr(os, name, 0) for name in _CAREFULLY)


def is_there(folder: Path, name: str) -> bool:
    """Whether a folder has anything of that name, be it a pipe or a link to nothing."""
    return os.path.lexists(folder / name)


def names_in(folder: Path) -> list[str]:
    """What a folder holds, in order, each name fit for a message; nothing where it cannot be read."""
    with contextlib.suppress(OSError):
        return sorted(map(shown, os.listdir(folder)))
    return []


def require_file(folder: Path, name: str) -> Path:
    """The path of a regular file of a prior's folder, `name` being its path from there, without any link in it.

    Raises:
        PriorError: it is missing, of another kind, or behind a link that leads out of the folder.
    """
    path = folder / name
    try:
        real = Path(os.path.realpath(path, strict=True))
        mode = real.stat().st_mode
    except FileNotFoundError as error:
        found = "a link to nothing" if is_there(folder, name) else "no such file"
        raise unusable(path, found, "a file", AGAIN) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise unusable(path, f"what cannot be opened ({error})", "a file", AGAIN) from error
    if not stat.S_ISREG(mode):
        raise unusable(path, _KINDS.get(stat.S_IFMT(mode), "no regular file"), "a regular file", _ITSELF)
    if not any(real.is_relative_to(place) for place in _homes(folder)):
        found = f"a link that leads out of the folder, to {shown(str(real))}"
        raise unusable(path, found, "a file inside it", _ITSELF)
    return real


def read_file(folder: Path, name: str, most: int = MOST_JSON) -> bytes:
    """The content of a file of a prior's folder, of at most `most` bytes.

    Raises:
        PriorError: as `require_file`; or it is larger, or cannot be read.
    """
    real = require_file(folder, name)
    try:
        with open(os.open(real, _READ_ONLY), "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(most + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise unusable(folder / name, f"what cannot be read ({error})", "a file", AGAIN) from error
    if len(content) > most:
        found = f"a file of {max(status.st_size, len(content))} bytes"
        raise unusable(folder / name, found, f"at most {most}", "take the file from a Stable Diffusion 1.x or 2.x")
    return content


def read_json(folder: Path, name: str, most: int = MOST_JSON) -> Config:
    """The JSON object in a file of a prior's folder, `name` being its path from there.

    Raises:
        PriorError: as `read_file`; or it is broken, too deep, not an object, or says something twice.
    """
    path, text = folder / name, read_file(folder, name, most)
    try:
        content = parse_json(text)
    except ValueError as error:
        raise unusable(path, f"broken JSON ({error})", "a JSON object", AGAIN) from error
    if not isinstance(content, dict):
        raise unusable(path, f"a JSON {type(content).__name__}", "a JSON object", AGAIN)
    return content


def parse_json(text: bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is broken or beyond the limits, says something twice or has a number that is not finite.
    """
    if text.count(b"[") + text.count(b"{") > MOST_LISTS:
        raise ValueError(f"more than {MOST_LISTS} lists and objects")
    try:
        content = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError(f"more than {DEEPEST} levels") from error
    _require_shallow(content)
    return content


def _homes(folder: Path) -> list[Path]:
    """Where the files of a folder may really lie."""
    root = Path(os.path.realpath(folder))
    if root.parent.name != "snapshots":
        return [root]
    repository = root.parent.parent
    return [root, repository / "blobs", repository.parent / "blobs"]


def _once(pairs: list[tuple[str, Any]]) -> Config:
    content: Config = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f"{shown(name)} is there twice")
        content[name] = value
    return content


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{shown(digits)} is beyond any number")
    return number


def _require_shallow(content: object) -> None:
    level = [content]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise ValueError(f"more than {DEEPEST} levels")
