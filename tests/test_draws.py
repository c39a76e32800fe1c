"""Several likely restorations of a picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, restore_job
from PIL import Image

from ldrps import Prior, Restorer, load_prior, preset
from ldrps.degradation import UncertainTone
from ldrps.errors import OutputError, SettingsError
from ldrps.estimation.damage import Damage, Estimate
from ldrps.run.batch import restorer_batch
from ldrps.run.job import Job, Output
from ldrps.samples import SPREAD_OF_WHITE, draw_samples


def dark_and_noisy() -> Image.Image:
    y, x = np.mgrid[:48, :64] / 64
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    noise = 0.02 * np.random.default_rng(0).standard_normal(clean.shape)
    return Image.fromarray((255 * (0.15 * clean + noise).clip(0, 1)).astype(np.uint8))


@pytest.fixture(scope="module")
def shipped() -> Restorer:
    return Restorer(load_prior(), preset("default"))


def test_samples_are_seeded_and_their_number_changes_none(shipped: Restorer) -> None:
    two, three = (draw_samples(shipped, dark_and_noisy(), count) for count in (2, 3))
    images = [[np.asarray(result.image) for result in samples.results] for samples in (two, three)]
    assert [result.seed for result in three.results] == [0, 1, 2]
    assert all(result.settings.method.sample for result in two.results)  # type: ignore[union-attr]
    np.testing.assert_array_equal(images[0], images[1][:2])
    assert (images[0][0] != images[0][1]).mean() > 0.5, "they differ"


def test_the_spread_is_the_deviation_of_the_samples(shipped: Restorer) -> None:
    samples = draw_samples(shipped, dark_and_noisy(), 3)
    values = np.stack([np.asarray(result.image) / 255 for result in samples.results])
    wanted = np.sqrt(values.var(0).mean(-1)) / SPREAD_OF_WHITE
    assert (samples.spread.mode, samples.spread.size) == ("L", (64, 48))
    np.testing.assert_allclose(np.asarray(samples.spread) / 255, wanted.clip(0, 1), atol=0.003)
    assert wanted.max() > 0


def tones(probability: float = 1.0) -> Damage:
    parameters = (
        torch.rand(3, 12, 3, generator=torch.Generator().manual_seed(0)) / 4
        + torch.tensor([0.2, 0, 0.8])[:, None, None]
    )
    return Damage(Estimate(UncertainTone(*parameters, torch.arange(1.0, 13)), probability))


def test_a_drawn_tone_is_one_answer_of_many() -> None:
    grey, damage = torch.full((1, 3, 4, 4), 0.3), tones()
    drawn = [damage.drawn(torch.Generator().manual_seed(k)) for k in range(300)]
    assert drawn[0] == damage.drawn(torch.Generator().manual_seed(0))
    undone = torch.stack([each.undo_tone(grey) for each in drawn])
    assert 5 < len({float(each.sum()) for each in undone}) <= 12
    torch.testing.assert_close(undone.mean(0), damage.undo_tone(grey), atol=0.03, rtol=0)


def test_half_an_answer_is_all_or_nothing() -> None:
    drawn = [tones(0.5).drawn(torch.Generator().manual_seed(k)).tone for k in range(60)]
    shares = [tone.share for tone in drawn if tone is not None]
    assert set(shares) == {0.0, 1.0} and 0.25 < np.mean(shares) < 0.75


@pytest.mark.parametrize("count", [1, 0, -2, 2.5])
def test_how_many(count: float, tiny_prior: Prior) -> None:
    with pytest.raises(SettingsError, match=f"samples is {count}; it must be at least 2"):
        draw_samples(Restorer(tiny_prior), dark_and_noisy(), count)  # type: ignore[arg-type]


def test_a_batch_writes_them(tiny_prior: Prior, tmp_path: Path) -> None:
    dark_and_noisy().save(tmp_path / "a.png")
    job = Job(tmp_path / "a.png", tmp_path / "out" / "a.jpg")
    batch = restorer_batch(Restorer(tiny_prior), Output(samples=2))
    _, written = restore_job(batch, job)
    names = ["a.jpg", "a.sample1.jpg", "a.sample2.jpg", "a.jpg.spread.png"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    restore_job(batch, dataclasses.replace(job, target=tmp_path / "out" / "b.jpg"))
    (tmp_path / "out" / "a.jpg").unlink()
    with pytest.raises(OutputError, match=r"a\.sample1\.jpg"):
        restore_job(batch, job)
    with pytest.raises(SettingsError, match="samples is 1"):
        Output(samples=1)


def test_the_command(command: Run, tiny_prior_folder: Path, tmp_path: Path) -> None:
    dark_and_noisy().save(tmp_path / "a.png")
    words = ("restore", tmp_path / "a.png", "--out", tmp_path / "b.png", "--prior", tiny_prior_folder)
    code, out, _ = command(*words, "--samples", 2)
    assert code == 0
    assert [Path(line).name for line in out.splitlines()] == [
        "b.png",
        "b.sample1.png",
        "b.sample2.png",
        "b.png.spread.png",
    ]
    code, _, err = command(*words, "--samples", 1, "--force")
    assert (code, "samples is 1" in err) == (2, True)
