"""What can be said of an order to train before anything is loaded. Free of torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ldrps.errors import InputError
from ldrps.estimation import JUDGES
from ldrps.image.files import check_folder
from ldrps.prior import prior_folder
from ldrps.prior.device import check_device
from ldrps.prior.refusal import unusable

PARTS = ("autoencoder", "text", "diffusion", *JUDGES, "pixels", "zero-dce")
_FITTED = ("autoencoder", "text")  # from the photographs, in one go


def check_order(
    part: str,
    data: Iterable[Path],
    out: Path,
    *,
    config: Path | None = None,
    device: str | None = None,
    init: str | Path | None = None,
) -> None:
    """Find out, from names alone, whether a part can be trained; the arguments are those of `train_part`.

    Raises:
        InputError: there is no such part, or it is not one that begins from others' weights; a folder of photographs or
            the config is missing.
        OutputError: `out` cannot be written.
        PriorError: there is no such device, or the folder of `init` is missing.
    """
    if part not in PARTS:
        raise InputError(f"part is {part!r}; there are {', '.join(PARTS)}")
    if init is not None and part in _FITTED:
        raise InputError(f"{part} is made from the photographs, not trained by itself: leave out --init")
    for folder in data:
        check_photographs(folder)
    if config is not None and not config.is_file():
        raise InputError(f"{config} is no file: give a TOML file, or leave --config out")
    if device is not None:
        check_device(device)
    if init is not None and not prior_folder(init).exists():
        raise unusable(init, "no such folder", "a prior's folder", "check --init")
    check_folder(out / "training")


def check_photographs(folder: Path) -> None:
    """Raise InputError for a folder of photographs that is not there."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one that holds photographs")
