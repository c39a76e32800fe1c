"""The contract of a baseline, and what several of them use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ldrps.errors import InputError, how_to_install

Pixels = NDArray[np.float32]

_PACKAGES = {"cv2": "OpenCV", "skimage": "scikit-image", "pywt": "PyWavelets", "scipy": "SciPy"}


@dataclass(frozen=True)
class Baseline:
    """A tool that people try first. It is blind: it sees the damaged picture and nothing else.

    Attributes:
        name: as in tables and on the command line.
        what: what it does, in a line.
        source: where it comes from.
        function: float32 RGB [H, W, 3] in [0, 1] to the same; a new array, and the same for the same input.
            Raises InputError if a package of the extra `bench` is missing.
        enlarges: whether it is for sets of reduced pictures: the function is told how many times larger, each way, the
            result is.
        fills: whether it is for pictures with holes: the function is told which pixels are lost, [H, W] of bool.
    """

    name: str
    what: str
    source: str
    function: Callable[..., Pixels]
    enlarges: bool = False
    fills: bool = False

    def __call__(self, x: Pixels, factor: int = 1, lost: NDArray[np.bool_] | None = None) -> Pixels:
        """What it makes of a picture, which should become so many times larger, and has lost some pixels, if any."""
        if self.fills:
            return pixels(x) if lost is None else self.function(x, lost)
        return self.function(x, factor) if self.enlarges else self.function(x)


@dataclass(frozen=True)
class Oracle:
    """A ceiling, not a method: it looks at the truth. What it scores is what knowing one thing exactly is worth.

    Attributes:
        name, what, source: as of a baseline; the name begins with "oracle-".
        function: (damaged, truth) to a picture; (truth, prior) where `needs_prior`. Pixels as of a baseline.
        needs_prior: whether it is about a prior.
    """

    name: str
    what: str
    source: str
    function: Callable[..., Pixels]
    needs_prior: bool = False


def need(module: str) -> Any:
    """The module, of a package that only plain tools need.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = _PACKAGES.get(module.partition(".")[0], module)
        raise InputError(f"this baseline needs {package}, which is not here: {how_to_install('bench')}") from error


def levels(x: Pixels) -> NDArray[np.uint8]:
    """Rounded to 0 .. 255, for tools that take bytes."""
    return np.clip(np.rint(x * 255), 0, 255).astype(np.uint8)


def resized(x: Pixels, height: int, width: int, how: Literal["bicubic", "area"] = "bicubic") -> NDArray[np.float32]:
    """[H, W, 3] to [height, width, 3], in floating point, not clipped; the cubic is that of MATLAB and Pillow."""
    import torch

    from ldrps.degradation import resize

    return resize(torch.from_numpy(x).permute(2, 0, 1)[None], (height, width), how)[0].permute(1, 2, 0).numpy()


def pixels(x: NDArray[Any]) -> Pixels:
    """Float32, clipped to [0, 1]; bytes are divided by 255. Always a new array."""
    values = x / 255 if x.dtype == np.uint8 else x
    return np.clip(values, 0, 1).astype(np.float32)
