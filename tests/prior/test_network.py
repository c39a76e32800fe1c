"""What our networks have in common, and that they are what they were with the base classes of diffusers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor, nn

from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.prior.network import Network, configured
from ldrps.prior.networks import load_network, save_network
from ldrps.prior.prediction import read_schedule
from ldrps.prior.tiny.denoiser import _time_features, _TimeEmbedding
from ldrps.prior.weights import build


class Scaled(Network):
    @configured
    def __init__(self, width: int, factor: float = 2.0) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)
        nn.init.normal_(self.layer.weight, std=0.1)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * self.layer(x)


def test_a_network_knows_its_sizes() -> None:
    network = Scaled(3)
    assert network.config == {"width": 3, "factor": 2.0}
    assert Scaled(4, factor=1.0).config == {"width": 4, "factor": 1.0}
    assert (network.device, network.dtype) == (torch.device("cpu"), torch.float32)
    assert network.half().dtype == torch.float16
    assert Scaled.from_config({"_class_name": "Scaled", "width": 5, "colour": "red"}).config == {
        "width": 5,
        "factor": 2.0,
    }
    with pytest.raises(TypeError, match="width"):
        Scaled.from_config({"factor": 1.0})


def test_written_and_read_again(tmp_path: Path) -> None:
    network = NoisePosterior((8, 8, 16, 16), none=0.4)
    save_network(network, tmp_path, "noise", torch.float32)
    told = json.loads((tmp_path / "noise/config.json").read_text())
    assert told == {"_class_name": "NoisePosterior", "none": 0.4, "periods": False, "widths": [8, 8, 16, 16]}
    again = load_network(NoisePosterior, tmp_path, "noise", device=torch.device("cpu"))
    x = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    state, read = network.state_dict(), again.state_dict()
    assert state.keys() == read.keys() and all(torch.equal(read[name], state[name]) for name in state)
    assert not again.training
    # Not to the bit: how the same sums are done hangs on where in memory the weights lie.
    torch.testing.assert_close(again(x).probability, network.eval()(x).probability)


def test_what_is_built_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # which drawing on the meta device would load
    network = build(lambda: Scaled(3), Path("config.json"))
    assert network.layer.weight.is_meta and network.layer.weight.shape == (3, 3)
    before = torch.get_rng_state()
    build(lambda: NoisePosterior((8, 8, 16, 16)), Path("config.json"))
    assert torch.equal(torch.get_rng_state(), before)


def test_features_of_the_noise_level_are_those_of_diffusers() -> None:
    steps = torch.tensor([0.0, 3.5, 500.0, 999.0])
    theirs = Timesteps(64, flip_sin_to_cos=True, downscale_freq_shift=0)
    assert torch.equal(_time_features(steps), theirs(steps))
    ours, embedding = _TimeEmbedding(32), TimestepEmbedding(64, 32)
    ours.load_state_dict(embedding.state_dict())
    assert torch.equal(ours(_time_features(steps)), embedding(theirs(steps)))


@pytest.mark.parametrize("count", [10, 1000])
def test_the_schedule_is_that_of_diffusers(count: int) -> None:
    config = {"num_train_timesteps": count, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    abar, _ = read_schedule(config, Path("scheduler_config.json"))
    assert torch.equal(abar, DDPMScheduler(**config).alphas_cumprod)
