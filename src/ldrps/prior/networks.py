"""One network of ours in a folder: its configuration and its weights, read without trust and written whole."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ldrps.image.files import replace_file
from ldrps.prior.device import exact
from ldrps.prior.folder import find_weights, read_component
from ldrps.prior.network import Network
from ldrps.prior.weights import SCALE, build, load_weights

Kind = TypeVar("Kind", bound=Network)
Module = TypeVar("Module", bound=nn.Module)


def load_network(
    kind: type[Kind], root: Path, part: str, *, device: torch.device, dtype: torch.dtype = torch.float32
) -> Kind:
    """The network of that class in the folder `part` of `root`.

    Raises:
        PriorError: it is missing, broken, or of another class.
    """
    config = read_component(root, part, kind.__name__, "write it with ldrps train")
    network: Kind = build(lambda: kind.from_config(config), root / part / "config.json")
    load_weights(network, find_weights(root, part), device=device, dtype=dtype)
    return network


def on_device(network: Module, device: torch.device) -> Module:
    """The network where it is on that device, else a copy there: somebody else may be using it where it is."""
    there = next(network.parameters()).device
    return network if there == exact(device) else copy.deepcopy(network).to(device)


def save_network(network: Network, root: Path, part: str, precision: torch.dtype) -> None:
    """Put a network into the folder `part` of `root`, its weights in that precision."""
    (root / part).mkdir(parents=True, exist_ok=True)
    config = {"_class_name": type(network).__name__, **network.config}
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    replace_file(root / part / "config.json", lambda file: file.write(text.encode()))
    write_weights(root / part / "diffusion_pytorch_model.safetensors", network, precision)


def write_weights(path: Path, network: nn.Module, precision: torch.dtype) -> None:
    """The weights of a network as safetensors; in bytes, `torch.int8`, where each row of a matrix or a convolution has
    a scale of its own, and vectors are float16.
    """
    state: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        if precision != torch.int8:
            state[name] = tensor.to(precision).contiguous()
        elif tensor.ndim < 2:
            state[name] = tensor.half().contiguous()
        else:
            scale = tensor.float().abs().flatten(1).amax(1).clamp_min(1e-12) / 127
            state[name] = (tensor.float() / scale.reshape(-1, *[1] * (tensor.ndim - 1))).round().char().contiguous()
            state[name + SCALE] = scale
    replace_file(path, lambda file: file.write(save(state, {"format": "pt"})))
