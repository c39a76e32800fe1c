from __future__ import annotations

import json
import logging
import math
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.train import loop
from ldrps.train.loop import TrainingPlan, TrainingProgress, train

PLAN = TrainingPlan(steps=12, warmup=4, ema=0.9, checkpoint_seconds=1e9, validate_every=50)


def net() -> nn.Linear:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(5, 3)


@pytest.fixture(autouse=True)
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """To save time, most of which drawing them takes."""
    monkeypatch.setattr(loop, "write_curves", lambda *_: None)


class Sines:
    """A task, with `act` on the number of each call, from 1, and its loss."""

    def __init__(self, act: Callable[[int, Tensor], Tensor] = lambda call, loss: loss) -> None:
        self.act, self.calls = act, 0

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert model.training and torch.is_grad_enabled()
        x = torch.from_numpy(random.standard_normal((4, 5), dtype=np.float32))
        self.calls += 1
        return self.act(self.calls, (model(x) - x[:, :3].sin()).pow(2).mean())

    def validate(self, model: nn.Module) -> dict[str, float]:
        assert not model.training and not torch.is_grad_enabled()
        return {"weight": float(model.state_dict()["weight"].sum())}

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        assert not model.training and not torch.is_grad_enabled()
        return {"weight": Image.fromarray((99 * model.state_dict()["weight"] + 99).clamp(0, 255).byte().numpy())}


def raise_at(step: int, number: signal.Signals) -> Sines:
    def act(call: int, loss: Tensor) -> Tensor:
        if call == step:
            signal.raise_signal(number)
        return loss

    return Sines(act)


def run(
    out: Path, task: Sines | None = None, plan: TrainingPlan = PLAN, **options: bool
) -> tuple[nn.Module, list[TrainingProgress]]:
    model = net()
    return model, list(train(model, task or Sines(), plan, out, **options))


def checkpoint(out: Path) -> dict[str, Any]:
    return torch.load(out / "checkpoint.pt", weights_only=True)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_resuming_repeats_an_unbroken_run(number: signal.Signals, tmp_path: Path) -> None:
    before = handlers()
    _, reports = run(tmp_path / "broken", raise_at(6, number))
    assert [report.step for report in reports] == [6]
    assert checkpoint(tmp_path / "broken").keys() == {"model", "optimiser", "average", "step", "seed", "loss", "norm"}
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


def test_a_run_is_not_resumed_with_another_seed(tmp_path: Path) -> None:
    run(tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(InputError, match=r"checkpoint\.pt is of a run with seed 0, not 7: give that seed"):
        run(tmp_path, plan=replace(PLAN, seed=7, steps=20), resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"x" * 99, {"seed": 0}, [1]])
def test_a_broken_checkpoint_is_refused(tmp_path: Path, content: object) -> None:
    if isinstance(content, bytes):
        (tmp_path / "checkpoint.pt").write_bytes(content)
    else:
        torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt cannot be read as a checkpoint \(\w+\): leave out --resume"):
        run(tmp_path, resume=True)


def test_a_pipe_is_no_checkpoint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt is no regular file: leave out --resume"):
        run(tmp_path, resume=True)


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


