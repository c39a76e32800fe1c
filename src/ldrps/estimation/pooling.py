"""What the networks that judge damage share: features of all places made numbers of the whole, and Bayes' rule."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def place_weights(features: Tensor, visible: Tensor | None) -> Tensor:
    """How much each place of features [B, C, h, w] counts, [B or 1, 1, h, w], by how visible its pixels are."""
    weights = torch.ones_like(features[:, :1])
    if visible is None:
        return weights
    return F.interpolate(visible.to(features), features.shape[-2:], mode="area").clamp_min(1e-6) * weights


def moments(features: Tensor, weights: Tensor) -> Tensor:
    """Mean and deviation of features [B, C, h, w] over places, [B, 2 C]."""
    weights = weights / weights.mean((2, 3), keepdim=True)
    mean = (weights * features).mean((2, 3), keepdim=True)
    deviation = ((weights * (features - mean) ** 2).mean((2, 3)) + 1e-6).sqrt()
    return torch.cat([mean[:, :, 0, 0], deviation], 1)


def looked_at(features: Tensor, scores: Tensor, weights: Tensor) -> Tensor:
    """Means of features [B, C, h, w] over the places that A attentions choose by scores [B, A, h, w], [B, A C]."""
    places = (scores + weights.log()).flatten(2).softmax(2)
    return torch.einsum("bap,bcp->bac", places, features.flatten(2)).flatten(1)


def with_prior(probability: Tensor, none: float, seen: float) -> Tensor:
    """Probabilities [B, K], the first that of nothing, by another probability of nothing, before a picture is seen,
    than its share in training.
    """
    odds = torch.full_like(probability, (1 - none) / (1 - seen))
    odds[:, 0] = none / seen
    told = probability * odds
    return told / told.sum(1, keepdim=True)


def odds_with_prior(logit: Tensor, there: float, seen: float) -> float:
    """The probability of something by its logit, [], and another probability of it, before a picture is seen, than its
    share in training.
    """
    there = min(max(there, 1e-9), 1 - 1e-9)
    shift = math.log(there / (1 - there)) - math.log(seen / (1 - seen))
    return float(torch.sigmoid(logit + shift))
