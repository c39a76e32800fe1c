"""How fast the presets are beside the reference implementation's loop, on one prior in one run.

    python benchmarks/speed.py [--sides 128 256 512 1024] [--prior embedded] [--threads 2]

The reference-equivalent step does what the published scripts do: a network call of two for each chain, a decode of the
pair with its graph, the learning of F-PAM, the posterior's gradient, and an encode with graph that nobody reads.
Its 900 steps (450 and two recurrences of 225) are measured on a few steps of each stage and multiplied; the presets
are measured whole. All at the same threads, in the same run, median of three. Memory is the peak beyond what the
process held before, which is Python, the libraries and the prior; on Linux only.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldrps import Restorer, load_prior, preset
from ldrps.estimation.fpam import AlignmentNets
from ldrps.guidance.posterior import LearnedPosterior
from ldrps.memory import peak_mib, reset_peak, resident_mib
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.settings import PublishedSettings, Until

EARLY, LATE = 800, 300  # a timestep of each stage


class ReferenceStep:
    """One step of the published loop for a prior without text: guidance doubles the batch all the same."""

    def __init__(self, prior: Prior, y: Tensor, *, calls: int, dead_encode: bool) -> None:
        posterior = preset("paper-lowlight").method
        assert isinstance(posterior, PublishedSettings)
        every = dataclasses.replace(posterior.guidance, brightness=Until(1e-2), chrominance=Until(1e-2))
        nets = AlignmentNets.create(torch.Generator().manual_seed(0), y.device)
        settings = dataclasses.replace(posterior, guidance=every)
        self.learned = LearnedPosterior(y, prior.decode, prior.encode, nets, settings)
        self.prior, self.calls, self.dead_encode = prior, calls, dead_encode
        self.schedule = Schedule(prior.alphas_cumprod)
        side = y.shape[-1] // prior.factor
        self.z = torch.randn(2, prior.latent_channels, side, side)

    def __call__(self, t: int) -> None:
        z, copies = self.z, 4 // self.calls
        for _ in range(self.calls):
            z0, _ = self.prior.denoise(z[:1].repeat(copies, 1, 1, 1) if copies == 2 else z.repeat(2, 1, 1, 1), t)
        pair = z0[:2]
        if self.dead_encode:
            image = self.prior.decode(pair.detach().requires_grad_())
            self.prior.encode(image)
        self.learned.correction(pair, t)


def seconds(run: Callable[[], object], repeat: int = 3) -> float:
    took = []
    for _ in range(repeat):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def noisy(side: int) -> NDArray[np.float64]:
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    return (clean + 0.1 * random.standard_normal(clean.shape)).clip(0, 1)


def measured(run: Callable[[], object], repeat: int = 3) -> tuple[float, float]:
    """Median seconds, and how much memory it took beyond what was there, in MiB."""
    run()  # warm up
    before = resident_mib()
    reset_peak()
    took = seconds(run, repeat)
    return took, (peak_mib() or 0.0) - before


def compare(prior: Prior, sides: list[int], largest_reference: int) -> None:
    """The presets beside the reference, by size of the picture."""
    default = Restorer(prior, preset("default"))
    print(
        "side | reference loop | paper preset | default | reference / paper preset | reference / default | memory, MiB"
    )
    for side in sides:
        picture = noisy(side)
        whole, memory = measured(partial(default, picture))
        if side > largest_reference:
            print(f"{side} | | | {whole:.2f} s | | | default {memory:.0f}")
            continue
        y = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        reference = ReferenceStep(prior, y, calls=2, dead_encode=True)
        ours = ReferenceStep(prior, y, calls=1, dead_encode=False)
        totals, memories = [], []
        for step in (reference, ours):
            early, _ = measured(partial(step, EARLY))
            late, used = measured(partial(step, LATE))
            # t >= 700: 100 of the first 450 steps (899 to 701); all recurrences start at 449.
            totals.append(100 * early + 800 * late)
            memories.append(used)
        slow, fast = totals
        print(
            f"{side} | {slow:.0f} s | {fast:.0f} s | {whole:.2f} s | {slow / fast:.2f}x | {slow / whole:.0f}x | "
            f"reference {memories[0]:.0f}, paper preset {memories[1]:.0f}, default {memory:.0f}"
        )


def by_steps(prior: Prior, side: int) -> None:
    """The default by its number of steps and rounds."""
    print(f"\nsteps | recurrences | default at {side} pixels | per network call")
    picture = noisy(side)
    for steps, recurrences in ((1, 0), (2, 0), (4, 0), (8, 0), (2, 1), (2, 3)):
        restorer = Restorer(prior, preset("default").with_changes(steps=steps, recurrences=recurrences))
        calls = len(restorer(picture).losses)
        took = seconds(partial(restorer, picture))
        print(f"{steps} | {recurrences} | {took:.2f} s | {took / calls:.2f} s, {calls} calls")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256, 512, 1024])
    parser.add_argument("--largest-reference", type=int, default=512, help="larger pictures: the default alone")
    parser.add_argument("--prior", default="embedded")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    prior = load_prior(given.prior)
    compare(prior, given.sides, given.largest_reference)
    by_steps(prior, 256)


if __name__ == "__main__":
    main()
