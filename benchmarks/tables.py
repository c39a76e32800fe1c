"""The frame of the benchmarks that print a row for each set: what they are given, and the table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image

from ldrps import Damage, Estimate, Restorer
from ldrps.degradation import WhiteNoise


def arguments(doc: str | None, sets: Sequence[str]) -> argparse.ArgumentParser:
    """What all of them take; `sets` unless others are named."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a folder of sets")
    parser.add_argument("--sets", nargs="+", default=[*sets])
    parser.add_argument("--limit", type=int, help="pictures of each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--out", type=Path, help="a folder for the sheets")
    return parser


def print_table(columns: Sequence[str], given: argparse.Namespace, row: Callable[[str], list[str]]) -> None:
    """A row for each set, as it is done: what `row` says of it, below `columns`."""
    torch.set_num_threads(given.threads)
    print(f"| set | {' | '.join(columns)} |")
    print("|---" * (1 + len(columns)) + "|", flush=True)
    for name in given.sets:
        print(f"| {name} | {' | '.join(row(name))} |", flush=True)


def seconds_of_denoising(restorer: Restorer, image: Image.Image) -> float:
    """How long it takes to remove noise of 10 of 255 from a picture: what other things are held against."""
    began = time.perf_counter()
    restorer(image, damage=Damage(noise=Estimate(WhiteNoise(10 / 255))))
    return time.perf_counter() - began
