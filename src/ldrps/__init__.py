"""ldrps: blind restoration of damaged photographs by recurrent posterior sampling with a latent diffusion prior."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldrps.caption.base import Caption
    from ldrps.errors import Cancelled
    from ldrps.estimation.damage import Damage, Estimate
    from ldrps.guidance.perceptual import VGG16Features
    from ldrps.modules import Denoiser, RestorerModule
    from ldrps.one_call import restore
    from ldrps.presets import PRESETS, preset
    from ldrps.prior import load_prior
    from ldrps.prior.base import Prior
    from ldrps.progress import Progress
    from ldrps.restorer import Restorer
    from ldrps.result import Result
    from ldrps.samples import Samples, draw_samples
    from ldrps.settings import Settings

__version__ = metadata.version("ldrps")

# Loaded on first use: importing the package must cost nothing, and torch takes seconds.
_HOMES = {
    "Cancelled": "ldrps.errors",
    "Caption": "ldrps.caption.base",
    "Damage": "ldrps.estimation.damage",
    "Denoiser": "ldrps.modules",
    "Estimate": "ldrps.estimation.damage",
    "Progress": "ldrps.progress",
    "Restorer": "ldrps.restorer",
    "RestorerModule": "ldrps.modules",
    "restore": "ldrps.one_call",
    "Result": "ldrps.result",
    "Prior": "ldrps.prior.base",
    "load_prior": "ldrps.prior",
    "PRESETS": "ldrps.presets",
    "Samples": "ldrps.samples",
    "Settings": "ldrps.settings",
    "VGG16Features": "ldrps.guidance.perceptual",
    "draw_samples": "ldrps.samples",
    "preset": "ldrps.presets",
}

__all__ = [
    "PRESETS",
    "Cancelled",
    "Caption",
    "Damage",
    "Denoiser",
    "Estimate",
    "Prior",
    "Progress",
    "Restorer",
    "RestorerModule",
    "Result",
    "Samples",
    "Settings",
    "VGG16Features",
    "__version__",
    "draw_samples",
    "load_prior",
    "preset",
    "restore",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ldrps' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
