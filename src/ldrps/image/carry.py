"""What else is in a file than a picture, taken into the file of the restored one: whole, or left out in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ldrps.image import photoshop, xmp
from ldrps.image.cargo import NO_CARGO, Cargo
from ldrps.image.gain_map import with_gain_map
from ldrps.image.jpeg_parts import APP13, Segment, with_segments

# What of a cargo there is room for.
_ROOM = {
    "JPEG": ("segments", "resources", "gain_map", "trailer"),
    "TIFF": ("resources",),
    "PNG": ("points", "texts"),
}
_PIECE = 65000  # bytes of resources in a segment


@dataclass(frozen=True)
class Load:
    """What goes into a file of one format.

    Attributes:
        cargo: what of it is taken along.
        xmp: the packet, which tells of nothing that is not there.
        left_out: what is not taken along, each in words, and why.
    """

    cargo: Cargo
    xmp: bytes | None
    left_out: list[str] = field(default_factory=list)


def load_up(cargo: Cargo, packet: bytes | None, kind: str, *, same_tones: bool, strip: bool) -> Load:
    """What of a cargo, and of an XMP packet, goes into a file of a format of Pillow's.

    Args:
        cargo: of the file that the picture is from.
        packet: of it, too.
        kind: the format.
        same_tones: whether the picture is as light as it was everywhere: only then a gain map holds for it.
        strip: leave the metadata out, which includes all of the cargo; nobody misses what was asked to go.
    """
    left_out = [f"{each} is left out" for each in cargo.lost]
    taken = replace(NO_CARGO, **{name: getattr(cargo, name) for name in _ROOM.get(kind, ())})
    if strip:
        left_out += ["its gain map is left out, as the metadata that it needs are"] * (cargo.gain_map is not None)
        return Load(replace(NO_CARGO, points=taken.points), None, left_out)
    left_out += [f"its {words}: {kind} has no room for that" for words in _without_room(cargo, taken)]
    if taken.gain_map is not None and not same_tones:
        left_out.append("its gain map is left out, as it is of the tones before")
        taken = replace(taken, gain_map=None)
    if packet is not None:
        if taken.gain_map is None:
            packet = xmp.without_gain_map(packet)
        else:
            packet = xmp.with_length(packet, b"GainMap", len(taken.gain_map))
        if not taken.has_video:
            packet = xmp.without_motion(packet)
        if not taken.is_extended:
            packet = xmp.without_extension(packet)
    return Load(taken, packet, left_out)


def _without_room(cargo: Cargo, taken: Cargo) -> list[str]:
    """What is not taken along; what a PNG's code points say, the profile says too."""
    found = ["gain map"] * (cargo.gain_map is not None and taken.gain_map is None)
    found += ["video" if cargo.has_video else "data behind the picture"] * (len(cargo.trailer) > len(taken.trailer))
    found += ["IPTC data"] * (len(cargo.resources) > len(taken.resources))
    found += ["comments and notes of the maker"] * (len(cargo.segments) > len(taken.segments))
    found += ["texts"] * (len(cargo.texts) > len(taken.texts))
    return found


def stowed(data: bytes, cargo: Cargo) -> bytes:
    """A JPEG with its cargo.

    Raises:
        ValueError: a piece of it is too large.
    """
    block = cargo.resources
    pieces = [photoshop.HEAD + block[at : at + _PIECE] for at in range(0, len(block), _PIECE)]
    segments = [*(Segment(APP13, piece) for piece in pieces), *cargo.segments]
    data = with_segments(data, segments) if segments else data
    return (data if cargo.gain_map is None else with_gain_map(data, cargo.gain_map)) + cargo.trailer
