"""Files of weights: read without running them, and never taken on trust."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ldrps.errors import PriorError
from ldrps.weights import fill, read_weights, take

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.0, -1.0])}


class Harmful:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


def meta_linear() -> nn.Module:
    with torch.device("meta"):
        return nn.ModuleDict({"a": nn.Linear(3, 2)})


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt", "bin"])
def test_weights_come_back_as_they_were(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w.{suffix}"
    if suffix == "safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path)
    for given in (path, str(path)):
        found = read_weights(given)
        assert found.keys() == WEIGHTS.keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in WEIGHTS.items())


@pytest.mark.parametrize("plain", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(plain: bool, tmp_path: Path) -> None:
    harmful, path = {"a.weight": Harmful(tmp_path / "harm")}, tmp_path / "w.pth"
    if plain:
        path.write_bytes(pickle.dumps(harmful, protocol=2))
    else:
        torch.save(harmful, path)
    with pytest.raises(PriorError, match=r"cannot read weights from .*w.pth \(UnpicklingError"):
        read_weights(path)
    assert not (tmp_path / "harm").exists()
    torch.load(path, weights_only=False) if not plain else pickle.loads(path.read_bytes())
    assert (tmp_path / "harm").is_dir(), "the pickle would have run"


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.99])
def test_a_truncated_file_is_refused(suffix: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"w.{suffix}"
    if suffix == "safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(PriorError, match=rf"cannot read weights from .*w\.{suffix} \(\w+: .*\): fetch the file again"):
        read_weights(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for name in ("none.safetensors", "none.pth"):
        with pytest.raises(PriorError, match=rf"cannot read weights from .*{re.escape(name)} \(FileNotFoundError"):
            read_weights(tmp_path / name)
    with pytest.raises(PriorError, match=r"cannot read weights from .*\(IsADirectoryError"):
        read_weights(tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_pipes_and_devices_are_refused_unopened(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    (tmp_path / f"zero.{suffix}").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(PriorError, match=rf"{name}\.{suffix} is a pipe or a device: give a file of weights"):
            read_weights(tmp_path / f"{name}.{suffix}")


@pytest.mark.parametrize("stored", [torch.zeros(3), [torch.zeros(3)], {"state_dict": WEIGHTS}, {"epoch": 3, **WEIGHTS}])
def test_anything_but_tensors_by_name_is_refused(stored: object, tmp_path: Path) -> None:
    torch.save(stored, tmp_path / "w.pth")
    with pytest.raises(PriorError, match=r"w\.pth holds something else than tensors by name: give a state dict"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype: torch.dtype) -> None:
    found = take({"a": torch.tensor([1.5, 2.0], dtype=dtype)}, "a", (2,), "w.pth")
    assert found.dtype == torch.float32 and found.tolist() == [1.5, 2]


def test_the_prefix_may_be_there_or_not() -> None:
    bare, prefixed = torch.tensor([1.0]), torch.tensor([2.0])
    assert take({"a": bare}, "a", (1,), "w", "features.").item() == 1
    assert take({"features.a": prefixed}, "a", (1,), "w", "features.").item() == 2
    assert take({"features.a": prefixed, "a": bare}, "a", (1,), "w", "features.").item() == 1


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (None, "w.pth has no tensor a.weight: it is of another network"),
        (torch.zeros(3, 2), "w.pth: a.weight has shape (3, 2), not (2, 3): it is of another network"),
        (torch.zeros(2, 3, 1), "a.weight has shape (2, 3, 1), not (2, 3)"),
        (torch.zeros(2, 3, dtype=torch.int8), "w.pth: a.weight is of type torch.int8: give weights in floating point"),
        (torch.full((2, 3), torch.nan), "w.pth: a.weight holds NaN or infinity: fetch the file again"),
        (torch.full((2, 3), -torch.inf), "w.pth: a.weight holds NaN or infinity"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tensor: Tensor | None, message: str) -> None:
    weights = {"a.bias": WEIGHTS["a.bias"], **({} if tensor is None else {"a.weight": tensor})}
    with pytest.raises(PriorError, match=re.escape(message)):
        take(weights, "a.weight", (2, 3), "w.pth")
    with pytest.raises(PriorError, match=re.escape(message)):
        fill(meta_linear(), weights, "w.pth")


def test_a_filled_network_computes_and_is_frozen() -> None:
    network = meta_linear()
    fill(network, {**WEIGHTS, "of no use": torch.zeros(9)}, "w.pth")
    assert network["a"](torch.tensor([1.0, 0, 2])).tolist() == [1 + 4, -1 + 3 + 10]
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.training


def test_freezing_a_network_leaves_the_callers_parameters_free() -> None:
    mine = nn.ModuleDict({"a": nn.Linear(3, 2)})
    network = meta_linear()
    fill(network, dict(mine.named_parameters()), "my net")
    assert all(parameter.requires_grad for parameter in mine.parameters())
    assert torch.equal(network["a"].weight, mine["a"].weight) and not network["a"].weight.requires_grad
