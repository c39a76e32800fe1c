"""The forward model, y = A(x) + n: every kind of damage as an operator on pictures, and noise.

Whatever damages pictures, undoes damage, or weighs one against the other uses these: the command `ldrps degrade`,
training, estimation, sampling, and the rivals.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldrps.degradation.base import Degradation, Linear, Pointwise, Projection
    from ldrps.degradation.bayer import BayerNoise
    from ldrps.degradation.blur import Blur, GaussianBlur
    from ldrps.degradation.clipping import Clipping, Rounding
    from ldrps.degradation.compose import Compose
    from ldrps.degradation.curve import Curve
    from ldrps.degradation.fields import LocalLight, Streaks, Veil
    from ldrps.degradation.jpeg import Jpeg
    from ldrps.degradation.luma import Luma
    from ldrps.degradation.mask import Mask
    from ldrps.degradation.noise import (
        GrainNoise,
        Noise,
        PoissonNoise,
        ReducedNoise,
        SharedNoise,
        ShotReadNoise,
        WhiteNoise,
    )
    from ldrps.degradation.parameter import Parameter
    from ldrps.degradation.plain import KINDS, from_plain
    from ldrps.degradation.residue import JpegResidue
    from ldrps.degradation.sampling import Sampling, resize
    from ldrps.degradation.srgb import Domain, to_linear, to_srgb
    from ldrps.degradation.tone import Exposure, Tone, WhiteBalance
    from ldrps.degradation.uncertain import UncertainTone

# Loaded on first use: what is asked of `ldrps degrade` is checked before torch is there.
_HOMES = {
    "BayerNoise": "bayer",
    "Blur": "blur",
    "Clipping": "clipping",
    "Compose": "compose",
    "Curve": "curve",
    "Degradation": "base",
    "Domain": "srgb",
    "Exposure": "tone",
    "GaussianBlur": "blur",
    "GrainNoise": "noise",
    "Jpeg": "jpeg",
    "JpegResidue": "residue",
    "KINDS": "plain",
    "Linear": "base",
    "LocalLight": "fields",
    "LocalTone": "local",
    "Luma": "luma",
    "Mask": "mask",
    "Noise": "noise",
    "Parameter": "parameter",
    "Pointwise": "base",
    "PoissonNoise": "noise",
    "Projection": "base",
    "ReducedNoise": "noise",
    "Rounding": "clipping",
    "Sampling": "sampling",
    "SharedNoise": "noise",
    "ShotReadNoise": "noise",
    "Streaks": "fields",
    "Tone": "tone",
    "UncertainTone": "uncertain",
    "Veil": "fields",
    "WhiteBalance": "tone",
    "WhiteNoise": "noise",
    "from_plain": "plain",
    "resize": "sampling",
    "to_linear": "srgb",
    "to_srgb": "srgb",
}

__all__ = [
    "KINDS",
    "BayerNoise",
    "Blur",
    "Clipping",
    "Compose",
    "Curve",
    "Degradation",
    "Domain",
    "Exposure",
    "GaussianBlur",
    "GrainNoise",
    "Jpeg",
    "JpegResidue",
    "Linear",
    "LocalLight",
    "LocalTone",
    "Luma",
    "Mask",
    "Noise",
    "Parameter",
    "Pointwise",
    "PoissonNoise",
    "Projection",
    "ReducedNoise",
    "Rounding",
    "Sampling",
    "SharedNoise",
    "ShotReadNoise",
    "Streaks",
    "Tone",
    "UncertainTone",
    "Veil",
    "WhiteBalance",
    "WhiteNoise",
    "from_plain",
    "resize",
    "to_linear",
    "to_srgb",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ldrps.degradation' has no attribute {name!r}")
    return getattr(import_module(f"ldrps.degradation.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
