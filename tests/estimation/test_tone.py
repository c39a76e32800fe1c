from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ldrps.degradation import LocalTone, Tone
from ldrps.estimation.damage import Damage
from ldrps.estimation.tone import TonePool, estimate_tone, estimate_tones, newest, oldest
from ldrps.estimation.tone_posterior import ToneBelief, TonePosterior

GREY = torch.full((1, 3, 24, 32), 0.4)
Curve = tuple[float, float, float, float]  # weight, gain, offset, gamma


def believing(undamaged: float, *hypotheses: Curve) -> Any:
    """A posterior, trained with as many undamaged pictures as others, that says the same about every picture."""

    def answer(images: Tensor, ways: int = 1) -> ToneBelief:
        count = len(images)
        curves = tuple(Tone(*(torch.full((count, 3), value) for value in numbers)) for _, *numbers in hypotheses)
        weights = torch.tensor([[undamaged, *(weight for weight, *_ in hypotheses)]]).repeat(count, 1)
        return ToneBelief(curves, weights, torch.full((count, len(hypotheses)), 0.05))

    answer.config = {"thumbnail": 16, "undamaged": 0.5, "turned": True}  # type: ignore[attr-defined]
    return answer


class Saying(torch.nn.Module):
    """A judge that says the same about every picture, as one of a pool."""

    def __init__(self, undamaged: float, *hypotheses: Curve) -> None:
        super().__init__()
        self.answer = believing(undamaged, *hypotheses)
        self.config = self.answer.config

    def forward(self, images: Tensor, ways: int = 1) -> ToneBelief:
        return self.answer(images)  # type: ignore[no-any-return]


def undone(y: Tensor, posterior: Any, undamaged: float = 0.5) -> Tensor:
    return Damage(estimate_tone(y, posterior, undamaged)).undo_tone(y)


@pytest.mark.parametrize(
    ("undamaged", "share"), [(0.0, 1), (0.2, 1), (0.25, 1), (0.375, 0.75), (0.5, 0.5), (0.75, 0), (0.9, 0)]
)
def test_no_damage_is_a_hypothesis_that_has_to_be_beaten(undamaged: float, share: float) -> None:
    posterior = believing(undamaged, (1 - undamaged + 1e-8, 1, 0.1, 1))
    found = estimate_tone(GREY, posterior, 0.5)
    assert found.probability == pytest.approx(1 - undamaged, abs=1e-6)
    assert found.share == pytest.approx(share, abs=1e-5)
    torch.testing.assert_close(undone(GREY, posterior), GREY - share * 0.1)


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (1, 1)])
def test_a_picture_that_is_a_line_has_parts_too(size: tuple[int, int]) -> None:
    """As of a small copy of a very long picture."""
    line = torch.full((1, 3, *size), 0.4)
    torch.testing.assert_close(undone(line, believing(0.0, (1.0, 1, 0.1, 1))), line - 0.1)


def test_the_prior_probability_counts() -> None:
    posterior = believing(0.5, (0.5, 1, 0.1, 1))
    # Odds of 1 to 1 under even odds before; with 4 to 1 before, 4 to 1 after.
    assert estimate_tone(GREY, posterior, 0.8).probability == pytest.approx(0.2)
    assert estimate_tone(GREY, posterior, 0.2).probability == pytest.approx(0.8)
    posterior.config["undamaged"] = 0.8
    assert estimate_tone(GREY, posterior, 0.8).probability == pytest.approx(0.5)


def test_hypotheses_are_averaged_by_their_weights_without_nothing() -> None:
    posterior = believing(0.2, (0.6, 1, 0.1, 1), (0.2, 1, 0.3, 1))
    torch.testing.assert_close(undone(GREY, posterior), GREY - 0.75 * 0.1 - 0.25 * 0.3, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("gain", "offset", "gamma"), [(0.3, 0.2, 0.5), (0.05, 0.0, 0.45)])
def test_undone_in_full_is_the_clamped_inverse(gain: float, offset: float, gamma: float) -> None:
    clean = torch.linspace(0.1, 0.95, 60).reshape(1, 1, 6, 10).repeat(1, 3, 1, 1)
    damaged = gain * clean**gamma + offset
    tones = Damage(estimate_tone(damaged, believing(0.0, (1.0, gain, offset, gamma)), 0.5))
    torch.testing.assert_close(tones.undo_tone(damaged), clean, atol=2e-3, rtol=0)
    assert float(tones.undo_tone(torch.ones(1, 3, 4, 4)).max()) == pytest.approx(1, abs=1e-6)
    assert float(tones.undo_tone(torch.zeros(1, 3, 4, 4)).min()) == 0


