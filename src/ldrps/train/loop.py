"""One training loop for all parts of a prior: resumable to the bit, safe to stop at any moment."""

from __future__ import annotations

import json
import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.image.files import replace_file

logger = logging.getLogger(__name__)

Loss = Callable[[nn.Module, np.random.Generator], Tensor]
Validate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class TrainingPlan:
    """How long, how fast. The learning rate warms up, stays, and decays linearly over the last `decay` of the steps,
    so that a run can be prolonged by giving more steps and resuming from a checkpoint of its flat part.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.25
    ema: float = 0.999
    weight_decay: float = 1e-4
    seed: int = 0
    checkpoint_seconds: float = 120.0
    validate_every: int = 500

    def rate(self, step: int) -> float:
        """The learning rate of a step, 0 <= step < steps."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fall = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * min(rise, fall)


@dataclass(frozen=True)
class Progress:
    """What the loop reports while it runs."""

    step: int
    loss: float
    seconds: float
    validation: dict[str, float] | None = None


def train(
    model: nn.Module, loss: Loss, validate: Validate, plan: TrainingPlan, out: Path, *, resume: bool = False
) -> Iterator[Progress]:
    """Train `model` in place, yielding every 50 steps and at the end; on return it holds the averaged (EMA) weights.

    The randomness of a step is a function of (seed, step) alone, so a resumed run repeats an unbroken one exactly.
    `out/checkpoint.pt` is replaced atomically; `out/log.jsonl` grows by a line per report. SIGTERM and SIGINT write
    a checkpoint and end the run after the current step: its last report is then of a step before `plan.steps`.

    Raises:
        InputError: `resume` without a checkpoint, or a checkpoint in `out` without `resume`.
    """
    checkpoint = out / "checkpoint.pt"
    if resume and not checkpoint.exists():
        raise InputError(f"{checkpoint} does not exist: nothing to resume; leave out --resume")
    if not resume and checkpoint.exists():
        raise InputError(f"{checkpoint} exists: give --resume to go on, or another --out")
    out.mkdir(parents=True, exist_ok=True)

    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    average = {name: p.detach().clone() for name, p in model.state_dict().items()}
    start = 0
    if resume:
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average, start = state["average"], state["step"]

    def save(step: int) -> None:
        state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step}
        replace_file(checkpoint, lambda file: torch.save(state, file))

    def validated() -> dict[str, float]:
        trained = {name: p.clone() for name, p in model.state_dict().items()}
        model.load_state_dict(average)
        with torch.no_grad():
            figures = validate(model.eval())
        model.load_state_dict(trained)
        model.train()
        return figures

    if start == 0:
        _log(out, {"plan": asdict(plan)})
    model.train()
    began = saved = time.monotonic()
    running = math.nan
    with _stop_on_signal() as stop:
        for step in range(start, plan.steps):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate(step)
            value = loss(model, np.random.default_rng([plan.seed, step]))
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if math.isfinite(float(norm)):  # one unlucky batch must not end a night's training
                optimiser.step()
            else:
                logger.warning("step %d skipped: its gradient is not finite", step)
            # A short average at first, else the random initial weights linger in it.
            ema = min(plan.ema, (step + 1) / (step + 10))
            with torch.no_grad():
                for name, p in model.state_dict().items():
                    average[name].lerp_(p, 1 - ema)
            current = float(value.detach())
            if math.isfinite(current):
                running = current if math.isnan(running) else 0.98 * running + 0.02 * current

            done = step + 1
            last = done == plan.steps or stop.requested
            if last or time.monotonic() - saved > plan.checkpoint_seconds:
                save(done)
                saved = time.monotonic()
            if last or done % 50 == 0:
                figures = validated() if last or done % plan.validate_every == 0 else None
                progress = Progress(done, running, time.monotonic() - began, figures)
                _log(out, asdict(progress))
                yield progress
            if last:
                break
    model.load_state_dict(average)
    model.eval()


class _Stop:
    requested = False


@contextmanager
def _stop_on_signal() -> Iterator[_Stop]:
    stop = _Stop()

    def request(*_: Any) -> None:
        stop.requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(out: Path, record: dict[str, Any]) -> None:
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
