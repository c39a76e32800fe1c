from __future__ import annotations

import inspect
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

from ldrps.errors import PriorError
from ldrps.prior import load_prior
from ldrps.prior.base import Prior
from ldrps.prior.diffusers import StableDiffusionPrior


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | Path, str, torch.dtype]]:
    """Stands in for the embedded prior; what it was asked for."""
    asked: list[tuple[str | Path, str, torch.dtype]] = []
    module = types.ModuleType("ldrps.prior.tiny.prior")

    def load_embedded(name: str | Path, *, device: str, dtype: torch.dtype) -> str:
        asked.append((name, device, dtype))
        return "the embedded prior"

    module.load_embedded = load_embedded  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ldrps.prior.tiny.prior", module)
    return asked


def test_the_embedded_prior_is_the_default(embedded: list[Any], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model_index.json").write_text('{"_class_name": "EmbeddedPrior"}')
    names: list[Any] = [
        load_prior(),
        load_prior(folder, device="cuda:1", dtype=torch.bfloat16),
        load_prior(str(folder)),
        load_prior("embedded-pixels"),
    ]
    assert names == ["the embedded prior"] * 4
    assert embedded == [
        ("embedded", "cpu", torch.float32),
        (folder, "cuda:1", torch.bfloat16),
        (str(folder), "cpu", torch.float32),
        ("embedded-pixels", "cpu", torch.float32),
    ]


def test_everything_else_is_a_stable_diffusion(tiny_sd_folder: Path, embedded: list[Any]) -> None:
    for load in (load_prior, Prior.from_pretrained, StableDiffusionPrior.from_pretrained):
        prior = load(tiny_sd_folder, dtype=torch.bfloat16)
        assert isinstance(prior, StableDiffusionPrior) and prior.dtype == torch.bfloat16
    assert not embedded
    assert inspect.signature(load_prior) == inspect.signature(Prior.from_pretrained)
    with pytest.raises(PriorError, match="no such folder"):
        load_prior("nowhere")


def test_a_broken_index_is_reported_by_name(copied: Path) -> None:
    (copied / "model_index.json").write_text("{")
    with pytest.raises(PriorError, match=r"model_index.json: found broken JSON"):
        load_prior(copied)


def test_importing_the_package_costs_no_torch() -> None:
    code = "import sys, ldrps.prior, ldrps.prior.hub; print([m for m in sys.modules if m in " + repr(
        ["torch", "diffusers", "transformers", "huggingface_hub", "safetensors"]
    ) + "])"  # fmt: skip
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [300 * "x", "~nobody-of-that-name/prior", "a\0b"])
def test_names_that_no_folder_can_have(name: str) -> None:
    from ldrps.estimation.estimators import load_estimators
    from ldrps.guidance.perceptual import VGG16Features
    from ldrps.weights import read_weights

    for load in (load_prior, load_estimators, VGG16Features.from_file, read_weights):
        with pytest.raises(PriorError):
            load(name)  # type: ignore[operator]


@pytest.mark.parametrize("name", [None, 3, b"embedded", ["embedded"]])
def test_what_is_no_name(name: object) -> None:
    from ldrps import Damage
    from ldrps.errors import InputError
    from ldrps.estimation.estimators import load_estimators
    from ldrps.guidance.perceptual import VGG16Features

    for load in (load_prior, load_estimators, VGG16Features.from_file, Damage.load):
        with pytest.raises(InputError, match=f"is a {type(name).__name__}, .*: give"):
            load(name)  # type: ignore[operator]
