"""The solvers behind data steps that have no closed form; each picture of a batch goes its own way."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

Map = Callable[[Tensor], Tensor]

_ROUNDS = 500  # of conjugate gradients, at most
_NEWTON = 25
_NEARLY = 1e-3
_HALVINGS = 8
_ROOT = 40  # of which a third are bisections: enough for float64


def conjugate_gradients(
    apply: Map, b: Tensor, tolerance: float | None = None, *, nearly: Map | None = None, rounds: int = _ROUNDS
) -> Tensor:
    """x [B, ...] of apply(x) = b, for a symmetric positive definite map (Hestenes and Stiefel 1952).

    To a relative residual of `tolerance`, or near the precision of the type; where that takes more than `rounds`, the
    result is what they reached, and the log says so.

    Args:
        apply, b, tolerance, rounds: see above.
        nearly: another such map, near to the inverse of `apply` and quicker (a preconditioner); the residual is then
            measured by it.
    """
    x, residual = torch.zeros_like(b), b
    direction = residual if nearly is None else nearly(residual)
    square = _dot(residual, direction)
    enough = square * (tolerance or _tolerance(b)) ** 2
    for _ in range(rounds):
        active = square > enough
        if not bool(active.any()):
            break
        mapped = apply(direction)
        step = torch.where(active, square / _dot(direction, mapped).clamp_min(_tiny(b)), torch.zeros_like(square))
        x = x + step * direction
        residual = residual - step * mapped
        steepest = residual if nearly is None else nearly(residual)
        following = _dot(residual, steepest)
        direction = steepest + following / square.clamp_min(_tiny(b)) * direction
        square = following
    else:
        reached = float((square / enough.clamp_min(_tiny(b))).amax().sqrt())
        logger.debug(
            "conjugate gradients: %d rounds, and still %.0f times the residual that was wanted", rounds, reached
        )
    return x


def gauss_newton(a: Map, x0: Tensor, y: Tensor, sigma_x: Tensor, sigma_y: Tensor) -> Tensor:
    """A stationary x of |a(x) - y|^2 / sigma_y^2 + |x - x0|^2 / sigma_x^2, from x0 on, for any smooth map.

    Each round solves the problem nearly, with `a` as a straight line, and shortens the step until the objective falls.
    """

    def objective(x: Tensor) -> Tensor:
        data, prior = (a(x) - y) / sigma_y, (x - x0) / sigma_x
        return _dot(data, data) + _dot(prior, prior)

    def direction(x: Tensor) -> Tensor:
        value, pull = vjp(a, x)
        slope = pull((value - y) / sigma_y**2)[0] + (x - x0) / sigma_x**2

        def curvature(d: Tensor) -> Tensor:
            return pull(torch.func.jvp(a, (x,), (d,))[1] / sigma_y**2)[0] + d / sigma_x**2

        return conjugate_gradients(curvature, -slope, _NEARLY)

    x, height = x0, objective(x0)
    for _ in range(_NEWTON):
        step = direction(x)
        for _ in range(_HALVINGS):
            lower = objective(x + step)
            if bool((lower <= height).all()):
                break
            step = torch.where(lower <= height, step, step / 2)
        step = torch.where(lower <= height, step, torch.zeros_like(step))
        x, height = x + step, torch.minimum(lower, height)
        if float(step.abs().amax()) <= _tolerance(x):
            break
    return x


def root_between(gradient: Map, one: Tensor, other: Tensor) -> Tensor:
    """Where `gradient`, of each value by itself, rises through 0 between `one` and `other`.

    The secant of the bracket (regula falsi, Illinois form), and every third time its middle, so that it always closes.
    Where an end has the wrong sign, that end.
    """
    left, right = torch.minimum(one, other), torch.maximum(one, other)
    # At the ends it is taken to point inwards: outside the range of a curve it may be 0.
    below, above = -gradient(left).abs() - _tiny(left), gradient(right).abs() + _tiny(left)
    guess = left
    for number in range(_ROOT):
        secant = left - below * (right - left) / (above - below)
        middle, last = (left + right) / 2, guess
        guess = middle if number % 3 == 2 else torch.where((secant > left) & (secant < right), secant, middle)
        value = gradient(guess)
        rises = value > 0
        # The end that stays loses half of its weight, or the secant would creep.
        below, above = torch.where(rises, below / 2, value), torch.where(rises, value, above / 2)
        left, right = torch.where(rises, left, guess), torch.where(rises, guess, right)
        if number % 3 == 1 and float((guess - last).abs().amax()) <= _tolerance(guess):
            break
    return guess


def vjp(a: Map, x: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor]]]:
    """a(x), and what takes a vector of its shape to the gradient of their product in x."""
    value, pull = torch.func.vjp(a, x)[:2]
    return value, pull


def slope_of(a: Map, x: Tensor) -> Tensor:
    """The derivative of each value of a(x), which depends on the same value of x alone."""
    slope: Tensor = torch.func.jvp(a, (x,), (torch.ones_like(x),))[1]
    return slope


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """[B, 1, ...]: of each picture."""
    return (a * b).flatten(1).sum(1).reshape(-1, *(1,) * (a.ndim - 1))


def _tolerance(x: Tensor) -> float:
    return 4 * torch.finfo(x.dtype).eps


def _tiny(x: Tensor) -> float:
    return torch.finfo(x.dtype).tiny
