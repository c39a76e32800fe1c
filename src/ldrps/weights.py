"""Files of weights into plain networks, trusting neither the file nor its match with the network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ldrps.errors import PriorError


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; any other suffix is read as PyTorch's own format, without running its code.

    Raises:
        PriorError: the file is missing, broken, or holds anything but tensors by name.
    """
    stored = read_checkpoint(Path(path))
    if not isinstance(stored, Mapping) or not all(isinstance(tensor, Tensor) for tensor in stored.values()):
        raise PriorError(f"{path} holds something else than tensors by name: give a state dict, not a whole model")
    return dict(stored)


def read_checkpoint(path: Path) -> Any:
    """What a file of weights holds, however nested, read without running any code of its.

    Raises:
        PriorError: the file is missing or broken.
    """
    require_regular(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle breaks in whatever way it happens to
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no more is known'}"
        raise PriorError(f"cannot read weights from {path} ({reason}): fetch the file again") from error


def require_regular(path: Path) -> None:
    """Refuse what to open would wait for ever, or to read would never end.

    Raises:
        PriorError: it is a pipe, a device or a socket.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise PriorError(f"{path} is a pipe or a device: give a file of weights")


def take(weights: Mapping[str, Tensor], name: str, shape: tuple[int, ...], source: str, prefix: str = "") -> Tensor:
    """The tensor `name`, or `prefix` + `name`, in float32.

    Raises:
        PriorError: it is missing, of another shape, not floating, or not finite; `source` names the file.
    """
    key = name if name in weights else prefix + name
    if key not in weights:
        names = f"{prefix}{name} (or {name})" if prefix else name
        raise PriorError(f"{source} has no tensor {names}: it is of another network, give the one that is asked for")
    tensor = weights[key]
    if tuple(tensor.shape) != shape:
        raise PriorError(f"{source}: {key} has shape {tuple(tensor.shape)}, not {shape}: it is of another network")
    if not tensor.is_floating_point():
        raise PriorError(f"{source}: {key} is of type {tensor.dtype}: give weights in floating point")
    if not bool(tensor.isfinite().all()):
        raise PriorError(f"{source}: {key} holds NaN or infinity: fetch the file again")
    return tensor.detach().float()  # what freezes this must not freeze the caller's parameter


def fill(network: nn.Module, weights: Mapping[str, Tensor], source: str, prefix: str = "") -> None:
    """Give a network on the meta device its weights in float32, freeze it; tensors it has no use for are let be.

    Raises:
        PriorError: as `take`.
    """
    wanted = network.state_dict()
    found = {name: take(weights, name, tuple(like.shape), source, prefix) for name, like in wanted.items()}
    network.load_state_dict(found, assign=True)
    network.eval().requires_grad_(False)
