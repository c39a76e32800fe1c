"""`ldrps train zero-dce`: the published loss against formulas, and a minute run that the rival can use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import noisy
from torch import Tensor

from ldrps.errors import PriorError
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.registry import build_rival
from ldrps.rivals.zero_dce import OWN_WEIGHTS, CurveNet, curved
from ldrps.train.command import train_part
from ldrps.train.curves import CurveTask, spatial_change
from ldrps.train.photos import Photographs
from ldrps.train.tones import darken


@pytest.fixture(scope="module", autouse=True)
def fewer() -> Iterator[None]:
    """Small crops, few of them: what more of them are is tested elsewhere."""
    crops = Photographs.crops_with_subjects

    def small(photos: Photographs, random: np.random.Generator, count: int, *_: Any) -> tuple[Tensor, list[str]]:
        return crops(photos, random, min(count, 4), 32, (1.0, 2.0))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Photographs, "crops_with_subjects", small)
        yield


@pytest.fixture(scope="module")
def trained(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("curves")
    config = out.with_name("curves.toml")
    config.write_text("[zero_dce]\nsteps = 40\nwarmup = 4\nlearning_rate = 4e-3\n")
    lines = list(train_part("zero-dce", [photo_folder], out, config=config))
    assert lines[-1].startswith("step 40 of 40 ") and "psnr_lit" in lines[-1]
    return out


def test_spatial_change_is_of_neighbouring_regions() -> None:
    before, x = torch.zeros(1, 3, 4, 8), torch.zeros(1, 3, 4, 8)
    before[..., :4], before[..., 4:] = 0.1, 0.3
    x[..., :4], x[..., 4:] = 0.2, 0.9
    # Of the left region: black beyond three edges, then its neighbour; of the right one alike.
    assert float(spatial_change(before.flip(-1), before)) > 0.04, "a contrast that is turned about is changed"
    left = 3 * (0.2 - 0.1) ** 2 + (0.7 - 0.2) ** 2
    right = 3 * (0.9 - 0.3) ** 2 + (0.7 - 0.2) ** 2
    assert float(spatial_change(x, before)) == pytest.approx((left + right) / 2, rel=1e-5)
    assert float(spatial_change(x, x)) == 0


def test_the_loss_is_the_published_sum(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    task = CurveTask(photos, photos)
    torch.manual_seed(0)
    net = CurveNet()
    random = np.random.default_rng(3)
    dark = darken(photos.crops(random, 8, 96, (1.0, 3.0)), random)
    a = net(dark)
    x = curved(dark, a)
    grey = x.mean(1)
    cells = torch.stack([cell.mean((-1, -2)) for row in grey.split(16, 1) for cell in row.split(16, 2)])
    red, green, blue = x.mean((2, 3)).unbind(1)
    colour = ((red - green) ** 4 + (red - blue) ** 4 + (green - blue) ** 4).sqrt().mean()
    down, across = a.diff(dim=2).pow(2), a.diff(dim=3).pow(2)
    smooth = 2 * 3 * (down.mean() + across.mean())  # channels add up
    wanted = spatial_change(x, dark) + 10 * (cells - 0.6).pow(2).mean() + 5 * colour + 1600 * smooth
    torch.testing.assert_close(task.loss(net, np.random.default_rng(3)), wanted)


def test_dark_copies_are_darker_and_eight_bit(photo_folder: Path) -> None:
    random = np.random.default_rng(0)
    clean = torch.cat([Photographs([photo_folder]).crops(random, 4, 32, (1.0, 1.0)) for _ in range(10)])
    dark = darken(clean, random)
    torch.testing.assert_close(dark * 255, (dark * 255).round(), atol=1e-4, rtol=0)
    changed = (dark - (clean * 255).round() / 255).abs().amax((1, 2, 3)) > 0.01
    assert 5 < int(changed.sum()) < 40
    assert float(dark[changed].mean()) < 0.8 * float(clean[changed].mean())


def test_it_learns_to_lighten(trained: Path, photo_folder: Path) -> None:
    rival = build_rival("zero-dce-own", RivalOptions(weights=trained))
    dark = noisy(48, 40) // 4
    once = rival(dark)
    assert once.levels.mean() > 1.3 * dark.mean()
    assert np.array_equal(
        once.levels, build_rival("zero-dce-own", RivalOptions(weights=trained / OWN_WEIGHTS))(dark).levels
    )


def test_it_goes_on_from_weights(trained: Path, photo_folder: Path, tmp_path: Path) -> None:
    begun = build_rival("zero-dce-own", RivalOptions(weights=trained))
    lines = list(train_part("zero-dce", [photo_folder], tmp_path, steps=1, init=trained))
    assert lines[-1].startswith("step 1 of 1 ")
    dark = noisy() // 4
    on = build_rival("zero-dce-own", RivalOptions(weights=tmp_path))(dark).levels.astype(int)
    assert np.abs(on - begun(dark).levels).max() <= 4, "a step away from where it began"
    with pytest.raises(PriorError, match="cannot read weights from embedded"):
        list(train_part("zero-dce", [photo_folder], tmp_path / "x", steps=1, init="embedded"))


def test_the_weights_that_come_with_the_package(tmp_path: Path) -> None:
    dark = noisy() // 5
    lit = build_rival("zero-dce-own")(dark).levels
    assert lit.mean() > 1.5 * dark.mean()
    (tmp_path / "dehazer.pth").touch()  # a folder of the weights of others
    assert np.array_equal(build_rival("zero-dce-own", RivalOptions(weights=tmp_path))(dark).levels, lit)
