"""What a picture's tones are, beside what they are when damage is undone: numbers, and words for people."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation.srgb import to_linear

_BLACK = 0.02  # a level that becomes less was black, and veiled
# Less than these nobody would call a change.
_STOPS, _VEIL, _CAST, _CONTRAST = 0.4, 0.06, 0.3, 0.1
_LEAST = 1e-4  # of linear light


@dataclass(frozen=True)
class ToneChange:
    """How the tones of a picture y differ from those of x, which it is when they are undone.

    Attributes:
        stops: of light, log2 of the mean linear light of y over that of x; below 0 y is too dark.
        warmth: stops of red over blue in y more than in x; below 0 y is too cold.
        green: stops of green over red and blue in y more than in x; below 0 y is too magenta.
        contrast: ln of the deviation of y over that of x, of sRGB grey; below 0 y is too flat.
        veil: the highest level of y that is black in x, of 1.
    """

    stops: float = 0.0
    warmth: float = 0.0
    green: float = 0.0
    contrast: float = 0.0
    veil: float = 0.0

    @staticmethod
    def between(y: Tensor, x: Tensor, veil: float) -> ToneChange:
        """Of y and x [1, 3, H, W] in [0, 1]; the veil is another's to tell: see `veil_of`."""
        lights = [to_linear(each).mean((0, 2, 3)) for each in (y, x)]
        red, green, blue = _stops_between(*lights).tolist()
        spreads = [each.mean(1).std(correction=0).clamp_min(_LEAST).log() for each in (y, x)]
        stops = float(_stops_between(*(light.mean() for light in lights)))
        return ToneChange(stops, red - blue, green - (red + blue) / 2, float(spreads[0] - spreads[1]), veil)

    def words(self) -> list[str]:
        """What `faults` says, or that the tones are a little off."""
        return self.faults() or ["tones a little off"]

    def faults(self) -> list[str]:
        """Such as "2.8 stops too dark", "too warm" and "a veil of 31%"; none where nobody would call it a change."""
        words = []
        veiled = self.veil > _VEIL
        if self.stops < -_STOPS or (self.stops > _STOPS and not veiled):  # a veil is light itself
            words.append(f"{abs(self.stops):.1f} stops too {'dark' if self.stops < 0 else 'bright'}")
        if abs(self.warmth) > _CAST:
            words.append("too warm" if self.warmth > 0 else "too cold")
        if abs(self.green) > _CAST:
            words.append("too green" if self.green > 0 else "too magenta")
        if veiled:
            words.append(f"a veil of {self.veil:.0%}")
        if not words and abs(self.contrast) > _CONTRAST:
            words.append("too flat" if self.contrast < 0 else "too much contrast")
        return words


def _stops_between(light: Tensor, other: Tensor) -> Tensor:
    return light.clamp_min(_LEAST).log2() - other.clamp_min(_LEAST).log2()


def veil_of(undone: Tensor) -> float:
    """Of what even levels from 0 to 1 are undone to, [3, L], the share that was black, 0 to 1."""
    return float((undone.mean(0) < _BLACK).float().mean())


def change_of_levels(undone: Tensor) -> ToneChange:
    """As if all levels were as common: `undone` [3, L] is what even ones from 0 to 1 are undone to."""
    levels = torch.linspace(0, 1, undone.shape[-1]).to(undone).expand_as(undone)
    return ToneChange.between(levels[None, :, None], undone[None, :, None], veil_of(undone))
