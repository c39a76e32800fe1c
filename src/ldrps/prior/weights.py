"""Safetensors into networks, trusting neither the file nor its match with the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ldrps.prior.config import MOST_PARAMETERS
from ldrps.prior.files import parse_json
from ldrps.prior.kinds import Record, Several, Table, Whole, Word
from ldrps.prior.refusal import reason, shown, unusable

# A full Stable Diffusion UNet has 686 tensors and a header of 90 kB; 100,000 entries stall the parser.
_HEADER_LIMIT = 1 << 20
_COUNT = Whole(0, 1 << 48)
_PLACE = {"dtype": Word(16), "shape": Several(_COUNT, 0, 8), "data_offsets": Several(_COUNT, 2, 2)}
_TENSORS = Table(Record(_PLACE, tuple(_PLACE)), _HEADER_LIMIT)  # what a header holds
_AGAIN = "fetch the file again"
SCALE = ".scale"  # behind the name of a tensor that is stored in bytes: what one of each of its rows is worth

Network = TypeVar("Network", bound=nn.Module)


class _Stored(NamedTuple):
    file: Path
    key: str
    shape: list[int]


class _Undrawn(TorchFunctionMode):
    """Weights are made without being drawn: to draw what has no values, torch loads its compiler, which takes long."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__ and "tensor" in given:
            return given["tensor"]
        return func(*args, **given)


def build(make: Callable[[], Network], where: Path) -> Network:
    """A network without weights: its parameters are on the meta device, where they cost neither memory nor time.

    Raises:
        PriorError: the configuration at `where` does not describe a network, or a larger one than any that is meant.
    """
    try:
        with torch.device("meta"), _Undrawn():
            network = make()
    except Exception as error:  # a wrong configuration breaks in whatever way it happens to
        found = f"a configuration that cannot be built ({reason(error)})"
        raise unusable(where, found, "one that diffusers or transformers wrote", "fetch the folder again") from error
    count = sum(parameter.numel() for parameter in network.parameters())
    if count > MOST_PARAMETERS:
        raise unusable(where, f"a net of {count} weights", f"at most {MOST_PARAMETERS}", "give a smaller one")
    return network


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
    stored = {
        name: _Stored(file, key, shape)
        for file in files
        for key, shape in _shapes(file).items()
        if not key.endswith(SCALE) and (name := rename(key)) is not None
    }
    _require_fit(stored, network.state_dict(), files[0])
    state: dict[str, Tensor] = {}
    for file in files:
        keys = {name: place.key for name, place in stored.items() if place.file == file}
        # Tensor by tensor: the whole is never held in two precisions.
        state |= {name: tensor.to(device, dtype) for name, tensor in _tensors(file, keys)}
    network.load_state_dict(state, assign=True)
    if any(tensor.is_meta for tensor in chain(network.parameters(), network.buffers())):
        # Constants that are computed at construction and not stored; the blocks of Stable Diffusion have none.
        raise unusable(files[0], "a network with constants of its own", "plain blocks", "load a Stable Diffusion")
    network.to(device)  # buffers that are not stored
    for name, tensor in network.named_parameters():
        if not bool(tensor.isfinite().all()):
            remedy = f"{_AGAIN}, or use float32 if it is whole"
            raise unusable(files[0], f"NaN or infinity in {name} as {dtype}", "finite weights", remedy)
    network.eval().requires_grad_(False)


def _shapes(file: Path) -> dict[str, list[int]]:
    """The shapes of the tensors of a file by their names there, from its header: none of them is read."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        header = stream.read(length) if length <= _HEADER_LIMIT else b""
    if start == b"version ":
        raise unusable(file, "a git-lfs pointer", "safetensors", "run `git lfs pull` in its repository")
    if len(start) < 8 or length + 8 > size:
        raise unusable(file, f"{size} bytes, cut short or no safetensors", "a whole file", _AGAIN)
    if length > _HEADER_LIMIT:
        raise unusable(file, f"a header of {length} bytes", f"at most {_HEADER_LIMIT}", "it is no Stable Diffusion")
    with _broken_is_refused(file):
        tensors = parse_json(header)
        if isinstance(tensors, dict):
            tensors.pop("__metadata__", None)
        if not _TENSORS.admits(tensors):
            raise ValueError("its header does not tell of tensors")
        expected = 8 + length + max((place["data_offsets"][1] for place in tensors.values()), default=0)
        if size != expected:
            raise ValueError(f"{size} bytes, where its header tells of {expected}")
        return {key: place["shape"] for key, place in tensors.items()}


def _tensors(file: Path, keys: Mapping[str, str]) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a file under other names, given with their names there; those in bytes times their scales."""
    with _broken_is_refused(file), safe_open(file, framework="pt") as opened:
        scaled = {key.removesuffix(SCALE) for key in opened.keys() if key.endswith(SCALE)}  # noqa: SIM118
        for name, key in keys.items():
            tensor = opened.get_tensor(key)
            if tensor.dtype == torch.int8 and key in scaled:
                scale = opened.get_tensor(key + SCALE).float()
                if scale.shape != tensor.shape[:1]:
                    raise ValueError(f"{name} of {list(tensor.shape)} has scales of {list(scale.shape)}")
                tensor = tensor.float() * scale.reshape(-1, *[1] * (tensor.ndim - 1))
            if not tensor.is_floating_point():
                raise unusable(
                    file, f"{name} in {tensor.dtype}", "floating point", "load a model that is not quantised"
                )
            yield name, tensor


@contextmanager
def _broken_is_refused(file: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, OSError, ValueError) as error:
        raise unusable(file, f"unreadable safetensors ({reason(error)})", "a whole file", _AGAIN) from error


def _require_fit(stored: Mapping[str, _Stored], wanted: Mapping[str, Tensor], where: Path) -> None:
    remedy = "weights and config.json are of different models: take both from the same one"
    if missing := sorted(wanted.keys() - stored.keys()):
        raise unusable(where, f"{len(missing)} tensors missing, such as {missing[0]}", "all of config.json", remedy)
    if extra := sorted(stored.keys() - wanted.keys()):
        raise unusable(
            where, f"{len(extra)} unknown tensors, such as {shown(extra[0])}", "those of config.json", remedy
        )
    for name, (_, _, shape) in stored.items():
        if shape != list(wanted[name].shape):
            raise unusable(where, f"{name} of shape {shape}", str(list(wanted[name].shape)), remedy)
