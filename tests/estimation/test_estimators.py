"""The networks that judge damage belong to the package."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, unmoved_estimators
from PIL import Image

from ldrps import Prior, Restorer
from ldrps.errors import PriorError
from ldrps.estimation.estimators import Estimators, load_estimators, save_estimator
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.estimation.tone import estimate_tones, newest
from ldrps.estimation.tone_posterior import TonePosterior


def dark(side: int = 64) -> np.ndarray:
    ramp = np.add.outer(np.linspace(2, 30, side), np.linspace(0, 20, side))[..., None]
    return ramp.repeat(3, 2).round().astype(np.uint8)


def test_a_folder_holds_what_was_saved(tmp_path: Path) -> None:
    tone = TonePosterior(widths=(8, 16), undamaged=0.5)
    save_estimator(tmp_path, "tone", tone)
    loaded = load_estimators(tmp_path)
    assert loaded.name == str(tmp_path) and loaded.tone.config["undamaged"] == 0.5 and not loaded.tone.training
    torch.testing.assert_close(loaded.tone.state_dict(), tone.state_dict(), atol=1e-6, rtol=1e-3)


def test_what_a_folder_lacks_is_the_packages(tmp_path: Path) -> None:
    save_estimator(tmp_path, "noise", NoisePosterior(widths=(4, 8), none=0.4))
    loaded, packaged = load_estimators(tmp_path), load_estimators()
    assert loaded.noise.config["none"] == 0.4
    torch.testing.assert_close(loaded.tone.state_dict(), packaged.tone.state_dict())
    torch.testing.assert_close(loaded.blur.state_dict(), packaged.blur.state_dict())


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_folders_without_any(name: str, tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="no tone/, noise/, blur/, cast/, scratches/ or enlarger/"):
        load_estimators(tmp_path / name)


def test_what_is_dark_is_brightened_by_any_prior(tiny_prior: Prior) -> None:
    result = Restorer(tiny_prior)(dark())
    assert result.findings.tones.stops < -0.8
    assert np.asarray(result.image).mean() > 1.5 * dark().mean()


def test_others_may_take_their_place(tiny_prior: Prior, unmoved: Estimators) -> None:
    picture = dark()
    assert np.array_equal(np.asarray(Restorer(tiny_prior, estimators=unmoved)(picture).image), picture)


def test_beside_a_prior_of_bfloat16_tones_are_judged_in_it_and_the_exact_ones_come_back() -> None:
    exact, y = load_estimators(), torch.from_numpy(dark(96)).permute(2, 0, 1)[None] / 255
    lower = exact.to(torch.device("cpu"), "bfloat16")
    assert newest(lower.tone).answer.weight.dtype == lower.blur.answer.weight.dtype == torch.bfloat16
    assert lower.to(torch.device("cpu"), "bfloat16").blur is lower.blur, "nothing is made twice"
    assert lower.to(torch.device("cpu"), "float32").blur is exact.blur
    assert newest(lower.to(torch.device("cpu"), "float32").tone) is newest(exact.tone)
    moved = copy.deepcopy(lower.blur).to(torch.float64).exact
    assert moved is not None and moved.answer.weight.dtype == torch.float64, "it goes where the other goes"
    judged = [estimate_tones(y, each.tone, 0.8).tone for each in (exact, lower, lower.to(torch.device("cpu")))]
    told, lower_told, again = (each.probability for each in judged if each is not None)
    assert lower_told != told and lower_told == pytest.approx(told, abs=0.02)
    assert again == told
    assert torch.equal(lower.noise(y).probability, exact.noise(y).probability), "details are not rounded away"


def test_on_the_command_line(command: Run, tiny_prior_folder: Path, tmp_path: Path) -> None:
    unmoved = TonePosterior()
    torch.nn.init.zeros_(unmoved.answer.weight)
    Image.fromarray(dark()).save(tmp_path / "dark.png")
    save_estimator(tmp_path / "mine", "tone", unmoved)
    save_estimator(tmp_path / "mine", "noise", unmoved_estimators().noise)
    save_estimator(tmp_path / "mine", "blur", unmoved_estimators().blur)
    words = ("restore", tmp_path / "dark.png", "--prior", tiny_prior_folder)
    assert command(*words, "-o", tmp_path / "same.png", "--estimators", tmp_path / "mine")[0] == 0
    assert (tmp_path / "same.png").read_bytes() == (tmp_path / "dark.png").read_bytes()
    code, _, err = command(*words, "-o", tmp_path / "other.png", "--estimators", tmp_path)
    assert code == 2 and "has no folder tone, noise, blur, cast, scratches or enlarger: give --estimators what" in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hypotheses": 10**12}, "tone/config.json: found hypotheses"),
        ({"widths": [-8, 16]}, r"tone/config.json: found widths \[-8, 16\]"),
        ({"_class_name": "LatentUNet"}, "found _class_name LatentUNet"),
    ],
)
def test_a_folder_is_read_without_trust(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    save_estimator(tmp_path, "tone", TonePosterior(widths=(8, 16)))
    config = tmp_path / "tone" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changes))
    with pytest.raises(PriorError, match=message):
        load_estimators(tmp_path)
