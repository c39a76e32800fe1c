"""What a visitor wants done to pictures."""

from __future__ import annotations

from dataclasses import dataclass

from ldrps.errors import SettingsError
from ldrps.presets import PRESETS, preset
from ldrps.settings import Settings

OFFLINE = "offline"  # the caption that is not words, but asks the packaged tagger for them
_LONGEST_CAPTION = 500


@dataclass(frozen=True)
class Order:
    """The settings of a run, as the page has them.

    Attributes:
        preset: one of `ldrps.PRESETS`.
        caption: what the pictures show; "" for nothing, "offline" for what the packaged tagger says.
        seed: of the noise.
        recurrences: rounds of re-noising.
        scale: how many times larger the results are, each way.
    """

    preset: str = "default"
    caption: str = ""
    seed: int = 0
    recurrences: int = 0
    scale: float = 1.0

    def settings(self) -> Settings:
        """The settings of the restorer.

        Raises:
            SettingsError: a preset that does not exist, or a value out of range.
        """
        if len(self.caption) > _LONGEST_CAPTION:
            raise SettingsError(
                f"the caption has {len(self.caption)} characters, {_LONGEST_CAPTION} is the most: shorten it"
            )
        return preset(self.preset).with_changes(seed=self.seed, recurrences=self.recurrences, scale=self.scale)

    def captioner(self) -> str:
        """The caption as `make_captioner` takes it: a visitor's words are never taken for the name of a service."""
        return self.caption if self.caption in ("", OFFLINE) else f"text:{self.caption}"


def quick_presets() -> list[str]:
    """The presets that restore a picture in seconds, for a prior on a CPU."""
    return [name for name, settings in PRESETS.items() if settings.method.in_windows]
