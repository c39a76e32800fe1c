"""How seconds and memory of a restoration grow: with its pixels, its steps and the offsets of the prior's grid.

    python benchmarks/growth.py [--megapixels 0.06 0.25 1 4] [--threads 2] [-o out/growth]

Each point is a noisy picture, restored once in a process of its own (`benchmarks/cost.py`): seconds of the processor,
which a busy machine moves less than those of the clock, and the process's largest resident memory, Python and libraries
included. Into the folder go a plot and the numbers, growth.png and growth.json. How time falls with `--jobs`:
`benchmarks/jobs.py`.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

from cost import measured
from matplotlib.figure import Figure
from PIL import Image

STEPS, OFFSETS, SIDE = (1, 2, 4, 8), (1, 2, 4, 8), 256
Rows = dict[str, list[tuple[float, dict[str, float]]]]


def rows(megapixels: list[float], threads: int) -> Rows:
    """Of each thing that grows, what it is and what that takes."""
    found: Rows = {"megapixels": [], "steps": [], "offsets": []}
    points = [("megapixels", size, ["--side", str(round((size * 1e6) ** 0.5))]) for size in megapixels]
    points += [("steps", float(steps), ["--side", str(SIDE), "--steps", str(steps)]) for steps in STEPS]
    points += [("offsets", float(count), ["--side", str(SIDE), "--offsets", str(count)]) for count in OFFSETS]
    print("| what | | seconds of the processor | MiB |\n|---|---|---|---|")
    for what, size, words in points:
        (took,) = measured([*words, "--threads", str(threads)], 1)
        found[what].append((size, took))
        print(f"| {what} | {size:g} | {took['restore_cpu_seconds']:.2f} | {took['peak_MiB']:.0f} |", flush=True)
    return found


def plotted(found: Rows) -> Figure:
    """Seconds and memory by each."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots(2, len(found))
    for column, (what, points) in enumerate(found.items()):
        sizes = [size for size, _ in points]
        for row, (name, unit) in enumerate((("restore_cpu_seconds", "processor, s"), ("peak_MiB", "memory, MiB"))):
            place = axes[row][column]
            place.plot(sizes, [took[name] for _, took in points], marker="o")
            place.set(xlabel=what, ylabel=unit, ylim=(0, None), xlim=(0, None))
    return figure


def save(figure: Figure, path: Path) -> None:
    """In a few colours: a page loads it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=80)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(16).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.06, 0.25, 1, 4])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--out", type=Path, default=Path("out/growth"))
    given = parser.parse_args()
    found = rows(given.megapixels, given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "growth.json").write_text(json.dumps(found, indent=1))
    save(plotted(found), given.out / "growth.png")


if __name__ == "__main__":
    main()
