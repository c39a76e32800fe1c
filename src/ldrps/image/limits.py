"""What size of picture is worked on; the same for files, PIL images and arrays."""

from __future__ import annotations

from ldrps.errors import InputError

MIN_SIDE = 32  # pixels: below this a latent of the priors is no more than four cells wide
MAX_PIXELS = 100_000_000


def enlarged_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Two sides, times the scale, in whole pixels."""
    return round(size[0] * scale), round(size[1] * scale)


def refuse_large(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise InputError if the picture has more than `max_pixels`. Needs no pixels, so it comes before decoding."""
    pixels = width * height
    if pixels > max_pixels:
        found = f"{name} is {width} x {height} = {pixels:,} pixels, more than the limit of {max_pixels:,}: "
        remedy = "make it smaller, or, if it is genuine, allow it with "
        raise InputError(f"{found}{remedy}max_pixels={pixels}", on_command_line=f"{found}{remedy}--max-pixels {pixels}")


def refuse_enlarged(name: str, width: int, height: int, scale: float, max_pixels: int) -> None:
    """Raise InputError if a picture would have more than `max_pixels` when it is enlarged by a scale."""
    large = enlarged_size((width, height), scale)
    pixels = large[0] * large[1]
    if scale > 1 and pixels > max_pixels:
        found = (
            f"{name} is {width} x {height}, and enlarged {scale:g} times {large[0]} x {large[1]} = {pixels:,} pixels, "
        )
        found += f"more than the limit of {max_pixels:,}: "
        raise InputError(
            f"{found}take a smaller scale, or allow it with max_pixels={pixels}",
            on_command_line=f"{found}take a smaller --scale, or allow it with --max-pixels {pixels}",
        )


def refuse_small(name: str, width: int, height: int) -> None:
    """Raise InputError if the picture has no pixels, or a side shorter than MIN_SIDE. Before decoding, as above."""
    if min(width, height) < 1:
        raise InputError(f"{name} is {width} x {height}, without pixels: give a picture of at least {MIN_SIDE} a side")
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{name} is {width} x {height} pixels, smaller than the limit of {MIN_SIDE} on a side: "
            "give the larger original, or enlarge it first"
        )


def another_size(name: str, found: tuple[int, int], source: str, size: tuple[int, int]) -> InputError:
    """The error for a mask of another (width, height) than the picture `source`."""
    why = "; a picture that lies on its side in its file is masked as it is shown" if found == size[::-1] else ""
    return InputError(
        f"{name} is {found[0]} x {found[1]} pixels, and {source} is {size[0]} x {size[1]}: give a mask of the "
        f"picture's size{why}"
    )