def test_the_picture_and_its_middle_are_asked_about_turned_or_mirrored() -> None:
    seen: list[Tensor] = []

    def answer(images: Tensor, ways: int) -> ToneBelief:
        assert ways == (4 if answer.config["turned"] else 2)  # type: ignore[attr-defined]
        seen.append(images)
        return believing(0.0, (1.0, 1, 0, 1))(images)

    ramp = torch.linspace(0, 1, 80).expand(1, 3, 60, 80)
    answer.config = {"thumbnail": 16, "undamaged": 0.5, "turned": True}  # type: ignore[attr-defined]
    estimate_tone(ramp, answer, 0.5)  # type: ignore[arg-type]
    answer.config["turned"] = False  # type: ignore[attr-defined]
    estimate_tone(ramp, answer, 0.5)  # type: ignore[arg-type]
    parts, mirrored = seen
    assert parts.shape == (8, 3, 32, 32), "twice a thumbnail's sides"
    for quarters in range(1, 4):
        torch.testing.assert_close(parts[2 * quarters :][:2], parts[:2].rot90(quarters, (2, 3)))
    torch.testing.assert_close(mirrored, torch.cat([parts[:2], parts[:2].flip(3)]))
    assert float(parts[0].max() - parts[0].min()) == pytest.approx(0.97, abs=0.02)
    assert float(parts[1].max() - parts[1].min()) == pytest.approx(0.78, abs=0.02), "the middle four fifths of the ramp"
    assert parts[:2].mean((1, 2, 3)).tolist() == [pytest.approx(0.5, abs=0.01)] * 2


def test_what_does_not_depend_on_the_way_round_is_found_out_once_and_is_the_same() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(thumbnail=16, widths=(8, 16), hypotheses=2, uneven=1).eval()
        torch.nn.init.normal_(posterior.answer.weight, std=0.2)
    y = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1)) ** 2
    images = torch.cat([y, y.flip(3), y.rot90(1, (2, 3))])
    with torch.no_grad():
        one_by_one, together = posterior(images), posterior(images, 3)
    torch.testing.assert_close(together.weights, one_by_one.weights)
    assert together.field is not None and one_by_one.field is not None
    for name in ("log_gain", "pivot", "dark", "bright"):
        torch.testing.assert_close(getattr(together.field, name), getattr(one_by_one.field, name))
    assert not torch.allclose(together.weights[0], together.weights[1]), "and of each picture its own"


