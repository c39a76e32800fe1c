"""All numbers of a restoration."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Unpack

from ldrps.settings.blind import BlindSettings
from ldrps.settings.checks import check, take_values
from ldrps.settings.method import PARTS
from ldrps.settings.named import NamedSettings, check_names
from ldrps.settings.published import PublishedSettings
from ldrps.settings.shown import Needs, Panel, Shown, Within, options_of, refused

MAX_SCALE = 8.0

_WINDOWS = (
    Needs(lambda settings: settings.method.in_windows, "preset {0!r} restores a picture as a whole"),
    Needs(
        lambda settings: not 0 < settings.working_size <= settings.tile, "one window holds the copy of {working_size}"
    ),
)
_IN_STEPS = Needs(lambda settings: settings.scale == 1, "with {scale} there are levels in place of steps")
_AGAINST = Needs(
    lambda settings: settings.colourise or settings.text_scale != 1,
    "only {colourise} and the paper's presets are led away from it",
)


@dataclass(frozen=True)
class Settings:
    """All that decides a restoration beside the picture, the prior and the caption."""

    preset: str = "default"
    seed: Annotated[int, Within(0, 2**64 - 1), Shown("Another number draws other noise.")] = 0
    steps: Annotated[int, Within(1, 10_000), Shown("Steps of the chain: more take longer.", needs=(_IN_STEPS,))] = 2
    recurrences: Annotated[
        int, Within(0, 100), Shown("How often noise is added once more and the chain taken again.")
    ] = 0
    # Recurrence re-noises to this fraction of the chain: gamma.
    renoise: Annotated[float, Within(0, 1, above=True)] = 0.5
    # Classifier-free guidance: eps_u + scale (eps_c - eps_u); used only with a prior that knows text. 1 takes the
    # caption as the prior was trained with it, at half the cost.
    text_scale: Annotated[float, Within(0, 100)] = 1.0
    negative: Annotated[str, Shown("What the picture should not show.", Panel.CAPTIONS, (_AGAINST,), "WORDS")] = ""
    # The paper's presets learn from the whole picture and have one window.
    tile: Annotated[
        int,
        Within(64, 8192, unit="pixels"),
        Shown("A side of the windows in which large pictures are restored.", Panel.LARGE, _WINDOWS),
    ] = 512
    # Of five held-out photographs in windows of 256 pixels that share 64, 32 or 16, with noise of 15 and 50, the mean
    # PSNR differs by 0.002 dB at most, and saved as JPEG of 15 by 0.012.
    overlap: Annotated[
        int, Within(16, 1024, unit="pixels"), Shown("What neighbouring windows share.", Panel.LARGE, _WINDOWS)
    ] = 32
    working_size: Annotated[
        int,
        Within(32, 8192, unit="pixels", zero="for the picture's own"),
        Shown(
            "Restore a copy whose longer side is that at most, and give what changed to the picture in full size, "
            "whose own detail stays.",
            Panel.LARGE,
        ),
    ] = 0
    scale: Annotated[
        float, Within(1, MAX_SCALE), Shown("Make the picture so many times larger each way.", Panel.WHAT)
    ] = 1.0
    # Pictures come with masks of holes, which are filled: what that takes counts.
    fill: bool = False
    colourise: Annotated[
        bool,
        Shown(
            "Give a grey photograph colours, as the caption wants them if there is one. Others stay as they are.",
            Panel.WHAT,
        ),
    ] = False
    relight: Annotated[
        float,
        Within(0, 10),
        Shown(
            "How much the caption may say about how light the result is: 1 lets 'bright' and 'dark' be seen.",
            Panel.WHAT,
        ),
    ] = 0.0
    method: PublishedSettings | BlindSettings = field(default_factory=BlindSettings)

    def __post_init__(self) -> None:
        take_values(self)
        wanted = f"{4 * self.overlap} to 8192 pixels: four times the overlap at least"
        check(4 * self.overlap <= self.tile, "{tile}", self.tile, wanted)
        if self.scale > 1 and not self.method.enlarges:
            raise refused(
                "{scale} is {0:g}; preset {1!r} cannot enlarge: leave {scale} out, or take the preset default, fast or "
                "best",
                self.scale,
                self.preset,
            )
        if self.scale > 1 and self.working_size:
            raise refused(
                "{scale} is {0:g} and {working_size} {1}; a smaller copy has no detail to enlarge: leave one of the "
                "two out",
                self.scale,
                self.working_size,
            )
        if self.fill and not self.method.fills:
            raise refused(
                "preset {0!r} cannot fill holes: leave {mask} out, or take the preset default, fast, best or ldrps",
                self.preset,
            )
        if self.fill and self.scale > 1:
            raise refused(
                "there is a mask, and {scale} is {0:g}; holes are filled in a picture's own size: fill them first, "
                "then enlarge the result",
                self.scale,
            )

    @property
    def may_fill(self) -> bool:
        """Whether something of a picture may be filled: what a mask tells is lost, or marks that are found."""
        return self.fill or (isinstance(self.method, BlindSettings) and self.method.scratches)

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
                raise refused(
                    f"preset {{0!r}} has no setting {{{name}!r}}: leave it out, or take a preset that has it",
                    self.preset,
                )
        return dataclasses.replace(changed, method=dataclasses.replace(changed.method, **given)) if given else changed

    def with_masks(self, *, holes: bool, protected: bool) -> Settings:
        """A copy for pictures of which some pixels are lost, or are to stay as they are.

        Raises:
            SettingsError: the method fills none, or they are to be enlarged as well.
        """
        if protected and self.scale > 1:
            raise refused(
                "some pixels are protected, and {scale} is {0:g}; in a larger picture none is as it was: leave "
                "{protect} or {scale} out",
                self.scale,
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
            check(isinstance(names, Collection), f"{{{option}}}", repr(names), f"some of {', '.join(PARTS)}")
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

    def require_used(self, given: Iterable[str]) -> None:
        """Refuse settings, by name, that would change nothing beside the others: who gives one means something by it.

        Raises:
            SettingsError: one of those given.
        """
        shown = options_of(Settings) | options_of(type(self.method))
        for name in given:
            for needs in shown[name].shown.needs:
                if not needs.holds(self):
                    raise refused(f"{{{name}}} changes nothing, as {needs.otherwise}: leave it out", self.preset)

    def require_parts(self) -> None:
        """Raise SettingsError unless the method undoes the damage part by part, as it was estimated or given."""
        if not self.method.knows_parts:
            raise refused(
                "preset {0!r} learns the damage as a whole: leave {damage}, {only}, {skip} and {strength} out",
                self.preset,
            )

    def _with_method(self, **changes: Any) -> Settings:
        given = {name: value for name, value in changes.items() if value is not None}
        known = {field.name for field in dataclasses.fields(self.method)}
        if unknown := [name for name in given if name not in known]:
            names = ", ".join(f"{{{name}}}" for name in unknown)
            raise refused(f"preset {{0!r}} finds the damage out by itself: leave {names} out", self.preset)
        return dataclasses.replace(self, method=dataclasses.replace(self.method, **given))
