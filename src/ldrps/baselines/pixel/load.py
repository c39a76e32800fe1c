"""A diffusion model of pixels by name: a file of guided diffusion's, a folder of diffusers' or of our own, a hub id."""

from __future__ import annotations

from pathlib import Path

import torch

from ldrps.baselines.pixel.model import PixelDiffusion
from ldrps.errors import PriorError
from ldrps.prior.device import usable_device
from ldrps.prior.folder import INDEX, read_json

ADM_FILE = "256x256_diffusion_uncond.pt"
WHERE_FROM = (
    f"{ADM_FILE} (2.2 GB, MIT licence; the README of openai/guided-diffusion on GitHub links to it), the folder or the "
    "hub id of a diffusers UNet2DModel such as google/ddpm-church-256, or a folder that `ldrps train pixels` wrote"
)
_PICKLES = {".pt", ".pth", ".ckpt"}


def load_pixel_model(
    name: str | Path | None, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> PixelDiffusion:
    """Load an unconditional diffusion model of pixels.

    Args:
        name: the checkpoint of ADM-256; a folder of `ldrps train pixels`; a folder or hub id of a `UNet2DModel`; or a
            folder of several weights that holds the first under its name or, if not, one of the others as "pixels".
        device: where its network runs.
        dtype: precision of its weights.

    Raises:
        PriorError: none was named, or it cannot be found, read or used; the message says what to do.
    """
    place = usable_device(device, dtype)
    if name is None:
        raise PriorError(f"no diffusion model of pixels was given: give as weights {WHERE_FROM}")
    path = Path(name).expanduser()
    path = next((path / held for held in (ADM_FILE, "pixels") if (path / held).exists()), path)
    if path.suffix in _PICKLES:
        from ldrps.baselines.pixel.adm import load_adm

        return load_adm(path, device=place, dtype=dtype)
    if (path / INDEX).is_file() and read_json(path / INDEX).get("_class_name") == "EmbeddedPrior":
        from ldrps.baselines.pixel.patch_model import load_patch_model

        return load_patch_model(path, device=place, dtype=dtype)
    from ldrps.baselines.pixel.diffusers_model import load_diffusers_model

    return load_diffusers_model(path if path.is_dir() else name, device=place, dtype=dtype)
