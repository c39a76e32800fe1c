"""A diffusion model of pixels by name: a file of guided diffusion's, a folder of diffusers' or of our own, a hub id."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import torch

from ldrps.prior import EMBEDDED_PIXELS, is_embedded, prior_folder
from ldrps.prior.device import usable_device
from ldrps.prior.folder import INDEX
from ldrps.prior.hub import locate
from ldrps.rivals.pixel.model import ADM_FILE, PixelDiffusion

logger = logging.getLogger(__name__)

_PICKLES = {".pt", ".pth", ".ckpt"}


def load_pixel_model(
    name: str | Path | None, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> PixelDiffusion:
    """Load an unconditional diffusion model of pixels.

    Args:
        name: the checkpoint of ADM-256; a folder of `ldrps train`, or "embedded", for a chain of its latents; a folder
            or hub id of a `UNet2DModel`; a folder of several weights that holds the first under its name or, if not,
            one of the others as "pixels"; None, or a folder of other weights, for "embedded-pixels".
        device: where its network runs.
        dtype: precision of its weights.

    Raises:
        PriorError: it cannot be found, read or used; the message says what to do.
    """
    place = usable_device(device, dtype)
    name = EMBEDDED_PIXELS if name is None else str(name)
    path = prior_folder(name)
    if held := next((path / held for held in (ADM_FILE, "pixels") if (path / held).exists()), None):
        name = path = held
    elif _holds_other_weights(path):
        logger.warning("%s has no diffusion model of pixels: the embedded one is taken, a small one", path)
        name, path = EMBEDDED_PIXELS, prior_folder(EMBEDDED_PIXELS)
    if path.suffix in _PICKLES:
        from ldrps.rivals.pixel.adm import load_adm

        return load_adm(path, device=place, dtype=dtype)
    is_here = os.path.exists(path)
    called, folder = (str(name), path) if is_here else locate(name)
    if is_embedded(folder):
        from ldrps.prior.tiny.prior import load_embedded
        from ldrps.rivals.pixel.patch_model import PatchPixels

        return PatchPixels(load_embedded(folder, device=place, dtype=dtype, called=called))
    from ldrps.rivals.pixel.diffusers_model import load_diffusers_model

    return load_diffusers_model(folder if is_here else name, device=place, dtype=dtype)


def _holds_other_weights(path: Path) -> bool:
    """Whether it is a folder of weights, but of no model's layout."""
    if not path.is_dir() or any((path / part).exists() for part in ("unet", "config.json", INDEX)):
        return False
    return any(file.suffix in {*_PICKLES, ".safetensors"} for file in path.iterdir())
