"""Any unconditional `UNet2DModel` of diffusers, from a folder or the hub."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor

from ldrps.prior.diffusers import current_attention
from ldrps.prior.files import Config, is_there, names_in
from ldrps.prior.folder import SCHEDULER, find_weights, read_component, read_scheduler, within
from ldrps.prior.hub import download_command, locate
from ldrps.prior.prediction import interpret, read_schedule
from ldrps.prior.refusal import shown, unusable
from ldrps.prior.weights import build, load_weights
from ldrps.rivals.pixel.model import WHERE_FROM, PixelDiffusion, Prediction, Variance

_VARIANCES = {"fixed_small": "fixed_small", "fixed_small_log": "fixed_small", "fixed_large": "fixed_large",
              "fixed_large_log": "fixed_large", "learned_range": "learned_range"}  # fmt: skip
_REMEDY = "load an unconditional model of pixels, such as google/ddpm-church-256"


class DiffusersPixels(PixelDiffusion):
    """A `UNet2DModel` behind the contract of `PixelDiffusion`.

    Args:
        name: for records.
        unet: three channels in; three out, or six with a learned variance.
        alphas_cumprod: abar_t, float32 on the CPU.
        prediction: "epsilon", "v_prediction" or "sample".
        variance: of the noise of a step.
    """

    def __init__(
        self, name: str, unet: UNet2DModel, alphas_cumprod: Tensor, prediction: str, variance: Variance
    ) -> None:
        self.name, self.unet, self.variance = name, unet, variance
        self.alphas_cumprod, self._prediction = alphas_cumprod, prediction
        self.device = unet.device
        self.size_multiple = 2 ** (len(unet.config["block_out_channels"]) - 1)

    @torch.no_grad()
    def predict(self, x_t: Tensor, t: int) -> Prediction:
        output = self.unet(x_t.to(self.unet.dtype), t).sample.float()
        predicted, spread = output.chunk(2, 1) if self.variance == "learned_range" else (output, None)
        x0, eps = interpret(predicted, x_t, self.alphas_cumprod[t], self._prediction)
        return Prediction(x0, eps, spread)


def load_diffusers_model(
    name: str | Path, *, device: torch.device, dtype: torch.dtype = torch.float32
) -> DiffusersPixels:
    """Load a folder or hub id: config.json, weights and scheduler_config.json at its top, or in unet/ and scheduler/.

    Raises:
        PriorError: it is missing or broken, or a model of another kind.
    """
    called, folder = locate(str(name))
    part, scheduler_file = ("unet", SCHEDULER) if (folder / "unet").is_dir() else ("", "scheduler_config.json")
    if not is_there(folder, within(part, "config.json")):
        held = ", ".join(names_in(folder)[:8]) or "nothing"
        local = Path(name).is_dir()
        remedy = f"give {WHERE_FROM}" if local else f"run `{download_command(str(name))}` and give FOLDER"
        raise unusable(called, f"neither unet/ nor config.json but {held}", "a UNet2DModel", remedy)
    where = folder / part / "config.json"
    config, scheduler = read_component(folder, part, "UNet2DModel", _REMEDY), read_scheduler(folder, scheduler_file)
    variance = _variance(scheduler, folder / scheduler_file)
    _require_unconditional(config, variance, where)
    alphas_cumprod, prediction = read_schedule(scheduler, folder / scheduler_file)
    unet = build(lambda: UNet2DModel.from_config(config), where)
    load_weights(unet, find_weights(folder, part), device=device, dtype=dtype, rename=current_attention)
    return DiffusersPixels(called, unet, alphas_cumprod, prediction, variance)


def _variance(scheduler: Config, where: Path) -> Variance:
    variance = scheduler.get("variance_type") or "fixed_small"  # what DDIM's has no word for
    if variance not in _VARIANCES:
        raise unusable(where, f"variance_type {variance!r}", f"one of {', '.join(_VARIANCES)}", _REMEDY)
    return cast(Variance, _VARIANCES[variance])


def _require_unconditional(config: Config, variance: Variance, where: Path) -> None:
    wanted = {"in_channels": 3, "out_channels": 6 if variance == "learned_range" else 3}
    for key, channels in wanted.items():
        if config.get(key, 3) != channels:
            raise unusable(where, f"{key} {config.get(key, 3)}", f"{channels}, of a model of pixels", _REMEDY)
    for key in ("class_embed_type", "num_class_embeds"):
        if config.get(key) is not None:
            raise unusable(where, f"{key} {shown(config[key])}", "none: a model that is told no class", _REMEDY)
    if config.get("time_embedding_type", "positional") != "positional":
        embedding = config["time_embedding_type"]
        raise unusable(
            where, f"time_embedding_type {shown(embedding)}", "positional: a model that counts timesteps", _REMEDY
        )
