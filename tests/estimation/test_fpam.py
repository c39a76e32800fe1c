from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ldrps.estimation.fpam import FPAM, AlignmentNets, Discriminator, judged

CPU = torch.device("cpu")


def create(seed: int) -> AlignmentNets:
    return AlignmentNets.create(torch.Generator().manual_seed(seed), CPU)


def state(nets: AlignmentNets) -> dict[str, Tensor]:
    return {f"{part}.{key}": tensor for part, net in nets._asdict().items() for key, tensor in net.state_dict().items()}


def test_shapes() -> None:
    x = torch.rand(2, 3, 32, 48)
    assert FPAM()(x).shape == x.shape
    verdict = Discriminator()(x)
    assert verdict.shape == (2, 1, 4, 6)
    assert float(verdict.min().detach()) > 0 and float(verdict.max().detach()) < 1
    assert Discriminator()(torch.rand(1, 3, 33, 47)).shape == (1, 1, 5, 6)


def test_parameter_counts() -> None:
    def convolution(inputs: int, outputs: int, kernel: int) -> int:
        return outputs * (inputs * kernel**2 + 1)

    def count(net: nn.Module) -> int:
        return sum(parameter.numel() for parameter in net.parameters())

    trunk = convolution(3, 64, 3) + convolution(64, 128, 3) + convolution(128, 256, 3)
    h1 = convolution(3, 64, 3) + convolution(64, 3, 1)
    assert count(FPAM()) == h1 + trunk + convolution(256, 3, 1) + 3  # p: one number a channel
    assert count(Discriminator()) == trunk + convolution(256, 1, 1)


def test_psi_is_the_sum_of_its_two_paths() -> None:
    psi, x = create(3).fpam, torch.rand(1, 3, 16, 16)
    assert torch.equal(psi.p, torch.ones(1, 3, 1, 1))
    pixel = psi.h1(x)
    torch.testing.assert_close(psi(x), psi.h2(pixel) + pixel)
    with torch.no_grad():
        psi.p.copy_(torch.tensor([0.0, 1.0, 2.0]).reshape(1, 3, 1, 1))
    torch.testing.assert_close(psi(x) - psi.h2(pixel), pixel * psi.p)
    assert torch.equal(create(3).fpam(torch.zeros(1, 3, 8, 8)), torch.zeros(1, 3, 8, 8))  # no biases at first


def test_nets_are_a_function_of_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = state(create(7))
    torch.manual_seed(2)
    again, other = state(create(7)), state(create(8))
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())
    weights = [key for key in first if key.endswith("weight")]
    assert len(weights) == 6 + 4 + 4
    assert not any(torch.equal(first[key], other[key]) for key in weights)
    assert not torch.equal(first["domain.net.0.weight"], first["kind.net.0.weight"])


def test_weights_are_kaiming_normal() -> None:
    for key, tensor in state(create(0)).items():
        if key.endswith("bias"):
            assert not tensor.any()
        elif tensor.numel() > 1000:
            assert float(tensor.std()) == pytest.approx((2 / tensor[0].numel()) ** 0.5, rel=0.1)


def test_a_discriminator_judges_regions_of_15_pixels() -> None:
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    create(0).domain(x)[0, 0, 4, 4].backward()
    assert x.grad is not None
    rows, columns = x.grad.abs().sum((0, 1)).nonzero().T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (25, 39, 25, 39)


def test_verdicts() -> None:
    probability = torch.tensor([[0.8, 0.5]])
    assert float(judged(probability, real=True)) == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)
    assert float(judged(probability, real=False)) == pytest.approx(-(math.log(0.2) + math.log(0.5)) / 2)
