"""Numbers of a damage that are refused, and what those do that are not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from ldrps import Damage, Estimate
from ldrps.degradation import Blur, GaussianBlur
from ldrps.degradation.kernels import disk, line
from ldrps.errors import SettingsError
from ldrps.estimation.limits import widened

UNCERTAIN = {"kind": "uncertain tone", "gain": [[1] * 3], "offset": [[0] * 3], "gamma": [[1] * 3], "weights": [1]}
EXTREMES: list[dict[str, Any]] = [
    *(
        {"kind": "tone", "gain": gain, "offset": offset, "gamma": gamma, "domain": domain}
        for gain, offset, gamma, domain in itertools.product(
            (1e-4, 1e4), (-10, 10), (None, 0.01, 100), ("srgb", "linear")
        )
    ),
    *({"kind": "exposure", "stops": stops} for stops in (-14, 14)),
    *({"kind": "white balance", "gains": gains} for gains in ([1e-4, 1, 1e4], [1e4, 1e-4, 1])),
    *({"kind": "veil", "transmission": 1e-3, "airlight": light, "domain": "linear"} for light in (0, 10)),
    *({"kind": "streaks", "opacity": [opacity]} for opacity in (0, 0.999)),
    *({"kind": "local light", "log_gain": [gain]} for gain in (-10, 10)),
    *({"kind": "curve", "values": values} for values in ([[-10, 10]] * 3, [[9.999, 10]], [[-10, 9, 10]])),
    *(
        UNCERTAIN
        | {"gain": [[gain] * 3] * 2, "offset": [[0.1] * 3] * 2, "gamma": [[gamma] * 3] * 2, "weights": weights}
        for gain, gamma, weights in itertools.product((1e-4, 1e4), (0.01, 100), ([1e-30, 1e30], [1e30, 1e30]))
    ),
]


@pytest.mark.parametrize("strength", [1e-9, 0.5, 1, 4])
@pytest.mark.parametrize("tone", EXTREMES, ids=str)
def test_within_limits_all_can_be_undone_at_every_strength(tone: dict[str, Any], strength: float) -> None:
    damage = Damage.from_plain({"tone": {"value": tone, "strength": strength}})
    undone = damage.undo_tone(torch.linspace(0, 1, 33).expand(1, 3, 2, 33))
    assert bool(((undone >= 0) & (undone <= 1)).all()), "and none of it is NaN"
    assert bool((undone.diff() >= -1e-6).all()), "a lighter value stays lighter"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"kind": "tone", "gain": 0}, "gain of 'tone' is 0; it must be 0.0001 to 10000"),
        ({"kind": "tone", "gain": [[1, -1, 1]]}, "gain of 'tone' is -1"),
        ({"kind": "tone", "gain": 1e300}, r"gain of 'tone' is 1e\+300"),
        ({"kind": "tone", "gain": []}, "gain of 'tone' is an empty list"),
        ({"kind": "tone", "gamma": 0}, "gamma of 'tone' is 0; it must be 0.01 to 100"),
        ({"kind": "tone", "offset": -1e30}, "offset of 'tone' is -1e"),
        ({"kind": "exposure", "stops": -1e9}, r"stops of 'exposure' is -1e\+09; it must be -14 to 14"),
        ({"kind": "veil", "transmission": -0.5}, "transmission of 'veil' is -0.5; it must be 0.001 to 1"),
        ({"kind": "veil", "airlight": -5}, "airlight of 'veil' is -5; it must be 0 to 10"),
        ({"kind": "streaks", "opacity": [5.0]}, "opacity of 'streaks' is 5; it must be 0 to 0.999"),
        ({"kind": "white balance", "gains": []}, "gains of 'white balance' is an empty list"),
        ({"kind": "local light", "log_gain": [1e4]}, "log_gain of 'local light' is 10000; it must be -10 to 10"),
        ({"kind": "curve", "values": [[0, 1e300]]}, "values of 'curve' is 1e"),
        (UNCERTAIN | {"gain": [[1e300] * 3]}, r"gain of an uncertain tone is 1e\+300; give finite numbers above 0"),
        (UNCERTAIN | {"weights": [1e-300]}, "weights of an uncertain tone is 1e-300; give finite numbers above 0"),
        (UNCERTAIN | {"weights": [1e38]}, r"weights of 'uncertain tone' is 1e\+38"),
        (UNCERTAIN | {"weights": [1] * 5000}, "weights of 5,000 tones; give 4,096 at most"),
        (UNCERTAIN | {"weights": []}, "of 0 tones"),
    ],
)
def test_beyond_them_the_number_is_told(part: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Damage.from_plain({"tone": part})


@pytest.mark.parametrize("depth", [50, 400, 5000])
def test_parts_in_parts_are_refused_however_deep(depth: int) -> None:
    tone: dict[str, Any] = {"kind": "compose"}
    for _ in range(depth):
        tone = {"kind": "compose", "parts": [tone]}
    with pytest.raises(SettingsError, match=r"compose") as refused:
        Damage.from_plain({"tone": tone})
    assert len(str(refused.value)) < 300


def test_one_curve_is_for_all_channels() -> None:
    one, three = (
        Damage.from_plain({"tone": {"value": {"kind": "curve", "values": [[0, 0.2, 0.6]] * count}, "strength": 0.5}})
        for count in (1, 3)
    )
    y = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    assert bool((one.undo_tone(y) == three.undo_tone(y)).all()) and not bool((one.undo_tone(y) == y).any())


@pytest.mark.parametrize("blur", [GaussianBlur(0.0), GaussianBlur(3.3), Blur(disk(30)), Blur(line(400, 20))], ids=str)
@pytest.mark.parametrize("factor", [0.5, 1, 8])
def test_a_blur_is_widened_as_far_as_it_can_be_undone(blur: GaussianBlur | Blur, factor: float) -> None:
    wider = widened(blur, factor)
    assert Damage(blur=Estimate(wider)).in_larger(8).blur is not None, "no limit is exceeded"
    if isinstance(blur, GaussianBlur):
        assert isinstance(wider, GaussianBlur) and float(wider.sigma) == pytest.approx(min(factor * blur.sigma, 10))
    else:
        reach = min(factor * (max(blur.kernel.shape) // 2), 64)
        assert abs(max(wider.kernel.shape) // 2 - reach) <= 1


def test_a_blur_that_can_be_undone_stays_as_it_is() -> None:
    kernel = line(9, 30)
    assert torch.equal(widened(Blur(kernel), 1).kernel, kernel)
