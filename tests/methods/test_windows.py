"""A picture that is restored in windows, beside the same one restored whole."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest
import torch
from torch import Tensor

import ldrps
from ldrps import Prior, Restorer, Settings, preset
from ldrps.estimation import estimate
from ldrps.estimation.estimate import estimate_damage
from ldrps.estimation.estimators import load_estimators
from ldrps.image.tiles import Canvas, Window, windows
from ldrps.methods import blind
from ldrps.methods.blind import Blind
from ldrps.prior.base import Denoised
from ldrps.settings import BlindSettings

WHOLE = preset("fast")
CUT = dataclasses.replace(WHOLE, tile=128, overlap=32)


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def noisy(textured: bool, height: int = 208, width: int = 320) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    picture = torch.stack([0.45 + 0.1 * x, 0.5 + 0.05 * y, 0.55 - 0.1 * x])
    if textured:
        picture = picture + 0.12 * torch.sin(60 * x + 9 * torch.sin(20 * y)) + 0.1 * (torch.sin(13 * (x + y)) > 0.5)
    grain = 0.06 * torch.randn(3, height, width, generator=torch.Generator().manual_seed(3))
    return (picture + grain).clamp(0, 1)


def planned(image: Tensor, prior: Prior, settings: Settings) -> Blind:
    assert isinstance(settings.method, BlindSettings)
    return Blind(image, prior, settings, estimate_damage(image, prior, load_estimators(), settings.method), "")


def values(image: Tensor, prior: Prior, settings: Settings) -> np.ndarray:
    return np.asarray(Restorer(prior, settings)(image).image, dtype=np.float64)


@pytest.mark.parametrize("textured", [False, True], ids=["flat", "textured"])
def test_no_seam_can_be_seen(textured: bool, embedded: Prior) -> None:
    image = noisy(textured)
    whole, cut = (values(image, embedded, settings) for settings in (WHOLE, CUT))
    assert not np.array_equal(whole, cut), "it was cut"
    error = cut - whole
    assert 10 * np.log10(255**2 / (error**2).mean()) > 44
    places = windows(208, 320, 128, 32, 16)
    edges = sorted({w.left for w in places} | {w.left + w.width for w in places})[1:-1]
    across = np.abs(np.diff(cut, axis=1)).mean((0, 2))  # between columns k and k + 1
    beside = np.abs(np.diff(whole, axis=1)).mean((0, 2))
    at_edges = [k - 1 for k in edges]
    assert across[at_edges].mean() < 1.05 * beside[at_edges].mean() + 0.05, "no step at the edge of a window"


def test_progress_and_findings_tell_of_windows(embedded: Prior) -> None:
    seen: list[tuple[int, int, Window]] = []
    result = Restorer(embedded, CUT)(
        noisy(False), on_step=lambda step: seen.append((step.number, step.total, step.window))
    )
    assert result.findings.windows == 6
    assert [number for number, _, _ in seen] == list(range(1, 7)) and {total for _, total, _ in seen} == {6}
    assert len({window for _, _, window in seen}) == 6
    assert len(result.losses) == 6


def test_in_a_recurrence_windows_share_their_noise(embedded: Prior) -> None:
    """Else the grain of a sample would be weaker where windows overlap."""
    settings = dataclasses.replace(CUT, recurrences=1, renoise=1.0)
    image, places = noisy(False)[None], windows(208, 320, 128, 32, 16)
    plan = planned(image, embedded, settings)
    latents = torch.zeros(1, embedded.latent_channels, places[0].height // 4 + 4, places[0].width // 4 + 4)
    first, second = (plan.part(window).renoise(latents[..., :-4, :-4], 1) for window in places[:2])
    moved = (places[1].left - places[0].left) // 4
    assert torch.equal(first[..., moved:], second[..., : first.shape[-1] - moved])


def test_a_picture_in_windows_does_not_depend_on_the_order_of_its_parts(embedded: Prior) -> None:
    image = noisy(True)[None]
    plan = planned(image, embedded, CUT)
    forth, back = Canvas(plan.windows, 208, 320), Canvas(plan.windows, 208, 320)
    for window in plan.windows:
        forth.add(window, plan.part(window).picture(None))
    for window in reversed(plan.windows):
        back.add(window, plan.part(window).picture(None))
    assert torch.allclose(forth.image, back.image, atol=1e-6)


def test_memory_that_runs_out_means_smaller_windows(
    embedded: Prior, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = dataclasses.replace(WHOLE, tile=256, overlap=16)
    enough, denoise = 160**2, type(embedded).denoise

    def limited(self: Prior, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        if 16 * z_t.shape[-1] * z_t.shape[-2] > enough:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory")
        return denoise(self, z_t, t, text)

    monkeypatch.setattr(type(embedded), "denoise", limited)
    for module in (blind, estimate):
        monkeypatch.setattr(module, "ENOUGH", 128)
    with caplog.at_level(logging.WARNING):
        result = Restorer(embedded, settings)(noisy(False))
    assert result.settings.tile == 128 and "not enough memory, trying windows of 128 pixels" in caplog.text
    assert result.image.size == (320, 208)
    with pytest.raises(RuntimeError, match="allocate memory"):
        Restorer(embedded, dataclasses.replace(settings, overlap=64))(noisy(False))


def test_memory_is_no_reason_to_repeat_what_has_no_windows(embedded: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def failing(self: Prior, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        calls.append(t)
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(type(embedded), "denoise", failing)
    with pytest.raises(RuntimeError, match="allocate memory"):
        Restorer(embedded, preset("paper-lowlight"))(noisy(False))
    assert len(calls) == 1


def test_a_recurrence_of_the_published_method_has_a_step_at_least(embedded: Prior) -> None:
    settings = preset("paper-denoising").with_changes(steps=2, renoise=0.2, recurrences=1)
    rounds = [line["round"] for line in Restorer(embedded, settings)(noisy(True)[:, :32, :32]).losses]
    assert rounds == [0, 0, 1]


def test_a_working_size_keeps_the_detail_of_the_picture(embedded: Prior) -> None:
    sure = WHOLE.with_knowledge(undamaged=0.02)  # such a picture is no photograph, and may be right as it is
    dark = 0.15 * noisy(True) + 0.0
    full, small = (values(dark, embedded, dataclasses.replace(sure, working_size=size, seed=0)) for size in (0, 160))
    assert small.shape == full.shape
    assert abs(small.mean() - full.mean()) < 12
    assert np.abs(np.diff(small, axis=1)).mean() > 0.7 * np.abs(np.diff(full, axis=1)).mean()


@pytest.mark.parametrize("name", ["fast", "default"])
def test_windows_of_one_colour_and_hidden_ones_go_through_no_network(name: str, embedded: Prior) -> None:
    settings = dataclasses.replace(preset(name), tile=128, overlap=32)
    image = noisy(True)
    image[:, :128, :192] = torch.tensor([1.0, 0.9, 0.8])[:, None, None]
    plan = planned(image[None], embedded, settings)
    even = [window for window in plan.windows if not plan.rounds_of(window)]
    assert plan.rounds and even == [Window(0, 0, 128, 128)]
    seen: list[ldrps.Progress] = []
    result = Restorer(embedded, settings)(image, damage=plan.damage, on_step=seen.append)
    assert {step.window for step in seen} == set(plan.windows) - set(even)
    assert {step.total for step in seen} == {len(seen)}
    assert torch.equal(result.tensor[..., :80, :96], plan.undone(image[None])[..., :80, :96])
    visible = torch.ones(1, 1, *image.shape[-2:])
    visible[..., 192:] = 0
    around = Blind(image[None], embedded, settings, plan.damage, "", visible)
    assert [window for window in plan.windows if not around.rounds_of(window)] == [
        window for window in plan.windows if window in even or window.left >= 192
    ]
