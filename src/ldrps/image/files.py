"""Files that are whole or absent: written beside their place, flushed to disk, then renamed into it. Free of torch."""

from __future__ import annotations

import contextlib
import os
import re
import reprlib
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ldrps.errors import OutputError
from ldrps.image.formats import FORMATS, PARTIAL_PREFIX

_PARTIAL = re.compile(rf"{re.escape(PARTIAL_PREFIX)}(\d+)-[0-9a-f]+")


def partial_name() -> str:
    """A new name for a file that this process is going to write.

    It is short and hidden, so that a long name of the user's still fits and no gallery shows it.
    """
    return f"{PARTIAL_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"


def writer(name: str) -> int | None:
    """The number of the process that gave a file a partial name; None where the name tells of none."""
    match = _PARTIAL.fullmatch(name)
    return None if match is None else int(match[1])


def replace_file(path: Path, write: Callable[[BinaryIO], object], *, overwrite: bool = True) -> None:
    """Give `write` a file to fill; then put it at `path` in one step. On any failure `path` is as it was.

    With `overwrite` false a file that appeared at `path` meanwhile is kept, not replaced.

    Raises:
        OutputError: the folder cannot be written, the disk is full, or `path` exists and may not be overwritten.
    """
    partial = path.parent / partial_name()
    try:
        try:
            with partial.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                partial.replace(path)
            else:
                _place_new(partial, path)
            _sync_folder(path.parent)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError as error:
        raise taken(path) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def write_text(path: Path, text: str, *, overwrite: bool = True) -> None:
    """Put a text at `path`, in a folder that is made if need be, as `replace_file` does.

    Raises:
        OutputError: as `replace_file`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent} ({error.strerror}): choose another") from error
    replace_file(path, lambda file: file.write(text.encode()), overwrite=overwrite)


def as_path(path: str | Path) -> Path:
    """A path to be written, as a Path.

    Raises:
        OutputError: it is no text and no path.
    """
    if not isinstance(path, str | os.PathLike):
        raise OutputError(f"the path is a {type(path).__name__}, {reprlib.repr(path)}: give a text or a pathlib.Path")
    return Path(path)


def check_output(path: str | Path, *, overwrite: bool = False) -> None:
    """Find out early, before minutes of work, whether a picture could be written to `path`. Touches nothing.

    Raises:
        OutputError: unknown suffix; `path` is a folder, or exists without `overwrite`; a name or folder
            that cannot be.
    """
    path = as_path(path)
    format_of(path)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = None
    except (OSError, ValueError) as error:  # too long, below a file, or with a null character
        raise OutputError(f"cannot write {str(path)!r} ({error}): choose another name") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder: name a file in it")
    if mode is not None and not overwrite:
        raise taken(path)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Find out early whether a file could be made at `path`, in a folder that is there or yet to be made.

    Raises:
        OutputError: the nearest folder that is there may not be written, or is no folder.
    """
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: {nearest} is not a folder that may be written: choose another")


def format_of(path: Path) -> str:
    """The format, in Pillow's words, that the suffix of a path asks for.

    Raises:
        OutputError: no format that is written has that suffix.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        allowed = " ".join(FORMATS)
        raise OutputError(f"{path} has the suffix {path.suffix!r}, which is not one of {allowed}: use .png") from None


def taken(path: Path) -> OutputError:
    """The error for a `path` that exists and may not be overwritten."""
    return OutputError(
        f"{path} exists: give overwrite=True to replace it",
        on_command_line=f"{path} exists: give --force to replace it",
    )


def _place_new(partial: Path, path: Path) -> None:
    """Move `partial` to `path` unless that name is taken; of several processes that try, one succeeds."""
    try:
        os.link(partial, path)  # fails if the name is taken, unlike a rename
    except FileExistsError:
        raise
    except OSError:
        # Memory cards and some network folders have no links: take the name with an empty file, then fill it.
        path.open("xb").close()
        try:
            partial.replace(path)
        except BaseException:
            path.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened for that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
