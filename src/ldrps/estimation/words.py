"""What was found out about a picture's damage, for people."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ldrps.degradation.uncertain import LEVELS, tone_in_words
from ldrps.estimation.damage import Damage

_SOME = 0.1  # less of a change than this is none


def damage_in_words(damage: Damage, exposure: float) -> str:
    """What is undone, such as "0.14x exposure, noise 12 of 255"; "no damage found" where nothing is, and "left as
    it is" where nobody looked.

    Args:
        damage: of the picture.
        exposure: how light the picture is, relative to what it is when its tones are undone; see `exposure_of`.
    """
    words = _tone_in_words(damage, exposure)
    if damage.noise is not None and round(255 * damage.noise_deviation):
        words.append(dataclasses.replace(damage.noise.value, sigma=damage.noise_deviation).words())
    return ", ".join(words) or ("left as it is" if damage == Damage() else "no damage found")


def exposure_of(damage: Damage, y: Tensor) -> float:
    """How light a picture y [1, 3, H, W] is, relative to what it is when its tones are undone."""
    return float(y.mean() / damage.undo_tone(y).mean().clamp_min(1e-3))


def _tone_in_words(damage: Damage, exposure: float) -> list[str]:
    tone = damage.tone
    if tone is None or tone.share < _SOME or tone.strength < _SOME or bool(tone.value.absent.all()):
        return []
    levels = torch.linspace(0, 1, LEVELS).expand(1, 3, 1, -1)
    words = tone_in_words(exposure, tone.scaled.invert(levels)[0, :, 0])
    if tone.share > 1 - _SOME:
        return words
    return [f"{' and '.join(words)}, perhaps ({tone.share:.0%} undone)"]