@pytest.mark.parametrize(
    ("poison", "told"),
    [(float("nan"), "nan"), (float("inf"), r"(nan|inf)"), (1e4, r"\d[\d.e+]+"), (-1e4, r"\d[\d.e+]+")],
)
def test_a_gradient_that_is_not_finite_or_far_larger_than_usual_is_refused(
    poison: float, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = TrainingPlan(3, warmup=1, checkpoint_seconds=-1)
    seen = []

    def act(call: int, loss: Tensor) -> Tensor:
        seen.append(checkpoint(tmp_path)["model"] if call > 1 else {})
        return loss * poison if call == 2 else loss

    with caplog.at_level(logging.WARNING):
        model, (report,) = run(tmp_path, Sines(act), plan)
    (message,) = caplog.messages
    assert re.fullmatch(rf"step 1 refused: the norm of its gradient is {told}, the most is [\d.e+]+", message), message
    torch.testing.assert_close(seen[1], seen[2], atol=0, rtol=0)
    assert not torch.equal(seen[2]["weight"], checkpoint(tmp_path)["model"]["weight"])
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    assert 0 < report.loss < 10


def test_large_gradients_that_last_are_followed_and_the_first_steps_take_any(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A spike is one that ends."""
    times = dict.fromkeys(range(30, 1000), 10000.0) | {2: 1e4}
    with caplog.at_level(logging.WARNING):
        run(tmp_path, Sines(lambda call, loss: times.get(call, 1.0) * loss), TrainingPlan(400, warmup=4))
    refused = [int(message.split()[1]) for message in caplog.messages]
    assert refused[0] == 29 and 60 < refused[-1] < 300, "from the thirtieth on, and no longer at the end"


def test_a_training_that_learns_nothing_any_more_ends(tmp_path: Path) -> None:
    task = Sines(lambda call, loss: loss * (float("nan") if call > 7 else 1))
    with pytest.raises(InputError, match=r"^100 steps in a row were refused, up to step 106: learn at a lower rate"):
        run(tmp_path, task, TrainingPlan(400, warmup=4))


def test_what_is_usual_is_in_the_checkpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Or a run that is resumed at a spike would take it."""
    plan = TrainingPlan(3, warmup=1)
    run(tmp_path, Sines(), plan)
    with caplog.at_level(logging.WARNING):
        list(train(net(), Sines(lambda call, loss: loss * 1e4), replace(plan, steps=4), tmp_path, resume=True))
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith("step 3 refused")


def test_handlers_come_back_however_it_ends(tmp_path: Path) -> None:
    before = handlers()
    training = train(net(), Sines(), TrainingPlan(200), tmp_path / "closed")
    assert next(training).step == 50
    assert handlers() != before
    training.close()
    assert handlers() == before

    def fail(call: int, loss: Tensor) -> Tensor:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        run(tmp_path / "failed", Sines(fail))
    assert handlers() == before


def test_the_learning_rate() -> None:
    plan = TrainingPlan(steps=100, learning_rate=2.0, warmup=10, decay=0.25)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[:11] == pytest.approx([0.2 * step for step in range(1, 11)] + [2.0])
    assert rates[9:76] == [2.0] * 67
    assert rates[75:] == pytest.approx([1 + math.cos(math.pi * fallen / 25) for fallen in range(25)])
    assert rates[75:] == sorted(rates[75:], reverse=True) and 0 < rates[-1] < 0.01
    assert TrainingPlan(steps=100, warmup=0, decay=0).rate(0) == TrainingPlan(steps=100).learning_rate
    assert 0 < TrainingPlan(steps=1).rate(0) < TrainingPlan(steps=1).learning_rate


@settings(deadline=None)
@given(steps=st.integers(1, 600), warmup=st.integers(0, 100), decay=st.floats(0, 1), more=st.integers(0, 600))
def test_any_learning_rate(steps: int, warmup: int, decay: float, more: int) -> None:
    plan, longer = (TrainingPlan(count, warmup=warmup, decay=decay) for count in (steps, steps + more))
    rates = np.array([plan.rate(step) for step in range(steps)])
    assert rates.min() > 0 and rates.max() <= plan.learning_rate
    risen = min(warmup, steps)
    flat = max(0, math.floor((1 - decay) * steps - 1e-6))  # steps before the fall
    assert (np.diff(rates[: min(risen, flat)]) > 0).all()
    assert (rates[risen:flat] == plan.learning_rate).all()
    assert (np.diff(rates[max(risen, flat + 1) :]) < 0).all()
    assert [longer.rate(step) for step in range(flat)] == rates[:flat].tolist(), "a longer run begins the same"


def test_a_run_may_be_prolonged_from_its_flat_part(tmp_path: Path) -> None:
    """Stopped before it falls, and then resumed with more steps, it is what the longer run would have been."""
    short, long = (TrainingPlan(steps, warmup=2, decay=0.5, ema=0.9) for steps in (12, 24))
    run(tmp_path / "prolonged", raise_at(6, signal.SIGTERM), short)
    prolonged, _ = run(tmp_path / "prolonged", plan=long, resume=True)
    whole, _ = run(tmp_path / "whole", plan=long)
    torch.testing.assert_close(prolonged.state_dict(), whole.state_dict(), atol=0, rtol=0)


@pytest.mark.parametrize("name", ["steps", "accumulate", "validate_every"])
def test_a_plan_of_nothing(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is 0; it must be at least 1"):
        replace(PLAN, **{name: 0})


def test_batches_are_accumulated_to_their_mean(tmp_path: Path) -> None:
    plan = TrainingPlan(1, warmup=1, accumulate=2, ema=0.0)
    _, (report,) = run(tmp_path, plan=plan)

    by_hand, random, task = net(), np.random.default_rng([0, 0]), Sines()
    mean = (task.loss(by_hand, random) + task.loss(by_hand, random)) / 2
    optimiser = torch.optim.AdamW(by_hand.parameters(), lr=plan.rate(0), weight_decay=plan.weight_decay)
    mean.backward()
    nn.utils.clip_grad_norm_(by_hand.parameters(), 1.0)
    gradient = by_hand.weight.grad.clone()
    optimiser.step()
    assert report.loss == pytest.approx(float(mean.detach()))
    state = checkpoint(tmp_path)
    torch.testing.assert_close(state["optimiser"]["state"][0]["exp_avg"], 0.1 * gradient)
    torch.testing.assert_close(state["model"], dict(by_hand.state_dict()))


def test_bfloat16_is_for_arithmetic_alone(tmp_path: Path) -> None:
    kinds = set()

    class Noting(Sines):
        def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
            kinds.add(model(torch.zeros(1, 5)).dtype)
            return super().loss(model, random)

    coarse, _ = run(tmp_path / "bfloat16", Noting(), replace(PLAN, bfloat16=True))
    exact, _ = run(tmp_path / "float32")
    assert kinds == {torch.bfloat16}
    state = checkpoint(tmp_path / "bfloat16")
    assert {p.dtype for part in ("model", "average") for p in state[part].values()} == {torch.float32}
    torch.testing.assert_close(coarse.state_dict(), exact.state_dict(), atol=5e-3, rtol=0)
    assert not torch.equal(coarse.state_dict()["weight"], exact.state_dict()["weight"])


def test_a_compiled_model_learns_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda model, *, dynamic: dynamic or compiled.append(model))
    model, _ = run(tmp_path / "compiled", plan=replace(PLAN, compile=True))
    assert compiled == [model]
    assert checkpoint(tmp_path / "compiled")["model"].keys() == net().state_dict().keys()


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
    assert records[0]["left"] >= 0 and records[-1]["left"] == 0
    assert [record["left"] for record in records] == [report.left for report in reports]


def test_what_is_left_is_estimated_from_the_steps_of_this_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, raise_at(20, signal.SIGTERM), TrainingPlan(200, validate_every=1000))
    clock = 0.0

    def tick(call: int, loss: Tensor) -> Tensor:
        nonlocal clock
        clock += 2.0
        return loss

    monkeypatch.setattr(loop.time, "monotonic", lambda: clock)
    plan = TrainingPlan(200, validate_every=1000, checkpoint_seconds=1e9)
    _, reports = run(tmp_path, Sines(tick), plan, resume=True)
    assert [(report.step, report.seconds, report.left) for report in reports] == [
        (50, 60.0, 300.0), (100, 160.0, 200.0), (150, 260.0, 100.0), (200, 360.0, 0.0)
    ]  # fmt: skip
