"""One training loop for all parts of a prior: resumable to the bit, safe to stop at any moment."""

from __future__ import annotations

import json
import logging
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.image.files import replace_file
from ldrps.train.pictures import write_curves, write_pictures

logger = logging.getLogger(__name__)

VALIDATION_SEED = 12345  # of what every task validates on
_REPORT_EVERY = 50
_SPIKE = 50.0  # times the usual norm of a gradient: such a step is refused, as a few of them lose all that was learned
_REFUSED = 100  # steps in a row, after which nothing is learned any more
_KEPT = 0.98  # of a running mean, at every step


class TrainingTask(Protocol):
    """What is learned."""

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        """On a batch that `random` chooses."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """How good the model is on what it is not trained on; called without gradient."""

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """What the model makes, to be looked at, by name; called without gradient."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long, how fast, on what.

    The learning rate warms up, stays, and falls as a cosine over the last `decay` of the steps (all of them: 1), so
    that a run can be prolonged by giving more steps and resuming from a checkpoint of its flat part.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.35
    ema: float = 0.999
    weight_decay: float = 1e-4
    gradient_norm: float = 1.0  # that gradients are cut to
    accumulate: int = 1  # batches to a step
    seed: int = 0
    checkpoint_seconds: float = 120.0
    validate_every: int = 500
    device: str = "cpu"
    bfloat16: bool = False  # for the network's arithmetic; weights and their averages stay float32
    compile: bool = False

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "validate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")

    def rate(self, step: int) -> float:
        """The learning rate of a step, 0 <= step < steps."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fallen = max(0.0, 1 - (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * rise * (1 + math.cos(math.pi * fallen)) / 2


@dataclass(frozen=True)
class TrainingProgress:
    """What the loop reports while it runs; `left` are the seconds that the rest will take."""

    step: int
    loss: float
    seconds: float
    left: float
    validation: dict[str, float] | None = None


def train(
    model: nn.Module, task: TrainingTask, plan: TrainingPlan, out: Path, *, resume: bool = False
) -> Iterator[TrainingProgress]:
    """Train `model` in place, yielding every 50 steps and at the end; on return it holds the averaged (EMA) weights.

    The randomness of a step is a function of (seed, step) alone, so a resumed run repeats an unbroken one exactly.
    `out/checkpoint.pt` is replaced atomically; `out/log.jsonl` grows by a line per report; every validation leaves
    `out/curve.png` and the pictures of the task. SIGTERM and SIGINT write a checkpoint and end the run after the
    current step: its last report is then of a step before `plan.steps`. A step whose gradient is not finite or, once
    the learning rate has warmed up, many times as large as usual, is refused and leaves the weights as they were.

    Raises:
        InputError: `resume` without a checkpoint or with one that is broken or of another seed, or a checkpoint in
            `out` without `resume`; or a hundred steps in a row are refused.
    """
    checkpoint = out / "checkpoint.pt"
    if resume and not checkpoint.exists():
        raise InputError(f"{checkpoint} does not exist: nothing to resume; leave out --resume")
    if not resume and checkpoint.exists():
        raise InputError(f"{checkpoint} exists: give --resume to go on, or another --out")
    out.mkdir(parents=True, exist_ok=True)

    device = torch.device(plan.device)
    model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    average = {name: p.detach().clone() for name, p in model.state_dict().items()}
    start, running, usual = 0, math.nan, math.nan  # `usual` is the logarithm of the norm of gradients
    refused = 0  # steps in a row
    if resume:
        state = _read(checkpoint, device)
        if state["seed"] != plan.seed:
            raise InputError(f"{checkpoint} is of a run with seed {state['seed']}, not {plan.seed}: give that seed")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average, start, running, usual = state["average"], state["step"], state["loss"], state["norm"]
    if plan.compile:
        model.compile(dynamic=False)  # of the few sizes that batches have; symbolic ones fail to compile

    def save(step: int) -> None:
        state = {
            "model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average,
            "step": step, "seed": plan.seed, "loss": running, "norm": usual,
        }  # fmt: skip
        replace_file(checkpoint, lambda file: torch.save(state, file))

    def validated() -> dict[str, float]:
        trained = {name: p.clone() for name, p in model.state_dict().items()}
        model.load_state_dict(average)
        with torch.no_grad():
            figures = task.validate(model.eval())
            pictures = task.pictures(model)
        model.load_state_dict(trained)
        model.train()
        write_pictures(out, pictures)
        return figures

    def learned(step: int) -> float:
        """One step of the optimiser; returns its loss, NaN where it was refused."""
        nonlocal usual, refused
        random = np.random.default_rng([plan.seed, step])
        optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for _ in range(plan.accumulate):
            with torch.autocast(device.type, torch.bfloat16, enabled=plan.bfloat16):
                value = task.loss(model, random) / plan.accumulate
            value.backward()
            total += float(value.detach())
        norm = float(nn.utils.clip_grad_norm_(model.parameters(), plan.gradient_norm))
        most = math.inf if math.isnan(usual) or step < plan.warmup else _SPIKE * math.exp(usual)
        taken = norm <= most and math.isfinite(norm)
        if taken:  # one unlucky batch must not end a night's training
            for group in optimiser.param_groups:
                group["lr"] = plan.rate(step)
            optimiser.step()
            refused = 0
        else:
            limit = "" if math.isinf(most) else f", the most is {most:.3g}"
            logger.warning("step %d refused: the norm of its gradient is %.3g%s", step, norm, limit)
            refused += 1
        if refused >= _REFUSED:
            raise InputError(
                f"{refused} steps in a row were refused, up to step {step}: learn at a lower rate than "
                f"{plan.learning_rate:g}, from a checkpoint of before"
            )
        if 0 < norm < math.inf:  # a change that lasts is followed
            found = math.log(norm)
            if not math.isnan(usual):
                found = min(max(found, usual - math.log(_SPIKE)), usual + math.log(_SPIKE))
            usual = found if math.isnan(usual) else _KEPT * usual + (1 - _KEPT) * found
        # A short average at first, else the random initial weights linger in it.
        share = 1 - min(plan.ema, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, p in model.state_dict().items():
                average[name].lerp_(p, share)
        return total if taken else math.nan

    if start == 0:
        _log(out, {"plan": asdict(plan)})
    model.train()
    began = saved = time.monotonic()
    with _stop_on_signal() as stop:
        for step in range(start, plan.steps):
            current = learned(step)
            if math.isfinite(current):
                running = current if math.isnan(running) else _KEPT * running + (1 - _KEPT) * current
            done = step + 1
            last = done == plan.steps or stop.requested
            if last or time.monotonic() - saved > plan.checkpoint_seconds:
                save(done)
                saved = time.monotonic()
            if last or done % _REPORT_EVERY == 0:
                figures = validated() if last or done % plan.validate_every == 0 else None
                seconds = time.monotonic() - began
                left = seconds / (done - start) * (plan.steps - done)
                progress = TrainingProgress(done, running, round(seconds, 1), round(left, 1), figures)
                _log(out, asdict(progress))
                if figures is not None:
                    write_curves(out / "log.jsonl", out / "curve.png")
                yield progress
            if last:
                break
    model.load_state_dict(average)
    model.eval()


def _read(checkpoint: Path, device: torch.device) -> dict[str, Any]:
    remedy = "leave out --resume and give another --out"
    if not checkpoint.is_file():  # to open a pipe would wait for ever
        raise InputError(f"{checkpoint} is no regular file: {remedy}")
    try:
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        found = {name: state[name] for name in ("model", "optimiser", "average", "step", "seed", "loss")}
        return found | {"norm": state.get("norm", math.nan)}  # which checkpoints of before have not
    except Exception as error:  # a broken pickle breaks in whatever way it happens to
        raise InputError(f"{checkpoint} cannot be read as a checkpoint ({type(error).__name__}): {remedy}") from error


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
