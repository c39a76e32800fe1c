"""What a visitor wants done to pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from ldrps.errors import SettingsError
from ldrps.presets import PRESETS, preset
from ldrps.settings import Settings, Strengths

OFFLINE = "offline"  # the caption that is not words, but asks the packaged tagger for them
_LONGEST_CAPTION = 500
# How likely it is, before a picture is seen, that its tones need nothing, where somebody says that they may be damaged:
# so low that all of what was told of as possible is undone.
_SUSPECTED = 0.05


@dataclass(frozen=True)
class Order:
    """The settings of a run, as the page has them.

    Attributes:
        preset: one of `ldrps.PRESETS`.
        caption: what the pictures show; "" for nothing, "offline" for what the packaged tagger says.
        seed: of the noise.
        recurrences: rounds of re-noising.
        scale: how many times larger the results are, each way.
        scratches: look for scratches and other marks, and fill them.
        colourise: give grey pictures colours.
        relight: how much the caption says about how light the result is.
        strengths: how much of each part of the damage is undone, once it is known.
        suspects: take tones for damaged that may be so, where they are judged.
    """

    preset: str = "default"
    caption: str = ""
    seed: int = 0
    recurrences: int = 0
    scale: float = 1.0
    scratches: bool = False
    colourise: bool = False
    relight: float = 0.0
    strengths: Strengths = field(default_factory=Strengths)
    suspects: bool = False

    def settings(self) -> Settings:
        """The settings of the restorer.

        Raises:
            SettingsError: a preset that does not exist, a value out of range, or one that would change nothing.
        """
        if len(self.caption) > _LONGEST_CAPTION:
            raise SettingsError(
                f"the caption has {len(self.caption)} characters, {_LONGEST_CAPTION} is the most: shorten it"
            )
        extra = {name: value for name in ("scratches", "colourise", "relight") if (value := getattr(self, name))}
        settings = preset(self.preset).with_changes(
            seed=self.seed, recurrences=self.recurrences, scale=self.scale, **extra
        )
        settings.require_used(extra)
        if self.suspects and hasattr(settings.method, "undamaged"):  # else nobody judges
            settings = settings.with_changes(undamaged=_SUSPECTED)
        given = {part: value for part, value in asdict(self.strengths).items() if value is not None}
        return settings.with_strengths(given)

    def captioner(self) -> str:
        """The caption as `make_captioner` takes it: a visitor's words are never taken for the name of a service."""
        return self.caption if self.caption in ("", OFFLINE) else f"text:{self.caption}"


def quick_presets() -> list[str]:
    """The presets that restore a picture in seconds, for a prior on a CPU."""
    return [name for name, settings in PRESETS.items() if settings.method.in_windows]
