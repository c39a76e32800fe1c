"""Captions on the command line: the words themselves, or who is asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ldrps.cli.grouped import Group, flag, option
from ldrps.settings import Panel, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldrps.run.recipe import CaptionSource

_ASKED = ("auto", "file", "offline", "openai", "transformers")  # who says something of each picture
_MODELS = ("auto", "openai", "transformers")
# Whose answers an option is about.
_ABOUT = {
    "caption_url": ("auto", "openai"),
    "caption_timeout": ("auto", "openai"),
    "caption_prompt": _MODELS,
    "no_caption_cache": _MODELS,
    "caption_required": ("auto", "file", "openai", "transformers"),
    "recaption": ("auto", "offline", "openai", "transformers"),
}


@dataclass(frozen=True)
class CaptionOptions(Group):
    """Who says what a picture shows."""

    of_ldrps: ClassVar[bool] = True

    caption: Annotated[
        str,
        option(
            "What the picture should show, for priors that know text, or who says it: none, offline, auto, file "
            "(STEM.txt beside the picture), file:FOLDER, openai:MODEL (any endpoint of that protocol), "
            "transformers:MODEL, text:WORDS; anything else is the caption itself.",
            Panel.WHAT,
            metavar="SPEC",
        ),
    ] = ""
    caption_url: Annotated[
        str | None,
        option("Base URL of the endpoint for captions, instead of OPENAI_BASE_URL.", Panel.CAPTIONS, metavar="URL"),
    ] = None
    caption_prompt: Annotated[
        str | None, option("What models are asked about a picture.", Panel.CAPTIONS, metavar="WORDS")
    ] = None
    caption_timeout: Annotated[
        float, option("Seconds for each try of the endpoint, at most three.", Panel.CAPTIONS, metavar="SECONDS")
    ] = 30.0
    caption_required: Annotated[
        bool, flag("A picture fails if the one named has no caption for it.", Panel.CAPTIONS, "--caption-required")
    ] = False
    no_caption_cache: Annotated[
        bool, flag("Ask models again, and keep no answers.", Panel.CAPTIONS, "--no-caption-cache")
    ] = False
    recaption: Annotated[
        bool, flag("Ask again about the cleaner picture before each recurrence.", Panel.CAPTIONS, "--recaption")
    ] = False

    def plain(self) -> CaptionSource:
        """The same, for a recipe."""
        from ldrps.run.recipe import CaptionSource

        return CaptionSource(
            self.caption,
            self.caption_url,
            self.caption_prompt,
            self.caption_required,
            not self.no_caption_cache,
            self.caption_timeout,
            self.recaption,
        )

    def check(self, given: Mapping[str, str], settings: Settings) -> None:
        """Refuse what would change nothing; `given` is what people gave, by name, as it is spelt.

        Raises:
            BadParameter: nobody is asked whom an option is about, or there is nothing that it could act on.
        """
        kind, colon, _ = self.caption.partition(":")
        asked = kind if kind in _ASKED and (colon or kind not in ("openai", "transformers")) else ""
        for name, kinds in _ABOUT.items():
            if name in given and asked not in kinds:
                raise typer.BadParameter(
                    f"{given[name]} is about captions of {', '.join(kinds)}: give one of them as --caption, or leave "
                    "it out"
                )
        if "recaption" in given and not settings.recurrences:
            raise typer.BadParameter(
                "--recaption asks before each recurrence, and there is none: give --recurrences 1 or more, or leave it "
                "out"
            )
        if settings.relight and self.caption.strip() in ("", "none"):
            raise typer.BadParameter(
                "--relight lets a caption say how light the result is, and there is none: give --caption, or leave it "
                "out"
            )
