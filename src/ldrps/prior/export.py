"""A prior as a folder of its own, with a model card, as a hub of models wants it."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ldrps.errors import OutputError
from ldrps.image.files import as_path, check_folder, partial_name, replace_file
from ldrps.prior import EMBEDDED, is_embedded, prior_folder
from ldrps.prior.files import is_there, require_file
from ldrps.prior.folder import INDEX, SCHEDULER, find_weights
from ldrps.prior.refusal import unusable
from ldrps.prior.terms import CARD, front_of, split_card

_NETWORKS = ("unet", "vae", "text_encoder")
_BESIDE = {
    "text_encoder": ("no_caption.safetensors",),
    "tokenizer": ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"),
}
_PARTS = (*_NETWORKS, "tokenizer", "scheduler")
# Links to other files of the project lead nowhere from elsewhere: their words stay.
_LOCAL_LINK = re.compile(r"\[([^\]\n]+)\]\((?![a-z]+://|#)[^)\n]*\)")


class Export(NamedTuple):
    """What was written: where, how many files, and their bytes."""

    folder: Path
    files: int
    size: int


def export_prior(folder: str | Path, name: str | Path = EMBEDDED, *, overwrite: bool = False) -> Export:
    """Write a prior of our own make, and its card, into a folder that `load_prior` takes, as does a hub of models.

    A new folder is there whole or not at all. In one that is there, with `overwrite`, the parts of a prior are
    replaced and all else stays, such as a repository's `.git`; what is interrupted is no prior until it is done again.

    Args:
        folder: where to.
        name: "embedded", "embedded-pixels" or a folder of `ldrps train`.
        overwrite: replace a prior that is in the folder.

    Raises:
        PriorError: the prior is of another make, cannot be loaded, or has no card that says under which terms it is.
        OutputError: the folder holds something and may not be overwritten, holds no prior, or cannot be written.
    """
    target, source = as_path(folder), prior_folder(name)
    _require_place(target, overwrite=overwrite)
    held = _files_of(source)
    content = {file: require_file(source, file).read_bytes() for file in held if file != CARD}
    content[CARD] = _card(source).encode()
    try:
        if _is_empty(target):
            _write_new(target, content)
        else:
            _write_over(target, content)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}: choose another folder") from error
    return Export(target, len(content), sum(map(len, content.values())))


def _require_place(target: Path, *, overwrite: bool) -> None:
    check_folder(target / INDEX)
    if _is_empty(target):
        return
    if not is_there(target, INDEX):
        raise OutputError(f"{target} holds other things than a prior: choose a new folder")
    if not overwrite:
        raise OutputError(
            f"{target} holds a prior: give overwrite=True to replace it",
            on_command_line=f"{target} holds a prior: give --force to replace it",
        )


def _is_empty(target: Path) -> bool:
    return not target.exists() or not os.listdir(target)


def _files_of(source: Path) -> list[str]:
    """What a loader reads of a prior, and its card, as paths from its folder.

    Raises:
        PriorError: it is of another make, cannot be loaded, or has no card with terms.
    """
    if not is_embedded(source):
        remedy = "give embedded, embedded-pixels or a folder of `ldrps train`; others are where they came from"
        raise unusable(source, "another prior, or none", "one of our own make", remedy)
    from ldrps.prior.tiny.prior import load_embedded

    load_embedded(source)  # refuses what is missing or broken
    if not front_of(source).get("license"):
        found = f"no {CARD} with `license:` at its front" if is_there(source, CARD) else f"no {CARD}"
        remedy = "write what the prior is, what it was trained on and under which terms it may be used"
        raise unusable(source, found, "a model card", remedy)
    names = [CARD, SCHEDULER]
    for part in _PARTS:
        if part in _NETWORKS and (source / part).is_dir():
            names += [f"{part}/config.json", *(f"{part}/{file.name}" for file in find_weights(source, part))]
        names += [f"{part}/{file}" for file in _BESIDE.get(part, ()) if is_there(source, f"{part}/{file}")]
    return [*names, INDEX]


def _card(source: Path) -> str:
    front, body = split_card(require_file(source, CARD).read_text(encoding="utf-8"))
    return "".join(("---\n", front, "---\n", _LOCAL_LINK.sub(r"\1", body)))


def _write_new(target: Path, content: dict[str, bytes]) -> None:
    """Beside its place, then renamed into it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.parent / partial_name()
    try:
        _write(beside, content)
        if target.exists():
            target.rmdir()  # it is empty: Windows renames to no name that is taken
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_over(target: Path, content: dict[str, bytes]) -> None:
    """Without its index a folder is no prior: that goes first and comes last."""
    (target / INDEX).unlink()
    for part in _PARTS:
        if (target / part).is_dir():
            shutil.rmtree(target / part)
    _write(target, content)


def _write(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in sorted(content.items(), key=lambda item: item[0] == INDEX):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, partial(_fill, data))


def _fill(data: bytes, file: BinaryIO) -> None:
    file.write(data)
