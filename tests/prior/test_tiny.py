"""The embedded make of prior, untrained: what must hold whatever it has learned."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import awake
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.errors import InputError, PriorError
from ldrps.estimation.tone_posterior import SMALLEST_SCALE, ToneBelief, TonePosterior
from ldrps.prior.tiny import denoiser
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import LatentUNet
from ldrps.prior.tiny.prior import EmbeddedPrior, load_embedded, load_part, load_text, save_part, save_text
from ldrps.train.text import new_text_encoder

CPU = torch.device("cpu")
DEVIATIONS = [2.0, 0.5, 0.05]
LEVELS = torch.tensor([0.004, 0.03, 0.5, 3.0, 20.0])


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def autoencoder() -> PatchAutoencoder:
    return PatchAutoencoder.fit(noise(500, 3, 4, 4).cumsum(2).cumsum(3) / 10, 20)


def new_unet(deviations: list[float] = DEVIATIONS, text_width: int = 0, **sizes: Any) -> LatentUNet:
    """As it begins, but the same each time."""
    sizes = {"widths": (32, 32), "blocks": (1,), "middle": 2, "embedding": 32} | sizes
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LatentUNet(deviations, text_width=text_width, **sizes)


def stirred(text_width: int = 0, **sizes: Any) -> LatentUNet:
    """A net whose every part has an effect."""
    return awake(new_unet(text_width=text_width, **sizes), 0.2).requires_grad_(False)


@pytest.fixture(scope="module")
def unet() -> LatentUNet:
    return awake(new_unet(), 0.02)


@pytest.fixture(scope="module")
def text_prior(text_prior_folder: Path) -> EmbeddedPrior:
    return load_embedded(text_prior_folder)


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
    assert whole.begins_with(fits[0]) and fits[1].begins_with(fits[0]) and not fits[0].begins_with(whole)
    assert not whole.begins_with(PatchAutoencoder.fit(noise(99, 3, 4, 4), 10))
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


def test_preconditioning_has_unit_scales(unet: LatentUNet) -> None:
    skip, out, scale = (c[:, :, 0, 0] for c in unet.coefficients(LEVELS))
    s, d = LEVELS[:, None], torch.tensor(DEVIATIONS)
    torch.testing.assert_close(scale**2 * (d**2 + s**2), torch.ones(5, 3))  # the input's variance
    target = (d**2 * (1 - skip) ** 2 + skip**2 * s**2) / out**2  # that of (z0 - c_skip x) / c_out
    torch.testing.assert_close(target, torch.ones(5, 3), atol=1e-3, rtol=0)


def test_preconditioning_at_its_ends(unet: LatentUNet) -> None:
    skip, out, _ = (c[:, :, 0, 0] for c in unet.coefficients(torch.tensor([1e-6, 1e6])))
    torch.testing.assert_close(skip[0], torch.ones(3))  # no noise: what is there is right
    torch.testing.assert_close(out[0], torch.full((3,), 1e-6))
    torch.testing.assert_close(skip[1], torch.zeros(3))  # nothing but noise: it counts for nothing
    torch.testing.assert_close(out[1], torch.tensor(DEVIATIONS))


def test_what_the_network_sees_and_learns_has_unit_scale() -> None:
    """Of true latents and noise, through the network itself: its input, and the target that its loss is made of."""
    unet, seen = new_unet(), []
    unet.first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    z0 = noise(5, 3, 64, 64) * torch.tensor(DEVIATIONS).reshape(3, 1, 1)
    x = z0 + LEVELS.reshape(-1, 1, 1, 1) * noise(5, 3, 64, 64, seed=1)
    unet.network(x, LEVELS)
    skip, out, _ = unet.coefficients(LEVELS)
    for unit in (seen[0], (z0 - skip * x) / out):
        torch.testing.assert_close(unit.std((2, 3)), torch.ones(5, 3), atol=0.06, rtol=0)


@pytest.mark.parametrize("text_width", [0, 32])
def test_it_begins_as_the_filter_of_its_deviations(text_width: int) -> None:
    unet, x = new_unet(text_width=text_width), noise(5, 3, 8, 12)
    text = noise(5, 4, text_width) if text_width else None
    assert torch.equal(unet(x, LEVELS, text), unet.coefficients(LEVELS)[0] * x)


@pytest.mark.parametrize(
    ("sizes", "multiple"),
    [
        ({"widths": (32,), "blocks": ()}, 1),
        ({}, 2),
        ({"widths": [8, 16, 64], "blocks": [2, 1], "middle": 0}, 4),
        ({"widths": (4, 4, 4, 32), "blocks": (0, 1, 0), "middle": 3}, 8),
    ],
)
@torch.no_grad()
def test_sizes_of_the_net_and_of_its_latents(sizes: dict[str, Any], multiple: int) -> None:
    unet = stirred(**sizes)
    assert unet.size_multiple == multiple
    for height, width in ((multiple, multiple), (3 * multiple, 2 * multiple)):
        assert unet(noise(2, 3, height, width), LEVELS[:2]).shape == (2, 3, height, width)


@pytest.mark.parametrize("sizes", [{"blocks": (1, 1)}, {"blocks": ()}, {"widths": (32, 48)}, {"widths": (64, 16)}])
def test_widths_and_blocks_that_do_not_go_together(sizes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the last width must be a multiple of 32, and there must be"):
        new_unet(**sizes)


@torch.no_grad()
def test_a_net_with_more_channels_goes_on_from_what_it_knew() -> None:
    unet, x = stirred(), noise(5, 5, 8, 12)
    wider = unet.with_channels([0.3, 0.02])
    assert wider.config["sigma_data"] == [*DEVIATIONS, 0.3, 0.02] and unet.config["sigma_data"] == DEVIATIONS
    known, new = wider(x, LEVELS).split([3, 2], 1)
    torch.testing.assert_close(known, unet(x[:, :3], LEVELS), atol=1e-5, rtol=0)
    assert torch.equal(new, wider.coefficients(LEVELS)[0][:, 3:] * x[:, 3:]), "the best linear guess from itself"
    assert all(torch.equal(a, b) for a, b in zip(unet.with_channels([]).parameters(), unet.parameters(), strict=True))


@torch.no_grad()
def test_a_net_that_tells_kinds_of_noise_apart_goes_on_from_what_it_knew() -> None:
    unet, x = stirred(), noise(5, 3, 8, 12)
    more = unet.with_kinds(3)
    kind = torch.tensor([0, 1, 2, 1, 0])
    assert torch.equal(more(x, LEVELS, None, kind), unet(x, LEVELS)), "it has yet to learn the difference"
    torch.nn.init.normal_(more.kind_embedding.weight)
    told = more(x, LEVELS, None, kind)
    assert torch.equal(told[kind == 0], more(x, LEVELS)[kind == 0]), "without a word it is the first"
    assert not torch.allclose(told[kind == 1], more(x, LEVELS)[kind == 1], atol=1e-3)
    again = more.with_kinds(4)
    assert torch.equal(again(x, LEVELS, None, kind), told)


@torch.no_grad()
def test_text_has_an_effect_and_may_be_left_out() -> None:
    unet, x, sigma = stirred(text_width=16), noise(2, 3, 8, 8), LEVELS[2:4]
    words = noise(1, 5, 16, seed=2).repeat(2, 1, 1)
    with_words = unet(x, sigma, words)
    assert not torch.allclose(with_words, unet(x, sigma), atol=1e-3)
    words[1, 3] += 1
    other = unet(x, sigma, words)
    assert torch.equal(with_words[0], other[0]), "each picture has its own words"
    assert not torch.allclose(with_words[1], other[1], atol=1e-3), "and each word counts"
    deaf = stirred()
    assert torch.equal(deaf(x, sigma, words), deaf(x, sigma)), "a net without text does not hear it"


@pytest.mark.parametrize("way", ["condition", "attention"])
def test_gradient_reaches_the_text(way: str) -> None:
    unet, text = stirred(text_width=16), noise(2, 5, 16).requires_grad_()
    silent = unet.text_embedding if way == "attention" else unet.attention.project
    torch.nn.init.zeros_(silent.weight)
    unet(noise(2, 3, 4, 4), LEVELS[2:4], text).square().sum().backward()
    assert text.grad is not None and bool((text.grad.abs().amax(2) > 0).all()), "of each picture and word"


@torch.no_grad()
def test_a_tile_is_denoised_as_the_whole_but_for_attention() -> None:
    unet, sigma = stirred(widths=(8, 8, 32), blocks=(1, 1)), torch.tensor([0.3])
    whole = noise(1, 3, 96, 88) * torch.linspace(0.1, 30, 88)  # far from the tile, all is different
    tile, inner = whole[..., 20:68, 4:60], (..., slice(20, -20), slice(20, -20))  # it begins at a multiple of 4
    seen_from_far = float((unet(whole, sigma)[..., 20:68, 4:60] - unet(tile, sigma))[inner].abs().max())
    torch.nn.init.zeros_(unet.attention.project.weight)
    difference = (unet(whole, sigma)[..., 20:68, 4:60] - unet(tile, sigma)).abs()
    assert float(difference[inner].max()) < 1e-5 < 1e-3 < seen_from_far
    assert float(difference.max()) > 1e-3, "only the border of a tile lacks what is beyond it"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_weights_of_half_precision(dtype: torch.dtype) -> None:
    unet, x, text = stirred(text_width=16), noise(2, 3, 8, 8), noise(2, 5, 16, seed=2)
    exact = unet(x, LEVELS[2:4], text)
    found = unet.to(dtype)(x, LEVELS[2:4], text)
    assert found.dtype == torch.float32
    assert 0 < float((found - exact).norm() / exact.norm()) < 0.03


@torch.no_grad()
def test_the_denoiser_at_every_level(unet: LatentUNet) -> None:
    z0, n = noise(5, 3, 8, 8) * torch.tensor(DEVIATIONS).reshape(3, 1, 1), noise(5, 3, 8, 8, seed=1)
    found = unet(z0 + LEVELS.reshape(-1, 1, 1, 1) * n, LEVELS)
    assert bool(found.isfinite().all()) and found.shape == z0.shape
    torch.testing.assert_close(found[0], z0[0], atol=0.05, rtol=0)
    assert float(found[4].abs().max()) < 20  # of noise of deviation 20 next to nothing is left
    assert bool(unet(torch.zeros(1, 3, 8, 8), LEVELS[-1:]).isfinite().all())


def test_a_folder_holds_what_was_saved(tmp_path: Path, autoencoder: PatchAutoencoder) -> None:
    sizes = {"widths": (8, 16, 32), "blocks": (2, 1), "middle": 3, "embedding": 24, "text_width": 16}
    unet = awake(new_unet([0.5] * 20, **sizes))
    for part, network in (("vae", autoencoder), ("unet", unet)):
        save_part(tmp_path, part, network)
        loaded = load_part(tmp_path, part, CPU, torch.float32)
        tolerance = {"atol": 0.0, "rtol": 0.0} if part == "vae" else {"atol": 1e-6, "rtol": 1e-3}
        torch.testing.assert_close(loaded.state_dict(), network.state_dict(), **tolerance)
        assert not any(p.requires_grad for p in loaded.parameters()) and not loaded.training
        assert type(loaded) is type(network)
    config = load_part(tmp_path, "unet", CPU, torch.float32).config
    assert {name: tuple(config[name]) if name in ("widths", "blocks") else config[name] for name in sizes} == sizes
    prior = load_embedded(tmp_path)
    assert json.loads((tmp_path / "model_index.json").read_text()).keys() >= {"vae", "unet", "scheduler"}
    assert not list(tmp_path.rglob(".ldrps-partial-*"))
    found = prior.denoise(noise(2, 20, 4, 8), 300)
    expected = unet.eval()(noise(2, 20, 4, 8) / prior.alphas_cumprod[300] ** 0.5, torch.full((2,), prior_sigma(prior)))
    torch.testing.assert_close(found.z0, expected, atol=5e-3, rtol=5e-3)
    abar = prior.alphas_cumprod[300]
    torch.testing.assert_close(abar**0.5 * found.z0 + (1 - abar) ** 0.5 * found.eps, noise(2, 20, 4, 8))


def prior_sigma(prior: EmbeddedPrior, t: int = 300) -> float:
    return float(((1 - prior.alphas_cumprod[t]) / prior.alphas_cumprod[t]) ** 0.5)


def test_half_precision_concerns_the_unet_alone(tiny_prior_folder: Path) -> None:
    prior, exact = load_embedded(tiny_prior_folder, dtype=torch.bfloat16), load_embedded(tiny_prior_folder)
    kinds = {name: next(net.parameters()).dtype for name, net in prior.networks().items()}
    assert kinds == {"unet": torch.bfloat16, "vae": torch.float32}
    found, wanted = prior.denoise(noise(1, 20, 8, 8), 400), exact.denoise(noise(1, 20, 8, 8), 400)
    assert found.z0.dtype == torch.float32
    torch.testing.assert_close(found.z0, wanted.z0, atol=0.1, rtol=0.1)


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
        r"unet/config\.json: found _class_name UNet2DModel, expected LatentUNet",
    ),
    "widths": (
        lambda root: rewrite(root / "unet/config.json", widths=[16, 32]),
        r"unet/diffusion_pytorch_model\.safetensors: found .* of shape",
    ),
    "nonsense": (
        lambda root: rewrite(root / "unet/config.json", sigma_data=7),
        r"unet/config\.json: found sigma_data 7",
    ),
    "blocks": (
        lambda root: rewrite(root / "unet/config.json", blocks=[1, 1]),
        r"unet/config\.json: found a configuration that cannot be built \(InputError: widths are \[32, 32\] and",
    ),
    "prediction": (
        lambda root: rewrite(root / "scheduler/scheduler_config.json", prediction_type="epsilon"),
        r"scheduler_config\.json: found prediction_type epsilon, expected sample",
    ),
    "cut short": (
        lambda root: (root / "unet/diffusion_pytorch_model.safetensors").write_bytes(b"\x40" + bytes(7) + b"{"),
        r"unet/diffusion_pytorch_model\.safetensors: found 9 bytes, cut short",
    ),
    "no safetensors": (
        lambda root: (root / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"\x08" + bytes(99)),
        r"vae/diffusion_pytorch_model\.safetensors: found unreadable safetensors",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_broken_folder_is_reported_by_file(name: str, broken: Path) -> None:
    damage, message = DAMAGES[name]
    damage(broken)
    with pytest.raises(PriorError, match=message):
        load_embedded(broken)


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "broken"))


TEXT_DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no tokenizer": (lambda root: shutil.rmtree(root / "tokenizer"), r"tokenizer: found no vocab\.json"),
    "no config": (
        lambda root: (root / "text_encoder/config.json").unlink(),
        r"text_encoder/config\.json: found no such",
    ),
    "no weights": (lambda root: (root / "text_encoder/model.safetensors").unlink(), r"text_encoder: found no weights"),
    "another text": (
        lambda root: save_text(root, new_text_encoder(["dog"], width=64, layers=1)),
        r"broken: found a text encoder of width 64, expected 32, as the UNet has",
    ),
    "a net without text": (
        lambda root: save_part(root, "unet", new_unet([0.5] * 20)),
        r"broken: found a text encoder of width 32, expected 0, as the UNet has",
    ),
}


@pytest.mark.parametrize("name", TEXT_DAMAGES)
def test_broken_text_is_reported_by_file(name: str, text_prior_folder: Path, tmp_path: Path) -> None:
    damage, message = TEXT_DAMAGES[name]
    root = copied(text_prior_folder, tmp_path)
    damage(root)
    with pytest.raises(PriorError, match=message):
        load_embedded(root)


def test_without_its_text_encoder_a_prior_knows_no_text(text_prior_folder: Path, tmp_path: Path) -> None:
    root = copied(text_prior_folder, tmp_path)
    shutil.rmtree(root / "text_encoder")
    prior = load_embedded(root)
    assert not prior.has_text and "text_encoder" not in prior.networks()
    assert bool(prior.denoise(noise(1, 20, 4, 4), 300).z0.isfinite().all())


def test_a_prior_that_knows_text(text_prior: EmbeddedPrior, tiny_prior_folder: Path) -> None:
    assert text_prior.has_text and "text_encoder" in text_prior.networks()
    assert text_prior.describe()["text"] == "yes"
    text = text_prior.embed(["dog", "", "golden retriever"])
    assert text.shape == (3, 32, 32) and text.dtype == torch.float32 and not text.requires_grad
    assert not torch.allclose(text[0], text[1])

    z, t = noise(2, 20, 4, 6), 600
    none, empty = text_prior.denoise(z, t), text_prior.denoise(z, t, text_prior.embed(["", ""]))
    torch.testing.assert_close(none, empty, atol=1e-5, rtol=0)  # of one row for all, and of one each
    dog = text_prior.denoise(z, t, text_prior.embed(["dog", "dog"]))
    assert not torch.allclose(dog.z0, none.z0, atol=1e-4)

    deaf = load_embedded(tiny_prior_folder)
    assert not deaf.has_text and deaf.describe()["text"] == "no"
    with pytest.raises(InputError, match=r"text has shape \[2, 32, 32\], but .* knows no text: give None"):
        deaf.denoise(z, t, text[:2])
    with pytest.raises(PriorError, match="has no text encoder: leave the caption out"):
        deaf.embed(["dog"])


def test_a_condition_that_is_the_same_for_all_may_be_there_once(text_prior: EmbeddedPrior) -> None:
    unet, z = awake(text_prior.unet.with_kinds(3)), noise(2, 20, 4, 6)
    for parameter in unet.kind_embedding.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    text = text_prior.embed(["dog"])
    with torch.no_grad():
        once = unet(z, torch.tensor([0.4]), text, torch.tensor([1]))
        each = unet(z, torch.full((2,), 0.4), text.repeat(2, 1, 1), torch.tensor([1, 1]))
        other = unet(z, torch.full((2,), 0.4), text.repeat(2, 1, 1), torch.tensor([1, 2]))
    torch.testing.assert_close(once, each, atol=1e-5, rtol=0)
    torch.testing.assert_close(once[0], other[0], atol=1e-5, rtol=0)
    assert not torch.allclose(once[1], other[1], atol=1e-4)


def test_beside_half_precision_captions_keep_all_of_theirs(text_prior_folder: Path, text_prior: EmbeddedPrior) -> None:
    prior = load_embedded(text_prior_folder, dtype=torch.bfloat16)
    assert prior.precision == "bfloat16" and text_prior.precision == "float32"
    text = prior.embed(["dog"])
    assert torch.equal(text, text_prior.embed(["dog"]))
    found, exact = (p.denoise(noise(1, 20, 4, 4), 500, text).z0 for p in (prior, text_prior))
    torch.testing.assert_close(found, exact, atol=0.1, rtol=0.1)


def test_a_folder_holds_the_text_that_was_saved(tmp_path: Path) -> None:
    text = new_text_encoder(["a red-brown dog, über alles", "zebra"], width=32, layers=1)
    assert load_text(tmp_path, CPU) is None
    save_text(tmp_path, text)
    index = json.loads((tmp_path / "model_index.json").read_text())
    assert index["text_encoder"] == ["transformers", "CLIPTextModel"]
    assert index["tokenizer"] == ["transformers", "CLIPTokenizer"]
    assert not list(tmp_path.rglob(".ldrps-partial-*"))
    loaded = load_text(tmp_path, CPU)
    assert loaded is not None
    torch.testing.assert_close(loaded.model.state_dict(), text.model.state_dict(), atol=1e-6, rtol=1e-3)
    prompts = ["A RED-brown dog,  über alles", "", "unheard-of 漢字 12."]
    assert loaded.tokenizer(prompts)["input_ids"] == text.tokenizer(prompts)["input_ids"]
    assert loaded.length == text.length == 32
    torch.testing.assert_close(loaded(prompts), text(prompts), atol=5e-3, rtol=0)


def curve(gain: float, offset: float, gamma: float, *, grad: bool = False) -> Tone:
    return Tone(*(torch.full((1, 3), value, requires_grad=grad) for value in (gain, offset, gamma)))


@pytest.mark.parametrize(("gain", "offset", "gamma"), [(1, 0, 1), (0.1, 0, 0.45), (0.4, 0.5, 1.4), (1.5, -0.2, 0.7)])
def test_a_curve_is_undone(gain: float, offset: float, gamma: float) -> None:
    x = torch.linspace(0.01, 1, 96).reshape(1, 3, 4, 8)
    damaged = gain * x**gamma + offset
    torch.testing.assert_close(curve(gain, offset, gamma).invert(damaged), x, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.5])
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
        belief = TonePosterior(widths=(8, 16), hypotheses=2, uneven=1)(images)
    assert belief.weights.shape == (2, 4) and belief.scales.shape == (2, 3) and len(belief.curves) == 3
    assert belief.uneven == 1 and belief.kinds.shape == (2, 3)
    torch.testing.assert_close(belief.kinds.sum(1), torch.ones(2))
    torch.testing.assert_close(belief.weights.sum(1), torch.ones(2))
    undone = belief.undone(images)
    assert torch.equal(undone[:, 0], images), "nothing is the first hypothesis"
    torch.testing.assert_close(undone[:, 1], images, atol=0.05, rtol=0)
    torch.testing.assert_close(undone[:, 3], images, atol=0.05, rtol=0)
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("sigma", [[0.3], [0.3, 2.0]])
def test_what_is_added_while_convolving_is_what_is_added_afterwards(
    dtype: torch.dtype, layout: torch.memory_format, sigma: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    if denoiser._adding_convolution(dtype) is None:
        pytest.skip(f"this processor has no such convolution of {dtype}")
    unet = stirred().to(dtype)
    x = noise(2, 3, 16, 8).contiguous(memory_format=layout)
    with torch.no_grad():
        quick = unet(x, torch.tensor(sigma))
    slow = unet(x, torch.tensor(sigma)).detach()
    monkeypatch.setattr(denoiser, "_adding_convolution", lambda dtype: None)
    with torch.no_grad():
        plain = unet(x, torch.tensor(sigma))
    bound = 1e-5 if dtype == torch.float32 else 0.2
    torch.testing.assert_close(quick, slow, atol=bound, rtol=0)
    torch.testing.assert_close(quick, plain, atol=bound, rtol=0)


def test_types_and_processors_without_such_a_convolution_do_with_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert denoiser._adding_convolution(torch.float64) is None
    x, sigma = noise(1, 3, 16, 8), torch.tensor([0.3])
    unet = stirred()
    with torch.no_grad():
        expected = unet(x, sigma)
        torch.testing.assert_close(stirred().double()(x.double(), sigma), expected.double(), atol=1e-5, rtol=0)
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(unet(x, sigma).float(), expected, atol=0.06, rtol=0)

    def unknown(*given: object) -> Tensor:
        raise RuntimeError("the bf16 path needs another processor")

    monkeypatch.setattr(torch.ops.mkldnn._convolution_pointwise_, "binary", unknown)
    assert denoiser._adding_convolution.__wrapped__(torch.bfloat16) is None
