"""What several commands share: options, and how a prior is loaded for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ldrps.cli.grouped import option
from ldrps.prior import AUTO, check_prior
from ldrps.prior.device import check_device
from ldrps.settings import Panel

if TYPE_CHECKING:
    from ldrps.prior.base import Prior

_DTYPES = (AUTO, "float32", "float16", "bfloat16")

OutOption = Annotated[
    str,
    option("A file for one picture, or a folder, with / behind it if new.", Panel.MAIN, "--out", "-o", metavar="PATH"),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        envvar="LDRPS_DATA",
        help="A folder that holds sets. It may be given more than once: a set is taken from the first that has it.",
    ),
]
PriorOption = Annotated[
    str, option("'embedded', a folder in diffusers layout, or a hub id.", Panel.EXPERT, metavar="PRIOR")
]
DeviceOption = Annotated[str, option("cpu, cuda, cuda:1, mps.", Panel.EXPERT, metavar="DEVICE")]
DtypeOption = Annotated[
    str,
    option(
        f"Precision of the prior: {', '.join(_DTYPES)}. {AUTO} is bfloat16 where that is fast.",
        Panel.EXPERT,
        metavar="DTYPE",
    ),
]


def load(prior: str, device: str, dtype: str) -> Prior:
    """The prior that the options name."""
    check_dtype(dtype)
    check_device(device)
    check_prior(prior)
    from ldrps.prior import load_prior, precision_of

    return load_prior(prior, device=device, dtype=precision_of(prior, dtype, device))


def is_folder(out: str) -> bool:
    """Whether a place for results was called a folder, by a slash behind it, which no `Path` keeps."""
    return out.endswith(("/", os.sep))


def check_dtype(dtype: str) -> None:
    """Refuse a precision that there is not, before torch is loaded to find out."""
    if dtype not in _DTYPES:
        raise typer.BadParameter(f"{dtype!r} is none of {', '.join(_DTYPES)}", param_hint="--dtype")
