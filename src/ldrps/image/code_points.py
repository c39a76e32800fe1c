"""Numbers that say what colours mean (ITU-T H.273), as PNG, AVIF and HEIC have them, and profiles made of them."""

from __future__ import annotations

from typing import NamedTuple

from ldrps.errors import InputError
from ldrps.image.made_profile import Curve, Primaries, make_profile

UNSPECIFIED = 2
_SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_VIDEO = Curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES = {
    **dict.fromkeys((1, 6, 14, 15), _VIDEO),
    UNSPECIFIED: _SRGB_CURVE,
    4: Curve(2.2),
    5: Curve(2.8),
    8: Curve(1.0),
    13: _SRGB_CURVE,
}
_HDR = {16: "PQ", 18: "HLG"}
_D65 = (0.3127, 0.3290)
SRGB = Primaries(_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_PRIMARIES = {
    1: SRGB,
    UNSPECIFIED: SRGB,
    5: Primaries(_D65, (0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    **dict.fromkeys((6, 7), Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))),
    9: Primaries(_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: Primaries(_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_FILES_GAMMA, _ALIKE = 1 / 2.2, 0.01  # what files for the web say that mean sRGB, and how near is near enough
_SANE = (0.2, 1.0)  # of such a gamma


class CodePoints(NamedTuple):
    """Which primaries, which curve, and whether levels reach from end to end."""

    primaries: int
    transfer: int
    is_full: bool = True

    @property
    def is_known(self) -> bool:
        """Whether a profile can be made of them."""
        return self.primaries in _PRIMARIES and self.transfer in _CURVES

    def profile(self, channels: int) -> bytes | None:
        """That of a picture of 1 or 3 channels; None of sRGB.

        Raises:
            KeyError: they are not known.
        """
        primaries, curve = _PRIMARIES[self.primaries], _CURVES[self.transfer]
        if curve == _SRGB_CURVE and (primaries == SRGB or channels == 1):
            return None
        return make_profile(primaries, curve, channels)


def refuse_hdr(points: CodePoints, name: str) -> None:
    """Refuse a picture whose levels mean light beyond the white of a page, or do not reach from end to end.

    Raises:
        InputError: it is one.
    """
    if points.transfer in _HDR:
        raise InputError(
            f"{name} is HDR: its levels mean light by {_HDR[points.transfer]} (transfer {points.transfer} of H.273), "
            "which is not read: convert it to SDR, such as sRGB, first"
        )
    if not points.is_full:
        raise InputError(
            f"{name} has levels of video's narrow range, which is not read: convert it to the full range first"
        )


def profile_of_gamma(gamma: float | None, corners: tuple[float, ...] | None, channels: int) -> bytes | None:
    """The profile that a PNG's older chunks stand for, gAMA as a number and cHRM as eight (white, red, green, blue).

    None of sRGB, near enough, and of numbers that cannot be meant.
    """
    primaries = SRGB if corners is None else Primaries(*zip(corners[::2], corners[1::2], strict=True))
    if gamma is not None and not _SANE[0] <= gamma <= _SANE[1]:
        return None
    curve = _SRGB_CURVE if gamma is None or abs(gamma - _FILES_GAMMA) < _ALIKE else Curve(1 / gamma)
    apart = [abs(a - b) for one, other in zip(primaries, SRGB, strict=True) for a, b in zip(one, other, strict=True)]
    alike = max(apart) < _ALIKE
    if curve == _SRGB_CURVE and (alike or channels == 1):
        return None
    if not primaries.is_sane:
        return None
    return make_profile(primaries, curve, channels)


def points_of_profile(profile: bytes) -> CodePoints | None:
    """Those that an ICC profile, of version 4.4, says it stands for; None if it does not say."""
    count = int.from_bytes(profile[128:132], "big")
    for at in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        if profile[at : at + 4] == b"cicp":
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            data = profile[start : start + 12]
            return CodePoints(data[8], data[9]) if len(data) == 12 else None
    return None
