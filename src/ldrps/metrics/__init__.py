"""How good is a restored picture? Figures that carry the protocol they were computed by.

    score = psnr(restored, clean)  # tensors [3, H, W] in [0, 1], or PIL images
    score.text(), score.protocol   # "23.49 dB", {"channel": "rgb", "border": 0, ...}

Knows nothing of diffusion. PSNR, SSIM, MS-SSIM and CIEDE2000 need nothing but PyTorch; LPIPS, NIQE and the feature
distance need files of weights, which are not part of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldrps.metrics.colour import ciede2000
    from ldrps.metrics.featdist import FeatureDistance
    from ldrps.metrics.fidelity import psnr
    from ldrps.metrics.lpips import LPIPS
    from ldrps.metrics.niqe import Niqe, fit_niqe
    from ldrps.metrics.pictures import ImageLike, luma
    from ldrps.metrics.score import Score
    from ldrps.metrics.structure import ms_ssim, ssim

# Loaded on first use. No module may have the name of a function: it would take that name's place in the package.
_HOMES = {
    "FeatureDistance": "featdist",
    "ImageLike": "pictures",
    "LPIPS": "lpips",
    "Niqe": "niqe",
    "Score": "score",
    "ciede2000": "colour",
    "fit_niqe": "niqe",
    "luma": "pictures",
    "ms_ssim": "structure",
    "psnr": "fidelity",
    "ssim": "structure",
}

__all__ = [
    "LPIPS",
    "FeatureDistance",
    "ImageLike",
    "Niqe",
    "Score",
    "ciede2000",
    "fit_niqe",
    "luma",
    "ms_ssim",
    "psnr",
    "ssim",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ldrps.metrics' has no attribute {name!r}")
    return getattr(import_module(f"ldrps.metrics.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
