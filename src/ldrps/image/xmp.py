"""What XMP packets, which are text, say of a file: changed where it would no longer be true. Free of torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_TURN = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))\s*[2-8]""")
_THUMBNAILS = rb"(?:xmp|xap):Thumbnails"
# The sizes that it may tell, as attributes and as elements.
_WIDTH, _HEIGHT = (
    re.compile(rb"""((?:exif:Pixel%sDimension|tiff:Image%s)(?:\s*=\s*["']|>)\s*)\d+""" % names)
    for names in ((b"X", b"Width"), (b"Y", b"Length"))
)
_GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/1.0/", b"http://ns.apple.com/HDRGainMap/1.0/")
_CAMERAS = (b"http://ns.google.com/photos/1.0/camera/",)
_NOTE = (b"http://ns.adobe.com/xmp/note/",)
_MOTION = rb"(?:MotionPhoto|MicroVideo)\w*"
_LISTED, _LIST = rb"rdf:li", rb"\w+:Directory"
_ITEM = b"http://ns.google.com/photos/1.0/container/"
_KIND = re.compile(rb"""Semantic(?:\s*=\s*["']|>)\s*(\w+)""")
_PREFIX = rb"[\w.-]{1,64}"
_LENGTH = re.compile(rb"""(Length(?:\s*=\s*["']|>)\s*)\d+""")


def tidied(packet: bytes) -> bytes:
    """A packet for a picture that stands upright, without thumbnails."""
    return _changed(_TURN.sub(rb"\g<1>1", packet), _THUMBNAILS, lambda _: b"")


def of_size(packet: bytes, size: tuple[int, int]) -> bytes:
    """A packet that tells another (width, height), where it tells any."""
    for side, pattern in zip(size, (_WIDTH, _HEIGHT), strict=True):
        packet = pattern.sub(rb"\g<1>%d" % side, packet)
    return packet


def tells_of_gain_map(packet: bytes) -> bool:
    """Whether a packet says how bright the lights of a picture are on screens that can show it."""
    return any(name in packet for name in _GAIN_MAPS)


def without_gain_map(packet: bytes) -> bytes:
    """A packet that tells of no gain map."""
    return _unlisted(_without(packet, _GAIN_MAPS, rb"[\w.-]+"), b"GainMap")


def without_motion(packet: bytes) -> bytes:
    """A packet that tells of no video behind the picture."""
    return _unlisted(_without(packet, _CAMERAS, _MOTION), b"MotionPhoto")


def without_extension(packet: bytes) -> bytes:
    """A packet that tells of no other which goes on with it."""
    return _without(packet, _NOTE, rb"HasExtendedXMP")


def with_length(packet: bytes, kind: bytes, length: int) -> bytes:
    """A packet whose list of what is in the file, if it has one, says that the part of a kind has so many bytes."""

    def changed(item: bytes) -> bytes:
        found = _KIND.search(item)
        return _LENGTH.sub(rb"\g<1>%d" % length, item) if found is not None and found[1] == kind else item

    return _changed(packet, _LIST, lambda listed: _changed(listed, _LISTED, changed)) if _ITEM in packet else packet


def _changed(
    packet: bytes, name: bytes, change: Callable[[bytes], bytes], prefixes: Collection[bytes] | None = None
) -> bytes:
    """A packet with each element of a name, a regular expression, replaced by what `change` makes of it.

    With `prefixes` only those elements whose names begin with one of them. In one go through the tags: patterns with an
    end that is not there take hours for a packet made to that end.
    """
    parts, done, opened = [], 0, None
    for tag in re.finditer(rb"<(/?)(%s)(?=[\s/>])[^<>]*?(/?)>" % name, packet):
        if prefixes is not None and tag[2].partition(b":")[0] not in prefixes:
            continue
        if opened is None and not tag[1]:
            opened = tag
        if opened is not None and tag[2] == opened[2] and (tag[1] or (tag is opened and tag[3])):
            parts += [packet[done : opened.start()], change(packet[opened.start() : tag.end()])]
            done, opened = tag.end(), None
    return b"".join([*parts, packet[done:]])


def _without(packet: bytes, namespaces: tuple[bytes, ...], names: bytes) -> bytes:
    """A packet without the attributes and elements of such names in these namespaces, whatever their prefixes are."""
    for namespace in namespaces:
        bound = set(re.findall(rb"""xmlns:(%s)\s?=\s?["']%s["']""" % (_PREFIX, re.escape(namespace)), packet))
        if not bound:
            continue
        packet = _without_attributes(packet, rb"(%s):%s" % (_PREFIX, names), bound)
        packet = _changed(packet, rb"%s:%s" % (_PREFIX, names), lambda _: b"", bound)
        unused = bound.difference(re.findall(rb"[<\s/](%s):" % _PREFIX, packet))
        packet = _without_attributes(packet, rb"xmlns:(%s)" % _PREFIX, unused)
    return packet


def _without_attributes(packet: bytes, name: bytes, prefixes: Collection[bytes]) -> bytes:
    """A packet without the attributes of a name, a regular expression, whose first group is one of these prefixes."""
    attribute = re.compile(rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')""" % name)
    return attribute.sub(lambda found: b"" if found[1] in prefixes else found[0], packet)


def _unlisted(packet: bytes, kind: bytes) -> bytes:
    """A packet whose list of what is in the file has no parts of a kind; without a list where that leaves one part."""
    if _ITEM not in packet:
        return packet

    def shortened(listed: bytes) -> bytes:
        left = _changed(listed, _LISTED, lambda item: b"" if kind in _KIND.findall(item) else item)
        return left if left.count(b"</rdf:li>") > 1 else b""

    return _changed(packet, _LIST, shortened)
