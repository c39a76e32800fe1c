"""Features of all places as numbers of the whole picture, and Bayes' rule."""

from __future__ import annotations

import pytest
import torch

from ldrps.estimation.pooling import looked_at, moments, place_weights, with_prior


def test_moments_are_those_of_what_is_visible() -> None:
    features = torch.randn(2, 5, 8, 8, generator=torch.Generator().manual_seed(0))
    visible = torch.zeros(1, 1, 16, 16)
    visible[..., :8] = 1.0  # the left half
    mean, deviation = moments(features, place_weights(features, visible)).chunk(2, 1)
    half = features[..., :4].flatten(2)
    assert torch.allclose(mean, half.mean(2), atol=1e-4)
    assert torch.allclose(deviation, half.std(2, unbiased=False), atol=1e-3)


def test_everything_counts_where_nobody_says_what_is_visible() -> None:
    features = torch.randn(1, 3, 4, 6)
    assert torch.equal(place_weights(features, None), torch.ones(1, 1, 4, 6))


def test_an_attention_looks_where_its_score_is_high_and_never_at_what_is_hidden() -> None:
    features = torch.arange(16.0).reshape(1, 1, 4, 4)
    scores = torch.zeros(1, 2, 4, 4)
    scores[0, 0, 1, 2], scores[0, 1, 3, 3] = 50.0, 20.0  # places 6 and 15
    chosen = looked_at(features, scores, torch.ones(1, 1, 4, 4))
    assert chosen[0].tolist() == pytest.approx([6.0, 15.0], abs=1e-3)
    hidden = torch.ones(1, 1, 4, 4)
    hidden[..., 3, 3] = 1e-12
    assert float(looked_at(features, scores, hidden)[0, 1]) < 14


def test_another_prior_is_bayes_rule() -> None:
    likelihoods, trained, wanted = torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.4, 0.3, 0.3]), 0.8
    told = likelihoods * trained / (likelihoods * trained).sum()
    shares = torch.tensor([wanted, *(trained[1:] / trained[1:].sum() * (1 - wanted))])
    expected = likelihoods * shares / (likelihoods * shares).sum()
    assert torch.allclose(with_prior(told[None], wanted, 0.4)[0], expected)
    assert torch.allclose(with_prior(told[None], 0.4, 0.4)[0], told), "the share of training changes nothing"
