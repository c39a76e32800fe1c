"""Files that are whole or absent: written beside their place, flushed to disk, then renamed into it. Free of torch."""

from __future__ import annotations

import contextlib
import os
import re
import reprlib
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ldrps.errors import OutputError
from ldrps.image.formats import FORMATS, PARTIAL_PREFIX

RECORD, MARKS = (
    ".json",
    ".mask.png",
)  # behind the name of a result: how it came about, and what was found on it
_NAME_MAX = 255  # bytes of a name, where the system does not say
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
    if is_there(path):
        if path.is_dir() and not path.is_symlink():
            raise OutputError(f"{path} is a folder: name a file in it")
        if not overwrite:
            raise taken(path)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Find out early whether a file could be made at `path`, in a folder that is there or yet to be made.

    Raises:
        OutputError: the nearest folder that is there may not be written, or is no folder.
    """
    nearest = nearest_folder(path)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: {nearest} is not a folder that may be written: choose another")


def nearest_folder(path: Path) -> Path:
    """The lowest of the folders above `path` that is there."""
    return next(folder for folder in path.absolute().parents if folder.exists())


def is_there(path: Path) -> bool:
    """Whether there is something at `path`, in a folder that is there or yet to be made.

    Raises:
        OutputError: nothing can be there: the name is too long, or leads below a file.
    """
    try:
        _refuse_long(path)
        path.lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {str(path)!r} ({error}): choose another name") from error
    return True


def key_of_places(folder: Path) -> Callable[[Path], str]:
    """What tells places in a folder apart, which may be yet to be made: where cases are one, a.JPG and a.jpg are.

    Such disks, of macOS, of Windows and of memory cards, mostly do not tell how accents are written, either.
    """
    if not folds_case(folder):
        return str
    return lambda path: unicodedata.normalize("NFC", str(path)).casefold()


def folds_case(folder: Path) -> bool:
    """Whether a disk takes A and a for one, as far as the name of a folder on it can show without writing."""
    there = folder.absolute() if folder.is_dir() else nearest_folder(folder)
    while there != there.parent:
        other = there.with_name(there.name.swapcase())
        if other != there:
            try:
                return other.samefile(there)
            except OSError:
                return False
        there = there.parent
    return False


def _refuse_long(path: Path) -> None:
    """Refuse a name that no file can have, which the system does not tell while its folder is yet to be made.

    Raises:
        OutputError: it is one.
    """
    try:
        limit = os.pathconf(nearest_folder(path), "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        limit = _NAME_MAX
    length = len(os.fsencode(path.name))
    if 0 < limit < length:
        raise OutputError(
            f"cannot write {path}: its name is of {length} bytes, and {limit} are the limit there: "
            "choose another name, or give the picture a shorter one"
        )


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
