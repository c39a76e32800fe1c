"""The restorer and the denoiser as modules of torch."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from conftest import photo
from torch import Tensor

from ldrps import Denoiser, Prior, Restorer, RestorerModule, load_prior, preset
from ldrps.errors import InputError, PriorError


def noisy_photos(sigma: float, count: int = 2) -> tuple[Tensor, Tensor]:
    """Clean and noisy, [count, 3, 64, 80], the second not clamped."""
    clean = torch.cat([photo()[..., 8 * k : 64 + 8 * k, 16:] for k in range(count)])
    return clean, clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return load_prior()


def test_a_restorer_in_a_pipeline(tiny_prior: Prior) -> None:
    restorer = Restorer(tiny_prior, preset("fast"))
    pipeline = torch.nn.Sequential(torch.nn.Identity(), RestorerModule(restorer), torch.nn.AvgPool2d(2)).eval()
    _, y = noisy_photos(0.1)
    y = y.clamp(0, 1)
    torch.testing.assert_close(pipeline(y), torch.nn.AvgPool2d(2)(restorer.forward(y)), atol=0, rtol=0)
    assert not pipeline.state_dict() and not list(pipeline.parameters()), "there is nothing of it to learn or to save"


def test_modules_can_be_copied_and_saved(tiny_prior: Prior) -> None:
    _, y = noisy_photos(0.1)
    for module, given in (
        (RestorerModule(Restorer(tiny_prior, preset("fast"))), (y.clamp(0, 1),)),
        (Denoiser(tiny_prior), (y, 0.1)),
    ):
        file = io.BytesIO()
        torch.save(module, file)
        file.seek(0)
        for again in (copy.deepcopy(module), torch.load(file, weights_only=False)):
            assert torch.equal(again(*given), module(*given))


def test_a_module_follows_its_pipeline_and_what_was_given_stays(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.prior.device.usable_device", lambda device, dtype: torch.device(device))
    restorer = Restorer(tiny_prior)
    for module in (RestorerModule(restorer), Denoiser(tiny_prior)):
        pipeline = torch.nn.Sequential(module).to("meta")
        tool = pipeline[0]._there()
        moved = tool if isinstance(tool, Prior) else tool.prior
        assert moved.device.type == "meta" and tiny_prior.device.type == "cpu"
        assert moved is not tiny_prior and restorer.prior is tiny_prior
        pipeline.half()  # the precision of a prior is chosen when it is loaded
        assert moved.networks()["unet"].dtype == torch.float32
    monkeypatch.undo()
    with pytest.raises(PriorError, match="device is 'meta'; it must be cpu, cuda"):
        Denoiser(tiny_prior).to("meta")(noisy_photos(0.1)[1], 0.1)


@pytest.mark.parametrize("sigma", [0.03, 0.1, 0.4])
def test_noise_is_taken_away(sigma: float, embedded: Prior) -> None:
    clean, y = noisy_photos(sigma)
    left = {shifts: (Denoiser(embedded, shifts=shifts)(y, sigma) - clean).std() for shifts in (1, 4)}
    assert left[4] <= left[1] < 0.75 * sigma
    blind = Restorer(embedded).forward(y.clamp(0, 1))
    assert left[4] < (blind - clean).std(), "who is told the noise does not have to find it out"


def test_each_picture_has_its_own_noise(embedded: Prior) -> None:
    denoiser = Denoiser(embedded)
    _, y = noisy_photos(0.1, 3)
    one_by_one = torch.cat([denoiser(y[k : k + 1], level) for k, level in enumerate((0.05, 0.1, 0.0))])
    for sigma in (torch.tensor([0.05, 0.1, 0]), torch.tensor([0.05, 0.1, 0]).reshape(3, 1, 1, 1), [0.05, 0.1, 0.0]):
        torch.testing.assert_close(denoiser(y, sigma), one_by_one, atol=1e-5, rtol=0)
    assert torch.equal(one_by_one[2], y[2]), "without noise there is nothing to do"
    same = denoiser(y, 0.1)
    for sigma in (torch.tensor(0.1), torch.tensor([0.1]), torch.full((3,), 0.1)):
        torch.testing.assert_close(denoiser(y, sigma), same, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16], ids=str)
@pytest.mark.parametrize("size", [(64, 80), (33, 7), (1, 1)])
def test_any_size_and_precision(dtype: torch.dtype, size: tuple[int, int], tiny_prior: Prior) -> None:
    y = noisy_photos(0.2)[1][..., : size[0], : size[1]].to(dtype).requires_grad_()
    x = Denoiser(tiny_prior)(y, 0.2)
    assert (x.shape, x.dtype, x.requires_grad) == (y.shape, dtype, False) and x.isfinite().all()


def test_a_prior_that_knows_text_and_one_in_half_precision(text_prior_folder: Any) -> None:
    _, y = noisy_photos(0.1)
    full, half = (Denoiser(load_prior(text_prior_folder, dtype=each)) for each in (None, torch.bfloat16))
    torch.testing.assert_close(half(y, 0.1), full(y, 0.1), atol=0.03, rtol=0)


REFUSED: dict[str, tuple[Callable[[Tensor], Any], Any, str]] = {
    "array": (lambda y: y.numpy(), 0.1, "the batch is a ndarray"),
    "one picture": (lambda y: y[0], 0.1, r"is no batch: give \(B, 3, height, width\), x\[None\]"),
    "channels": (lambda y: y[:, :2], 0.1, "has 2 channels, not 3"),
    "meta": (lambda y: y.to("meta"), 0.1, "on the device meta"),
    "sparse": (lambda y: y.to_sparse(), 0.1, r"give a dense one, x\.to_dense\(\)"),
    "infinite": (lambda y: y / 0, 0.1, "values that are NaN or infinite"),
    "of bytes": (lambda y: y, 25, r"sigma is 25; it must be 0 to [\d.]+: divide by 255"),
    "below none": (lambda y: y, -0.1, "sigma is -0.1; it must be 0 or more"),
    "NaN": (lambda y: y, float("nan"), "sigma is nan; it must be 0 or more"),
    "text": (lambda y: y, "strong", "sigma is 'strong': give a number"),
    "nothing": (lambda y: y, None, "sigma is None: give a number"),
    "too many": (lambda y: y, torch.ones(3), "sigma has 3 values, and there are 2 pictures"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_denoised_is_refused(case: str, tiny_prior: Prior) -> None:
    spoil, sigma, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        Denoiser(tiny_prior)(spoil(noisy_photos(0.1)[1]), sigma)


def test_offsets_that_cannot_be(tiny_prior: Prior) -> None:
    for shifts in (0, 65, 2.5):
        with pytest.raises(InputError, match=rf"shifts is {shifts}; it must be 1 to 64"):
            Denoiser(tiny_prior, shifts=shifts)  # type: ignore[arg-type]
