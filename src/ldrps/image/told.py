"""What a file says of its picture's colours, and of what else is in it, where Pillow does not tell."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from ldrps.image.boxes import NO_FACTS, BoxedFacts, read_boxes
from ldrps.image.cargo import Cargo
from ldrps.image.code_points import CodePoints, points_of_profile, profile_of_gamma, refuse_hdr
from ldrps.image.png_chunks import NO_CHUNKS, PngChunks, read_chunks

log = logging.getLogger(__name__)

_BOXED = ("AVIF", "HEIF")


@dataclass(frozen=True)
class Told:
    """What is told.

    Attributes:
        points: what the colours are; None where another way says so, or none.
        chunks: of a PNG.
        boxes: of an AVIF or HEIC.
        overruled: whether a profile is embedded that counts less than the points of a PNG.
    """

    points: CodePoints | None = None
    chunks: PngChunks = NO_CHUNKS
    boxes: BoxedFacts = NO_FACTS
    overruled: bool = False

    def profile(self, embedded: bytes | None, channels: int, name: str) -> bytes | None:
        """The profile of the picture, of 1 or 3 channels, in which the file embeds one or none; None of sRGB.

        One is made where the file says it in another way, so that any format can say it.
        """
        if self.points is not None and (self.chunks.points or not embedded):
            if self.points.is_known:
                return self.points.profile(channels)
            pair = f"{self.points.primaries}, {self.points.transfer}"
            log.warning("%s: its colours (%s of H.273) cannot be followed, and are taken for sRGB", name, pair)
            return embedded
        chunks = self.chunks
        if embedded or chunks.has_profile or (chunks.gamma is None and chunks.corners is None):
            return embedded
        return profile_of_gamma(chunks.gamma, chunks.corners, channels)

    def cargo(self) -> Cargo:
        """What is taken along, and what cannot be."""
        boxes = self.boxes
        lost = ["its gain map"] * boxes.gain_map + ["a map of depth, or another picture for programs,"] * boxes.hidden
        lost += ["its video"] * boxes.video
        lost += ["its colour profile, before which its code points count,"] * self.overruled
        return Cargo(points=self.chunks.points, texts=self.chunks.texts, lost=(*self.chunks.lost, *lost))


def read_told(image: Image.Image, file: BinaryIO, name: str) -> Told:
    """Of an open file, from which `image` was opened.

    Raises:
        InputError: the picture is HDR.
    """
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and (meant := points_of_profile(profile)) is not None:
        refuse_hdr(meant, name)
    points, chunks, boxes = None, NO_CHUNKS, NO_FACTS
    if image.format == "PNG":
        chunks = read_chunks(file)
        if chunks.points:
            points = CodePoints(chunks.points[0], chunks.points[1], bool(chunks.points[3]))
    elif image.format in _BOXED:
        boxes = read_boxes(file)
        if boxes.points is not None:
            primaries, transfer, _ = boxes.points
            points = CodePoints(primaries, transfer)  # the decoder has seen to the range
    if points is not None:
        refuse_hdr(points, name)
    overruled = bool(profile and chunks.points) and points is not None and points.is_known
    return Told(points, chunks, boxes, overruled)
