"""Safetensors into networks, trusting neither the file nor its match with the configuration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ldrps.prior.folder import unusable

# A full Stable Diffusion UNet has 686 tensors and a header of 90 kB; 100,000 entries stall the parser.
_HEADER_LIMIT = 1 << 20
_AGAIN = "fetch the file again"

Network = TypeVar("Network", bound=nn.Module)


def build(make: Callable[[], Network], where: Path) -> Network:
    """A network without weights: its parameters are on the meta device, where they cost neither memory nor time.

    Raises:
        PriorError: the configuration at `where` does not describe a network.
    """
    try:
        with torch.device("meta"):
            return make()
    except Exception as error:  # a wrong configuration breaks in whatever way it happens to
        found = f"a configuration that cannot be built ({type(error).__name__}: {error})"
        raise unusable(where, found, "one that diffusers or transformers wrote", "fetch the folder again") from error


def load_weights(
    network: nn.Module,
    files: list[Path],
    *,
    device: torch.device,
    dtype: torch.dtype,
    rename: Callable[[str], str | None] = lambda key: key,
) -> None:
    """Fill a network that `build` made, move it, and freeze it.

    Args:
        network: what to fill.
        files: its safetensors, all of them.
        device: where to.
        dtype: precision of the weights there.
        rename: a name in the file to the network's own, or None for one that is not needed.

    Raises:
        PriorError: a file is broken, does not fit the network, or holds values that are not finite in `dtype`.
    """
    stored = {rename(key): tensor for file in files for key, tensor in _read(file).items()}
    found = {key: tensor for key, tensor in stored.items() if key is not None}
    _require_fit(found, network.state_dict(), files[0])
    # Tensor by tensor: the whole is never held in two precisions.
    network.load_state_dict({key: tensor.to(device, dtype) for key, tensor in found.items()}, assign=True)
    if any(tensor.is_meta for tensor in chain(network.parameters(), network.buffers())):
        # Constants that are computed at construction and not stored; the blocks of Stable Diffusion have none.
        raise unusable(files[0], "a network with constants of its own", "plain blocks", "load a Stable Diffusion")
    network.to(device)  # buffers that are not stored
    for name, tensor in network.named_parameters():
        if not bool(tensor.isfinite().all()):
            remedy = f"{_AGAIN}, or use float32 if it is whole"
            raise unusable(files[0], f"NaN or infinity in {name} as {dtype}", "finite weights", remedy)
    network.eval().requires_grad_(False)


def _read(file: Path) -> dict[str, Tensor]:
    with file.open("rb") as stream:
        start = stream.read(8)
    if start == b"version ":
        raise unusable(file, "a git-lfs pointer", "safetensors", "run `git lfs pull` in its repository")
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length + 8 > file.stat().st_size:
        raise unusable(file, f"{file.stat().st_size} bytes, cut short or no safetensors", "a whole file", _AGAIN)
    if length > _HEADER_LIMIT:
        raise unusable(file, f"a header of {length} bytes", f"at most {_HEADER_LIMIT}", "it is no Stable Diffusion")
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise unusable(file, f"unreadable safetensors ({error})", "a whole file", _AGAIN) from error


def _require_fit(found: dict[str, Tensor], wanted: dict[str, Tensor], where: Path) -> None:
    remedy = "weights and config.json are of different models: take both from the same one"
    if missing := sorted(wanted.keys() - found.keys()):
        raise unusable(where, f"{len(missing)} tensors missing, such as {missing[0]}", "all of config.json", remedy)
    if extra := sorted(found.keys() - wanted.keys()):
        raise unusable(where, f"{len(extra)} unknown tensors, such as {extra[0]}", "those of config.json", remedy)
    for key, tensor in found.items():
        if tensor.shape != wanted[key].shape:
            raise unusable(where, f"{key} of shape {list(tensor.shape)}", str(list(wanted[key].shape)), remedy)
        if not tensor.is_floating_point():
            raise unusable(where, f"{key} in {tensor.dtype}", "floating point", "load a model that is not quantised")
