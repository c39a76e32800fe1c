"""The ways down a chain. Same skeleton: the difference between them is the difference of their papers.

Each is a generator that yields every step, so that progress, previews and cancelling come free; its return value is
the latents at the end; `splitting_chain` and `picture_chain` go down chains of pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from torch import Tensor

from ldrps.sampling.denoiser import Denoiser
from ldrps.sampling.schedule import Schedule, clamp_percentile

Losses = dict[str, float]
Correction = Callable[[Tensor, int], tuple[Tensor, Losses]]  # z0, t -> what to add to the latents, losses
Proximal = Callable[[Tensor, int], tuple[Tensor, Losses]]  # z0, t -> z0 that agrees with the data, losses
PixelProximal = Callable[[Tensor, float], Tensor]  # picture, level -> one that agrees with the data
PixelDenoiser = Callable[[Tensor, float, int], Tensor]  # picture, level, number of the step -> without that noise
Chain = Generator["Step", None, Tensor]


@dataclass(frozen=True)
class Step:
    """One step of a chain: where it was, what it believed, where it went.

    Latents are [chains, C, h, w]; of a chain of pictures both are pictures, [1, 3, H, W].
    """

    t: int
    z0: Tensor
    latents: Tensor
    losses: Losses


def gradient_chain(
    denoise: Denoiser,
    correct: Correction,
    schedule: Schedule,
    z: Tensor,
    timesteps: Sequence[int],
    *,
    stride: int,
    clamp_quantile: float | None,
    z0_from_stepped: bool,
) -> Chain:
    """LD-RPS: a DDIM step, then the gradient of the posterior at the predicted z0 is added to the stepped latents."""
    for t in timesteps:
        z0, eps = denoise(z, t)
        z = schedule.compose(_clamped(z0, clamp_quantile), eps, t - stride)
        z0 = schedule.predict_z0(z, eps, t) if z0_from_stepped else z0
        z0 = _clamped(z0, clamp_quantile)
        change, losses = correct(z0, t)
        z = z + change
        yield Step(t, z0, z, losses)
    return z


def proximal_chain(
    denoise: Denoiser, agree: Proximal, schedule: Schedule, z: Tensor, timesteps: Sequence[int]
) -> Chain:
    """DiffPIR (Zhu et al. 2023): the data step is taken on z0, and the noise that fits it leads to the next level."""
    for t, following in zip(timesteps, [*timesteps[1:], None], strict=True):
        z0, _ = denoise(z, t)
        z0, losses = agree(z0, t)
        z = z0 if following is None else schedule.compose(z0, schedule.predict_eps(z, z0, t), following)
        yield Step(t, z0, z, losses)
    return z


def splitting_chain(
    denoise: PixelDenoiser, agree: PixelProximal, x: Tensor, levels: Sequence[float], timesteps: Sequence[int]
) -> Chain:
    """DPIR (Zhang et al. 2021): half-quadratic splitting, eq. 6. No noise is added: what the data step gets wrong, far
    too sharp to begin with, is what the denoiser takes away.

    Args:
        denoise, agree: the two halves.
        x: the picture to begin with, [1, 3, H, W].
        levels: deviations of noise in it, falling.
        timesteps: those of the same levels, for the record.
    """
    for number, (level, t) in enumerate(zip(levels, timesteps, strict=True)):
        x = denoise(agree(x, level), level, number)
        yield Step(t, x, x, {})
    return x


def picture_chain(denoise: PixelDenoiser, x: Tensor, levels: Sequence[float], timesteps: Sequence[int]) -> Chain:
    """DDIM (Song et al. 2021, eta = 0) of pictures, each step of which may denoise in another way: what is believed,
    with the noise that was taken away as much weaker as the next level is.

    Args:
        denoise: what is believed.
        x: a picture with noise of the first level, [1, 3, H, W].
        levels: deviations of noise in it, falling.
        timesteps: those of the same levels, for the record.
    """
    for number, (level, t) in enumerate(zip(levels, timesteps, strict=True)):
        x0 = denoise(x, level, number)
        following = levels[number + 1] if number + 1 < len(levels) else 0.0
        x = x0 + following / level * (x - x0)
        yield Step(t, x0, x, {})
    return x


def single_step(remove: Callable[[Tensor], Tensor], schedule: Schedule, z: Tensor, t: int) -> Chain:
    """A chain of one step, by which `remove` takes the noise of latents z, scaled as those of timestep t, away."""
    z0 = remove(z / schedule.abar(t) ** 0.5)
    yield Step(t, z0, z0, {})
    return z0


def as_it_is(x: Tensor, t: int) -> Chain:
    """A chain of one step that does nothing, of a picture x that was made in another way; t is for the record."""
    yield Step(t, x, x, {})
    return x


def pulled_to(latents: Tensor, variance: float, schedule: Schedule) -> Proximal:
    """argmin over z of |z - latents|^2 / variance + |z - z0|^2 / sigma_t^2 (DiffPIR, eq. 13), for data `latents`."""

    def agree(z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        prior_variance = schedule.sigma(t) ** 2
        change = prior_variance / (prior_variance + variance) * (latents - z0)
        return z0 + change, {"posterior/distance": float(change.pow(2).mean())}

    return agree


def leave(z0: Tensor, t: int) -> tuple[Tensor, Losses]:
    """The data step where there are no data, or where the chain began with the data themselves: none."""
    return z0, {}


def end_of(chain: Chain) -> Tensor:
    """The latents at the end of a chain that nobody watches."""
    while True:
        try:
            next(chain)
        except StopIteration as finished:
            return finished.value


def _clamped(z0: Tensor, quantile: float | None) -> Tensor:
    return z0 if quantile is None else clamp_percentile(z0, quantile)
