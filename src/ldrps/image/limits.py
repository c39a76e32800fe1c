"""What size of picture is worked on; the same for files, PIL images and arrays."""

from __future__ import annotations

from ldrps.errors import InputError

MIN_SIDE = 32  # pixels: below this a latent of the priors is no more than four cells wide
MAX_PIXELS = 100_000_000


def refuse_large(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise InputError if the picture has more than `max_pixels`. Needs no pixels, so it comes before decoding."""
    pixels = width * height
    if pixels > max_pixels:
        found = f"{name} is {width} x {height} = {pixels:,} pixels, more than the limit of {max_pixels:,}: "
        remedy = "make it smaller, or, if it is genuine, allow it with "
        raise InputError(f"{found}{remedy}max_pixels={pixels}", on_command_line=f"{found}{remedy}--max-pixels {pixels}")


def refuse_small(name: str, width: int, height: int) -> None:
    """Raise InputError if the picture has no pixels, or a side shorter than MIN_SIDE. Before decoding, as above."""
    if min(width, height) < 1:
        raise InputError(f"{name} is {width} x {height}, without pixels: give a picture of at least {MIN_SIDE} a side")
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{name} is {width} x {height} pixels, smaller than the limit of {MIN_SIDE} on a side: "
            "give the larger original, or enlarge it first"
        )
