"""What the judge of tone learns, on small photographs and with a small net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.train.photos import Photographs
from ldrps.train.tone_task import ToneTask
from ldrps.train.tones import FAMILIES, DamagedTones


@pytest.fixture(scope="module")
def task(photo_folder: Path) -> ToneTask:
    photos, held_out = Photographs([photo_folder]), Photographs([photo_folder], held_out=True)
    return ToneTask(photos, held_out, batch=4, size=32)


@pytest.fixture(scope="module")
def model() -> TonePosterior:
    torch.manual_seed(0)
    return TonePosterior(thumbnail=16, widths=(8, 16))


def test_the_loss_is_of_step_and_seed_alone_and_reaches_all(task: ToneTask, model: TonePosterior) -> None:
    first, again = (task.loss(model, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first, again)
    first.backward()  # type: ignore[no-untyped-call]
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert not without


def test_whether_anything_was_done_is_learned_from_what_was(task: ToneTask, model: TonePosterior) -> None:
    """A judge that is told its answer counts is surer of it: the cross entropy is a part of the loss."""
    random = [np.random.default_rng(2) for _ in range(2)]
    with torch.no_grad():
        plain, more = (replace(task, decision=d).loss(model, r) for d, r in zip((0.0, 1.0), random, strict=True))
    assert float(more) > float(plain)


def test_to_a_judge_without_a_field_all_damage_is_even(task: ToneTask) -> None:
    uneven = replace(task, families={"uneven": 1.0}, batch=16)
    loss = uneven.loss(TonePosterior(thumbnail=16, widths=(8, 16), uneven=0), np.random.default_rng(0))
    assert bool(loss.isfinite())


def test_a_figure_for_each_family_and_for_what_is_right(task: ToneTask, model: TonePosterior) -> None:
    with torch.no_grad():
        found = task.validate(model)
    assert set(found) == {*FAMILIES, "psnr_unusual", "nothing_unusual", "psnr_photos", "nothing_photos"}
    assert all(np.isfinite(value) for value in found.values())
    assert 0 < found["nothing_photos"] < 1


def test_pictures_to_look_at(task: ToneTask, model: TonePosterior) -> None:
    with torch.no_grad():
        (sheet,) = task.pictures(model).values()
    assert sheet.width > 21 * 32 and sheet.height > 3 * 32


def test_all_of_a_batch_is_turned_alike() -> None:
    x = torch.arange(12.0).reshape(1, 1, 3, 4).expand(2, 3, -1, -1) / 12

    def columns(images: Tensor) -> Tensor:
        return images[0, 0, :, 0]

    turned = DamagedTones(x, 0.5 * x, 0.4 * x, torch.tensor([0, 1])).turned(1)
    assert turned.kind.tolist() == [0, 1]
    torch.testing.assert_close(columns(turned.clean), x[0, 0, 0].flip(0))
    torch.testing.assert_close(turned.exact, 0.5 * turned.clean)
