"""Files as phones, cameras and browsers make them, part by part: what is behind, beside and within a picture."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image
from torture_parts import png_chunk, png_with

XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
ISO_HEAD = b"urn:iso:std:iso:ts:21496:-1\0"
VIDEO = (
    struct.pack(">I", 24) + b"ftypmp42" + bytes(4) + b"mp42isom" + struct.pack(">I", 40) + b"mdat" + bytes(range(32))
)
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" %s dc:title="at the sea">%s'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
GAIN_MAP = b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
CAMERA = b'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'
_CONTAINER = (
    b'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
    b'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
)


def photo(width: int = 48, height: int = 40) -> Image.Image:
    """Soft shades and some grain."""
    x, y = np.meshgrid(np.linspace(60, 180, width), np.linspace(0, 40, height))
    grain = np.random.default_rng(5).normal(0, 2, (height, width, 3))
    return Image.fromarray(np.clip((x + y)[..., None] + grain, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or photo()).save(buffer, "JPEG", **{"quality": 95, **options})
    return buffer.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """A marker of a JPEG with its data."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments put behind its first marker."""
    return data[:2] + b"".join(segments) + data[2:]


def directory(*items: tuple[bytes, bytes, int]) -> tuple[bytes, bytes]:
    """Namespaces and element of Google's list of what is in a file: what each is, its kind, its length."""
    row = b'<Container:Item Item:Semantic="%s" Item:Mime="%s" Item:Length="%d"/>'
    rows = b"".join(
        b'<rdf:li rdf:parseType="Resource">%s</rdf:li>' % (row % item)
        for item in ((b"Primary", b"image/jpeg", 0), *items)
    )
    return _CONTAINER, b"<Container:Directory><rdf:Seq>%s</rdf:Seq></Container:Directory>" % rows


def index(primary: int, others: list[tuple[int, int]]) -> bytes:
    """The index of CIPA's multi-picture format, for a primary of so many bytes and (type, bytes) of those behind it.

    It is to be put directly behind the first marker.
    """
    count = 1 + len(others)
    head = b"II*\0" + struct.pack("<IH", 8, 3) + struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    head += struct.pack("<HHII", 0xB001, 4, 1, count) + struct.pack("<HHIII", 0xB002, 7, 16 * count, 50, 0)
    size = 4 + 4 + len(head) + 16 * count
    entries = struct.pack("<IIIHH", 0x20030000, primary + size, 0, 0, 0)
    at = primary + size - 10  # from the head of the index: behind two markers, a length and a name
    for kind, length in others:
        entries += struct.pack("<IIIHH", kind, length, at, 0, 0)
        at += length
    return segment(0xE2, b"MPF\0" + head + entries)


def with_others(data: bytes, *others: tuple[int, bytes]) -> bytes:
    """A JPEG with others behind it, each of a type of the multi-picture format."""
    return with_segments(data, index(len(data), [(kind, len(each)) for kind, each in others])) + b"".join(
        each for _, each in others
    )


def gain_map_jpeg(size: tuple[int, int] = (24, 20)) -> bytes:
    """A gain map with what says how to read it, by Adobe's words and by those of ISO 21496-1."""
    grey = Image.fromarray(np.tile(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], 1)))
    packet = PACKET % (GAIN_MAP + b' hdrgm:GainMapMax="2.5"', b"")
    return with_segments(jpeg(grey), segment(0xE1, XMP_HEAD + packet), segment(0xE2, ISO_HEAD + bytes(30)))


def ultra_hdr(turn: int = 1, trailer: bytes = b"", *, mpf: bool = True, adobe: bool = True) -> bytes:
    """A JPEG with a gain map, as Android writes it."""
    gain_map = gain_map_jpeg()
    items = [(b"GainMap", b"image/jpeg", len(gain_map))]
    items += [(b"MotionPhoto", b"video/mp4", len(trailer))] if trailer else []
    names, listed = directory(*items)
    names += b" " + GAIN_MAP if adobe else b""
    names += b" " + CAMERA + b' GCamera:MotionPhoto="1"' if trailer else b""
    exif = Image.Exif()
    exif[0x112], exif[0x13B] = turn, "Ana"
    primary = jpeg(exif=exif.tobytes(), xmp=PACKET % (names, listed))
    primary = with_segments(primary, segment(0xE2, ISO_HEAD + bytes(4)))
    return (with_others(primary, (0, gain_map)) if mpf else primary + gain_map) + trailer


