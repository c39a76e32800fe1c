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
from ldrps.bench.priors import (
    caption_losses,
    denoised,
    evaluate,
    latent_noise,
    psnr_of,
    tone_errors,
    tone_psnr,
    tones,
)
from ldrps.bench.priors.common import set_pictures
from ldrps.errors import InputError
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.tone import estimate_tone
from ldrps.prior.base import Denoised
from ldrps.sampling.schedule import Schedule

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


@pytest.fixture
def quick_judge(monkeypatch: pytest.MonkeyPatch, small_estimators: Estimators) -> None:
    """A judge of tones that is asked in no time, and finds nothing; `test_tone_errors` asks that of the package."""
    monkeypatch.setattr(tones, "load_estimators", lambda device: small_estimators)


@pytest.mark.usefixtures("quick_judge")
def test_all_figures(tiny_prior: Prior, sets: Path) -> None:
    photos = [Image.new("RGB", (70, 90), shade) for shade in ("red", "gray")]
    evaluation = evaluate(tiny_prior, [sets], samples=3, photos=photos)
    figures = json.loads(json.dumps(evaluation.figures, allow_nan=False))
    assert figures.keys() == {
        "autoencoder_psnr", "latent_noise", "denoise_psnr", "tone_error", "tone_psnr", "caption_loss", "frechet",
        "parameters", "megabytes",
    }  # fmt: skip
    assert figures["autoencoder_psnr"].keys() == {"kodak_noise30", "cbsd"}
    assert min(figures["autoencoder_psnr"].values()) > 35, "ramps are easy"
    cbsd = {f"cbsd{level}{tool}" for level in (15, 25, 50) for tool in ("", "_nlm")}
    assert figures["denoise_psnr"].keys() == {f"kodak_noise30{how}" for how in ("", "_4_steps", "_4_offsets")} | cbsd
    for tool in ("", "_nlm"):
        assert figures["denoise_psnr"][f"cbsd15{tool}"] > figures["denoise_psnr"][f"cbsd50{tool}"]
    assert figures["caption_loss"] is None, "it knows no text"
    assert figures["tone_psnr"].keys() == {"kodak_noise30", "kodak_noise30-clean", "cbsd"}
    assert 10 < figures["tone_psnr"]["cbsd"] <= 50
    total = sum(p.numel() for network in tiny_prior.networks().values() for p in network.parameters())
    assert figures["parameters"]["total"] == total
    files = Path(tiny_prior.name).rglob("*.safetensors")
    assert figures["megabytes"] == pytest.approx(sum(file.stat().st_size for file in files) / 1e6, abs=1e-3)
    assert evaluation.sheets.keys() == {"samples", "denoised", "latents"}
    assert figures["frechet"] is None or figures["frechet"] > 0


