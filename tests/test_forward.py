"""A batch of tensors through a restorer: floats in, floats out, each picture as if it were alone; and its device."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import noisy
from torch import Tensor

import ldrps
from ldrps import Cancelled, Damage, Prior, Restorer, Settings, load_prior, preset
from ldrps.errors import InputError, PriorError, SettingsError
from ldrps.estimation.estimators import Estimators, load_estimators

LEARNING = [
    preset("paper-lowlight").with_changes(steps=2, recurrences=0),
    preset("ldrps").with_changes(steps=3, recurrences=0),
]


def batch(count: int = 3, **kind: Any) -> Tensor:
    pictures = np.stack([noisy(seed=seed) for seed in range(count)])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(**({"dtype": torch.float32} | kind)) / 255


@pytest.fixture
def restorer(tiny_prior: Prior, small_estimators: Estimators) -> Restorer:
    return Restorer(tiny_prior, preset("fast"), estimators=small_estimators)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_what_goes_in_comes_out_restored(dtype: torch.dtype, restorer: Restorer) -> None:
    y = batch(dtype=dtype)
    before = y.clone()
    x = restorer.forward(y)
    assert (x.shape, x.dtype, x.device) == (y.shape, dtype, y.device)
    assert not x.requires_grad and x.min() >= 0 and x.max() <= 1
    assert torch.equal(y, before) and not torch.equal(x, y)


def test_a_batch_is_its_pictures_one_by_one(restorer: Restorer) -> None:
    y = batch()
    alone = torch.cat([restorer.forward(each[None]) for each in y])
    torch.testing.assert_close(restorer.forward(y), alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(restorer.forward(y.flip(0)), alone.flip(0), atol=1e-5, rtol=0)


def test_floats_are_not_rounded_to_levels(restorer: Restorer) -> None:
    y = batch(1)
    x, result = restorer.forward(y), restorer(y)
    assert isinstance(result, ldrps.Result), "a tensor that a restorer is called with is a picture as any other"
    torch.testing.assert_close(x, result.tensor, atol=0, rtol=0)
    off = (255 * x[0].permute(1, 2, 0) - torch.from_numpy(result.levels)).abs()
    assert 0.3 < off.max() <= 0.5001


def test_a_scale_makes_the_batch_larger() -> None:
    larger = Restorer.from_pretrained(preset="fast", scale=1.5)
    assert larger.forward(batch(2)).shape == (2, 3, 60, 72)


def test_pictures_that_need_nothing_stay_as_they_are(restorer: Restorer) -> None:
    flat = torch.full((1, 3, 40, 48), 1 / 3)
    y = torch.cat([flat, batch(1), (batch(1) > 0.4).float()])
    x = restorer.forward(y)
    assert torch.equal(x[0], y[0]) and torch.equal(x[2], y[2]), "one colour, and no shades"
    assert not torch.equal(x[1], y[1])


def test_what_is_given_with_it_counts_for_each(restorer: Restorer) -> None:
    nothing = Damage.from_plain({"tone": {"kind": "exposure", "stops": 0.0}})
    y = batch(2)
    torch.testing.assert_close(restorer.forward(y, damage=nothing), y, atol=1e-6, rtol=0)
    steps: list[int] = []
    restorer.forward(y, on_step=lambda step: steps.append(step.number))
    assert steps == [1, 1]
    with pytest.raises(Cancelled):
        restorer.forward(y, on_step=lambda step: False)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("settings", [Settings(), *LEARNING], ids=["default", "paper", "ldrps"])
def test_the_modes_of_the_caller_matter_not(settings: Settings, mode: Callable[[], Any], tiny_prior: Prior) -> None:
    restorer = Restorer(tiny_prior, settings)
    expected, seen = restorer.forward(batch(1)), set()
    with mode():
        modes = (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        y = batch(1).requires_grad_(torch.is_grad_enabled())

        def look(step: ldrps.Progress) -> None:
            seen.add((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))

        x = restorer.forward(y, on_step=look)
        for _ in restorer.steps(y):
            look(_)
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == modes
    assert not x.requires_grad and torch.equal(x, expected)
    assert modes in seen


REFUSED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "array": (lambda y: y.numpy(), r"the batch is a ndarray.*: give a torch tensor \[B, 3, H, W\]"),
    "bytes": (lambda y: (255 * y).byte(), "is of type torch.uint8: give floats"),
    "eight bits": (lambda y: y.to(torch.float8_e4m3fn), "is of type torch.float8_e4m3fn: give floats of 16 bits"),
    "complex": (lambda y: y + 0j, "is of type torch.complex64"),
    "one picture": (lambda y: y[0], r"\(3, 40, 48\) is no batch: give \(B, 3, height, width\), x\[None\]"),
    "five axes": (lambda y: y[None], "has 4 axes to a picture"),
    "grey": (lambda y: y[:, :1], r"has one channel: repeat it to three, x\.repeat\(1, 3, 1, 1\)"),
    "alpha": (lambda y: y.repeat(1, 2, 1, 1)[:, :4], "has 4 channels, not 3"),
    "channels last": (lambda y: y.movedim(1, -1), r"channels come first here, x\.movedim\(-1, -3\)"),
    "none": (lambda y: y[:0], "is empty"),
    "small": (lambda y: y[..., :31], "is 31 x 40 pixels, smaller than the limit of 32"),
    "NaN": (lambda y: y.where(y > 0.3, torch.nan), "values that are NaN or infinite: replace them"),
    "levels": (lambda y: 255 * y, r"outside \[0, 1\]: divide by 255"),
    "signed": (lambda y: 2 * y - 1, r"outside \[0, 1\]"),
    "sparse": (lambda y: y.to_sparse(), r"is of the layout torch\.sparse_coo: give a dense one, x\.to_dense\(\)"),
    "meta": (lambda y: y.to("meta"), "is on the device meta, where there are no values"),
    "nested": (lambda y: torch.nested.nested_tensor([*y]), r"nested one: give its pictures one at a time, x\.unbind"),
    "masked": (lambda y: torch.masked.masked_tensor(y, y > 0.5), r"is masked: fill in what is masked"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_restored_is_refused(case: str, restorer: Restorer) -> None:
    spoil, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        restorer.forward(spoil(batch(2)))


@pytest.mark.asked_anew
def test_two_threads_share_a_restorer(tiny_prior: Prior) -> None:
    for settings in (preset("default").with_changes(recurrences=1), *LEARNING):
        restorer, pictures = Restorer(tiny_prior, settings), batch(2).split(1)
        alone = [restorer.forward(picture) for picture in pictures]
        with ThreadPoolExecutor(2) as threads:
            together = list(threads.map(restorer.forward, pictures * 2))
        assert all(torch.equal(a, b) for a, b in zip(alone * 2, together, strict=True))


def test_from_pretrained_is_the_prior_and_the_settings(tiny_prior_folder: Path, tiny_prior: Prior) -> None:
    made = Restorer.from_pretrained(tiny_prior_folder, preset="fast", seed=5, shifts=2)
    assert made.settings == preset("fast").with_changes(seed=5, shifts=2)
    y = batch(1)
    assert torch.equal(made.forward(y), Restorer(tiny_prior, made.settings).forward(y))
    assert Restorer.from_pretrained(tiny_prior_folder).settings == Settings()
    with pytest.raises(SettingsError, match="there is no setting 'devise'; the nearest is 'device'"):
        Restorer.from_pretrained(tiny_prior_folder, devise="cpu")
    with pytest.raises(PriorError, match="found no such folder"):
        Restorer.from_pretrained(tiny_prior_folder / "none")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """A device that every machine has, beside the CPU, and that stands for one which computes."""
    place = torch.device("meta")
    monkeypatch.setattr("ldrps.prior.device.usable_device", lambda device, dtype: torch.device(device))
    return place


@pytest.mark.parametrize("folder", ["tiny_prior_folder", "text_prior_folder"])
def test_a_copy_is_moved_and_what_was_given_stays(
    folder: str, elsewhere: torch.device, request: pytest.FixtureRequest
) -> None:
    prior, estimators, features = load_prior(request.getfixturevalue(folder)), load_estimators(), torch.nn.Linear(1, 1)
    here = Restorer(prior, estimators=estimators, features=features)
    there = here.to(elsewhere)
    assert there.settings is here.settings and there.prior.device == elsewhere and prior.device.type == "cpu"
    for restorer, place in ((here, "cpu"), (there, "meta")):
        judges = (restorer.estimators.tone, restorer.estimators.noise, restorer.estimators.blur)
        for network in (*restorer.prior.networks().values(), *judges, restorer.features):
            assert isinstance(network, torch.nn.Module)
            assert {parameter.device.type for parameter in network.parameters()} == {place}
    assert here.estimators.tone is estimators.tone and here.prior is prior and here.features is features


def test_nothing_is_copied_for_where_it_is(tiny_prior: Prior, unmoved: Estimators) -> None:
    here = Restorer(tiny_prior, estimators=unmoved)
    for device in ("cpu", "cpu:0", torch.device("cpu")):
        assert here.to(device).prior is tiny_prior
        assert here.to(device).estimators == unmoved
    with pytest.raises(PriorError, match="'cpu:1'; 1 of that kind are here"):
        here.to("cpu:1")


def test_a_copy_restores_as_the_original(text_prior_folder: Path) -> None:
    prior = load_prior(text_prior_folder)
    assert torch.equal(Restorer(copy.deepcopy(prior)).forward(batch(1)), Restorer(prior).forward(batch(1)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prior": "embedded"}, "the prior is a str, 'embedded': give a loaded one"),
        ({"settings": "fast"}, "settings is a str, 'fast': give a Settings"),
        ({"estimators": 3}, "estimators is a int, 3: give loaded ones"),
        ({"damage": {"noise": 1}}, "the damage is a dict, .*: give a Damage"),
    ],
)
def test_what_a_restorer_cannot_be_made_of(given: dict[str, Any], message: str, tiny_prior: Prior) -> None:
    with pytest.raises(InputError, match=message):
        Restorer(**({"prior": tiny_prior} | given))


@pytest.mark.parametrize(
    ("given", "message"),
    [({"caption": None}, "the caption is a NoneType"), ({"damage": "dark"}, "the damage is a str, 'dark'")],
)
def test_what_cannot_be_given_with_a_picture(given: dict[str, Any], message: str, restorer: Restorer) -> None:
    with pytest.raises(InputError, match=message):
        restorer(noisy(), **given)


@pytest.mark.parametrize("called", ["picture", "batch"])
def test_a_callback_of_diffusers_sees_what_on_step_sees_and_stops(called: str, restorer: Restorer) -> None:
    steps: list[ldrps.Progress] = []
    seen: list[tuple[Any, ...]] = []

    def callback(pipe: Any, step: int, timestep: int, callback_kwargs: dict[str, Any]) -> dict[str, Any]:
        seen.append((pipe, step, timestep, callback_kwargs["latents"]))
        return {**callback_kwargs, "latents": None}  # it only looks

    def restore(**watching: Any) -> Tensor:
        y = batch(1)
        return restorer.forward(y, **watching) if called == "batch" else restorer(y[0], **watching).tensor

    watched = restore(on_step=steps.append, callback_on_step_end=callback)
    assert torch.equal(watched, restore())
    assert seen and len(seen) == len(steps)
    for (pipe, step, timestep, latents), progress in zip(seen, steps, strict=True):
        assert (pipe, step, timestep) == (restorer, progress.number - 1, progress.t) and latents is progress.z0
    with pytest.raises(Cancelled):
        restore(callback_on_step_end=lambda *given: False)
    with pytest.raises(Cancelled):
        restore(callback_on_step_end=callback, on_step=lambda progress: False)
