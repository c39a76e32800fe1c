"""Draw the free samples that stand for a prior's clean domain, and keep what is needed of them.

    python benchmarks/clean_domain.py embedded -o src/ldrps/guidance/domains/embedded.safetensors

That file, 6 kB, ships with the package and belongs to the weights of the embedded prior: make it anew with them. For
any other prior the same is drawn when it is first needed. Prints how long it took, and how dark and light they are.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ldrps import load_prior
from ldrps.guidance.domain import SAMPLES, STEPS, draw_domain, save_domain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prior", help="a folder, or embedded")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of each subject")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    prior = load_prior(given.prior)
    began = time.perf_counter()
    drawn = draw_domain(prior, given.samples, given.steps)
    save_domain(drawn, given.out)
    seconds, (low, high) = time.perf_counter() - began, drawn.typical.mean(0)[[0, -1]].tolist()
    print(f"{len(drawn.quantiles)} samples in {seconds:.0f} s, typically {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
