"""Whether `spandrel:FILE` works with the real spandrel: networks of its own makes, with random weights, saved as their
authors save them, restored through ldrps and called directly; and what must be refused.

It needs spandrel and torchvision, so a torch that fits that: pip install '.[spandrel]' in an environment of its own.

    python benchmarks/spandrel_try.py samples/noisy.png
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ldrps.errors import LdrpsError
from ldrps.image.picture import load_picture
from ldrps.rivals.registry import build_rival

# By the name of the make: its arguments, small enough for a processor, and what is to become of it.
MAKES: dict[str, tuple[dict[str, Any], str]] = {
    "NAFNet": ({"width": 16, "middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]}, "same"),
    "SCUNet": ({"config": [1] * 7, "dim": 64}, "same"),
    "Compact": ({"num_feat": 16, "num_conv": 4, "upscale": 1}, "same"),
    "SwinIR": (
        {"img_size": 64, "window_size": 8, "depths": [2], "embed_dim": 36, "num_heads": [2], "upscale": 1},
        "same",
    ),
    "ESRGAN": ({"scale": 4, "num_filters": 16, "num_blocks": 1}, "enlarges by 4"),
}


def save_pth(state: dict[str, torch.Tensor], path: Path) -> None:
    """As most checkpoints are: a pickle, the weights under a name."""
    torch.save({"params": state}, path)


def save_plain(state: dict[str, torch.Tensor], path: Path) -> None:
    """The weights alone, as safetensors."""
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


KEPT: dict[str, Callable[[dict[str, torch.Tensor], Path], None]] = {".pth": save_pth, ".safetensors": save_plain}


def outcome(make: str, options: dict[str, Any], suffix: str, picture: Path, folder: Path) -> str:
    """What becomes of a network of that make in such a file: "same", how far it is from that, or why it is refused."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = getattr(importlib.import_module(f"spandrel.architectures.{make}"), make)(**options)
    path = folder / f"{make}{suffix}"
    KEPT[suffix](network.state_dict(), path)
    try:
        restored = build_rival(f"spandrel:{path}")(picture).tensor
    except LdrpsError as error:
        return str(error)
    spandrel = importlib.import_module("spandrel")
    with torch.no_grad():
        direct = spandrel.ModelLoader().load_from_file(path).eval()(load_picture(picture).rgb).clamp(0, 1)
    apart = float((restored - direct).abs().max())
    return "same" if apart == 0 else f"{apart:.2g} apart"


def main() -> None:
    """A row for each make and kind of file; exit code 1 if one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    faults = 0
    print("| make | file | wanted | came out | seconds |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for make, (options, wanted) in MAKES.items():
            for suffix in KEPT:
                began = time.perf_counter()
                found = outcome(make, options, suffix, given.picture, Path(folder))
                faults += wanted not in found
                seconds = time.perf_counter() - began
                print(f"| {make} | {suffix} | {wanted} | {found} | {seconds:.1f} |", flush=True)
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
