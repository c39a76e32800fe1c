"""Where a prior may run and in which precision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ldrps.errors import PriorError

if TYPE_CHECKING:
    import torch

_PRECISIONS = ("torch.float32", "torch.float16", "torch.bfloat16")
_NAME = re.compile(r"(cpu|cuda|mps)(:\d+)?")


def check_device(device: str) -> None:
    """Find out, without torch, whether there are devices of such a name; not whether there is one here.

    Raises:
        PriorError: there are none.
    """
    if not _NAME.fullmatch(device):
        raise PriorError(f"device is {device!r}; it must be cpu, cuda, cuda:0 (1, ...) or mps")


def exact(device: torch.device) -> torch.device:
    """A device as its tensors name it: "cuda" is the current one of that kind, by its number; a CPU has none."""
    import torch

    if device.type not in ("cuda", "mps"):
        return torch.device(device.type)
    current = torch.cuda.current_device() if device.type == "cuda" and device.index is None else 0
    return torch.device(device.type, current if device.index is None else device.index)


def native_precision(device: str | torch.device) -> torch.dtype:
    """bfloat16 where a device computes in it natively, as processors with AVX-512 or AMX for it and newer GPUs do, and
    float32 elsewhere, where it would be slower.
    """
    import torch

    place = torch.device(device)
    if place.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif place.type == "cpu":
        tell = getattr(torch.cpu, "get_capabilities", None)  # an older torch does not
        native = tell is not None and any(has for name, has in tell().items() if name.endswith("bf16"))
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


def usable_device(device: str | torch.device, dtype: torch.dtype) -> torch.device:
    """The device, if it is there and computes in `dtype`.

    Raises:
        PriorError: it is unknown or absent, or does not take the precision.
    """
    import torch

    if str(dtype) not in _PRECISIONS:
        raise PriorError(f"dtype is {dtype}; a prior runs in float32, float16 or bfloat16: choose one of them")
    check_device(str(device))
    place = torch.device(device)
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[place.type]
    if (place.index or 0) >= count:
        raise PriorError(f"device is {str(place)!r}; {count} of that kind are here: choose another, such as cpu")
    if place.type == "cpu" and dtype == torch.float16:
        # Half precision has no fast kernels there and overflows in the autoencoder.
        raise PriorError("dtype is float16 on the CPU; use float32, or bfloat16 for half the memory")
    return place
