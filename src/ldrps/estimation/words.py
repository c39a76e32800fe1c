"""What was found out about a picture's damage, for people."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.estimation.damage import Damage

_SAME = (0.87, 1.15)  # an exposure that nobody would call another
_BLACK, _VEIL = 0.02, 0.06
_SOME = 0.1  # less of a change than this is none
_LEVELS = 1025


def damage_in_words(damage: Damage, exposure: float) -> str:
    """What is undone, such as "0.14x exposure, noise 12 of 255"; "no damage found" where nothing is.

    Args:
        damage: of the picture.
        exposure: how light the picture is, relative to what it is when its tones are undone; see `exposure_of`.
    """
    words = _tone_in_words(damage, exposure)
    if damage.noise is not None and not damage.noise.absent:
        words.append(f"noise {255 * damage.noise_deviation:.0f} of 255")
    return ", ".join(words) or "no damage found"


def exposure_of(damage: Damage, y: Tensor) -> float:
    """How light a picture y [1, 3, H, W] is, relative to what it is when its tones are undone."""
    return float(y.mean() / damage.undo_tone(y).mean().clamp_min(1e-3))


def _tone_in_words(damage: Damage, exposure: float) -> list[str]:
    tone = damage.tone
    if tone is None or tone.share < _SOME or tone.strength < _SOME:
        return []
    words = []
    if not _SAME[0] < exposure < _SAME[1]:
        words.append(f"{exposure:.2g}x exposure")
    levels = torch.linspace(0, 1, _LEVELS).expand(1, 3, 1, -1)
    undone = tone.value.scaled(tone.strength).invert(levels)
    veil = float((undone.mean(1) < _BLACK).float().mean())
    if veil > _VEIL:
        words.append(f"a veil of {veil:.0%}")
    said = " and ".join(words) or "tones a little off"
    if tone.share > 1 - _SOME:
        return words or [said]
    return [f"{said}, perhaps ({tone.share:.0%} undone)"]
