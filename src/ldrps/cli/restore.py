"""`ldrps restore`: pictures or folders of them in, restored pictures out, bars in between."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

import ldrps
from ldrps.cli.captions import CaptionOptions
from ldrps.cli.cluster import ClusterOptions, restore_on_cluster
from ldrps.cli.damage import DamageOptions
from ldrps.cli.generated import SettingOptions
from ldrps.cli.grouped import Group, given_options, grouped, option
from ldrps.cli.masks import MaskOptions
from ldrps.cli.methods import OURS, OtherMethodOptions, check_options, read_settings
from ldrps.cli.options import DeviceOption, DtypeOption, OutOption, PriorOption, check_dtype, is_folder
from ldrps.cli.output import FolderOptions, OutputOptions, OwnOutputOptions
from ldrps.errors import InputError
from ldrps.estimation import JUDGES, PACKAGED, estimators_folder
from ldrps.presets import PRESETS
from ldrps.prior import AUTO, check_prior
from ldrps.prior.device import check_device
from ldrps.settings import Panel, PublishedSettings, Settings

if TYPE_CHECKING:
    from ldrps.run.job import Output
    from ldrps.run.recipe import OwnMethod


@dataclass(frozen=True)
class OwnOptions(Group):
    """With what ldrps itself restores."""

    of_ldrps: ClassVar[bool] = True

    preset: Annotated[str, option(f"{', '.join(PRESETS)}.", Panel.MAIN, metavar="NAME")] = "default"
    prior: PriorOption = "embedded"
    estimators: Annotated[
        str,
        option(
            "What judges the damage: a folder of `ldrps train tone`, instead of the package's own.",
            Panel.EXPERT,
            metavar="FOLDER",
        ),
    ] = PACKAGED
    perceptual: Annotated[
        Path | None,
        option(
            "VGG16 weights (safetensors) for the perceptual terms of the paper's presets.", Panel.EXPERT, metavar="FILE"
        ),
    ] = None
    device: DeviceOption = "cpu"
    dtype: DtypeOption = AUTO

    def check(self, settings: Settings) -> None:
        """Find out what is wrong with them before anything is loaded.

        Raises:
            BadParameter: one is of no use to the preset, or there is no such precision.
            InputError, PriorError: a file, a folder or a device that is not there.
        """
        check_dtype(self.dtype)
        check_device(self.device)
        check_prior(self.prior)
        if not any((estimators_folder(self.estimators) / judge).is_dir() for judge in JUDGES):
            raise InputError(
                f"{self.estimators} has no folder {', '.join(JUDGES[:-1])} or {JUDGES[-1]}: give --estimators what "
                "`ldrps train` wrote of one of them"
            )
        if self.perceptual is None:
            return
        if not self.perceptual.is_file():
            raise InputError(f"{self.perceptual} is no file of weights: check --perceptual")
        if not isinstance(settings.method, PublishedSettings):
            raise typer.BadParameter(f"--perceptual: preset {settings.preset!r} has no such terms; leave it out")


OF_LDRPS = (OwnOptions, SettingOptions, DamageOptions, MaskOptions, CaptionOptions, OwnOutputOptions)


@dataclass(frozen=True)
class _Ours:
    """All that is said of ldrps itself."""

    own: OwnOptions
    changes: SettingOptions
    damage: DamageOptions
    masks: MaskOptions
    captions: CaptionOptions

    def method(self, sources: list[Path], given: Mapping[str, str], max_pixels: int) -> OwnMethod:
        """What it comes to, checked; `given` are all options that people gave, by name, as spelt."""
        from ldrps.run.recipe import OwnMethod

        own = self.own
        settings = self.damage.applied(ldrps.preset(own.preset).with_changes(**self.changes.given))
        damage = self.damage.read(settings, given)
        masks = self.masks.read(sources, max_pixels)
        has_holes = masks.holes is not None or (damage is not None and "holes" in damage.data)
        settings = settings.with_masks(holes=has_holes, protected=masks.protected is not None)
        own.check(settings)
        settings.require_used(self.changes.given)
        self.captions.check(given, settings)
        captions = self.captions.plain()
        return OwnMethod(
            settings, own.prior, own.device, own.dtype, own.perceptual, own.estimators, captions, damage, masks
        )


@grouped
def restore(
    context: typer.Context,
    named: Annotated[list[str], typer.Argument(metavar="IN...", help="Pictures to restore, or folders of them.")],
    out: OutOption,
    own: OwnOptions,
    output: OutputOptions,
    folders: FolderOptions,
    cluster: ClusterOptions,
    limits: OwnOutputOptions,
    masks: MaskOptions,
    captions: CaptionOptions,
    damage: DamageOptions,
    changes: SettingOptions,
    method: Annotated[
        str, option("Another system in place of ldrps: `ldrps methods` lists them.", Panel.OTHERS, metavar="NAME")
    ] = OURS,
    *,
    rival: OtherMethodOptions,
) -> None:
    """Restore pictures, whatever is wrong with them.

    Of a folder, the tree is made again below the folder of results, where
    a manifest (.ldrps.sqlite) keeps what is done: the same command goes on
    after an interruption, and does only what is missing or has changed. So it
    does of pictures that are named, if their results go into a new folder.

    Exit code 0: all restored; 1: some failed, the others are written; 2: the
    command cannot be carried out; 130 and 143: stopped by Ctrl-C and SIGTERM.
    """
    given = dict(given_options(context))
    check_options(given, OF_LDRPS, method)
    cluster.check(given, method, [*named, out])
    sources = [Path(each) for each in named]
    from ldrps.cli.carry_out import plan, restore_all
    from ldrps.folders.find import Wanted
    from ldrps.run.recipe import Recipe, RivalMethod

    if method == OURS:
        ours = _Ours(own, changes, damage, masks, captions)
        recipe = Recipe(ours.method(sources, given, output.max_pixels), _output(output, limits))
    else:
        check_device(own.device)
        seed, steps = changes.given.get("seed"), changes.given.get("steps")
        other = RivalMethod(method, seed, steps, rival.weights, read_settings(rival.set_ or []), own.device)
        recipe = Recipe(other, _output(output, limits))
    if cluster.ray is not None:
        if restore_on_cluster(named[0], out, recipe, folders, cluster, jobs=folders.jobs if "jobs" in given else None):
            raise typer.Exit(1)
        return
    if folders.given and not any(os.path.isdir(source) for source in sources):
        _refuse_missing(sources)
        raise typer.BadParameter("--recursive, --include, --exclude and --watch are about folders, and none is given")
    wanted = Wanted(sources, Path(out), folders.recursive, folders.include or [], folders.exclude or [], is_folder(out))
    if limits.dry_run:
        failed = plan(wanted, recipe, folders.jobs)
    else:
        failed = restore_all(wanted, recipe, folders.jobs, watching=folders.watch)
    if failed:
        raise typer.Exit(1)


def _output(output: OutputOptions, limits: OwnOutputOptions) -> Output:
    from ldrps.run.job import Output

    return Output(
        output.force,
        output.compare,
        output.trace,
        limits.samples,
        output.max_pixels,
        None if limits.max_memory is None else round(limits.max_memory * 2**30),
        output.quality,
        keep_metadata=not output.strip,
        srgb=output.srgb,
        first_frame=output.first_frame,
    )


def _refuse_missing(sources: list[Path]) -> None:
    for source in sources:
        if not os.path.exists(source):
            raise InputError(f"{source} does not exist: check the name and the folder")
