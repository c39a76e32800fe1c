"""One of several tones."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from degradation.parts import POINTWISE, pictures
from torch import Tensor

from ldrps.degradation import Compose, Tone, UncertainTone, Veil, from_plain
from ldrps.degradation.uncertain import LEVELS
from ldrps.errors import SettingsError


def random_tone(seed: int = 0, count: int = 6) -> UncertainTone:
    """As an estimator answers: each tone may cut black and white."""
    random = np.random.default_rng(seed)

    def drawn(low: float, high: float) -> Tensor:
        return torch.from_numpy(random.uniform(low, high, (count, 3))).float()

    weights = torch.from_numpy(random.uniform(0.01, 1, count)).float()
    return UncertainTone(drawn(0.1, 1.5), drawn(-0.2, 0.4), drawn(0.5, 2), weights)


def one(gain: float = 1.0, offset: float = 0.0, gamma: float = 1.0) -> UncertainTone:
    return UncertainTone(*(torch.full((1, 3), each) for each in (gain, offset, gamma)), torch.ones(1))


def test_it_is_undone_by_the_mean_of_what_undoes_each() -> None:
    part, y = random_tone(), pictures((9, 11), np.random.default_rng(1), low=0, high=1).float()
    weights = part.weights / part.weights.sum()
    each = [Tone(part.gain[k : k + 1], part.offset[k : k + 1], part.gamma[k : k + 1]) for k in range(6)]
    wanted = sum(weights[k] * tone.invert(y).clamp(0, 1) for k, tone in enumerate(each))
    torch.testing.assert_close(part.invert(y), wanted, rtol=0, atol=1e-3)  # between two levels a line is taken
    levels = torch.linspace(0, 1, LEVELS).expand(1, 3, 1, -1)
    wanted = sum(weights[k] * tone.invert(levels).clamp(0, 1) for k, tone in enumerate(each))
    torch.testing.assert_close(part.invert(levels), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_written_out_and_read_again_it_undoes_the_same_to_the_bit(dtype: torch.dtype, strength: float) -> None:
    part = random_tone()
    part = UncertainTone(*(each.to(dtype) for each in (part.gain, part.offset, part.gamma, part.weights)))
    again = from_plain(json.loads(json.dumps(part.plain())))
    assert isinstance(again, UncertainTone)
    y = pictures((9, 11), np.random.default_rng(1)).float()
    for once, twice in ((part, again), (part.scaled(strength), again.scaled(strength))):
        assert torch.equal(once.invert(y), twice.invert(y)) and torch.equal(once(y), twice(y))
        assert once.words() == twice.words()
    chain = from_plain(json.loads(json.dumps(Compose((part,)).plain())))
    assert isinstance(chain, Compose) and torch.equal(chain.invert(y), part.invert(y))


def test_its_table_can_be_made_where_nothing_is_learned_and_used_where_something_is() -> None:
    with torch.inference_mode():
        part = random_tone()
        part.invert(pictures((4, 5), np.random.default_rng(0)).float())
    y = pictures((4, 5), np.random.default_rng(0)).float().requires_grad_()
    part.invert(y).sum().backward()
    assert y.grad is not None and bool(y.grad.isfinite().all()) and float(y.grad.abs().max()) > 0


def test_black_and_white_become_the_values_next_to_which_others_are() -> None:
    veiled = one(0.6, 0.25)
    x = torch.tensor([-0.2, 0.0, 1e-4, 0.5, 1 - 1e-4, 1.0, 1.3]).reshape(1, 1, 1, -1).expand(1, 3, 1, -1)
    wanted = torch.tensor([0.25, 0.25, 0.25, 0.55, 0.85, 0.85, 0.85]).expand(1, 3, 1, -1)
    torch.testing.assert_close(veiled(x), wanted, rtol=0, atol=1.5 / LEVELS)
    assert bool((veiled(x).diff() >= 0).all())
    brighter = one(1.6)  # white is undone to grey, and nothing to white
    torch.testing.assert_close(brighter(x)[..., -3:], torch.ones(1, 3, 1, 3))


def test_a_value_that_all_of_a_range_is_undone_to() -> None:
    """Below the one tone's black and above the other's white, the mean is even."""
    part = UncertainTone(torch.tensor([[0.2], [0.2]]).expand(2, 3), torch.tensor([[0.0], [0.6]]).expand(2, 3),
                         torch.ones(2, 3), torch.ones(2))  # fmt: skip
    x = torch.full((1, 3, 2, 2), 0.5)
    torch.testing.assert_close(part.invert(x), x)
    torch.testing.assert_close(part(x), torch.full_like(x, 0.2), rtol=0, atol=2 / LEVELS)
    assert bool(part.slope(part.invert(x)).isfinite().all())
    assert bool(part.data_step(x, x, 0.1, 0.1).isfinite().all())


@pytest.mark.parametrize("seed", range(5))
def test_scaled_is_each_tone_scaled(seed: int) -> None:
    part = random_tone(seed)
    half = part.scaled(0.5)
    assert isinstance(half, UncertainTone)
    for k in range(len(part.weights)):
        wanted = Tone(part.gain[k : k + 1], part.offset[k : k + 1], part.gamma[k : k + 1]).scaled(0.5)
        assert isinstance(wanted, Tone) and isinstance(wanted.gain, Tensor) and isinstance(wanted.gamma, Tensor)
        torch.testing.assert_close(half.gain[k], wanted.gain[0])
        torch.testing.assert_close(half.gamma[k], wanted.gamma[0])
    assert torch.equal(half.weights, part.weights)


def test_of_many_draws_each_tone_is_as_many_as_it_is_likely() -> None:
    part = UncertainTone(torch.tensor([[0.2], [0.5], [0.9]]).expand(3, 3), torch.zeros(3, 3), torch.ones(3, 3),
                         torch.tensor([1.0, 6.0, 3.0]))  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    drawn = [part.drawn(generator) for _ in range(1000)]
    assert all(each.gain.shape == (1, 3) and each.weights.tolist() == [1] for each in drawn)
    shares = [sum(each.gain[0, 0] == gain for each in drawn) / 1000 for gain in part.gain[:, 0]]
    np.testing.assert_allclose(shares, [0.1, 0.6, 0.3], atol=0.05)
    again = part.drawn(torch.Generator().manual_seed(0))
    assert torch.equal(again.gain, drawn[0].gain)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (one(), "tones as they were"),
        (one(0.98), "tones a little off"),
        (one(0.25), "1.4 stops too dark"),
        (one(0.88, 0.12), "a veil of 14%"),
        (one(0.2, 0.6), "a veil of 60%"),
    ],
)
def test_what_was_done_in_words(part: UncertainTone, said: str) -> None:
    assert part.words() == said


def test_it_is_like_a_veil_in_a_chain() -> None:
    x = pictures((8, 9), np.random.default_rng(0))
    torch.testing.assert_close(one(0.7, 0.3)(x), Veil(0.7, 1.0)(x), rtol=0, atol=1.5 / LEVELS)
    chain = Compose((Veil(0.8), POINTWISE["uncertain tone"]((8, 9), np.random.default_rng(0))))
    torch.testing.assert_close(chain.invert(chain(x)), x, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gain": torch.ones(2, 4)}, r"gain of shape \[2, 4\], of 2 tones: give \[2, 3\]"),
        ({"offset": torch.zeros(3)}, r"offset of shape \[3\]"),
        ({"weights": torch.ones(2, 1)}, r"weights of shape \[2, 1\], of 2 tones: give \[2\]"),
        ({"weights": torch.ones(0)}, r"weights of shape \[0\]"),
        ({"weights": torch.tensor([1.0, 0.0])}, "weights of an uncertain tone is 0; give .* above 0"),
        ({"gamma": torch.full((2, 3), -1.0)}, "gamma of an uncertain tone .* above 0"),
        ({"offset": torch.full((2, 3), float("nan"))}, "offset of an uncertain tone .* finite numbers$"),
    ],
)
def test_parameters_that_do_not_fit(changed: dict[str, Tensor], message: str) -> None:
    good = {"gain": torch.ones(2, 3), "offset": torch.zeros(2, 3), "gamma": torch.ones(2, 3), "weights": torch.ones(2)}
    with pytest.raises(SettingsError, match=message):
        UncertainTone(**good | changed)
