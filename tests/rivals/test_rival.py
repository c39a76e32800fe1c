"""The contract of a rival: called as the restorer is, and as careful with pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import noisy
from PIL import Image
from torch import Tensor

from ldrps import Cancelled
from ldrps.errors import InputError, LdrpsError, PriorError, SettingsError
from ldrps.rivals.chance import begun
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run

FACTS = Facts("brighter", "adds a little", "dark", "nobody")


@dataclass(frozen=True)
class BrighterSettings(RivalSettings):
    steps: int = 3
    by: float = 0.1


class Brighter(Rival):
    settings_type = BrighterSettings
    multiple = 16

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        assert torch.is_grad_enabled()
        assert y.shape[-1] % 16 == y.shape[-2] % 16 == 0
        settings = self.settings
        assert isinstance(settings, BrighterSettings)
        net = begun(lambda: torch.nn.Conv2d(3, 3, 1), generator, y.device)
        x = y + settings.by + 1e-3 * net(y).detach()
        for number in range(1, settings.steps + 1):
            yield RivalStep(number, settings.steps, {"distance": 1 / number}, x)
        return x


def test_a_device_that_is_not_there_is_refused_before_the_work() -> None:
    for device, message in (("abacus", "it must be cpu, cuda"), ("cpu:7", "1 of that kind are here")):
        with pytest.raises(PriorError, match=message):
            Brighter(FACTS, device=device)


def test_a_result_with_all_that_was_done() -> None:
    seen = []
    result = Brighter(FACTS)(noisy(), "a boat", on_step=lambda step: seen.append(step))
    assert [(step.number, step.total, step.t) for step in seen] == [(1, 3, 2), (2, 3, 1), (3, 3, 0)]
    assert seen[0].z0.shape == (1, 3, 48, 48) and (seen[0].window.height, seen[0].window.width) == (48, 48)
    assert result.levels.shape == (40, 48, 3)
    assert abs(result.levels.astype(float).mean() - noisy().mean() - 25.5) < 1
    record = result.record()
    assert record["settings"] == {"seed": 0, "steps": 3, "by": 0.1} and record["method"] == "Brighter"
    assert (record["prior"], record["caption"], record["losses"][1]["distance"]) == ("brighter", "a boat", 0.5)


def test_depth_transparency_and_greyness_are_kept(tmp_path: Path) -> None:
    alpha = np.dstack([noisy(), np.full((40, 48), 77, np.uint8)])
    result = Brighter(FACTS)(Image.fromarray(alpha))
    assert result.levels.shape == (40, 48, 4) and (result.levels[..., 3] == 77).all()
    deep = (noisy(channels=1)[..., 0].astype(np.uint16) * 256) + 3
    Image.fromarray(deep).save(tmp_path / "deep.png")
    result = Brighter(FACTS)(tmp_path / "deep.png")
    assert (result.levels.dtype, result.levels.shape) == (np.uint16, (40, 48, 1))


def test_seeds_and_nothing_else_decide() -> None:
    rival = Brighter(FACTS)
    first = rival(torch.full((3, 40, 40), 0.4)).levels
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    picture = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0))
    again, other = rival(picture).levels, rival.with_seed(5)(picture).levels
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's chance is the caller's"
    assert np.array_equal(again, rival(picture).levels)
    assert not np.array_equal(rival(torch.full((3, 40, 40), 0.4)).levels, other)
    assert np.array_equal(first, rival(torch.full((3, 40, 40), 0.4)).levels)
    assert (rival.settings.seed, rival.with_seed(5).settings.seed) == (0, 5)


def test_it_can_be_stopped() -> None:
    with pytest.raises(Cancelled, match="stopped after step 2 of 3"):
        Brighter(FACTS)(noisy(), on_step=lambda step: step.number < 2)
    steps = Brighter(FACTS).steps(noisy())
    next(steps)
    steps.close()


def test_what_it_refuses(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="is 48 x 31 pixels, smaller than the limit of 32"):
        Brighter(FACTS)(noisy(height=31))
    with pytest.raises(LdrpsError, match="NaN"):
        Brighter(FACTS, BrighterSettings(by=float("nan")))(noisy())
    with pytest.raises(SettingsError, match="seed is -1; it must be 0 to"):
        BrighterSettings(seed=-1)
    Brighter(FACTS)(noisy(), "a boat")
    assert "brighter knows no text" in caplog.text


def test_an_order_goes_before_the_entry_before_the_class() -> None:
    entry = Facts("b", "", "dark", "", changes={"by": 0.2, "steps": 5})
    settings = Brighter.build(entry, RivalOptions(seed=3, steps=2)).settings
    assert settings == BrighterSettings(seed=3, steps=2, by=0.2)
    assert Brighter.build(entry, RivalOptions(changes={"by": 0.3})).settings == BrighterSettings(steps=5, by=0.3)
    with pytest.raises(SettingsError, match="b has no setting 'bye'; there are seed, steps, by"):
        Brighter.build(entry, RivalOptions(changes={"bye": 1}))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_rival_learns_whatever_the_modes_of_its_caller(mode: type[torch.no_grad]) -> None:
    class Learner(Brighter):
        def run(self, y: Tensor, generator: torch.Generator) -> Run:
            net = begun(lambda: torch.nn.Conv2d(3, 3, 1), generator, y.device)
            net(y).mean().backward()
            return (yield from super().run(y, generator))

    expected = Learner(FACTS)(noisy())
    with mode():
        result = Learner(FACTS)(noisy())
        assert not torch.is_grad_enabled()
    assert torch.equal(result.tensor, expected.tensor)
