"""What `ldrps restore` takes of folders, and what it writes, whichever method restores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ldrps.cli.grouped import Group, flag, option
from ldrps.image.limits import MAX_PIXELS
from ldrps.settings import Panel


@dataclass(frozen=True)
class OutputOptions(Group):
    """What is written for each picture; see `ldrps.run.job.Output`."""

    force: Annotated[bool, flag("Replace files that exist, and do finished ones again.", Panel.MAIN, "--force")] = False
    compare: Annotated[bool, flag("Also write a sheet of before and after.", Panel.WRITTEN, "--compare")] = False
    trace: Annotated[
        bool,
        flag("Also write what was found and done, and every setting, as JSON.", Panel.WRITTEN, "--trace"),
    ] = False
    quality: Annotated[
        int | None,
        option("Of JPEG, WEBP and AVIF; 95 if not given.", Panel.WRITTEN, min=1, max=100, metavar="N"),
    ] = None
    srgb: Annotated[bool, flag("Convert to sRGB, for viewers that know no profiles.", Panel.WRITTEN, "--srgb")] = False
    strip: Annotated[bool, flag("Leave EXIF and XMP data out.", Panel.WRITTEN, "--strip")] = False
    first_frame: Annotated[
        bool, flag("Take the first of several frames or pages, else refused.", Panel.WHAT, "--first-frame")
    ] = False
    max_pixels: Annotated[int, option("Larger pictures are refused.", Panel.LARGE, min=1, metavar="N")] = MAX_PIXELS


@dataclass(frozen=True)
class OwnOutputOptions(Group):
    """What only ldrps can write, stay within, or tell before."""

    of_ldrps: ClassVar[bool] = True

    samples: Annotated[
        int,
        option(
            "Also draw so many likely restorations, 2 or more, and a map of where they differ.",
            Panel.WRITTEN,
            min=0,
            metavar="N",
        ),
    ] = 0
    max_memory: Annotated[
        float | None,
        option("Shrink windows to stay below; else what is free.", Panel.LARGE, min=0.1, metavar="GIB"),
    ] = None
    dry_run: Annotated[bool, flag("Only tell what would be done, and what it would take.", Panel.MANY, "--dry-run")] = (
        False
    )


@dataclass(frozen=True)
class FolderOptions(Group):
    """What is taken from folders, and how many pictures are restored at once."""

    recursive: Annotated[bool, flag("Go into folders within folders.", Panel.MANY, "--recursive", "-r")] = False
    include: Annotated[
        list[str] | None, option("Of a folder, take only such files; may be repeated.", Panel.MANY, metavar="GLOB")
    ] = None
    exclude: Annotated[
        list[str] | None, option("Leave out such files and folders; may be repeated.", Panel.MANY, metavar="GLOB")
    ] = None
    jobs: Annotated[int, option("Processes that share the work.", Panel.MANY, "--jobs", "-j", min=1, metavar="N")] = 1
    watch: Annotated[bool, flag("Go on with what comes into the folder, until Ctrl-C.", Panel.MANY, "--watch")] = False

    @property
    def given(self) -> bool:
        """Whether anything is said that is about folders alone."""
        return bool(self.recursive or self.include or self.exclude or self.watch)
