"""Weights of networks in files, in precisions and in bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ldrps.errors import PriorError
from ldrps.prior.networks import write_weights
from ldrps.prior.weights import build, load_weights


def test_weights_in_bytes_come_back_to_a_hundredth_of_the_largest_of_their_row(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(5, 2))
    network[0].weight.data[1] *= 1000  # rows may be of another size
    network[1].weight.data[0] = 0.0
    write_weights(file := tmp_path / "network.safetensors", network, torch.int8)
    read = build(lambda: nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(5, 2)), file)
    load_weights(read, [file], device=torch.device("cpu"), dtype=torch.float32)
    for (name, before), after in zip(network.state_dict().items(), read.state_dict().values(), strict=True):
        largest = before.abs().reshape(len(before), -1).amax(1)
        assert bool(((before - after).abs().reshape(len(before), -1).amax(1) <= 0.01 * largest).all()), name
    sizes = {key: tensor.element_size() for key, tensor in load_file(file).items()}
    assert sizes["0.weight"] == 1
    assert sizes["0.bias"] == 2


def test_scales_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_weights(file := tmp_path / "network.safetensors", nn.Linear(4, 2), torch.int8)
    save_file({**load_file(file), "weight.scale": torch.ones(3)}, file)
    with pytest.raises(PriorError, match=r"weight of \[2, 4\] has scales of \[3\]"):
        load_weights(build(lambda: nn.Linear(4, 2), file), [file], device=torch.device("cpu"), dtype=torch.float32)
    stored = load_file(file)
    save_file({"weight": stored["weight"], "bias": stored["bias"]}, file)
    with pytest.raises(PriorError, match=r"int8.*not quantised"):
        load_weights(build(lambda: nn.Linear(4, 2), file), [file], device=torch.device("cpu"), dtype=torch.float32)
