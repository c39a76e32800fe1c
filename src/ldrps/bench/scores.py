"""What the benchmark computes of a result: every metric that the clean side and the weights at hand allow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.judges import FEATURE_DISTANCE, Judges
from ldrps.errors import InputError
from ldrps.metrics import LPIPS, FeatureDistance, Niqe, Score, ciede2000, psnr, ssim


def score(
    result: Image.Image,
    truth: Image.Image | None,
    judges: Judges,
    *,
    damaged: Image.Image | None = None,
    border: int = 0,
    shift: int = 0,
) -> tuple[dict[str, float], dict[str, Mapping[str, Any]]]:
    """Metric to value, and metric to protocol.

    Args:
        result: what a contender made.
        truth: the clean side, if there is one.
        judges: the metrics that need weights.
        damaged: what it was given; if that has the size of the result, `psnr_to_input` tells how near they are, all
            pixels counted, and `psnr_input` how far it was from the truth.
        border: pixels at each side that are not scored.
        shift: pixels by which the pictures may be shifted to the truth before they are scored.

    Raises:
        InputError: result and truth differ in size.
    """
    restored = _tensor(result)
    scores: dict[str, Score] = {}
    if damaged is not None and damaged.size == result.size:
        scores["psnr_to_input"] = psnr(restored, _tensor(damaged))
        if truth is not None and truth.size == damaged.size:
            scores["psnr_input"] = psnr(*aligned(_tensor(damaged), _tensor(truth), border, shift))
    if truth is not None:
        if result.size != truth.size:
            raise InputError(f"the result has {result.size} pixels, the clean picture {truth.size}: not comparable")
        restored, clean = aligned(restored, _tensor(truth), border, shift)
        scores |= {
            "psnr_rgb": psnr(restored, clean),
            "psnr_y": psnr(restored, clean, channel="y"),
            # LOL's brightness is partly a matter of exposure: what is left when the mean is given.
            "psnr_mean_matched": psnr((restored * (clean.mean() / restored.mean().clamp_min(1e-6))).clamp(0, 1), clean),
            "ssim_y": ssim(restored, clean),
            "ssim_rgb": ssim(restored, clean, channel="rgb"),
            "ciede2000": ciede2000(restored, clean),
        }
        if judges.lpips_backbone is not None and judges.lpips_heads is not None:
            lpips = _lpips(judges.lpips_net, judges.lpips_backbone, judges.lpips_heads)
            scores["lpips"] = lpips(restored, clean)
        if judges.features and min(restored.shape[-2:]) >= 32:
            scores[FEATURE_DISTANCE] = _features()(restored, clean)
    if judges.niqe is not None and min(restored.shape[-2:]) >= 192:
        scores["niqe"] = _niqe(judges.niqe)(restored)
    return {name: s.value for name, s in scores.items()}, {name: s.protocol for name, s in scores.items()}


def aligned(restored: Tensor, clean: Tensor, border: int, shift: int) -> tuple[Tensor, Tensor]:
    """Both [3, H, W] without their borders, the first shifted by up to `shift` pixels to where it fits best."""
    height, width = clean.shape[-2:]
    inner = clean[:, border : height - border, border : width - border]
    shift = min(shift, border)
    candidates = (
        restored[:, border + y : height - border + y, border + x : width - border + x]
        for y in range(-shift, shift + 1)
        for x in range(-shift, shift + 1)
    )
    return min(candidates, key=lambda candidate: float((candidate - inner).pow(2).mean())), inner


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).double() / 255


@lru_cache(maxsize=1)
def _lpips(net: str, backbone: Path, heads: Path) -> LPIPS:
    return LPIPS.from_files(net, backbone, heads)


@lru_cache(maxsize=1)
def _features() -> FeatureDistance:
    return FeatureDistance.from_package()


@lru_cache(maxsize=1)
def _niqe(path: Path) -> Niqe:
    return Niqe.from_file(path)
