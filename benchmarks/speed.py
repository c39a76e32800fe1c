"""How fast the presets are beside the reference implementation's loop, on one prior in one run.

    python benchmarks/speed.py [--sides 128 256 512] [--prior embedded] [--threads 2]

The reference-equivalent step does what the published scripts do: a network call of two for each chain, a decode of the
pair with its graph, the learning of F-PAM, the posterior's gradient, and an encode with graph that nobody reads.
Its 900 steps (450 and two recurrences of 225) are measured on a few steps of each stage and multiplied; the presets
are measured whole. All at the same threads, alternating, median of three.
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
from ldrps.align.fpam import AlignmentNets
from ldrps.guidance.posterior import LearnedPosterior
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.settings import GradientPosterior, Until

EARLY, LATE = 800, 300  # a timestep of each stage


class ReferenceStep:
    """One step of the published loop for a prior without text: guidance doubles the batch all the same."""

    def __init__(self, prior: Prior, y: Tensor, *, calls: int, dead_encode: bool) -> None:
        posterior = preset("paper-lowlight").posterior
        assert isinstance(posterior, GradientPosterior)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--prior", default="embedded")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    prior = load_prior(given.prior)
    default = Restorer(prior, preset("default"))
    print("side | reference loop | paper preset | default | reference / paper preset | reference / default")
    for side in given.sides:
        picture = noisy(side)
        y = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        reference = ReferenceStep(prior, y, calls=2, dead_encode=True)
        ours = ReferenceStep(prior, y, calls=1, dead_encode=False)
        totals = []
        for step in (reference, ours):
            for t in (EARLY, LATE):  # warm up
                step(t)
        for step in (reference, ours):
            early, late = seconds(partial(step, EARLY)), seconds(partial(step, LATE))
            # t >= 700: 100 of the first 450 steps (899 to 701); all recurrences start at 449.
            totals.append(100 * early + 800 * late)
        default(picture)
        whole = seconds(partial(default, picture))
        slow, fast = totals
        print(f"{side} | {slow:.0f} s | {fast:.0f} s | {whole:.2f} s | {slow / fast:.2f}x | {slow / whole:.0f}x")


if __name__ == "__main__":
    main()
