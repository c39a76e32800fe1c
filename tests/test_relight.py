"""Light that a caption asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ldrps
from ldrps import Prior, Restorer, Settings, relight
from ldrps.errors import SettingsError
from ldrps.relight import find_light, relit


def picture() -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
    return torch.stack([0.2 + 0.6 * x, 0.3 + 0.5 * y, 0.5 + 0.3 * torch.sin(9 * x * y)])


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def test_relighting_moves_grey_and_keeps_order_black_and_white() -> None:
    ramp = torch.linspace(0, 1, 101)
    lighter, darker = (relit(ramp.expand(1, 3, 1, -1), change)[0, 0, 0] for change in (0.7, -0.7))
    assert (lighter.diff() > 0).all() and (darker.diff() > 0).all()
    assert lighter[50] > ramp[50] > darker[50]
    assert torch.equal(lighter[[0, -1]], ramp[[0, -1]]) and torch.equal(darker[[0, -1]], ramp[[0, -1]])
    assert torch.equal(relit(ramp.reshape(1, 1, 1, -1), 0.0).flatten(), ramp)
    assert torch.allclose(relit(lighter.reshape(1, 1, 1, -1), -0.7).flatten(), ramp, atol=1e-5)


def test_a_caption_is_weighed_against_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    # "bright" takes away a share of the error that grows with the mean of the picture: the best change has a formula.
    monkeypatch.setattr(relight, "caption_gain", lambda prior, image, caption: 0.06 * float(image.log2().mean()))
    grey = torch.full((1, 3, 8, 8), 0.5)  # to the power 2^-c: gain -0.06 2^-c, score -0.06 2^-c - 0.03 c^2
    changes = torch.linspace(-1.5, 1.5, 3001, dtype=torch.float64)
    best = float(changes[(-0.06 * 2**-changes - 0.03 * changes**2).argmax()])
    assert find_light(None, grey, "bright", 1.0) == pytest.approx(best, abs=0.05)  # type: ignore[arg-type]
    assert find_light(None, grey, "bright", 0.0) == pytest.approx(0, abs=1e-9)  # type: ignore[arg-type]
    assert find_light(None, grey, "bright", 9.0) == 1.5  # type: ignore[arg-type]


def test_the_embedded_prior_knows_bright_from_dark(embedded: Prior) -> None:
    image = picture()[None]
    bright, dark = (find_light(embedded, image, caption, 1.0) for caption in ("bright", "very dark"))
    assert bright > 0.15 > -0.3 > dark


def test_only_who_asks_is_relit(embedded: Prior) -> None:
    plain = Restorer(embedded)(picture(), "very dark")
    asked = Restorer(embedded, Settings(relight=1.0))(picture(), "very dark")
    silent = Restorer(embedded, Settings(relight=1.0))(picture())
    assert plain.findings.relit == 0 and silent.findings.relit == 0
    assert asked.findings.relit < -0.3
    means = [np.asarray(result.image).mean() for result in (plain, asked)]
    assert means[1] < means[0] - 10


def test_its_strength_has_limits(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="relight is 11"):
        Settings(relight=11)
