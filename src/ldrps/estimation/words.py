"""What was found out about a picture's damage, for people."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ldrps.degradation.uncertain import LEVELS, tone_in_words
from ldrps.estimation.damage import Damage

_NEARLY = 0.9  # a share that is as good as all


def damage_in_words(damage: Damage, exposure: float) -> str:
    """What is undone, such as "0.14x exposure, noise 12 of 255"; "no damage found" only where nothing is, and
    "left as it is" where nobody looked.

    Args:
        damage: of the picture.
        exposure: how light the picture is, relative to what it is when its tones are undone; see `exposure_of`.
    """
    words = _tone_in_words(damage, exposure)
    if damage.noise is not None and (deviation := damage.noise_deviation):
        told = dataclasses.replace(damage.noise.value, sigma=deviation).words()
        words.append(told if round(255 * deviation) else "a trace of noise")
    return ", ".join(words) or ("left as it is" if damage == Damage() else "no damage found")


def exposure_of(damage: Damage, y: Tensor) -> float:
    """How light a picture y [1, 3, H, W] is, relative to what it is when its tones are undone."""
    return float(y.mean() / damage.undo_tone(y).mean().clamp_min(1e-3))


def _tone_in_words(damage: Damage, exposure: float) -> list[str]:
    tone = damage.tone
    if tone is None or tone.absent or bool(tone.value.absent.all()):
        return []
    levels = torch.linspace(0, 1, LEVELS).expand(1, 3, 1, -1)
    words = tone_in_words(exposure, tone.scaled.invert(levels)[0, :, 0])
    if tone.share > _NEARLY:
        return words
    return [f"{' and '.join(words)}, perhaps ({max(tone.share, 0.01):.0%} undone)"]
