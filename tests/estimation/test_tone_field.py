from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.estimation.tone_posterior import ToneBelief, ToneField, TonePosterior


def ramp(height: int = 40, width: int = 60) -> Tensor:
    return torch.linspace(0.2, 0.8, width).expand(1, 3, height, width).contiguous()


def field(pivot: float, rows: list[list[list[float]]]) -> ToneField:
    return ToneField(torch.tensor([[pivot]]), torch.tensor([rows]))


def test_a_field_of_zeros_changes_nothing() -> None:
    torch.testing.assert_close(field(0.3, [[[0.0]], [[0.0]]]).remove(ramp()), ramp())


@pytest.mark.parametrize("pivot", [0.0, 0.7, 1.0])
def test_light_that_falls_off_is_evened(pivot: float) -> None:
    falling = field(pivot, [[[0.3, -0.3]]])
    sides = torch.nn.functional.interpolate(falling.log_gain, (40, 60), mode="bilinear", align_corners=False)
    damaged = pivot + (ramp() - pivot) * sides.exp()
    torch.testing.assert_close(falling.remove(damaged), ramp(), atol=1e-5, rtol=0)


def test_bins_are_of_brightness() -> None:
    """Only what is bright for the picture is veiled: the pivot is white, and only the bright bin moves."""
    only_bright = field(1.0, [[[0.0]], [[-0.5]]]).remove(ramp())
    change = (only_bright - ramp())[0, 0, 0]
    assert float(change[:5].abs().max()) < 0.03
    assert float(change[40:].abs().max()) > 0.1
    assert bool((change <= 1e-6).all()), "a veil removed is darker"


def test_it_stays_in_range() -> None:
    strong = field(0.5, [[[-1.5, 1.5]]]).remove(torch.rand(1, 3, 16, 16))
    assert float(strong.min()) >= 0 and float(strong.max()) <= 1


def test_hypotheses_share_the_field_and_nothing_has_none() -> None:
    curve = Tone(*(torch.full((1, 3), value) for value in (1.0, 0.1, 1.0)))
    belief = ToneBelief((curve,), torch.tensor([[0.5, 0.5]]), torch.tensor([[0.1]]), field(0.0, [[[0.2]]]))
    undone = belief.undone(ramp())
    torch.testing.assert_close(undone[:, 0], ramp())
    torch.testing.assert_close(undone[:, 1], curve.invert(ramp() * torch.exp(torch.tensor(-0.2))))


def test_the_net_tells_a_field_that_is_nothing_on_the_whole() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(thumbnail=16, widths=(8, 16, 16), field_bins=3)
        images = torch.rand(2, 3, 20, 20)
        assert not posterior(images).field.log_gain.any(), "untrained there is none"
        for parameter in posterior.places.parameters():
            torch.nn.init.normal_(parameter)
    with torch.no_grad():
        told = posterior(images).field
    assert told.log_gain.shape[:2] == (2, 3)
    torch.testing.assert_close(told.log_gain.mean((1, 2, 3)), torch.zeros(2), atol=1e-6, rtol=0)
    assert float(told.log_gain.abs().max()) > 0.1
