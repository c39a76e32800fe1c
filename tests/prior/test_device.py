from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ldrps.errors import PriorError
from ldrps.prior import load_prior, precision_of
from ldrps.prior.device import check_device, exact, native_precision, usable_device
from ldrps.prior.diffusers import load_stable_diffusion


@pytest.mark.parametrize(
    ("device", "dtype", "message"),
    [
        ("toaster", torch.float32, "'toaster'; it must be cpu, cuda"),
        ("meta", torch.float32, "'meta'; it must be"),
        ("cpu:1", torch.float32, "'cpu:1'; 1 of that kind"),
        ("cpu", torch.float16, "float16 on the CPU; use float32, or bfloat16"),
        ("cpu", torch.float64, "float64; a prior runs in"),
    ],
)
def test_devices_that_cannot_be_used(tiny_sd_folder: Path, device: str, dtype: torch.dtype, message: str) -> None:
    with pytest.raises(PriorError, match=message):
        load_stable_diffusion(tiny_sd_folder, device=device, dtype=dtype)


def test_names_are_told_without_a_look_at_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: pytest.fail("looked"))
    for good in ("cpu", "cuda", "cuda:7", "mps", "mps:0"):
        check_device(good)
    for bad in ("", "toaster", "meta", "cuda:", "cuda:x", "cuda:-1", "CUDA", "cuda:1 "):
        with pytest.raises(PriorError, match="it must be cpu, cuda"):
            check_device(bad)


def test_accelerators_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for device in ("cuda", "mps"):
        with pytest.raises(PriorError, match=f"'{device}'; 0 of that kind are here"):
            usable_device(device, torch.float16)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert usable_device("cuda:1", torch.float16) == torch.device("cuda", 1)
    with pytest.raises(PriorError, match="'cuda:2'; 2 of that kind"):
        usable_device("cuda:2", torch.float16)


def test_devices_are_named_as_tensors_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    names = {"cpu": "cpu", "cpu:0": "cpu", "cuda": "cuda:2", "cuda:0": "cuda:0", "cuda:1": "cuda:1", "mps": "mps:0"}
    assert {name: str(exact(torch.device(name))) for name in names} == names


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False, "amx_int8": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_the_precision_that_a_processor_computes_in(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, bool], wanted: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert native_precision("cpu") == wanted and precision_of("embedded", "auto") == wanted
    assert native_precision("mps") == torch.float32
    assert precision_of("embedded", "float32") == torch.float32


def test_where_torch_does_not_tell_it_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert native_precision("cpu") == torch.float32


def test_of_a_gpu_what_it_does_without_emulation_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert native_precision("cuda:1") == torch.float32


def test_only_the_make_of_the_embedded_prior_is_known_to_bear_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    assert precision_of(tmp_path, "auto") == torch.float32
    assert precision_of("embedded", "auto") == torch.bfloat16


def test_a_prior_that_is_there_is_itself_and_no_other_device_is_made_up() -> None:
    prior = load_prior()
    assert prior.to("cpu") is prior
    with pytest.raises(PriorError, match="'toaster'; it must be cpu"):
        prior.to("toaster")
