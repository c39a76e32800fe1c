from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.train import loop
from ldrps.train.loop import Progress, TrainingPlan, train

PLAN = TrainingPlan(steps=12, warmup=4, ema=0.9, checkpoint_seconds=1e9, validate_every=50)


def net() -> nn.Linear:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(5, 3)


def fit(model: nn.Module, random: np.random.Generator) -> Tensor:
    x = torch.from_numpy(random.standard_normal((4, 5), dtype=np.float32))
    return (model(x) - x[:, :3].sin()).pow(2).mean()


def validate(model: nn.Module) -> dict[str, float]:
    assert not model.training and not torch.is_grad_enabled()
    return {"weight": float(model.state_dict()["weight"].sum())}


def counting(act: Callable[[int, Tensor], Tensor]) -> Callable[[nn.Module, np.random.Generator], Tensor]:
    """`fit`, with `act` on the number of the call, from 1, and its loss."""
    calls = iter(range(1, 1000))

    def loss(model: nn.Module, random: np.random.Generator) -> Tensor:
        return act(next(calls), fit(model, random))

    return loss


def raise_at(step: int, number: signal.Signals) -> Callable[[nn.Module, np.random.Generator], Tensor]:
    def act(call: int, loss: Tensor) -> Tensor:
        if call == step:
            signal.raise_signal(number)
        return loss

    return counting(act)


def run(out: Path, loss: Any = fit, plan: TrainingPlan = PLAN, **options: bool) -> tuple[nn.Module, list[Progress]]:
    model = net()
    return model, list(train(model, loss, validate, plan, out, **options))


def checkpoint(out: Path) -> dict[str, Any]:
    return torch.load(out / "checkpoint.pt", weights_only=True)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_resuming_repeats_an_unbroken_run(number: signal.Signals, tmp_path: Path) -> None:
    before = handlers()
    _, reports = run(tmp_path / "broken", raise_at(6, number))
    assert [report.step for report in reports] == [6]
    assert checkpoint(tmp_path / "broken").keys() == {"model", "optimiser", "average", "step"}
    assert checkpoint(tmp_path / "broken")["step"] == 6
    assert handlers() == before

    resumed, reports = run(tmp_path / "broken", resume=True)
    unbroken, _ = run(tmp_path / "whole")
    assert [report.step for report in reports] == [12]
    torch.testing.assert_close(
        checkpoint(tmp_path / "broken"), checkpoint(tmp_path / "whole"), atol=0, rtol=0, equal_nan=True
    )
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), atol=0, rtol=0)


def test_it_ends_with_the_average(tmp_path: Path) -> None:
    model, (report,) = run(tmp_path)
    state = checkpoint(tmp_path)
    torch.testing.assert_close(model.state_dict(), state["average"], atol=0, rtol=0)
    assert not torch.equal(state["average"]["weight"], state["model"]["weight"])
    assert report.validation == {"weight": pytest.approx(float(state["average"]["weight"].sum()))}
    assert not model.training


def test_a_finished_run_resumed_is_finished(tmp_path: Path) -> None:
    model, _ = run(tmp_path)
    again, reports = run(tmp_path, resume=True)
    assert reports == []
    torch.testing.assert_close(again.state_dict(), model.state_dict(), atol=0, rtol=0)


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    first, second = run(tmp_path / "0")[0], run(tmp_path / "1", plan=TrainingPlan(12, seed=1))[0]
    assert not torch.equal(first.state_dict()["weight"], second.state_dict()["weight"])


def test_neither_overwriting_nor_inventing_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"checkpoint\.pt does not exist: nothing to resume; leave out --resume"):
        run(tmp_path / "new", resume=True)
    assert not (tmp_path / "new").exists()
    run(tmp_path)
    with pytest.raises(InputError, match=r"checkpoint\.pt exists: give --resume to go on, or another --out"):
        run(tmp_path)


def test_an_interrupted_save_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saves = iter(range(1, 100))
    save = torch.save

    def interrupted(state: dict[str, Any], file: Any) -> None:
        if next(saves) == 4:
            file.write(b"half of")
            raise KeyboardInterrupt
        save(state, file)

    monkeypatch.setattr(loop.torch, "save", interrupted)
    before = handlers()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, plan=TrainingPlan(12, checkpoint_seconds=-1))
    assert checkpoint(tmp_path)["step"] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "log.jsonl"]
    assert handlers() == before


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_skipped(
    poison: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = TrainingPlan(3, warmup=1, checkpoint_seconds=-1)
    seen = []

    def act(call: int, loss: Tensor) -> Tensor:
        seen.append(checkpoint(tmp_path)["model"] if call > 1 else {})
        return loss * poison if call == 2 else loss

    with caplog.at_level(logging.WARNING):
        model, (report,) = run(tmp_path, counting(act), plan)
    assert caplog.messages == ["step 1 skipped: its gradient is not finite"]
    torch.testing.assert_close(seen[1], seen[2], atol=0, rtol=0)
    assert not torch.equal(seen[2]["weight"], checkpoint(tmp_path)["model"]["weight"])
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    assert 0 < report.loss < 10


def test_handlers_come_back_however_it_ends(tmp_path: Path) -> None:
    before = handlers()
    training = train(net(), fit, validate, TrainingPlan(200), tmp_path / "closed")
    assert next(training).step == 50
    assert handlers() != before
    training.close()
    assert handlers() == before

    def fail(call: int, loss: Tensor) -> Tensor:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        run(tmp_path / "failed", counting(fail))
    assert handlers() == before


def test_the_learning_rate() -> None:
    plan = TrainingPlan(steps=100, learning_rate=2.0, warmup=10, decay=0.25)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[:11] == pytest.approx([0.2 * step for step in range(1, 11)] + [2.0])
    assert rates[9:76] == [2.0] * 67
    assert rates[75:] == pytest.approx([2 * left / 25 for left in range(25, 0, -1)])
    assert TrainingPlan(steps=100, warmup=0, decay=0).rate(0) == TrainingPlan(steps=100).learning_rate
    assert 0 < TrainingPlan(steps=1).rate(0) < TrainingPlan(steps=1).learning_rate


def test_the_rate_reaches_the_optimiser(tmp_path: Path) -> None:
    run(tmp_path)
    assert checkpoint(tmp_path)["optimiser"]["param_groups"][0]["lr"] == PLAN.rate(11)


def test_reports_and_their_log(tmp_path: Path) -> None:
    plan = TrainingPlan(steps=120, validate_every=100)
    _, reports = run(tmp_path, plan=plan)
    assert [report.step for report in reports] == [50, 100, 120]
    assert [report.validation is None for report in reports] == [True, False, False]
    assert reports[-1].loss < reports[0].loss
    first, *records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert first["plan"]["steps"] == 120
    assert [record["step"] for record in records] == [50, 100, 120]
    assert records[-1]["validation"] == reports[-1].validation
