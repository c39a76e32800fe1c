"""Every kind of image file, good, odd and hostile, in and out again; what becomes of it is verified.

    python benchmarks/torture.py [--folder DIR] [--keep DIR] [--restore] [--quiet]

Without --folder a folder is made of files whose fate is known; of several pictures in a file of another folder the
first is taken. Each file is read and, unless it is refused, written as the same kind of file and read again, in a
process of its own, which is stopped after 60 s: by itself, or restored with the preset "fast" between. A file is
carried if size, depth, transparency, profile, EXIF and XMP data and resolution are still there, and, where nothing was
restored and the format has no losses, all its pixels. The exit code is 1 if anything else than one of our own errors
leaves, a file hangs for more than 10 s, or its fate is not what it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from torture_files import DPI, Case, make

from ldrps.errors import LdrpsError
from ldrps.image.formats import FORMATS
from ldrps.image.picture import Picture, load_picture, to_levels
from ldrps.image.write import write_image

STOP, HANG = 60.0, 10.0  # seconds
BOMB_SECONDS, BOMB_MIB, PEAK_MIB = 0.1, 100, 2048
LOSSLESS = (".png", ".tif", ".tiff", ".bmp")
Restore = Callable[[Picture], NDArray[Any]]


@dataclass(frozen=True)
class Fate:
    """What became of a file: "carried", "refused", "wrong", "crash" or "hang", with the reason.

    `seconds` are for reading it; `grown` and `peak` are MiB of memory, beyond that before and in all.
    """

    outcome: str
    words: str = ""
    seconds: float = 0.0
    grown: float = 0.0
    peak: float = 0.0


def identity(picture: Picture) -> NDArray[Any]:
    return to_levels(picture, picture.rgb)


def fast_preset() -> Restore:
    """The embedded prior with the preset "fast"."""
    import ldrps

    restorer = ldrps.Restorer(ldrps.load_prior(), ldrps.preset("fast"))
    return lambda picture: restorer(picture).levels


def carry(case: Case, out: Path, restore: Restore) -> Fate:
    """Read, restore, write, read again and compare, in this process."""
    before = _peak()
    began, busy = time.perf_counter(), time.process_time()

    def fate(outcome: str, words: str = "") -> Fate:
        return Fate(outcome, words, seconds, _peak() - before, _peak())

    try:
        picture = load_picture(case.path, first_frame=case.refused is None)
    except LdrpsError as error:
        seconds = time.perf_counter() - began
        if case.bomb and (time.process_time() - busy > BOMB_SECONDS or _peak() - before > BOMB_MIB):
            return fate("wrong", f"refused late: {error}")
        return fate("refused" if case.refused is not False else "wrong", str(error))
    seconds = time.perf_counter() - began
    if case.refused:
        return fate("wrong", "not refused")
    levels = restore(picture)
    known = case.path.suffix.lower() in FORMATS
    target = out / (case.path.name if known else f"{case.path.name}.png")
    try:
        write_image(levels, target, like=picture)
    except LdrpsError as error:
        return fate("refused" if case.refused is None else "wrong", str(error))
    found = _differences(case, picture, levels, load_picture(target), target, exact=restore is identity)
    return fate("wrong" if found else "carried", "; ".join(found))


def _differences(
    case: Case, picture: Picture, levels: NDArray[Any], again: Picture, target: Path, *, exact: bool
) -> list[str]:
    """What was lost on the way, in words."""
    kind, back = target.suffix.lower(), identity(again)
    found = []
    if exact and case.levels is not None and not np.array_equal(levels, case.levels):
        found.append(f"came in as {levels.dtype} {levels.shape}, not the {case.levels.dtype} {case.levels.shape} it is")
    if case.levels is not None and (levels.dtype, levels.shape) != (case.levels.dtype, case.levels.shape):
        found.append("size, depth or channels")
    if again.size != picture.size:
        found.append(f"size {again.size}, not {picture.size}")
    if kind in LOSSLESS and not np.array_equal(back, levels):
        found.append("pixels")
    if picture.alpha is not None:
        opaque = 2**again.bits - 1  # some formats leave out an alpha that hides nothing
        was, now = np.asarray(picture.alpha, float), np.asarray(again.alpha or opaque, float)
        if again.bits != picture.bits:
            was, now = was * 255 / (2**picture.bits - 1), now * 255 / opaque
        if np.abs(was - now).max() > (3 if kind == ".avif" else 0.5):
            found.append("alpha")
    if kind != ".bmp":
        found += [name for name in ("icc_profile", "xmp") if getattr(picture, name) != getattr(again, name)]
        if _tags(picture.exif) != _tags(again.exif):
            found.append("exif")
    if case.profile and picture.icc_profile != case.profile:
        found.append("profile")
    if case.tagged and (_tags(picture.exif).get(ExifTags.Base.Artist) != "Ana" or not _near(picture.dpi, DPI)):
        found.append("artist or resolution")
    if picture.dpi and kind not in (".webp", ".avif") and not _near(again.dpi, picture.dpi):
        found.append(f"resolution {again.dpi}, not {picture.dpi}")
    return found


def _near(dpi: tuple[float, float] | None, other: tuple[float, float]) -> bool:
    return dpi is not None and bool(np.allclose(dpi, other, atol=0.6))  # JPEG holds whole numbers


def _tags(exif: bytes | None) -> dict[int, str]:
    """Tags of the picture, less the resolution, which is compared by itself."""
    parsed = Image.Exif()
    if exif:
        parsed.load(exif)
    resolution = {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}
    offsets = {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
    values = {tag: str(value) for tag, value in parsed.items() if tag not in resolution | offsets}
    for group in offsets:
        values |= {tag: str(value) for tag, value in parsed.get_ifd(group).items() if tag != 0xA005}
    return values


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux


def apart(case: Case, out: Path, restore: Restore) -> Fate:
    """As `carry`, in a process of its own, so that nothing that a decoder does can end this one."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)

    def work(answer: Connection) -> None:
        with open(os.devnull, "w") as nowhere:  # what C libraries print of damaged files
            os.dup2(nowhere.fileno(), 2)
        try:
            answer.send(carry(case, out, restore))
        except BaseException as error:
            answer.send(Fate("crash", f"{type(error).__name__}: {error}"))

    process = fork.Process(target=work, args=(theirs,))
    process.start()
    theirs.close()
    fate = None
    with contextlib.suppress(EOFError):  # the process died without a word
        fate = ours.recv() if ours.poll(STOP) else Fate("hang", f"stopped after {STOP:.0f} s", STOP)
    if fate is not None and fate.outcome == "hang":
        process.kill()
    process.join()
    return fate or Fate("crash", f"the process ended with {process.exitcode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="files of which nothing is known, instead of our own")
    parser.add_argument("--keep", type=Path, help="an empty folder in which our own files are made and left")
    parser.add_argument("--restore", action="store_true", help='restore with the preset "fast", not at all otherwise')
    parser.add_argument("--quiet", action="store_true", help="only what went wrong, and the last line")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        if given.folder:
            paths = sorted(path for path in given.folder.rglob("*") if not path.is_dir())
            cases = [Case(path, refused=None) for path in paths]
        else:
            cases = make(given.keep or Path(scratch) / "in")
        restore = fast_preset() if given.restore else identity
        fates = []
        for number, case in enumerate(cases):
            out = Path(scratch) / f"{number}"
            fates.append(apart(case, out, restore))
            _show(case, fates[-1], given.quiet)
    sys.exit(_summary(cases, fates, given.restore))


def _show(case: Case, fate: Fate, quiet: bool) -> None:
    if quiet and fate.outcome in ("carried", "refused"):
        return
    name, words = (text.encode("ascii", "backslashreplace").decode() for text in (case.path.name, fate.words))
    name, words = name.replace("\n", "\\n"), words.replace(str(case.path), "it").replace("\n", " ")
    print(f"{fate.outcome:8} {fate.seconds:6.2f} s {fate.grown:6.0f} MiB  {name[:40]:40}  {words[:140]}", flush=True)


def _summary(cases: list[Case], fates: list[Fate], restored: bool) -> int:
    """Print the figures; the exit code."""
    count = Counter(fate.outcome for fate in fates)
    slowest = max(range(len(fates)), key=lambda i: fates[i].seconds)
    largest = max(range(len(fates)), key=lambda i: fates[i].peak)
    hangs = sum(fate.seconds > HANG for fate in fates)
    print(
        f"files {len(fates)}, carried {count['carried']}, refused {count['refused']}, wrong {count['wrong']}, "
        f"crashes {count['crash']}, hangs {hangs}, "
        f"slowest {fates[slowest].seconds:.2f} s ({cases[slowest].path.name}), "
        f"peak {fates[largest].peak:.0f} MiB ({cases[largest].path.name})"
    )
    too_large = not restored and fates[largest].peak > PEAK_MIB
    return int(bool(count["wrong"] or count["crash"] or hangs or too_large))


if __name__ == "__main__":
    main()