def test_sets_of_several_folders(sets: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (sets / "cbsd").rename(other / "cbsd")
    found = {name: len(list(set_pictures(name, [sets, other]))) for name in ("kodak_noise30", "cbsd-noise15", "lol")}
    assert found == {"kodak_noise30": 2, "cbsd-noise15": 1, "lol": 0}


@pytest.mark.usefixtures("quick_judge")
def test_a_set_that_is_missing_is_left_out(
    tiny_prior: Prior, sets: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sets / "kodak_noise30").rename(sets / "elsewhere")
    figures = evaluate(tiny_prior, [sets], samples=0).figures
    assert figures["autoencoder_psnr"].keys() == {"cbsd"}
    assert "no picture of 'kodak_noise30'" in caplog.text
    assert figures["frechet"] is None
    with pytest.raises(InputError, match="nothing to measure a prior on"):
        evaluate(tiny_prior, [tmp_path / "none"])


def test_denoising_starts_at_the_level_that_is_given(tiny_prior: Prior) -> None:
    noise = torch.randn(FLAT.shape, generator=torch.Generator().manual_seed(1))
    y = (FLAT + 0.1 * noise).clamp(0, 1)
    right, too_low = denoised(tiny_prior, y, 0.1, 1), denoised(tiny_prior, y, 0.03, 1)
    # Untrained, its preconditioning is a Wiener filter, which is best where the level is right.
    assert psnr_of(right, FLAT) > psnr_of(too_low, FLAT) > psnr_of(y, FLAT)


@pytest.fixture
def few_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of each kind of damage to tones: two gains, an offset, a gamma."""
    monkeypatch.setattr(tones, "_TONES", tones._TONES[::3])


@pytest.mark.usefixtures("few_tones")
def test_tone_errors(tiny_prior: Prior) -> None:
    clean = [torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))]
    errors = tone_errors(tiny_prior, clean)
    assert 0 < errors["posterior"] < 0.5 and errors["posterior_undamaged"] < 0.3
    assert errors["stretch_undamaged"] > 0
    assert 0 <= errors["likelihood_undamaged"] <= errors["posterior_of_those"] + 0.5
    assert Damage(estimate_tone(clean[0], load_estimators().tone, 0.6)).undo_tone(clean[0]).shape == clean[0].shape


@pytest.mark.usefixtures("quick_judge")
def test_the_command(command: Run, sets: Path, tiny_prior_folder: Path, tmp_path: Path) -> None:
    code, out, _ = command(
        "prior", "evaluate", tiny_prior_folder, "--data", sets, "--samples", 2, "--json", tmp_path / "f" / "a.json",
        "-o", tmp_path / "sheets",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "f" / "a.json").read_text())
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"samples.png", "denoised.png", "latents.png"}
    code, _, err = command("prior", "evaluate", tiny_prior_folder, "--data", tmp_path / "none")
    assert (code, "nothing to measure a prior on" in err) == (2, True)


def test_noise_in_orthonormal_latents_is_white(tiny_prior: Prior) -> None:
    noise = latent_noise(tiny_prior)
    assert noise["deviation_min"] == pytest.approx(1, abs=0.02)
    assert noise["deviation_max"] == pytest.approx(1, abs=0.02)
    assert noise["correlation_of_channels"] < 0.03 and noise["correlation_of_neighbours"] < 0.03


def test_noise_in_other_latents_is_seen(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = tiny_prior.encode

    def uneven(images: torch.Tensor) -> torch.Tensor:
        z = encode(images)
        z = torch.cat([3 * z[:, :1], z[:, 1:2] + z[:, 2:3], z[:, 2:]], 1)
        return z + 0.5 * z.roll(1, 3)

    monkeypatch.setattr(tiny_prior, "encode", uneven)
    noise = latent_noise(tiny_prior)
    assert noise["deviation_max"] > 2
    assert noise["correlation_of_channels"] == pytest.approx(0.5**0.5, abs=0.03)
    assert noise["correlation_of_neighbours"] == pytest.approx(0.5 / 1.25, abs=0.03)


def test_the_right_caption_is_told_from_a_wrong_one(by_heart: Prior) -> None:
    photos = [torch.full((1, 3, 150, 140), shade) for shade in (0.2, 0.8)]
    losses = caption_losses(by_heart, photos, ["dark", "bright"])
    assert losses is not None and list(losses) == ["0.3", "1", "3", "6", "10", "14"]
    for loss in losses.values():
        assert loss["right"] == pytest.approx(0, abs=1e-4)
        assert loss["wrong"] == pytest.approx(4 * loss["none"], rel=0.01)
        assert loss["none"] == pytest.approx(1, rel=0.01), "of what there is: in [-1, 1] the shades are -0.6 and 0.6"
    assert caption_losses(by_heart, photos, []) is None


def test_captions_must_fit_the_photos(tiny_prior: Prior, sets: Path) -> None:
    with pytest.raises(InputError, match="1 captions for 2 photos"):
        evaluate(tiny_prior, [sets], photos=[Image.new("RGB", (64, 64))] * 2, captions=["one"])


def test_tone_psnr_without_sets(tmp_path: Path) -> None:
    assert tone_psnr([tmp_path], torch.device("cpu")) == {}


@pytest.mark.usefixtures("few_tones")
def test_the_likeliest_tone_is_found_by_a_denoiser_that_knows_the_picture(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3)) * 0.5 + 0.3
    known, schedule = tiny_prior.encode(x), Schedule(tiny_prior.alphas_cumprod)

    def denoise(z_t: torch.Tensor, t: int, text: torch.Tensor | None = None) -> Denoised:
        z0 = known.expand_as(z_t)
        return Denoised(z0, schedule.predict_eps(z_t, z0, t))

    monkeypatch.setattr(tiny_prior, "denoise", denoise)
    errors = tone_errors(tiny_prior, [x])
    assert errors is not None
    assert errors["likelihood"] < 0.02 < errors["posterior_of_those"]
    assert errors["likelihood_undamaged"] < 0.02
