"""What was found out about a picture's damage, for people."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ldrps.degradation import Blur
from ldrps.degradation.change import ToneChange, veil_of
from ldrps.degradation.uncertain import LEVELS
from ldrps.estimation.damage import Damage

_NEARLY = 0.9  # a share that is as good as all
POSSIBLE = 0.1  # the probability from which people are told of damage to tones that is left as it is


def damage_in_words(damage: Damage, change: ToneChange) -> str:
    """What is undone, such as "2.8 stops too dark, noise 12 of 255"; "no damage found" only where nothing is, and
    "left as it is" where nobody looked.

    Args:
        damage: of the picture.
        change: what undoing it does to its tones; see `change_of`.
    """
    words = ", ".join(parts_in_words(damage, change).values())
    return words or ("left as it is" if damage == Damage() else "no damage found")


def parts_in_words(damage: Damage, change: ToneChange) -> dict[str, str]:
    """What is undone of each part of a damage of which something is, by the part's name; see `damage_in_words`."""
    words = {}
    if tone := ", ".join(_tone_in_words(damage, change)):
        words["tone"] = tone
    if damage.blur is not None and damage.blur_kernel is not None:
        words["blur"] = Blur(damage.blur_kernel).words()
    if damage.noise is not None and (deviation := damage.noise_deviation):
        told = dataclasses.replace(damage.noise.value, sigma=deviation).words()
        words["noise"] = told if round(255 * deviation) else "a trace of noise"
    if damage.holes is not None:
        words["holes"] = damage.holes.words()
    return words


def change_of(damage: Damage, y: Tensor) -> ToneChange:
    """How the tones of a picture y [1, 3, H, W] in [0, 1] differ from what they are when its damage is undone."""
    if damage.tone is None or damage.tone.absent:
        return ToneChange()
    levels = torch.linspace(0, 1, LEVELS).expand(1, 3, 1, -1)
    return ToneChange.between(y, damage.undo_tone(y), veil_of(damage.tone.scaled.invert(levels)[0, :, 0]))


def possible_change(damage: Damage, y: Tensor) -> ToneChange:
    """How the tones of a picture y [1, 3, H, W] in [0, 1] would change if what may have happened to them, and is not
    undone because it is likelier that nothing did, were undone; no change where that is hardly possible.
    """
    tone = damage.tone
    if tone is None or tone.share > 0 or tone.strength == 0 or tone.probability < POSSIBLE:
        return ToneChange()
    return change_of(dataclasses.replace(damage, tone=dataclasses.replace(tone, probability=1.0)), y)


def _tone_in_words(damage: Damage, change: ToneChange) -> list[str]:
    tone = damage.tone
    if tone is None or tone.absent or bool(tone.value.absent.all()):
        return []
    if tone.share > _NEARLY:
        return change.words()
    return [f"{' and '.join(change.words())}, perhaps ({max(tone.share, 0.01):.0%} undone)"]
