"""What was found out about a picture's damage, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAME = (0.87, 1.15)  # an exposure that nobody would call another
_VEIL = 0.06
_UNEVEN = 0.08  # deviation of the logarithm of the light
_SOME = 0.1  # less of a change than this is none
_MISSING = {"hidden": "all of it is transparent", "flat": "one colour all over, or noise"}


def in_words(findings: Mapping[str, Any]) -> str:
    """Such as "0.14x exposure, noise 12 of 255" or "no damage found"; "" where nothing was looked for."""
    if missing := findings.get("missing"):
        return f"{_MISSING[missing]}: nothing to judge by"
    if not findings.get("shades", True):
        return "no shades, as of text or a drawing: nothing to restore"
    if "noise" not in findings:
        return ""
    words = _tone_in_words(findings["tone"]) if "tone" in findings else []
    if findings.get("denoised"):
        words.append(f"noise {findings['noise']:.0f} of 255")
    said = ", ".join(words) or "no damage found"
    if abs(change := findings.get("relit", 0.0)) > _SOME:
        said += f"; made {'lighter' if change > 0 else 'darker'}, as the caption asks"
    if not findings.get("caption", {}).get("followed", True):
        said += "; the caption does not fit the picture and was not followed"
    if bars := findings.get("bars"):
        said += f"; bars left as they are: {', '.join(f'{pixels} px {side}' for side, pixels in bars.items())}"
    return said


def _tone_in_words(tone: Mapping[str, Any]) -> list[str]:
    if tone["amount"] < _SOME:
        return []
    words = []
    if not _SAME[0] < tone["exposure"] < _SAME[1]:
        words.append(f"{tone['exposure']:.2g}x exposure")
    if tone["veil"] > _VEIL:
        words.append(f"a veil of {tone['veil']:.0%}")
    if tone.get("uneven", 0) > _UNEVEN:
        words.append("unevenly lit or veiled")
    words = words or ["tones a little off"]
    return words if tone["amount"] > 1 - _SOME else [f"{' and '.join(words)}, perhaps ({tone['amount']:.0%} undone)"]
