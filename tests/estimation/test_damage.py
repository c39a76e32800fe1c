"""The damage of a picture: found, read, changed, and given back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ldrps
from ldrps import Damage, Estimate, Prior, Restorer, Result, Settings, preset
from ldrps.degradation import (
    Blur,
    Exposure,
    GaussianBlur,
    GrainNoise,
    JpegResidue,
    PoissonNoise,
    SharedNoise,
    Tone,
    WhiteNoise,
)
from ldrps.degradation.kernels import gaussian, line
from ldrps.errors import InputError, SettingsError
from ldrps.settings import Strengths

Wanted = dict[str, Any]
SURE = Settings().with_knowledge(undamaged=0.05)  # such a picture is no photograph, and may be right as it is


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def dark_and_noisy(height: int = 72, width: int = 100) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / width
    shape = 0.5 + 0.25 * np.sin(7 * x) * np.cos(5 * y) + 0.2 * (np.hypot(x - 0.45, y - 0.5) < 0.22)
    colours = 0.25 * np.stack([shape, 0.9 * shape + 0.05 * x, 0.8 * shape + 0.1 * y], -1)
    grain = np.random.default_rng(3).normal(0, 4 / 255, colours.shape)
    return (255 * (colours + grain)).clip(0, 255).round().astype(np.uint8)


def pixels(result: Result) -> np.ndarray:
    return np.asarray(result.image).astype(float)


@pytest.fixture(scope="module")
def found(embedded: Prior) -> Result:
    return Restorer(embedded, SURE)(dark_and_noisy())


def test_both_parts_are_found(found: Result) -> None:
    damage = found.damage
    assert damage is not None and damage.tone is not None and damage.noise is not None
    assert damage.tone.share == damage.noise.share == 1
    assert "too dark, noise" in found.words


@pytest.mark.parametrize("settings", [Settings(), preset("fast"), Settings(recurrences=1)])
def test_given_back_it_gives_the_same_picture(settings: Settings, embedded: Prior, tmp_path: Path) -> None:
    restorer = Restorer(embedded, settings)
    first = restorer(dark_and_noisy())
    first.save(tmp_path / "first.png")
    again = restorer(dark_and_noisy(), damage=Damage.load(tmp_path / "first.png.json"))
    again.save(tmp_path / "again.png")
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert first.damage == again.damage and first.words == again.words


def test_a_blur_of_another_scale_is_as_much_wider(tmp_path: Path) -> None:
    """A record tells in the pixels of which result its blur is; what somebody wrote is in those of the one wanted."""
    blur = Damage(blur=Estimate(GaussianBlur(1.2)), noise=Estimate(WhiteNoise(0.05))).plain()
    written = {"record": {"damage": blur, "settings": {"scale": 2.0}}, "hand": blur, "odd": {"damage": blur}}
    written["odd"]["settings"] = {"scale": "two"}
    for name, data in written.items():
        (tmp_path / name).write_text(json.dumps(data))
    for name, scale, sigma in (
        ("record", 1.0, 0.6), ("record", 2.0, 1.2), ("record", 3.0, 1.8), ("hand", 2.0, 1.2), ("odd", 2.0, 1.2),
    ):  # fmt: skip
        damage = Damage.load(tmp_path / name, scale)
        assert damage.blur is not None and damage.blur.value.sigma == pytest.approx(sigma)
        assert damage.noise_deviation == pytest.approx(0.05), "noise is that of what was given"


def test_a_strength_that_was_asked_for_is_given_back_too(embedded: Prior) -> None:
    some = Restorer(embedded, Settings().with_strengths({"tone": 0.6, "noise": 0.4}))(dark_and_noisy())
    assert some.damage is not None
    again = Restorer(embedded)(dark_and_noisy(), damage=Damage.from_plain(json.loads(json.dumps(some.damage.plain()))))
    assert np.array_equal(some.levels, again.levels)


def test_windows_see_the_same_damage(embedded: Prior) -> None:
    settings = dataclasses.replace(preset("fast"), tile=64, overlap=16)
    first = Restorer(embedded, settings)(dark_and_noisy())
    again = Restorer(embedded, settings)(dark_and_noisy(), damage=first.damage)
    assert first.findings.windows > 1 and np.array_equal(first.levels, again.levels)


def test_only_the_part_that_is_edited_changes(found: Result, embedded: Prior) -> None:
    data = found.damage.plain()
    data["noise"]["strength"] = 0.0
    tones = Restorer(embedded, SURE)(dark_and_noisy(), damage=Damage.from_plain(data))
    assert np.allclose(pixels(tones).mean(), pixels(found).mean(), atol=1), "as light"
    assert np.abs(np.diff(pixels(tones), axis=1)).mean() > 1.5 * np.abs(np.diff(pixels(found), axis=1)).mean()
    assert tones.losses == [] and tones.words == found.words.partition(",")[0]
    data = found.damage.plain()
    data["tone"]["value"] = {"kind": "exposure", "stops": 0}
    noise = Restorer(embedded)(dark_and_noisy(), damage=Damage.from_plain(data))
    assert abs(pixels(noise).mean() - dark_and_noisy().mean()) < 1, "as dark as it was"
    assert noise.damage.noise.plain() == found.damage.noise.plain() and noise.losses


@pytest.mark.parametrize("part", ["tone", "noise"])
def test_a_part_of_strength_0_is_left_out(part: str, found: Result, embedded: Prior) -> None:
    left_out = Restorer(embedded, Settings().with_strengths(skip=[part]))(dark_and_noisy())
    assert getattr(left_out.damage, part) is None
    both = Restorer(embedded, Settings().with_strengths(0.0))(dark_and_noisy())
    assert both.unchanged and both.words == "left as it is"
    given = Restorer(embedded, Settings().with_strengths(0.0))(dark_and_noisy(), damage=found.damage)
    assert given.unchanged, "what is asked for counts more than what the file says"


@pytest.mark.parametrize("part", ["tone", "noise"])
def test_the_result_is_continuous_in_a_strength(part: str, found: Result, embedded: Prior) -> None:
    def at(strength: float) -> np.ndarray:
        settings = preset("fast").with_strengths({part: strength})
        return pixels(Restorer(embedded, settings)(dark_and_noisy(), damage=found.damage))

    strengths = [0, 0.01, 0.02, 0.1, 0.11, 0.5, 0.51, 1.0, 1.01]
    pictures = {strength: at(strength) for strength in strengths}
    whole = np.sqrt(((pictures[1.0] - pictures[0]) ** 2).mean())
    for low, high in ((0, 0.01), (0.01, 0.02), (0.1, 0.11), (0.5, 0.51), (1.0, 1.01)):
        step = np.sqrt(((pictures[high] - pictures[low]) ** 2).mean())
        # The levels of noise are those of the prior's schedule, which are some 8 % apart.
        assert step < 0.1 * whole + 0.3, f"{low} to {high}: {step:.2f} of {whole:.2f}"


def test_a_strength_scales_stops_and_does_not_blend() -> None:
    y = torch.full((1, 3, 8, 8), 0.1)
    half = Damage(Estimate(Exposure(-2.0, "srgb"), strength=0.5)).undo_tone(y)
    torch.testing.assert_close(half, torch.full_like(y, 0.2))
    assert Damage(Estimate(Tone(0.25), 0.5)).undo_tone(y)[0, 0, 0, 0] == pytest.approx(0.25), "half as likely: a mean"


def test_people_may_write_it_by_hand(embedded: Prior, tmp_path: Path) -> None:
    by_hand = {"tone": {"kind": "tone", "gain": 0.25}, "noise": {"kind": "white noise", "sigma": 0.05}}
    (tmp_path / "damage.json").write_text(json.dumps(by_hand))
    damage = Damage.load(tmp_path / "damage.json")
    assert damage.tone.share == damage.noise.share == 1 and damage.noise_deviation == 0.05
    result = ldrps.restore(dark_and_noisy(), prior=embedded, damage=tmp_path / "damage.json")
    assert result.damage == damage
    assert pixels(result).mean() == pytest.approx(4 * dark_and_noisy().mean(), rel=0.05)


def chains_of_chains(depth: int) -> Wanted:
    chain: Wanted = {"kind": "compose", "parts": []}
    for _ in range(depth):
        chain = {"kind": "compose", "parts": [chain]}
    return chain


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the damage is .*; give an object of parts: tone, local, noise"),
        ({"haze": {"kind": "veil"}}, "has no part 'haze'; there are tone, local, noise"),
        ({"tone": 0.5}, "tone of the damage is 0.5; give a value, with a kind"),
        ({"tone": {"kind": "gaussian blur", "sigma": 2}}, "tone of the damage is 'gaussian blur'; what can be undone"),
        ({"noise": {"kind": "poisson noise", "peak": 30}}, "noise of the damage is 'poisson noise'; what can"),
        ({"noise": {"kind": "tone"}}, "noise of the damage is 'tone'"),
        ({"noise": {"kind": "white noise", "sigma": -1}}, "sigma of 'white noise' is -1; it must be 0 to 10"),
        ({"noise": {"kind": "white noise", "sigma": 10**400}}, "white noise cannot be read .*too large"),
        ({"noise": {"kind": "white noise", "sigma": [0.1, 0.2]}}, "sigma of the noise is a list; it must be a number"),
        ({"tone": {"value": {"kind": "exposure"}, "probability": 1.5}}, "probability of a part .* is 1.5; .* 0 to 1"),
        ({"tone": {"value": {"kind": "exposure"}, "strength": "1"}}, "strength of a part .* is '1'; .* 0 to 4"),
        ({"tone": {"value": {"kind": "exposure"}, "sure": 1}}, "tone has no 'sure'; it has value, probability, stren"),
        ({"tone": {"value": {"kind": "fog"}}}, "kind is 'fog'; there are"),
        ({"tone": {"kind": "tone", "gain": [0.1, 0.2, 0.3]}}, "parameters for several pictures"),
        ({"tone": {"kind": "local light", "log_gain": [[[[0.1] * 9] * 9]]}}, "for places of one"),
        ({"tone": {"kind": "exposure", "stops": -1e9}}, "stops of 'exposure' is -1e"),
        ({"tone": {"kind": "veil", "transmission": -0.5}}, "transmission of 'veil' is -0.5"),
        ({"tone": {"kind": "tone", "gain": [[10**400, 1, 1]]}}, "tone cannot be read"),
        ({"tone": {"kind": "local light", "log_gain": [[[[0.1] * 5] * 7]]}}, "for places of one"),
        ({"tone": {"kind": "curve", "values": [[0, 0.5]] * 2}}, "for other channels"),
        ({"tone": {"kind": "curve", "values": [[0, 0.5]] * 4}}, "for other channels"),
        ({"blur": {"kind": "tone"}}, "blur of the damage is 'tone'; what can be undone of it is gaussian blur, blur"),
        ({"blur": {"kind": "gaussian blur", "sigma": 11}}, "sigma of 'gaussian blur' is 11; it must be 0 to 10"),
        ({"blur": {"kind": "gaussian blur", "sigma": -1}}, "sigma is -1; it must be 0 or more pixels"),
        ({"blur": {"kind": "gaussian blur", "sigma": [1, 2]}}, "sigma of the blur is a list; it must be a number"),
        ({"blur": {"kind": "blur", "kernel": [[0.5, 0.5]]}}, r"a kernel of shape \[1, 2\]: give .* both sides odd"),
        ({"blur": {"kind": "blur", "kernel": [[0.5, 0.6, 0.5]]}}, "kernel of the blur has a sum of 1.6; .* divide it"),
        ({"blur": {"kind": "blur", "kernel": [[-0.5, 2, -0.5]]}}, "kernel of 'blur' is -0.5; it must be 0 to 1"),
        ({"blur": {"kind": "blur", "kernel": [[[1.0]], [[1.0]]]}}, r"kernel of the blur has shape \[2, 1, 1\]"),
        ({"blur": {"kind": "blur", "kernel": [[1 / 131] * 131]}}, r"has shape \[1, 131\]; .* 129 a side at most"),
        ({"blur": {"kind": "blur", "kernel": 3}}, "blur cannot be read"),
        ({"blur": {"kind": "blur", "kernel": [[1.0]], "border": "black"}}, "'black' is none of mirrored, circular"),
        ({"tone": "dark" * 100_000}, "tone of the damage is .{30,40}; give a value"),
    ],
)
def test_what_cannot_be_is_refused_in_words(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        Damage.from_plain(data)
    (tmp_path / "damage.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=f"damage.json: .*{message}"):
        Damage.load(tmp_path / "damage.json")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"tone": Estimate(GaussianBlur(2.0))}, "tone of the damage is 'gaussian blur'; what can be undone"),
        ({"noise": Estimate(PoissonNoise(30.0))}, "noise of the damage is 'poisson noise'"),
        ({"noise": Estimate("much")}, "noise of the damage is 'much'"),
        ({"noise": Estimate(WhiteNoise(torch.tensor([0.1])))}, "sigma of the noise is a list"),
        ({"noise": Estimate(WhiteNoise(float("nan")))}, "sigma of .white noise. is nan"),
        ({"tone": Estimate(Tone(torch.tensor([0.1, 0.2])))}, "parameters for several pictures"),
        ({"blur": Estimate(GaussianBlur(torch.tensor([1.0])))}, "sigma of the blur is a list"),
        ({"blur": Estimate(Blur(torch.full((3, 3), float("nan"))))}, "kernel of 'blur' is nan"),
        ({"blur": Estimate(WhiteNoise(0.1))}, "blur of the damage is 'white noise'"),
    ],
)
def test_what_is_made_in_python_is_held_to_the_same(parts: Wanted, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Damage(**parts)


@pytest.mark.parametrize(
    "text", ["", "{", "\xff", "[" * 100_000, "[" * 99 + "]" * 99, '{"tone": 1, "tone": 2}', '{"damage": null}', "null"]
)
def test_files_that_hold_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "damage.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"damage\.json"):
        Damage.load(tmp_path / "damage.json")
    with pytest.raises(InputError, match="nowhere"):
        Damage.load(tmp_path / "nowhere.json")
    for name in (json.dumps({"tone": {"kind": "exposure"}, "for": "x" * 300}), "a\0b"):
        with pytest.raises(InputError, match="cannot be read"):
            Damage.load(name)


def test_who_learns_it_takes_none(tiny_prior: Prior) -> None:
    damage = Damage(noise=Estimate(WhiteNoise(0.1)))
    with pytest.raises(SettingsError, match="'paper-denoising' learns the damage as a whole: leave damage, only"):
        Restorer(tiny_prior, preset("paper-denoising"))(Image.fromarray(dark_and_noisy()), damage=damage)


def test_what_somebody_states_is_obeyed_where_nothing_could_be_found(embedded: Prior) -> None:
    flat, page = np.full((48, 64, 3), 50, np.uint8), np.full((48, 64, 3), 255, np.uint8)
    page[8:12, 4:60] = 0
    twice = Damage(Estimate(Exposure(-1.0, "srgb")))
    assert Restorer(embedded)(flat).unchanged
    assert pixels(Restorer(embedded)(flat, damage=twice)).mean() == pytest.approx(100, abs=1)
    assert Restorer(embedded)(page, damage=twice).damage == twice


@pytest.mark.parametrize(
    "tone",
    [Tone(1.6), Tone(torch.tensor([[1.5, 1.0, 0.7]])), Tone(gain=0.9, offset=0.3), Tone(1.2, gamma=0.5)],
    ids=["over-exposed", "cast", "veil", "curve"],
)
@pytest.mark.parametrize("probability", [0.4, 1.0])
def test_white_stays_neutral_white_and_nothing_folds(tone: Tone, probability: float) -> None:
    """What was clipped bounds the picture from one side."""
    levels = torch.linspace(0, 1, 256).expand(1, 3, 1, 256)
    undone = Damage(Estimate(tone, probability)).undo_tone(levels)
    torch.testing.assert_close(undone[..., -1], torch.ones(1, 3, 1))
    assert bool((undone.diff(dim=-1) >= -1e-6).all())
    below = Estimate(tone).scaled.invert(levels).clamp(0, 1)
    share = Estimate(tone, probability).share
    torch.testing.assert_close(undone[..., :153], torch.lerp(levels, below, share)[..., :153], msg="all but lights")


@pytest.mark.parametrize(
    ("noise", "kind"),
    [
        (WhiteNoise(0.05), "white"),
        (SharedNoise(0.05, 0.3), "camera"),
        (GrainNoise(0.05, 1.2, 0.2), "camera"),
        (JpegResidue(0.05), "jpeg"),
    ],
)
def test_noise_of_every_kind_is_given_back(noise: Any, kind: str) -> None:
    damage = Damage(noise=Estimate(noise, 0.9, 0.5))
    again = Damage.from_plain(json.loads(json.dumps(damage.plain())))
    assert again == damage and again.noise_kind == kind
    assert again.noise_deviation == pytest.approx(0.025)


def test_in_a_larger_picture_a_blur_is_as_much_wider() -> None:
    noise = Estimate(WhiteNoise(0.05))
    larger = Damage(blur=Estimate(GaussianBlur(1.5), 0.6, 0.5), noise=noise).in_larger(3)
    assert larger == Damage(blur=Estimate(GaussianBlur(4.5), 0.6, 0.5), noise=noise)
    assert Damage(noise=noise).in_larger(3) == Damage(noise=noise)
    moved = Damage(blur=Estimate(Blur(line(5, 0)))).in_larger(2).blur_kernel
    assert moved is not None and moved.shape[-1] == 9


@pytest.mark.parametrize("blur", [GaussianBlur(1.6), Blur(gaussian(2.0, 0.7, 30)), Blur(line(9, 40))], ids=str)
def test_a_blur_is_given_back_and_a_strength_scales_its_width(blur: GaussianBlur | Blur) -> None:
    damage = Damage(blur=Estimate(blur, 0.9, 0.5))
    again = Damage.from_plain(json.loads(json.dumps(damage.plain())))
    assert again == damage and not damage.absent
    assert damage.blur_kernel is not None and again.blur_kernel is not None
    torch.testing.assert_close(again.blur_kernel, damage.blur_kernel)
    assert spread(damage.blur_kernel) == pytest.approx(spread(blur.kernel) / 2, rel=0.15)
    unsure = Damage(blur=Estimate(blur, 0.5)).blur_kernel
    assert unsure is not None and torch.equal(unsure, damage.blur_kernel), "half believed, half as wide"
    stronger = damage.with_strengths(Strengths(blur=2.0)).blur_kernel
    assert stronger is not None and spread(stronger) == pytest.approx(2 * spread(blur.kernel), rel=0.15)


@pytest.mark.parametrize(
    "blur",
    [
        Estimate(GaussianBlur(0.0)),
        Estimate(Blur(torch.tensor([[1.0]]))),
        Estimate(GaussianBlur(2.0), probability=0.2),
        Estimate(GaussianBlur(2.0), strength=0.0),
    ],
)
def test_no_blur_is_none(blur: Estimate[Any]) -> None:
    assert Damage(blur=blur).blur_kernel is None and Damage().blur_kernel is None


def spread(kernel: torch.Tensor) -> float:
    """The deviation of a kernel [h, w] about its middle, in pixels."""
    rows, columns = (torch.arange(side) - side // 2 for side in kernel.shape)
    return float((kernel * (rows[:, None] ** 2 + columns**2)).sum()) ** 0.5
