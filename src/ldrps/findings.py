"""What was found out about a picture while it was restored, typed, in words and as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ldrps.degradation.change import ToneChange
from ldrps.estimation.damage import Damage
from ldrps.estimation.words import damage_in_words, parts_in_words

_CHANGED = 0.1  # less of a change of light than this is none
_MISSING = {"hidden": "all of it is transparent", "flat": "one colour all over, or noise"}
_SHADELESS = "no shades, as of text or a drawing: nothing to restore"


@dataclass(frozen=True)
class CaptionFit:
    """Whether a caption says what the picture shows.

    Attributes:
        gain: the share of the error of denoising that it takes away; below 0 it misleads.
        followed: whether it was used.
    """

    gain: float
    followed: bool


@dataclass(frozen=True)
class Findings:
    """What a method and the steps around it found out.

    Attributes:
        damage: what happened to the picture; None of a method that does not say.
        tones: how they were, beside what they are when they are undone.
        possible: the same of what may have happened to them, and was left because it is likelier that nothing did; no
            change where nothing may, or the damage tells of what was done.
        windows: in how many it was restored.
        caption: whether the caption fits; None where there is none, or nobody asked.
        relit: how much lighter the caption made it, below 0 darker.
        bars: how many pixels of bars of one colour were left out of judging, by side.
        missing: why there is nothing to judge by, "hidden" or "flat"; else "".
        shades: whether it has any, as text and drawings have not.
        scale: how many times larger the result is, each way.
        unheeded: what was asked for and could do nothing for this picture, in words, and why.
    """

    damage: Damage | None = None
    tones: ToneChange = field(default_factory=ToneChange)
    possible: ToneChange = field(default_factory=ToneChange)
    windows: int = 1
    caption: CaptionFit | None = None
    relit: float = 0.0
    bars: Mapping[str, int] = field(default_factory=dict)
    missing: str = ""
    shades: bool = True
    scale: float = 1.0
    unheeded: tuple[str, ...] = ()

    def words(self) -> str:
        """Such as "2.8 stops too dark, noise 12 of 255" or "no damage found"; "" where nothing was looked for."""
        larger = f"enlarged {self.scale:.3g} times"
        if self.missing or not self.shades:
            why = f"{_MISSING[self.missing]}: nothing to judge by" if self.missing else _SHADELESS
            if self.damage is not None and self.damage.holes is not None:
                why = f"{why}; {self.damage.holes.words()}"
            return why if self.scale == 1 else f"{why}; {larger} by a plain cubic"
        words = [] if self.damage is None else [damage_in_words(self.damage, self.tones)]
        words += filter(None, [self.doubt()])
        if abs(self.relit) > _CHANGED:
            words.append(f"made {'lighter' if self.relit > 0 else 'darker'}, as the caption asks")
        if self.caption is not None and not self.caption.followed:
            words.append("the caption does not fit the picture and was not followed")
        if self.scale != 1:
            words.append(f"{larger}; fine detail is sharpened by guess")
        if self.bars:
            sides = ", ".join(f"{pixels} px {side}" for side, pixels in self.bars.items())
            words.append(f"bars left as they are: {sides}")
        words += self.unheeded
        return "; ".join(words)

    def parts(self) -> dict[str, str]:
        """What was found and done of each part of the damage, in words, by its name; empty where nothing was."""
        return {} if self.damage is None else parts_in_words(self.damage, self.tones)

    def doubt(self) -> str:
        """What may be wrong with the tones and was left, such as "perhaps 1.9 stops too dark (21%), and left so"; "" if
        there is nothing that people would notice.
        """
        faults = self.possible.faults()
        if not faults or self.damage is None or self.damage.tone is None:
            return ""
        return f"perhaps {' and '.join(faults)} ({self.damage.tone.probability:.0%}), and left so"

    def plain(self) -> dict[str, Any]:
        """What is not as it usually is, as plain data for JSON; without the damage, which is told apart."""
        usual, names = Findings(), [each.name for each in dataclasses.fields(self) if each.name != "damage"]
        facts = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}
        if self.caption is not None:
            facts["caption"] = dataclasses.asdict(self.caption)
        for name in facts.keys() & {"tones", "possible"}:
            facts[name] = {part: round(value, 3) for part, value in dataclasses.asdict(facts[name]).items()}
        return facts
