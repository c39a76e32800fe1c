"""The embedded make of prior, untrained: what must hold whatever it has learned."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ldrps.errors import InputError, PriorError
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import PreconditionedUNet
from ldrps.prior.tiny.prior import EmbeddedPrior, load_embedded, load_part, save_part
from ldrps.prior.tiny.tone import SMALLEST_SCALE, ToneBelief, ToneCurve, TonePosterior

CPU = torch.device("cpu")
DEVIATIONS = [2.0, 0.5, 0.05]
LEVELS = torch.tensor([0.004, 0.03, 0.5, 3.0, 20.0])


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def autoencoder() -> PatchAutoencoder:
    return PatchAutoencoder.fit(noise(500, 3, 4, 4).cumsum(2).cumsum(3) / 10)


@pytest.fixture(scope="module")
def unet() -> PreconditionedUNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PreconditionedUNet(DEVIATIONS, block_out_channels=(16, 32), norm_num_groups=8, attention_head_dim=8)


@pytest.fixture
def broken(tiny_prior_folder: Path, tmp_path: Path) -> Path:
    """A copy of `tiny_prior_folder`, to be damaged."""
    return Path(shutil.copytree(tiny_prior_folder, tmp_path / "broken"))


def test_the_transform_is_orthonormal(autoencoder: PatchAutoencoder) -> None:
    rows = autoencoder.basis.flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(20), atol=1e-5, rtol=0)
    z = noise(2, 20, 6, 8)
    images = autoencoder.decode(z)
    assert images.shape == (2, 3, 24, 32)
    torch.testing.assert_close(autoencoder.encode(images), z, atol=1e-5, rtol=0)
    torch.testing.assert_close(images.norm(), z.norm())


def test_white_noise_keeps_its_level(autoencoder: PatchAutoencoder) -> None:
    z = autoencoder.encode(0.3 * noise(4, 3, 128, 128))
    torch.testing.assert_close(z.std((0, 2, 3)), torch.full((20,), 0.3), rtol=0.05, atol=0)
    correlation = torch.corrcoef(z.transpose(0, 1).flatten(1)) - torch.eye(20)
    assert float(correlation.abs().max()) < 0.1


def test_components_come_strongest_first_and_agree_between_fits() -> None:
    patches = noise(800, 3, 4, 4).cumsum(3)
    fits = [PatchAutoencoder.fit(p, 10) for p in (patches, patches.flip(0))]
    torch.testing.assert_close(fits[0].basis, fits[1].basis, atol=1e-4, rtol=0)
    energy = fits[0].encode(patches - patches.mean(0)).pow(2).mean((0, 2, 3))
    assert energy.tolist() == sorted(energy.tolist(), reverse=True)
    # As many components as numbers: nothing is lost.
    whole = PatchAutoencoder.fit(patches, 48)
    torch.testing.assert_close(whole.decode(whole.encode(patches)), patches, atol=1e-4, rtol=0)


def test_what_is_no_picture_of_its_grid_is_refused(tiny_prior_folder: Path) -> None:
    prior = load_embedded(tiny_prior_folder)
    assert prior.size_multiple == 8
    assert prior.encode(torch.rand(1, 3, 32, 40)).shape == (1, 20, 8, 10)
    for shape in ((1, 3, 36, 40), (1, 3, 40, 33), (1, 1, 40, 40), (3, 40, 40)):
        with pytest.raises(InputError, match="multiples of 8: pad them"):
            prior.encode(torch.rand(shape))
    with pytest.raises(InputError, match="t is 1000"):
        prior.denoise(noise(1, 20, 4, 4), 1000)
    with pytest.raises(InputError, match="knows no text"):
        prior.denoise(noise(1, 20, 4, 4), 5, noise(1, 2, 3))


def test_preconditioning_has_unit_scales(unet: PreconditionedUNet) -> None:
    skip, out, scale = (c[:, :, 0, 0] for c in unet.coefficients(LEVELS))
    s, d = LEVELS[:, None], torch.tensor(DEVIATIONS)
    torch.testing.assert_close(scale**2 * (d**2 + s**2), torch.ones(5, 3))  # the input's variance
    target = (d**2 * (1 - skip) ** 2 + skip**2 * s**2) / out**2  # that of (z0 - c_skip x) / c_out
    torch.testing.assert_close(target, torch.ones(5, 3), atol=1e-3, rtol=0)


def test_preconditioning_at_its_ends(unet: PreconditionedUNet) -> None:
    skip, out, _ = (c[:, :, 0, 0] for c in unet.coefficients(torch.tensor([1e-6, 1e6])))
    torch.testing.assert_close(skip[0], torch.ones(3))  # no noise: what is there is right
    torch.testing.assert_close(out[0], torch.full((3,), 1e-6))
    torch.testing.assert_close(skip[1], torch.zeros(3))  # nothing but noise: it counts for nothing
    torch.testing.assert_close(out[1], torch.tensor(DEVIATIONS))


@torch.no_grad()
def test_the_denoiser_at_every_level(unet: PreconditionedUNet) -> None:
    z0, n = noise(5, 3, 8, 8) * torch.tensor(DEVIATIONS).reshape(3, 1, 1), noise(5, 3, 8, 8, seed=1)
    found = unet(z0 + LEVELS.reshape(-1, 1, 1, 1) * n, LEVELS)
    assert bool(found.isfinite().all()) and found.shape == z0.shape
    torch.testing.assert_close(found[0], z0[0], atol=0.05, rtol=0)
    assert float(found[4].abs().max()) < 20  # of noise of deviation 20 next to nothing is left
    assert bool(unet(torch.zeros(1, 3, 8, 8), LEVELS[-1:]).isfinite().all())


def test_a_folder_holds_what_was_saved(tmp_path: Path, autoencoder: PatchAutoencoder) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        unet = PreconditionedUNet([0.5] * 20, block_out_channels=(16, 32), norm_num_groups=8, attention_head_dim=8)
        tone = TonePosterior(widths=(8, 16), undamaged=0.5)
    for part, network in (("vae", autoencoder), ("unet", unet), ("tone", tone)):
        save_part(tmp_path, part, network)
        loaded = load_part(tmp_path, part, CPU, torch.float32)
        tolerance = {"atol": 0.0, "rtol": 0.0} if part == "vae" else {"atol": 1e-6, "rtol": 1e-3}
        torch.testing.assert_close(loaded.state_dict(), network.state_dict(), **tolerance)
        assert not any(p.requires_grad for p in loaded.parameters()) and not loaded.training
    prior = load_embedded(tmp_path)
    assert prior.tone is not None and prior.tone.config["undamaged"] == 0.5
    assert json.loads((tmp_path / "model_index.json").read_text()).keys() >= {"vae", "unet", "tone", "scheduler"}
    assert not list(tmp_path.rglob(".ldrps-partial-*"))
    found = prior.denoise(noise(2, 20, 4, 6), 300)
    expected = unet.eval()(noise(2, 20, 4, 6) / prior.alphas_cumprod[300] ** 0.5, torch.full((2,), prior_sigma(prior)))
    torch.testing.assert_close(found.z0, expected, atol=5e-3, rtol=5e-3)
    abar = prior.alphas_cumprod[300]
    torch.testing.assert_close(abar**0.5 * found.z0 + (1 - abar) ** 0.5 * found.eps, noise(2, 20, 4, 6))


def prior_sigma(prior: EmbeddedPrior, t: int = 300) -> float:
    return float(((1 - prior.alphas_cumprod[t]) / prior.alphas_cumprod[t]) ** 0.5)


def test_half_precision_concerns_the_unet_alone(tiny_prior_folder: Path) -> None:
    prior, exact = load_embedded(tiny_prior_folder, dtype=torch.bfloat16), load_embedded(tiny_prior_folder)
    kinds = {name: next(net.parameters()).dtype for name, net in prior.networks().items()}
    assert kinds == {"unet": torch.bfloat16, "vae": torch.float32, "tone": torch.float32}
    found, wanted = prior.denoise(noise(1, 20, 8, 8), 400), exact.denoise(noise(1, 20, 8, 8), 400)
    assert found.z0.dtype == torch.float32
    torch.testing.assert_close(found.z0, wanted.z0, atol=0.1, rtol=0.1)


def test_without_a_tone_posterior(broken: Path) -> None:
    shutil.rmtree(broken / "tone")
    prior = load_embedded(broken)
    assert prior.tone is None and prior.networks().keys() == {"unet", "vae"}


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no unet": (lambda root: shutil.rmtree(root / "unet"), r"unet/config\.json: found no such file"),
    "no scheduler": (lambda root: shutil.rmtree(root / "scheduler"), r"scheduler_config\.json: found no such file"),
    "no weights": (lambda root: (root / "vae/diffusion_pytorch_model.safetensors").unlink(), r"vae: found no "),
    "fewer channels": (
        lambda root: save_part(root, "vae", PatchAutoencoder.fit(noise(99, 3, 4, 4), 12)),
        r"broken: found latents of 12 channels, expected 20",
    ),
    "class": (
        lambda root: rewrite(root / "unet/config.json", _class_name="UNet2DModel"),
        r"unet/config\.json: found _class_name UNet2DModel, expected PreconditionedUNet",
    ),
    "widths": (
        lambda root: rewrite(root / "unet/config.json", block_out_channels=[16, 64]),
        r"unet/diffusion_pytorch_model\.safetensors: found .* of shape",
    ),
    "nonsense": (lambda root: rewrite(root / "unet/config.json", sigma_data=7), r"unet/config\.json: found a config"),
    "prediction": (
        lambda root: rewrite(root / "scheduler/scheduler_config.json", prediction_type="epsilon"),
        r"scheduler_config\.json: found prediction_type epsilon, expected sample",
    ),
    "cut short": (
        lambda root: (root / "unet/diffusion_pytorch_model.safetensors").write_bytes(b"\x40" + bytes(7) + b"{"),
        r"unet/diffusion_pytorch_model\.safetensors: found 9 bytes, cut short",
    ),
    "no safetensors": (
        lambda root: (root / "tone/diffusion_pytorch_model.safetensors").write_bytes(b"\x08" + bytes(99)),
        r"tone/diffusion_pytorch_model\.safetensors: found unreadable safetensors",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_broken_folder_is_reported_by_file(name: str, broken: Path) -> None:
    damage, message = DAMAGES[name]
    damage(broken)
    with pytest.raises(PriorError, match=message):
        load_embedded(broken)


def curve(gain: float, offset: float, gamma: float, *, grad: bool = False) -> ToneCurve:
    return ToneCurve(*(torch.full((1, 3), value, requires_grad=grad) for value in (gain, offset, gamma)))


@pytest.mark.parametrize(("gain", "offset", "gamma"), [(1, 0, 1), (0.1, 0, 2.2), (0.4, 0.5, 0.7), (1.5, -0.2, 1.4)])
def test_a_curve_is_undone(gain: float, offset: float, gamma: float) -> None:
    x = torch.linspace(0.01, 1, 96).reshape(1, 3, 4, 8)
    damaged = gain * x ** (1 / gamma) + offset
    torch.testing.assert_close(curve(gain, offset, gamma).invert(damaged), x, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("gamma", [0.4, 1.0, 3.0])
def test_a_curve_at_black(gamma: float) -> None:
    tones = curve(0.5, 0.1, gamma, grad=True)
    near = 0.1 + 0.5 * torch.tensor([-0.1, 0, 1e-5, 0.99e-4, 1.01e-4, 1e-3])
    images = near.repeat(3, 1).reshape(1, 3, 1, 6).requires_grad_()
    found = tones.invert(images)
    values = found[0, 0, 0].tolist()
    assert values[:2] == [0, pytest.approx(0, abs=1e-5)] and values == sorted(values)
    assert values[3] == pytest.approx(values[4], rel=0.1)  # no jump where the power begins
    for gradient in torch.autograd.grad(found.sum(), [images, tones.gain, tones.offset, tones.gamma]):
        assert bool(gradient.isfinite().all())


@pytest.mark.parametrize("size", [(64, 64), (40, 200), (7, 5)])
def test_untrained_every_hypothesis_is_near_to_no_damage(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size)
    images[0, :, :2, :2] = 0
    with torch.no_grad():
        belief = TonePosterior(widths=(8, 16), hypotheses=2)(images)
    assert belief.weights.shape == (2, 3) and belief.scales.shape == (2, 2) and len(belief.curves) == 2
    torch.testing.assert_close(belief.weights.sum(1), torch.ones(2))
    undone = belief.undone(images)
    assert torch.equal(undone[:, 0], images), "nothing is the first hypothesis"
    torch.testing.assert_close(undone[:, 1], images, atol=0.05, rtol=0)
    assert not torch.equal(undone[:, 1], undone[:, 2]), "alike, two hypotheses would learn the same"


def test_likelihood_is_that_of_a_mixture_of_exponentials() -> None:
    curves = (curve(1, 0, 1), curve(1, 0, 1))
    belief = ToneBelief(curves, torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.05, 0.2]]))
    errors = torch.tensor([[0.02, 0.1, 0.3]])
    density = sum(
        weight / scale * math.exp(-error / scale)
        for weight, scale, error in ((0.5, SMALLEST_SCALE, 0.02), (0.3, 0.05, 0.1), (0.2, 0.2, 0.3))
    )
    assert float(belief.log_likelihood(errors)) == pytest.approx(math.log(density), rel=1e-5)
    better = belief.log_likelihood(torch.tensor([[0.02, 0.01, 0.3]]))
    assert float(better) > math.log(density)
