"""What a diffusion network predicts, and at which noise levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ldrps.errors import PriorError
from ldrps.prior.base import Denoised
from ldrps.prior.refusal import reason, unusable

PREDICTIONS = ("epsilon", "v_prediction", "sample")

_SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")
_SCHEDULE_KEYS = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr"
)  # fmt: skip
_PLAIN = {"num_train_timesteps", "beta_start", "beta_end", "beta_schedule"}
_REMEDY = "load a Stable Diffusion 1.x or 2.x, or mend the file"


def interpret(output: Tensor, z_t: Tensor, abar: Tensor, prediction: str) -> Denoised:
    """z0 and eps from a network's output, such that z_t = sqrt(abar) z0 + sqrt(1 - abar) eps.

    Args:
        output: what the network said, shaped as `z_t`.
        z_t: the noisy latents it saw.
        abar: the noise level, a scalar in (0, 1); 0 is allowed unless it predicts epsilon.
        prediction: "epsilon" (the noise), "sample" (z0), or "v_prediction" (Salimans and Ho 2022).

    Raises:
        PriorError: any other prediction.
    """
    signal, noise = abar**0.5, (1 - abar) ** 0.5
    if prediction == "epsilon":
        return Denoised((z_t - noise * output) / signal, output)
    if prediction == "v_prediction":  # v = sqrt(abar) eps - sqrt(1 - abar) z0
        return Denoised(signal * z_t - noise * output, signal * output + noise * z_t)
    if prediction == "sample":
        return Denoised(output, (z_t - signal * output) / noise)
    raise PriorError(f"prediction is {prediction!r}; it must be one of {', '.join(PREDICTIONS)}")


def read_schedule(config: dict[str, Any], where: Path) -> tuple[Tensor, str]:
    """abar_t for t = 0 .. T - 1, float32 on the CPU, and the prediction type, from a diffusers scheduler's config.

    Args:
        config: its fields, see `folder.read_scheduler`.
        where: the file, for messages.

    Raises:
        PriorError: the schedule or the prediction type is not one that Stable Diffusion uses, or makes no sense.
    """
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise unusable(where, f"prediction_type {prediction!r}", f"one of {', '.join(PREDICTIONS)}", _REMEDY)
    abar = _alphas_cumprod(config, where)
    # With abar = 0 the latents are pure noise: eps tells nothing of z0 (Lin et al. 2024). With abar = 1 there is none.
    lowest_allowed = abar > 0 if prediction == "epsilon" else abar >= 0
    if not bool((lowest_allowed & (abar < 1)).all()):  # false for NaN too
        found = f"alphas_cumprod from {abar.min():.3g} to {abar.max():.3g}"
        expected = f"values between 0 and 1, where a model that predicts {prediction} can be read"
        raise unusable(where, found, expected, _REMEDY)
    return abar, prediction


def _alphas_cumprod(config: dict[str, Any], where: Path) -> Tensor:
    # Other schedulers' files carry keys of their own; these few are what all of them mean the same by.
    known = {key: config[key] for key in _SCHEDULE_KEYS if config.get(key) is not None}
    schedule = known.get("beta_schedule")
    if "trained_betas" not in known and schedule not in _SCHEDULES:
        found = f"beta_schedule {schedule!r} ({config.get('_class_name')})"
        raise unusable(where, found, f"trained_betas or one of {', '.join(_SCHEDULES)}", _REMEDY)
    if set(known) == _PLAIN and schedule == "scaled_linear":  # the embedded prior's: it must not wait for diffusers
        start, end = (float(known[name]) ** 0.5 for name in ("beta_start", "beta_end"))
        betas = torch.linspace(start, end, known["num_train_timesteps"], dtype=torch.float32) ** 2
        return (1 - betas).cumprod(0)
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    try:
        abar: Tensor = DDPMScheduler(**known).alphas_cumprod
    except (TypeError, ValueError, RuntimeError) as error:
        raise unusable(where, f"a schedule that cannot be computed ({reason(error)})", "numbers", _REMEDY) from error
    return abar
