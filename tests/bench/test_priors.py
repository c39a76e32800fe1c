"""How good is a prior? On small sets and a small prior, whose figures can be foretold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from PIL import Image

from ldrps import Prior
from ldrps.align.tone import find_tone
from ldrps.bench.priors import denoised, draw_samples, evaluate, psnr_of, tone_errors
from ldrps.errors import InputError

FLAT = torch.full((1, 3, 64, 64), 0.5)


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """`kodak_noise30` with two smooth pairs, and `cbsd` with one picture."""
    random = np.random.default_rng(0)
    ramp = np.add.outer(np.linspace(60, 160, 48), np.linspace(0, 60, 64))[..., None].repeat(3, 2)
    for side, noise in (("input", 12), ("target", 0)):
        (tmp_path / "kodak_noise30" / side).mkdir(parents=True)
        for name in ("a", "b"):
            pixels = ramp + noise * random.standard_normal(ramp.shape)
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(tmp_path / "kodak_noise30" / side / f"{name}.png")
    (tmp_path / "cbsd").mkdir()
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "cbsd" / "1.png")
    return tmp_path


def test_all_figures(tiny_prior: Prior, sets: Path) -> None:
    photos = [Image.new("RGB", (70, 90), shade) for shade in ("red", "gray")]
    evaluation = evaluate(tiny_prior, sets, samples=3, photos=photos)
    figures = json.loads(json.dumps(evaluation.figures, allow_nan=False))
    assert figures.keys() == {
        "autoencoder_psnr", "denoise_psnr", "tone_error", "frechet", "parameters", "megabytes",
    }  # fmt: skip
    assert figures["autoencoder_psnr"].keys() == {"kodak_noise30", "cbsd"}
    assert min(figures["autoencoder_psnr"].values()) > 35, "ramps are easy"
    assert figures["denoise_psnr"].keys() == {"kodak_noise30", "kodak_noise30_4_steps", "cbsd15", "cbsd25", "cbsd50"}
    assert figures["denoise_psnr"]["cbsd15"] > figures["denoise_psnr"]["cbsd50"]
    total = sum(p.numel() for network in tiny_prior.networks().values() for p in network.parameters())
    assert figures["parameters"]["total"] == total
    files = Path(tiny_prior.name).rglob("*.safetensors")
    assert figures["megabytes"] == pytest.approx(sum(file.stat().st_size for file in files) / 1e6, abs=1e-3)
    assert evaluation.sheets.keys() == {"samples", "denoised"}
    assert figures["frechet"] is None or figures["frechet"] > 0


def test_a_set_that_is_missing_is_left_out(
    tiny_prior: Prior, sets: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sets / "kodak_noise30").rename(sets / "elsewhere")
    figures = evaluate(tiny_prior, sets, samples=0).figures
    assert figures["autoencoder_psnr"].keys() == {"cbsd"}
    assert "no picture of 'kodak_noise30'" in caplog.text
    assert figures["frechet"] is None
    with pytest.raises(InputError, match="nothing to measure a prior on"):
        evaluate(tiny_prior, tmp_path / "none")


def test_denoising_starts_at_the_level_that_is_given(tiny_prior: Prior) -> None:
    noise = torch.randn(FLAT.shape, generator=torch.Generator().manual_seed(1))
    y = (FLAT + 0.1 * noise).clamp(0, 1)
    right, too_low = denoised(tiny_prior, y, 0.1, 1), denoised(tiny_prior, y, 0.03, 1)
    # Untrained, its preconditioning is a Wiener filter, which is best where the level is right.
    assert psnr_of(right, FLAT) > psnr_of(too_low, FLAT) > psnr_of(y, FLAT)


def test_samples_are_seeded_and_their_number_changes_none(tiny_prior: Prior) -> None:
    few, many = draw_samples(tiny_prior, 8, 32), draw_samples(tiny_prior, 10, 32)
    assert many.shape == (10, 3, 32, 32)
    assert float(many.min()) >= 0 and float(many.max()) <= 1
    torch.testing.assert_close(few, many[:8])
    assert not torch.equal(many[0], many[1])
    assert draw_samples(tiny_prior, 0, 32).shape == (0, 3, 32, 32)


def test_tone_errors(tiny_prior: Prior) -> None:
    clean = [torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))]
    errors = tone_errors(tiny_prior, clean)
    assert errors is not None
    assert errors["posterior_undamaged"] == pytest.approx(0, abs=1e-4), "untrained, it believes in no damage"
    assert errors["posterior"] > 0.05
    assert errors["stretch_undamaged"] > 0
    assert tiny_prior.tone is not None
    assert find_tone(clean[0], tiny_prior.tone, 1.0, 0.6).undo(clean[0]).shape == clean[0].shape


def test_the_command(command: Run, sets: Path, tiny_prior_folder: Path, tmp_path: Path) -> None:
    code, out, _ = command(
        "prior", "evaluate", tiny_prior_folder, "--data", sets, "--samples", 2, "--json", tmp_path / "f" / "a.json",
        "-o", tmp_path / "sheets",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "f" / "a.json").read_text())
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"samples.png", "denoised.png"}
    code, _, err = command("prior", "evaluate", tiny_prior_folder, "--data", tmp_path / "none")
    assert (code, "nothing to measure a prior on" in err) == (2, True)