def motion_photo(*, micro: bool = False) -> bytes:
    """A JPEG with a video behind it, as Google's camera writes it, now or in its first years (`micro`)."""
    if micro:
        flags = CAMERA + b' GCamera:MicroVideo="1" GCamera:MicroVideoVersion="1" GCamera:MicroVideoOffset="%d"' % len(
            VIDEO
        )
        return jpeg(xmp=PACKET % (flags, b"")) + VIDEO
    names, listed = directory((b"MotionPhoto", b"video/mp4", len(VIDEO)))
    flags = CAMERA + b' GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" ' + names
    return jpeg(xmp=PACKET % (flags, listed)) + VIDEO


def samsung_trailer() -> bytes:
    """A video and the list that finds it from the end of the file, as Samsung writes it."""
    name = b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + VIDEO
    listed = b"SEFH" + struct.pack("<II", 107, 1) + struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    return block + listed + struct.pack("<I", len(listed)) + b"SEFT"


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    """A block of Photoshop's resources, as it is in the APP13 of a JPEG."""
    parts = b"".join(
        b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)
        for number, data in resources
    )
    return b"Photoshop 3.0\0" + parts


def coded_png(primaries: int, transfer: int, *chunks: bytes) -> bytes:
    """A PNG whose chunk cICP says what its numbers mean."""
    buffer = io.BytesIO()
    photo().save(buffer, "PNG")
    return png_with(buffer.getvalue(), png_chunk(b"cICP", bytes([primaries, transfer, 0, 1])), *chunks)


def coded_avif(primaries: int, transfer: int, **options: object) -> bytes:
    """An AVIF whose box nclx says what its numbers mean."""
    buffer = io.BytesIO()
    photo().save(buffer, "AVIF", **options)
    data = bytearray(buffer.getvalue())
    struct.pack_into(">HH", data, data.index(b"nclx") + 4, primaries, transfer)
    return bytes(data)


def box(kind: bytes, *parts: bytes) -> bytes:
    """Of the formats of MPEG: length, kind, what is in it."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def heic_boxes(
    *, points: tuple[int, int] | None = None, bits: int = 8, kinds: tuple[bytes, ...] = (), told: tuple[bytes, ...] = ()
) -> bytes:
    """The boxes of a HEIC, without pixels: item 1 is shown, the others are of some kinds, or are told what they are.

    The first property, of another item, would mislead.
    """
    properties = [box(b"colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0x80))]
    properties.append(box(b"pixi", bytes(4), bytes([3, bits, bits, bits])))
    if points is not None:
        properties.append(box(b"colr", b"nclx", struct.pack(">HHHB", *points, 6, 0x80)))
    own = [2, 3][: 1 + (points is not None)]
    properties += [box(b"auxC", bytes(4), each, b"\0") for each in told]
    items = [b"hvc1", *kinds]
    infos = [box(b"infe", b"\2\0\0\0", struct.pack(">HH", n, 0), kind, b"\0") for n, kind in enumerate(items, 1)]
    links = struct.pack(">I", 2) + struct.pack(">HBB", 2, 1, 1) + struct.pack(">HB", 1, len(own)) + bytes(own)
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + box(
        b"meta",
        bytes(4),
        box(b"pitm", bytes(4), struct.pack(">H", 1)),
        box(b"iinf", bytes(4), struct.pack(">H", len(items)), *infos),
        box(b"iprp", box(b"ipco", *properties), box(b"ipma", bytes(4), links)),
    )


def profiled_bmp(
    profile: bytes, space: bytes = b"DEBM", *, place: int | None = None, length: int | None = None
) -> bytes:
    """A BMP of the fifth version with a profile behind its pixels, or with a place and a length that lie."""
    pixels = np.asarray(photo())[::-1, :, ::-1].tobytes()
    place = 124 + len(pixels) if place is None else place
    header = struct.pack("<IiiHHIIiiII", 124, 48, 40, 1, 24, 0, len(pixels), 2835, 2835, 0, 0) + bytes(16) + space
    header += bytes(48) + struct.pack("<IIII", 4, place, len(profile) if length is None else length, 0)
    return struct.pack("<2sIHHI", b"BM", 138 + len(pixels) + len(profile), 0, 0, 138) + header + pixels + profile
