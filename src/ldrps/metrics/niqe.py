"""NIQE: how far a picture's statistics are from those of good photographs. It needs no clean picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ldrps.errors import InputError, PriorError
from ldrps.image.files import replace_file
from ldrps.metrics.filters import gaussian
from ldrps.metrics.pictures import ImageLike, luma, picture
from ldrps.metrics.scene_statistics import BLOCK, FEATURES, block_features
from ldrps.metrics.score import Score

_SHAPES = {"mu_pris_param": (FEATURES,), "cov_pris_param": (FEATURES, FEATURES), "gaussian_window": (7, 7)}
_LEAST_BLOCKS = 2  # one has no covariance


class Niqe:
    """Natural image quality evaluator (Mittal, Soundararajan, Bovik 2013), the lower the better.

    The distance between two Gaussians over 36 features of 96x96 blocks: that of the picture, and that of pristine
    photographs. Luma is BT.601 in studio swing, rounded, as restoration papers have it (BasicSR; the authors' own code
    took MATLAB's rgb2gray). A score means something beside other scores by the same model only.

    Args:
        mean: of the features of pristine blocks, [36].
        covariance: of the same, [36, 36].
        window: the weights [7, 7] of the local mean and deviation; None is the paper's Gaussian of sigma 7/6.
        model_name: what the protocol and the errors call the model.

    Raises:
        PriorError: a tensor of another shape, or not finite.
    """

    def __init__(
        self, mean: Tensor, covariance: Tensor, window: Tensor | None = None, *, model_name: str = "the given model"
    ) -> None:
        if window is None:
            window = paper_window()
        parts = (mean, covariance, window)
        for part, (name, shape) in zip(parts, _SHAPES.items(), strict=True):
            if tuple(part.shape) != shape:
                raise PriorError(
                    f"{model_name}: {name} has shape {tuple(part.shape)}, not {shape}: it is no NIQE model"
                )
            if not bool(part.isfinite().all()):
                raise PriorError(f"{model_name}: {name} holds NaN or infinity: fetch or fit it again")
        self._mean, self._covariance, self._window = (part.detach().cpu().double() for part in parts)
        self.protocol = {
            "channel": "y",
            "luma": "BT.601 studio swing, rounded to 0 .. 255",
            "block": BLOCK,
            "scales": 2,
            "model": model_name,
        }

    @classmethod
    def from_file(cls, path: str | Path) -> Niqe:
        """Read a model from an .npz file: mu_pris_param, cov_pris_param and gaussian_window, as BasicSR's.

        Raises:
            PriorError: the file is missing, broken, or no such model.
        """
        path = Path(path)
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {name: torch.from_numpy(stored[name].astype(np.float64)) for name in _SHAPES}
        except Exception as error:  # a broken archive breaks in whatever way it happens to
            raise PriorError(
                f"cannot read a NIQE model from {path} ({type(error).__name__}: {error}): "
                f"give an .npz with {', '.join(_SHAPES)}"
            ) from error
        mean, covariance, window = found.values()
        return cls(mean.reshape(-1), covariance, window, model_name=path.name)

    def save(self, path: str | Path) -> None:
        """Write the model where `from_file` reads it; the file is whole or absent.

        Raises:
            OutputError: the folder cannot be written.
        """
        arrays = (self._mean[None].numpy(), self._covariance.numpy(), self._window.numpy())
        stored = dict(zip(_SHAPES, arrays, strict=True))
        replace_file(Path(path), lambda file: np.savez(file, allow_pickle=False, **stored))

    def __call__(self, image: ImageLike) -> Score:
        """The score of a picture as `ldrps.metrics.pictures.picture` takes it.

        Flat blocks say nothing and are left out. Where fewer than two others remain, as in a picture of one colour,
        the score is inf.

        Raises:
            InputError: the picture cannot be used, or has fewer than two whole blocks: the least is 96x192 pixels.
        """
        features, _ = block_features(_rounded_luma(image), self._window)
        whole = features[~features.isnan().any(1)]
        if len(whole) < _LEAST_BLOCKS:
            return Score("niqe", math.inf, dict(self.protocol))
        # As nanmean and nancov in the authors' code: a block that is flat at one scale still counts at the other.
        difference = self._mean - features.nanmean(0)
        inverse = torch.linalg.pinv((self._covariance + whole.T.cov()) / 2)
        distance = float((difference @ inverse @ difference).clamp_min(0).sqrt())  # eq. 10
        return Score("niqe", distance, dict(self.protocol))


def fit_niqe(images: Iterable[ImageLike], sharpness: float = 0.75, *, model_name: str = "a model fitted here") -> Niqe:
    """A model of one's own, from good photographs without any damage; the authors took 125.

    Of each picture those blocks are used whose sharpness is above `sharpness` times that of its sharpest one.

    Raises:
        InputError: a picture cannot be used or has no whole block of 96x96; or fewer than 37 blocks were found, so
            that 36 features have no covariance.
    """
    window = paper_window()
    chosen = []
    for image in images:
        features, sharp = block_features(_rounded_luma(image, least=1), window)
        chosen.append(features[sharp > sharpness * sharp.max()])
    features = torch.cat(chosen) if chosen else torch.empty(0, FEATURES)
    features = features[~features.isnan().any(1)]
    if len(features) <= FEATURES:
        raise InputError(
            f"{len(features)} sharp blocks in {len(chosen)} pictures: a model needs {FEATURES + 1} at the very least, "
            "give more or larger pictures"
        )
    return Niqe(features.mean(0), features.T.cov(), window, model_name=model_name)


def paper_window() -> Tensor:
    """The paper's 7x7 Gaussian, three deviations to each side."""
    side = gaussian(7, 7 / 6)
    return torch.outer(side, side)


def _rounded_luma(image: ImageLike, least: int = _LEAST_BLOCKS) -> Tensor:
    x = picture(image)
    height, width = x.shape[-2:]
    if (height // BLOCK) * (width // BLOCK) < least:
        wanted = f"{BLOCK}x{BLOCK * least} pixels" if least > 1 else f"{BLOCK} pixels a side"
        raise InputError(
            f"the picture is {width}x{height}: NIQE needs {least} whole blocks of {BLOCK}x{BLOCK}, at least {wanted}; "
            "give a larger one, not an enlarged one"
        )
    return (255 * luma(x)[0, 0]).round()
