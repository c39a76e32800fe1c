"""What a restoration returns, and the record of how it came about."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image

from ldrps.align.words import in_words
from ldrps.image.files import replace_file, taken
from ldrps.image.picture import Picture
from ldrps.image.write import write_image
from ldrps.settings import Settings

_PACKAGES = ("ldrps", "torch", "diffusers", "transformers", "numpy", "pillow")


@dataclass(frozen=True, eq=False)
class Result:
    """A restored picture and everything needed to understand it and to make it again.

    Attributes:
        image: the restored picture: size, transparency and greyness of the source.
        picture: the source.
        settings: all of them, the seed among them.
        prior: name of the prior.
        caption: the text that guided it; empty for none.
        findings: what the method made of the damage, in words and figures.
        losses: per step: round, timestep, and the value of each loss term.
        seconds: wall time by part.
        caption_source: the name of the captioner that the text is from; "none" for no text.
        caption_note: what went wrong before there was a caption; "" for nothing.
    """

    image: Image.Image
    picture: Picture = field(repr=False)
    settings: Settings
    prior: str
    caption: str
    findings: dict[str, Any]
    losses: Sequence[dict[str, float]] = field(repr=False)
    seconds: dict[str, float]
    caption_source: str = "none"
    caption_note: str = ""

    @property
    def damage(self) -> str:
        """The damage that was found, in words; "" if the method looks for none."""
        return in_words(self.findings)

    @property
    def seed(self) -> int:
        return self.settings.seed

    def record(self) -> dict[str, Any]:
        """Everything but the pixels, as plain data for JSON."""
        return {
            "source": self.picture.source,
            "size": list(self.picture.size),
            "seed": self.seed,
            "settings": dataclasses.asdict(self.settings) | {"method": type(self.settings.posterior).__name__},
            "prior": self.prior,
            "caption": self.caption,
            "caption_source": self.caption_source,
            "caption_note": self.caption_note,
            "damage": self.damage,
            "findings": self.findings,
            "losses": list(self.losses),
            "seconds": self.seconds,
            "versions": {name: metadata.version(name) for name in _PACKAGES},
        }

    def save(self, path: str | Path, *, overwrite: bool = False, trace: bool = True) -> Path:
        """Write the picture, and with `trace` its record beside it as `NAME.json`; each whole or not at all.

        Raises:
            OutputError: a file exists and `overwrite` is false, its format is unknown, or it cannot be written.
        """
        path = Path(path)
        if trace:
            text = json.dumps(self.record(), indent=2) + "\n"
            beside = path.with_name(path.name + ".json")
            if not overwrite and os.path.lexists(beside):
                raise taken(beside)
            write_image(self.image, path, like=self.picture, overwrite=overwrite)
            replace_file(beside, lambda file: file.write(text.encode()), overwrite=overwrite)
        else:
            write_image(self.image, path, like=self.picture, overwrite=overwrite)
        return path
