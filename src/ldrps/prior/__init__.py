"""Priors: latent diffusion models as three callables, encode, decode and denoise. Importing this costs no torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.errors import require
from ldrps.prior.folder import read_index, read_layout
from ldrps.prior.hub import check_name, locate, refuse_revision

if TYPE_CHECKING:
    import torch

    from ldrps.prior.base import Prior

AUTO = "auto"  # the precision that is best for a prior where it runs
EMBEDDED, EMBEDDED_PIXELS = "embedded", "embedded-pixels"
_SHIPPED = {EMBEDDED: "weights", EMBEDDED_PIXELS: "pixels"}


def prior_folder(name: str | Path) -> Path:
    """Where a prior that comes with the package lies; any other name, which may be a hub id, as a path."""
    if name in _SHIPPED:
        return Path(__file__).parent / "tiny" / _SHIPPED[str(name)]
    return Path(os.path.expanduser(name))


def check_prior(name: str | Path) -> None:
    """Find out, with nothing loaded or fetched, whether a name can be that of a prior.

    Raises:
        PriorError: there is no such folder, and no repository on the hub can be called that.
    """
    if name not in _SHIPPED:
        check_name(name)


def load_prior(
    name: str | Path = EMBEDDED,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    revision: str | None = None,
) -> Prior:
    """Load a prior by name.

    Args:
        name: "embedded", "embedded-pixels" (a worse one, to compare with: it diffuses pixels), a folder in diffusers
            layout (that of an embedded prior or of a Stable Diffusion), or a hub id such as
            `ldrps.prior.hub.DEFAULT_HUB_ID`, which may end in @ and a revision. A folder that is itself called
            "embedded" is "./embedded".
        device: where its networks run: "cpu", "cuda", "cuda:1", "mps".
        dtype: precision of its weights: float32 (None means that), bfloat16, or float16 except on the CPU.
        revision: which commit, tag or branch of a hub id that does not say so itself.

    Raises:
        PriorError: it cannot be found, read or used; the message says what to do.
        InputError: the name is of another type.
    """
    import torch

    require(name, (str, Path), "the prior", 'give "embedded", a folder, or a hub id')

    precision = torch.float32 if dtype is None else dtype
    if name in _SHIPPED or is_embedded(prior_folder(name)):
        from ldrps.prior.tiny.prior import load_embedded

        refuse_revision(name, revision)
        return load_embedded(name, device=device, dtype=precision)
    from ldrps.prior.device import usable_device

    place = usable_device(device, precision)
    called, folder = locate(name, revision)
    if is_embedded(folder):
        from ldrps.prior.tiny.prior import load_embedded

        return load_embedded(folder, device=place, dtype=precision, called=called)
    layout = read_layout(folder)  # what is no good is refused before diffusers is loaded, which takes seconds
    from ldrps.prior.diffusers import assemble

    return assemble(called, layout, device=place, dtype=precision)


def precision_of(name: str | Path, dtype: str, device: str | torch.device = "cpu") -> torch.dtype:
    """What the name of a precision means for a prior on a device.

    "auto" is what the device computes in natively, see `native_precision`, for priors of the make of the embedded one,
    whose results move by hundredths of a dB at most; others have float32 unless they are given another.

    Raises:
        PriorError: there is no such prior, or the index of its folder is broken.
    """
    import torch

    if dtype != AUTO:
        return getattr(torch, dtype)
    from ldrps.prior.device import native_precision

    own = name in _SHIPPED or is_embedded(locate(name)[1])
    return native_precision(device) if own else torch.float32


def is_embedded(folder: Path) -> bool:
    """Whether a folder is of the make of the embedded prior.

    Raises:
        PriorError: its index is broken.
    """
    return read_index(folder).get("_class_name") == "EmbeddedPrior"
