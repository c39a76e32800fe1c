"""The doctor finds what is broken, and says of the rest what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

from ldrps import Prior, doctor
from ldrps.doctor import examine


@pytest.fixture
def small(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> Prior:
    monkeypatch.setattr(doctor, "load_prior", lambda *given, **named: tiny_prior)
    monkeypatch.setattr(doctor, "_SIDE", 48)
    return tiny_prior


def test_a_prior_that_restores_nothing_is_broken(small: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    def worse(restorer: object, name: str, damaged: np.ndarray) -> tuple[np.ndarray, float]:
        return damaged * 0.9, 1.0

    monkeypatch.setattr(doctor, "_restore", worse)
    found = {finding.name: finding for finding in examine()}
    assert found["self-test default"].is_broken and "no better" in found["self-test default"].text
    assert "default will take" not in found
    assert all(not found[name].is_broken for name in ("python", "torch", "pillow", "cores", "prior"))


def test_what_the_self_test_asks_for(small: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    clean, damaged = doctor._pictures()
    results = iter([clean[:-1], np.full_like(clean, np.nan)])
    monkeypatch.setattr(doctor, "_restore", lambda *given: (next(results), 1.0))
    broken = [finding.text for finding in examine() if finding.is_broken]
    assert len(broken) == 2 and "shape" in broken[0] and "NaN" in broken[1]
    assert clean.shape == damaged.shape == (48, 48, 3)


def test_the_precision_and_why(small: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    assert small.precision == "float32"
    for native, why in (("bfloat16", "in which the processor computes natively"), ("float32", "does not compute")):
        monkeypatch.setattr(doctor, "native_precision", lambda device, native=native: f"torch.{native}")
        found = doctor._precision(small)
        assert found.text.startswith("float32, ") and why in found.text
        assert found.figures == {"precision": "float32", "native": native}
    monkeypatch.setattr(type(small), "precision", "bfloat16", raising=False)
    assert "which the processor computes in natively; --dtype float32 is slower" in doctor._precision(small).text


def test_the_command(command: Run, small: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_restore", lambda *given: (doctor._pictures()[0], 0.5))
    code, out, _ = command("doctor", "--json")
    assert code == 0
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert found["fast will take"]["figures"]["24 megapixels"]["seconds"] > 50
    assert found["self-test fast"]["figures"]["psnr_before"] == pytest.approx(20, abs=0.5)
    assert set(found["prior"]["figures"]) >= {"device", "unet"}
    code, out, _ = command("doctor")
    assert code == 0 and "self-test default" in out


def test_a_prior_that_is_not_there(command: Run, tmp_path: Path) -> None:
    code, out, _ = command("doctor", "--prior", tmp_path / "none")
    assert code == 1
    assert out.splitlines()[-1].startswith("BAD")


def test_missing_parts_are_notes_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["torch>=2", "typer", "no-such-package>=1; extra == 'bench'", "numpy>=1.26 ; extra == 'heif'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: needed)
    bench, heif = doctor._extras()
    assert (bench.name, bench.state) == ("bench", "note")
    assert "no-such-package" in bench.text and "pip install '.[bench]' in the checkout" in bench.text
    assert (heif.name, heif.state) == ("heif", "ok")
    assert [finding.name for finding in doctor._versions()] == ["python", "ldrps", "torch", "typer"]