def test_a_picture_on_its_side_is_judged_as_it_stands() -> None:
    """Of a network that no one trained, which sees every direction in its own way; the field lies as the picture."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(thumbnail=16, widths=(8, 16), hypotheses=2, uneven=1, turned=True).eval()
    torch.nn.init.normal_(posterior.answer.weight, std=0.2, generator=torch.Generator().manual_seed(1))
    picture = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(2)).cumsum(3) / 60
    told = estimate_tones(picture, posterior, 0.3)
    for quarters in (1, 2, 3):
        other = picture.rot90(quarters, (2, 3))
        found = estimate_tones(other, posterior, 0.3)
        assert found.tone is not None and told.tone is not None and found.local is not None and told.local is not None
        assert found.tone.probability == pytest.approx(told.tone.probability, abs=1e-5)
        undone = found.undo_tone(other).rot90(-quarters, (2, 3))
        torch.testing.assert_close(undone, told.undo_tone(picture), atol=1e-4, rtol=0)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (100, 37)])
def test_black_and_white_pictures(value: float, size: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(widths=(8, 16))
        torch.nn.init.normal_(posterior.answer.weight)  # an untrained one has no opinion
    result = undone(torch.full((1, 3, *size), value), posterior)
    assert bool(result.isfinite().all()) and float(result.min()) >= 0 and float(result.max()) <= 1


def test_the_search_leaves_no_graph() -> None:
    assert not estimate_tone(GREY, TonePosterior(widths=(8, 16)), 0.5).value.gain.requires_grad


def test_uneven_hypotheses_share_the_field_and_nothing_has_none() -> None:
    curve = Tone(*(torch.full((1, 3), value) for value in (1.0, 0.1, 1.0)))
    weights, field = torch.tensor([[0.5, 0.25, 0.25]]), LocalTone(torch.full((1, 1, 1), 0.2))
    belief = ToneBelief((curve, curve), weights, torch.tensor([[0.1, 0.1]]), field, 1)
    undone = belief.undone(GREY)
    torch.testing.assert_close(undone[:, 0], GREY)
    torch.testing.assert_close(undone[:, 1], curve.invert(GREY))
    torch.testing.assert_close(undone[:, 2], curve.invert(GREY * torch.exp(torch.tensor(-0.2))))


def test_the_net_tells_a_field_that_is_nothing_on_the_whole() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(thumbnail=16, widths=(8, 16, 16), field_bins=3)
        images = torch.rand(2, 3, 20, 20)
        assert 0 < float(posterior(images).field.log_gain.abs().max()) < 0.01, "untrained there is hardly any"
        for parameter in posterior.places.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    with torch.no_grad():
        told = posterior(images).field
    assert told.log_gain.shape[:2] == (2, 3)
    torch.testing.assert_close(told.log_gain.mean((1, 2, 3)), torch.zeros(2), atol=1e-6, rtol=0)
    assert float(told.log_gain.abs().max()) > 0.01


def test_room_for_uneven_curves_changes_little_and_keeps_what_is_there() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = TonePosterior(widths=(8, 16), uneven=0)
        torch.nn.init.normal_(plain.answer.weight, std=0.3)
    images = torch.rand(3, 3, 40, 40)
    grown = plain.with_uneven(2)
    assert grown.config["uneven"] == 2 and grown.with_uneven(1) is grown
    with torch.no_grad():
        before, after = plain(images), grown(images)
    torch.testing.assert_close(after.weights[:, :4] / after.weights[:, :4].sum(1, keepdim=True), before.weights)
    assert float(after.kinds[:, 2].max()) < 0.1
    for k, curve in enumerate(after.curves):
        torch.testing.assert_close(curve.gain, before.curves[k % 3].gain)
    torch.testing.assert_close(after.scales[:, :3], before.scales)


def test_a_pool_has_the_geometric_mean_of_the_odds() -> None:
    sure, unsure = Saying(0.1, (0.9, 1, 0.1, 1)), Saying(0.5, (0.5, 1, 0.1, 1))
    told = estimate_tone(GREY, TonePool(sure, unsure), 0.5)  # type: ignore[arg-type]
    assert told.probability == pytest.approx(0.75), "odds of 3, between 9 and 1"
    torch.testing.assert_close(Damage(told).undo_tone(GREY), GREY - 0.1, atol=1e-5, rtol=0)


def test_one_judge_that_is_sure_of_nothing_outweighs_one_that_doubts() -> None:
    nothing, perhaps = Saying(0.999, (0.001, 1, 0.1, 1)), Saying(0.2, (0.8, 1, 0.1, 1))
    assert estimate_tone(GREY, TonePool(nothing, perhaps), 0.5).absent  # type: ignore[arg-type]


def test_what_happened_is_told_by_whom_is_sure() -> None:
    sure, unsure = Saying(0.04, (0.96, 1, 0.1, 1)), Saying(0.76, (0.24, 1, 0.2, 1))
    told = estimate_tone(GREY, TonePool(sure, unsure), 0.5)  # type: ignore[arg-type]
    expected = GREY - told.share * (0.8 * 0.1 + 0.2 * 0.2)
    torch.testing.assert_close(Damage(told).undo_tone(GREY), expected, atol=1e-4, rtol=0)


def test_what_is_uneven_is_believed_as_far_as_who_says_so() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        local = TonePosterior(thumbnail=16, widths=(8, 16), hypotheses=1, uneven=1).eval()
    torch.nn.init.constant_(local.answer.bias[-1:], 4.0)  # nearly sure that it is uneven
    alone = estimate_tones(GREY, local, 0.3)
    pooled = estimate_tones(GREY, TonePool(local, Saying(0.04, (0.96, 1, 0.1, 1))), 0.3)  # type: ignore[arg-type]
    assert alone.local is not None and pooled.local is not None and alone.tone is not None
    p = alone.tone.probability
    other = estimate_tone(GREY, Saying(0.04, (0.96, 1, 0.1, 1)), 0.3).probability  # type: ignore[arg-type]
    assert pooled.local.probability == pytest.approx(alone.local.probability * p / (p + other), rel=1e-4)


def test_the_judges_of_a_pool_in_their_order() -> None:
    one, other = (TonePosterior(widths=(8, 16)) for _ in range(2))
    assert newest(TonePool(one, other)) is other is newest(other)
    assert oldest(TonePool(one, other)) is one is oldest(one)
