"""What a restoration returns, and the record of how it came about."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.estimation.damage import Damage
from ldrps.findings import Findings
from ldrps.image.arrays import as_image, pixels
from ldrps.image.files import MARKS, RECORD, as_path, check_output, replace_file, taken
from ldrps.image.formats import FORMATS
from ldrps.image.mask import PixelMask
from ldrps.image.picture import Picture, are_own, to_srgb
from ldrps.image.space import in_grey
from ldrps.image.write import check_quality, write_file, write_image
from ldrps.printable import json_text

_PACKAGES = ("ldrps", "torch", "diffusers", "transformers", "numpy", "pillow")


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A restored picture and everything needed to understand it and to make it again.

    Attributes:
        levels: the restored picture, uint8 or uint16 [H, W, C] as `to_levels` makes it: size, depth, transparency,
            greyness and colour space of the source.
        picture: the source; where a scale was asked for, enlarged by a plain cubic to the size of the result.
        rgb: the same as float32 [1, 3, H, W] of sRGB, nominally in [0, 1], before it was rounded; None where only the
            levels were kept.
        settings: all of them, the seed among them: `ldrps.Settings`, or the frozen dataclass of another method, which
            has a `seed` and says what it is `recorded_as`.
        prior: name of the prior, or of the other method.
        precision: in which the prior's denoiser was computed, "" of another method.
        caption: what guided it, and who said so.
        findings: what was found out.
        losses: per step: round, timestep, and the value of each loss term.
        seconds: wall time by part.
    """

    levels: NDArray[Any] = field(repr=False)
    picture: Picture = field(repr=False)
    rgb: Tensor | None = field(default=None, repr=False)
    settings: Any
    prior: str
    precision: str = ""
    caption: Caption
    findings: Findings = field(default_factory=Findings)
    losses: Sequence[dict[str, float]] = field(default_factory=list, repr=False)
    seconds: dict[str, float]

    @property
    def image(self) -> Image.Image:
        """The restored picture as a new PIL image of 8 bits: mode L, LA, RGB or RGBA, with the source's profile."""
        return as_image(self.levels, self.picture.icc_profile)

    @property
    def tensor(self) -> Tensor:
        """The restored picture as a new tensor, float32 [1, 3, H, W] of sRGB in [0, 1], on the CPU, without alpha.

        It is not rounded, but for the result of a method that keeps the levels alone, such as a sample of
        `ldrps.draw_samples`: then it is what they mean. A grey picture has three equal channels.
        """
        if self.rgb is None:
            picture, levels = to_srgb(self.picture, self.levels)
            return pixels(levels[..., : 1 if picture.grey else 3])
        rgb = self.rgb.clamp(0, 1)
        return in_grey(rgb[0]).repeat(3, 1, 1)[None] if self.picture.grey else rgb

    @property
    def damage(self) -> Damage | None:
        """The damage that was undone, to be read, changed and given back; None if the method does not tell."""
        return self.findings.damage

    @property
    def marks(self) -> PixelMask | None:
        """The scratches and other marks that were found and filled, which nobody told of; None if there are none."""
        lost = self.picture.lost
        return lost if lost is not None and lost.found else None

    @property
    def words(self) -> str:
        """What was found and done, in words; "" if the method does not tell."""
        return self.findings.words()

    @cached_property
    def unchanged(self) -> bool:
        """Whether each pixel is as it was in the source."""
        return are_own(self.picture, self.levels)

    @property
    def seed(self) -> int:
        return self.settings.seed

    def record(self) -> dict[str, Any]:
        """Everything but the pixels, as plain data for JSON."""
        return {
            "source": self.picture.source,
            "size": list(self.picture.size),
            "seed": self.seed,
            "method": self.settings.recorded_as,
            "settings": dataclasses.asdict(self.settings),
            "prior": self.prior,
            "precision": self.precision,
            "caption": self.caption.text,
            "caption_source": self.caption.source,
            "caption_note": self.caption.note,
            "words": self.words,
            "damage": None if self.damage is None else self.damage.plain(),
            "unchanged": self.unchanged,
            "findings": self.findings.plain(),
            "losses": list(self.losses),
            "seconds": self.seconds,
            "versions": {name: metadata.version(name) for name in _PACKAGES},
        }

    def save(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        trace: bool = True,
        quality: int | None = None,
        keep_metadata: bool = True,
        srgb: bool = False,
    ) -> Path:
        """Write the picture, and with `trace` its record beside it as `NAME.json`, and a mask of the marks that were
        found, if any, as `NAME.mask.png`, to be changed and given back; each whole or not at all.

        Depth, colour profile and resolution are the source's, and so are EXIF and XMP data, unless `keep_metadata` is
        false. With `srgb` the picture is converted to sRGB, for viewers that know no profiles. `quality`, 1 to 100, is
        that of JPEG, WEBP and AVIF; see `write_image`.

        An `unchanged` picture from a file is a copy of that file, byte for byte, with all that is in it, unless one of
        these three asks for something else, `path` is of another format than its name and its content, or the file was
        changed meanwhile. What of the source cannot be carried is logged, and is in the record as `left_out`; see
        `write_image`.

        Raises:
            OutputError: a file exists and `overwrite` is false, its format is unknown, or it cannot be written.
            SettingsError: a quality out of range.
        """
        path = as_path(path)
        check_output(path, overwrite=overwrite)
        beside, mask = (path.with_name(path.name + suffix) for suffix in (RECORD, MARKS))
        for other in (beside, mask):
            if trace and not overwrite and os.path.lexists(other):
                raise taken(other)
        check_quality(quality)
        copy = self._copy(path, quality) if keep_metadata and not srgb else None
        if copy is not None:
            write_file(copy, path, overwrite=overwrite)
            left_out: list[str] = []
        else:
            picture, levels = to_srgb(self.picture, self.levels) if srgb else (self.picture, self.levels)
            left_out = write_image(
                levels, path, like=picture, overwrite=overwrite, quality=quality, keep_metadata=keep_metadata
            )
        if trace:
            record = self.record() | {"left_out": left_out}
            if self.marks is not None:
                write_image(self.marks.image(), mask, overwrite=overwrite)
                record["damage"]["holes"]["file"] = str(mask)
            text = json_text(record) + "\n"
            replace_file(beside, lambda file: file.write(text.encode()), overwrite=overwrite)
        return path

    def _copy(self, path: Path, quality: int | None) -> bytes | None:
        """The bytes of the source's file, where they are the result too."""
        original = self.picture.original
        if original is None or not self.unchanged:
            return None
        return original.copy_for(FORMATS.get(path.suffix.lower(), ""), quality)
