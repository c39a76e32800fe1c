from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.estimation.fpam import AlignmentNets
from ldrps.guidance.posterior import LearnedPosterior
from ldrps.presets import preset
from ldrps.settings import Alignment, Guidance, PublishedSettings, Until

ALIGNMENT = {"alignment/distance", "alignment/perceptual", "alignment/adversarial"}
Y = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
Z0 = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(2))
MIX = torch.randn(3, 4, 1, 1, generator=torch.Generator().manual_seed(3))


def decode(z: Tensor) -> Tensor:
    return F.interpolate(F.conv2d(z, MIX), scale_factor=8, mode="bilinear").sigmoid()


def features(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 4).pow(2)


def learned(settings: PublishedSettings) -> LearnedPosterior:
    nets = AlignmentNets.create(torch.Generator().manual_seed(0), torch.device("cpu"))
    return LearnedPosterior(Y.clone(), decode, features, nets, settings)


def published(task: str) -> PublishedSettings:
    posterior = preset(f"paper-{task}").method
    assert isinstance(posterior, PublishedSettings)
    return posterior


def parameters(posterior: LearnedPosterior) -> list[list[Tensor]]:
    return [[p.detach().clone() for p in net.parameters()] for net in posterior.nets]


@pytest.mark.parametrize("task", ["lowlight", "dehazing", "denoising"])
@pytest.mark.parametrize("t", [899, 700])
def test_in_stage_one_it_only_learns(task: str, t: int) -> None:
    posterior = learned(published(task))
    before = parameters(posterior)
    change, losses = posterior.correction(Z0, t)
    assert torch.equal(change, torch.zeros_like(Z0))
    assert losses.keys() == ALIGNMENT
    fpam, domain, kind = (
        any(not torch.equal(was, now) for was, now in zip(*pair, strict=True))
        for pair in zip(before, parameters(posterior), strict=True)
    )
    assert (fpam, domain, kind) == (True, True, False)


@pytest.mark.parametrize(
    ("task", "t", "terms"),
    [
        ("lowlight", 699, {"distance", "perceptual", "adversarial"}),
        ("lowlight", 99, {"distance", "perceptual", "adversarial", "brightness", "chrominance"}),
        ("dehazing", 150, {"distance", "perceptual"}),
        ("dehazing", 149, {"distance", "perceptual", "brightness", "chrominance"}),
        ("denoising", 1, {"distance"}),
    ],
)
def test_in_stage_two_it_steers_the_guided_chain_alone(task: str, t: int, terms: set[str]) -> None:
    posterior = learned(published(task))
    z0 = Z0.clone()
    change, losses = posterior.correction(z0, t)
    assert losses.keys() == ALIGNMENT | {f"posterior/{name}" for name in terms}
    assert all(isinstance(value, float) and value >= 0 for value in losses.values())
    assert bool(change[0].any()) and bool(change.isfinite().all())
    assert not change[1].any()
    assert not change.requires_grad and not z0.requires_grad
    assert torch.equal(z0, Z0) and torch.equal(posterior.y, Y)


def test_the_correction_is_the_gradient_after_learning() -> None:
    posterior = learned(published("denoising"))
    change, losses = posterior.correction(Z0, 500)
    z0 = Z0[:1].clone().requires_grad_()
    loss = F.mse_loss(posterior.nets.fpam(decode(z0)), Y)
    (gradient,) = torch.autograd.grad(loss, z0)
    torch.testing.assert_close(change[:1], -40_000 * gradient, rtol=1e-3, atol=1e-5 * 40_000 * float(gradient.max()))
    assert losses["posterior/distance"] == pytest.approx(float(loss.detach()), rel=1e-4)


def test_the_free_chain_is_learned_from_too() -> None:
    other = torch.cat([Z0[:1], -Z0[1:]])
    first, second = learned(published("lowlight")), learned(published("lowlight"))
    assert not torch.equal(first.correction(Z0, 500)[0], second.correction(other, 500)[0])


def test_an_adversarial_term_trains_its_judge() -> None:
    posterior = learned(published("lowlight"))
    before = parameters(posterior)[2]
    posterior.correction(Z0, 500)
    assert not any(torch.equal(was, now) for was, now in zip(before, parameters(posterior)[2], strict=True))


@pytest.mark.parametrize(("t", "factor"), [(500, 0.2), (800, 1.0)])
def test_a_large_perceptual_term_is_damped_in_stage_two(t: int, factor: float) -> None:
    plain = PublishedSettings(Alignment(perceptual_limit=1e9), Guidance())
    damped = dataclasses.replace(plain, alignment=Alignment(perceptual_limit=0.0))
    terms = [learned(settings).correction(Z0, t)[1]["alignment/perceptual"] for settings in (plain, damped)]
    assert terms[1] == pytest.approx(factor * terms[0], rel=1e-5)


def test_learning_brings_psi_to_the_picture() -> None:
    posterior = learned(PublishedSettings(Alignment(distance=1.0, adversarial=0.0), Guidance(distance=Until(0.0))))
    losses = [posterior.correction(Z0, 300) for _ in range(12)]
    assert losses[-1][1]["alignment/distance"] < losses[0][1]["alignment/distance"] / 2
    assert not losses[-1][0].any()  # no weights, no correction
