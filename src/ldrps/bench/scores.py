"""What the benchmark computes of a result: every metric that the clean side and the weights at hand allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.errors import InputError
from ldrps.metrics import LPIPS, FeatureDistance, Niqe, Score, ciede2000, psnr, ssim
from ldrps.metrics.featdist import MODULE as PACKAGE_MODULE

# Files of the metrics that need weights, as their authors call them, best net first: (backbone, heads).
_LPIPS_FILES = {
    "alex": ("alexnet*", ("lpips_alex*", "alex.pth")),
    "squeeze": ("squeezenet1_1*", ("lpips_squeeze*", "squeeze.pth")),
    "vgg": ("vgg16*", ("lpips_vgg*", "vgg.pth")),
}
_NIQE_FILE = "niqe_pris_params.npz"


@dataclass(frozen=True)
class Judges:
    """Files of the metrics that need weights; what is None is not computed.

    Attributes:
        lpips_net, lpips_backbone, lpips_heads: of LPIPS.
        niqe: the model of pristine pictures.
        features: whether the feature distance, whose weights a package brings, stands in for LPIPS.
    """

    lpips_net: str = "squeeze"
    lpips_backbone: Path | None = None
    lpips_heads: Path | None = None
    niqe: Path | None = None
    features: bool = False

    @classmethod
    def at_hand(cls, folder: Path | None) -> Judges:
        """Those whose files lie in the folder, by the names that their authors gave them; without LPIPS' files, or
        without a folder, the feature distance if its package is installed.

        Raises:
            InputError: the folder does not exist.
        """
        without = cls(features=find_spec(PACKAGE_MODULE) is not None)
        if folder is None:
            return without
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder: give one with the weights of LPIPS and NIQE, or none")
        niqe = folder / _NIQE_FILE
        without = replace(without, niqe=niqe if niqe.is_file() else None)
        for net, (backbone, heads) in _LPIPS_FILES.items():
            layers = sorted(folder.glob(backbone))
            tops = [path for pattern in heads for path in sorted(folder.glob(pattern))]
            if layers and tops:
                return cls(net, layers[0], tops[0], without.niqe)
        return without

    @property
    def names(self) -> list[str]:
        """The metrics beyond those that need no weights; LPIPS of another net is another metric."""
        lpips = [f"lpips-{self.lpips_net}"] if self.lpips_backbone and self.lpips_heads else []
        return [*lpips, *["niqe"] * (self.niqe is not None), *[FeatureDistance.name] * self.features]


def score(
    result: Image.Image, truth: Image.Image | None, judges: Judges, *, border: int = 0, shift: int = 0
) -> tuple[dict[str, float], dict[str, Mapping[str, Any]]]:
    """Metric to value, and metric to protocol.

    Raises:
        InputError: result and truth differ in size.
    """
    restored = _tensor(result)
    scores: dict[str, Score] = {}
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
            scores[FeatureDistance.name] = _features()(restored, clean)
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
