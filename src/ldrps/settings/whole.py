"""All numbers of a restoration."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from ldrps.errors import SettingsError
from ldrps.settings.blind import BlindSettings
from ldrps.settings.checks import check, take_values
from ldrps.settings.method import PARTS
from ldrps.settings.named import NamedSettings, check_names
from ldrps.settings.published import PublishedSettings

MAX_SCALE = 8.0


@dataclass(frozen=True)
class Settings:
    """All that decides a restoration beside the picture, the prior and the caption."""

    preset: str = "default"
    seed: int = 0
    steps: int = 2
    recurrences: int = 0
    # Recurrence re-noises to this fraction of the chain: gamma.
    renoise: float = 0.5
    # Classifier-free guidance: eps_u + scale (eps_c - eps_u); used only with a prior that knows text. 1 takes the
    # caption as the prior was trained with it, at half the cost.
    text_scale: float = 1.0
    negative: str = ""
    # Larger pictures are restored in windows of so many pixels a side, of which neighbours share `overlap`. The paper's
    # presets learn from the whole picture and have one window.
    tile: int = 512
    overlap: int = 64
    # Restore a copy of at most so many pixels on the longer side, and give what changed to the picture in full size,
    # whose own detail stays; 0 restores the picture itself.
    working_size: int = 0
    # How many times larger the result is, each way; 1 is as large as the picture.
    scale: float = 1.0
    # Pictures come with masks of holes, which are filled: what that takes counts.
    fill: bool = False
    # Give a grey photograph colours, drawn from the prior as the caption wants them. Others stay as they are.
    colourise: bool = False
    # How much a caption may say about how light the result is: 1 lets "bright" and "dark" be seen, 0 does not listen.
    relight: float = 0.0
    method: PublishedSettings | BlindSettings = field(default_factory=BlindSettings)

    def __post_init__(self) -> None:
        take_values(self)
        check(0 <= self.seed < 2**64, "seed", self.seed, f"0 to {2**64 - 1}")
        check(1 <= self.steps <= 10_000, "steps", self.steps, "1 to 10000")
        check(0 <= self.recurrences <= 100, "recurrences", self.recurrences, "0 to 100")
        check(0 < self.renoise <= 1, "renoise", self.renoise, "above 0, at most 1")
        check(0 <= self.relight <= 10, "relight", self.relight, "0 to 10")
        check(16 <= self.overlap <= 1024, "overlap", self.overlap, "16 to 1024 pixels")
        wanted = f"{4 * self.overlap} to 8192 pixels: four times the overlap at least"
        check(4 * self.overlap <= self.tile <= 8192, "tile", self.tile, wanted)
        wanted = "0 for the picture's own, or 32 to 8192 pixels"
        check(self.working_size == 0 or 32 <= self.working_size <= 8192, "working_size", self.working_size, wanted)
        check(0 <= self.text_scale <= 100, "text_scale", self.text_scale, "0 to 100")
        check(1 <= self.scale <= MAX_SCALE, "scale", self.scale, f"1, which is as large as it is, to {MAX_SCALE:g}")
        if self.scale > 1 and not self.method.enlarges:
            raise SettingsError(
                f"scale is {self.scale:g}; preset {self.preset!r} cannot enlarge: leave scale out, or take the preset "
                "default, fast or best"
            )
        if self.scale > 1 and self.working_size:
            raise SettingsError(
                f"scale is {self.scale:g} and working_size {self.working_size}; a smaller copy has no detail to "
                "enlarge: leave one of the two out"
            )
        if self.fill and not self.method.fills:
            raise SettingsError(
                f"preset {self.preset!r} cannot fill holes: leave mask out, or take the preset default, fast, best or "
                "ldrps"
            )
        if self.fill and self.scale > 1:
            raise SettingsError(
                f"there is a mask, and scale is {self.scale:g}; holes are filled in a picture's own size: fill them "
                "first, then enlarge the result"
            )

    @property
    def recorded_as(self) -> str:
        """The name of the method in records."""
        return type(self.method).__name__.removesuffix("Settings")

    def with_changes(self, **changes: Unpack[NamedSettings]) -> Settings:
        """A copy with some fields replaced, of its own or of its method; None means "as the preset has it".

        Raises:
            SettingsError: there is no such setting, the method has none of that name, or a value cannot be.
        """
        given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        own = {field.name: given.pop(field.name) for field in dataclasses.fields(self) if field.name in given}
        changed = dataclasses.replace(self, **own)
        check_names(given)
        for name in given:
            if not hasattr(changed.method, name):
                raise SettingsError(
                    f"preset {self.preset!r} has no setting {name!r}: leave it out, or take a preset that has it"
                )
        return dataclasses.replace(changed, method=dataclasses.replace(changed.method, **given)) if given else changed

    def with_masks(self, *, holes: bool, protected: bool) -> Settings:
        """A copy for pictures of which some pixels are lost, or are to stay as they are.

        Raises:
            SettingsError: the method fills none, or they are to be enlarged as well.
        """
        if protected and self.scale > 1:
            raise SettingsError(
                f"some pixels are protected, and scale is {self.scale:g}; in a larger picture none is as it was: leave "
                "protect or scale out"
            )
        return dataclasses.replace(self, fill=holes) if holes != self.fill else self

    def with_knowledge(self, *, undamaged: float | None = None, noise: float | None = None) -> Settings:
        """A copy for somebody who knows something of the damage: see `BlindSettings`. None is "not known".

        Raises:
            SettingsError: the published method asks nobody.
        """
        return self._with_method(undamaged=undamaged, noise=noise)

    def with_strengths(
        self,
        strength: float | Mapping[str, float] | None = None,
        *,
        only: Collection[str] = (),
        skip: Collection[str] = (),
    ) -> Settings:
        """A copy that undoes some parts of the damage more, less or not at all; the others as before.

        Args:
            strength: of all parts, or of some by name; see `Strengths`.
            only: parts that are undone, and no others; all if empty. A text is one of them.
            skip: parts that are not.

        Raises:
            SettingsError: there is no such part, or the published method, which knows no parts.
        """
        for option, names in (("only", only), ("skip", skip)):
            check(isinstance(names, Collection), option, repr(names), f"some of {', '.join(PARTS)}")
        only, skip = ([names] if isinstance(names, str) else names for names in (only, skip))
        given = strength if isinstance(strength, Mapping) else {}
        for name in [*given, *only, *skip]:
            check(name in PARTS, "part", repr(name), f"one of {', '.join(PARTS)}")
        everywhere = None if isinstance(strength, Mapping) else strength
        wanted = {
            part: 0.0 if part in skip or (only and part not in only) else given.get(part, everywhere) for part in PARTS
        }
        strengths = {part: value for part, value in wanted.items() if value is not None}
        if not strengths:
            return self
        self.require_parts()
        assert isinstance(self.method, BlindSettings)
        return self._with_method(strengths=dataclasses.replace(self.method.strengths, **strengths))

    def require_parts(self) -> None:
        """Raise SettingsError unless the method undoes the damage part by part, as it was estimated or given."""
        if not self.method.knows_parts:
            raise SettingsError(
                f"preset {self.preset!r} learns the damage as a whole: leave damage, only, skip and strength out"
            )

    def _with_method(self, **changes: Any) -> Settings:
        given = {name: value for name, value in changes.items() if value is not None}
        known = {field.name for field in dataclasses.fields(self.method)}
        if unknown := [name for name in given if name not in known]:
            raise SettingsError(
                f"preset {self.preset!r} finds the damage out by itself: leave {', '.join(unknown)} out"
            )
        return dataclasses.replace(self, method=dataclasses.replace(self.method, **given))
