"""What a restoration will cost, told before it begins, and how to stay within a limit of memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ldrps.errors import InputError
from ldrps.image.limits import enlarged_size
from ldrps.image.room import in_file
from ldrps.memory import available_bytes
from ldrps.settings import Settings

# Of noisy pictures on two cores of a Xeon with AVX-512 and the embedded prior, float32; bfloat16 takes half of it where
# it is computed in (benchmarks/cost.py, benchmarks/large.py).
_SECONDS_OF_PICTURE = 0.25
_SECONDS = 0.5  # of a megapixel, beside its way through the networks
_BYTES = 590 << 20  # Python, the libraries, the prior and its buffers
_BYTES_OF_PIXEL = 40  # of the picture: read, restored and put together
_BYTES_BESIDE_FILES = 12  # of one so large that its planes lie in files: 7 of 48 opaque megapixels as PNG
_BYTES_OF_HOLES = 96  # of the picture: its mask, and the parts that are filled, as they were, are and become
_TILES = (512, 384, 256, 128)  # pixels; a smaller one is worth its overlap no more


@dataclass(frozen=True)
class Cost:
    """Wall time and the process's largest resident memory, less what lies in files; see `ldrps.image.room`."""

    seconds: float
    bytes: int


def estimate(size: tuple[int, int], settings: Settings) -> Cost:
    """The cost of a picture of `size` (width, height) with the embedded prior: of a noisy one, with holes all over.

    Others take less time: where there is nothing to denoise, a tenth.
    """
    worked_on = _reduced(enlarged_size(size, settings.scale), settings.working_size)
    megapixels = worked_on[0] * worked_on[1] / 1e6
    method, tile = settings.method, settings.tile if settings.method.in_windows else max(worked_on)
    window = min(worked_on[0], tile) * min(worked_on[1], tile)
    batch = method.batch_size if settings.scale == 1 else 1  # offsets of the grid, else one after the other
    again = 1.0 if max(worked_on) <= tile else (1 - settings.overlap / tile) ** -2
    seconds_of_passes = again * method.seconds_of_pass * method.passes(settings)
    plain = settings.scale == 1 and not settings.working_size  # else there are other copies, in memory
    width, height = size if settings.scale == 1 else worked_on
    kept = _bytes_of_planes(size) if plain else _BYTES_OF_PIXEL * width * height
    if settings.may_fill:
        seconds_of_passes += again * method.seconds_of_pass * method.passes_of_fill
        kept += _BYTES_OF_HOLES * size[0] * size[1]
    seconds = _SECONDS_OF_PICTURE + method.seconds_before + megapixels * (_SECONDS + seconds_of_passes)
    return Cost(seconds, _BYTES + kept + method.bytes_of_pixel * batch * window)


def fitted(size: tuple[int, int], settings: Settings, max_bytes: int) -> Settings:
    """The settings, with windows as small as they must be for a picture of `size` to be restored in that much memory.

    Raises:
        InputError: it takes more in any way.
    """
    least = settings
    for tile in (settings.tile, *(tile for tile in _TILES if tile < settings.tile)):
        least = dataclasses.replace(settings, tile=tile, overlap=min(settings.overlap, tile // 4))
        if estimate(size, least).bytes <= max_bytes:
            return least
    need = estimate(size, least).bytes
    if settings.scale > 1:
        size = enlarged_size(size, settings.scale)
        raise _too_large(size, need, max_bytes, f"take a smaller scale than {settings.scale:g}")
    raise _too_large(size, need, max_bytes, "make it smaller", ", or set --working-size")


def halved(size: tuple[int, int], settings: Settings) -> Settings | None:
    """The settings with windows half as large, where memory ran out; None where that cannot help."""
    tile = settings.tile // 2
    longer = max(enlarged_size(size, settings.scale))
    helps = settings.method.in_windows and longer > tile >= 4 * settings.overlap
    return dataclasses.replace(settings, tile=tile) if helps else None


def affordable(size: tuple[int, int], settings: Settings, max_bytes: int | None) -> Settings:
    """As `fitted`, within what is free here if no limit is given; where the system does not tell, as they are."""
    limit = max_bytes or available_bytes()
    return settings if limit is None else fitted(size, settings, limit)


def check_reading(size: tuple[int, int], max_bytes: int | None) -> None:
    """Find out from its size whether a picture can be read, put together and written within a limit, or what is free.

    Raises:
        InputError: it cannot.
    """
    limit, need = max_bytes or available_bytes(), _BYTES + _bytes_of_planes(size)
    if limit is not None and need > limit:
        raise _too_large(size, need, limit, "make it smaller")


def _bytes_of_planes(size: tuple[int, int]) -> int:
    """Of a picture of that (width, height), what cannot be taken out of memory while it is restored."""
    width, height = size
    return (_BYTES_BESIDE_FILES if in_file(height, width) else _BYTES_OF_PIXEL) * width * height


def _too_large(size: tuple[int, int], need: int, limit: int, remedy: str, option: str = "") -> InputError:
    """The error for it; `option` is a further remedy of the command line."""
    problem = f"a picture of {size[0]} x {size[1]} takes {_gib(need)} at least, the limit is {_gib(limit)}"
    on_command_line = f"{problem}: allow more (--max-memory, fewer --jobs), or {remedy}{option}"
    return InputError(f"{problem}: {remedy}", on_command_line=on_command_line)


def _reduced(size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    shrink = min(1.0, longer_side / max(size)) if longer_side else 1.0
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _gib(count: int) -> str:
    return f"{count / 2**30:.2f} GiB"
