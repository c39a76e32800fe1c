"""Networks by spandrel, with a stand-in for it: the package needs torchvision, which not every machine has."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from conftest import noisy

from ldrps.errors import InputError, LdrpsError, PriorError
from ldrps.rivals.registry import build_rival


class Descriptor:
    """As spandrel's: a network with facts about it."""

    scale, input_channels, output_channels = 1, 3, 3
    architecture = SimpleNamespace(name="Halver")

    def __init__(self, state: dict[str, torch.Tensor], call: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._factor, self._call = state["factor"], call

    def to(self, device: torch.device) -> Descriptor:
        return self

    def eval(self) -> Descriptor:
        return self

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self._call(x * self._factor)


class Masked(Descriptor):
    """One that wants a mask."""


class UnsupportedModelError(Exception):
    """As spandrel's."""


@pytest.fixture
def spandrel(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("spandrel")
    module.__version__, module.UnsupportedModelError, module.ImageModelDescriptor = (
        "0",
        UnsupportedModelError,
        Descriptor,
    )
    module.canonicalize_state_dict = lambda stored: stored.get("params", stored)
    module.make = lambda state: Descriptor(state, lambda x: x)

    def load(state: dict[str, torch.Tensor]) -> Any:
        if "factor" not in state:
            raise UnsupportedModelError
        return module.make(state)

    module.ModelLoader = lambda: SimpleNamespace(load_from_state_dict=load)
    monkeypatch.setitem(sys.modules, "spandrel", module)
    return module


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save({"params": {"factor": torch.tensor(0.5)}}, tmp_path / "net.pth")
    return tmp_path / "net.pth"


def test_a_network_restores(spandrel: Any, file: Path) -> None:
    result = build_rival(f"spandrel:{file}")(noisy())
    assert np.abs(result.levels - noisy() / 2.0).max() <= 0.5


def test_files_that_will_not_do(spandrel: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Descriptor, "scale", 4)
    with pytest.raises(PriorError, match=r"\(Halver\) enlarges by 4 and takes 3 channels to 3"):
        build_rival(f"spandrel:{file}")
    spandrel.ImageModelDescriptor = Masked
    with pytest.raises(PriorError, match="wants a mask"):
        build_rival(f"spandrel:{file}")
    torch.save({"other": torch.zeros(1)}, file)
    with pytest.raises(PriorError, match="of no network that spandrel 0 knows"):
        build_rival(f"spandrel:{file}")
    torch.save([1], file)
    with pytest.raises(PriorError, match="holds a list"):
        build_rival(f"spandrel:{file}")
    with pytest.raises(PriorError, match=r"cannot read weights from .*none\.pth"):
        build_rival(f"spandrel:{tmp_path / 'none.pth'}")
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(PriorError, match=r"pipe\.pth is a pipe or a device"):
        build_rival(f"spandrel:{tmp_path / 'pipe.pth'}")


def test_a_network_that_changes_the_size_after_all(spandrel: Any, file: Path) -> None:
    spandrel.make = lambda state: Descriptor(state, lambda x: x[..., :-1])
    with pytest.raises(LdrpsError, match="give another network"):
        build_rival(f"spandrel:{file}")(noisy())


def test_without_the_package(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(InputError, match=r"pip install '\.\[spandrel\]' in .*, which needs torchvision"):
        build_rival(f"spandrel:{file}")
