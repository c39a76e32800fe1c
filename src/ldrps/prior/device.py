"""Where a prior may run and in which precision."""

from __future__ import annotations

import torch

from ldrps.errors import PriorError

_PRECISIONS = (torch.float32, torch.float16, torch.bfloat16)


def usable_device(device: str | torch.device, dtype: torch.dtype) -> torch.device:
    """The device, if it is there and computes in `dtype`.

    Raises:
        PriorError: it is unknown or absent, or does not take the precision.
    """
    if dtype not in _PRECISIONS:
        raise PriorError(f"dtype is {dtype}; a prior runs in float32, float16 or bfloat16: choose one of them")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise PriorError(f"device is {device!r}; it must be cpu, cuda, cuda:0 (1, ...) or mps") from error
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}.get(place.type)
    if count is None:
        raise PriorError(f"device is {device!r}; it must be cpu, cuda, cuda:0 (1, ...) or mps")
    if (place.index or 0) >= count:
        raise PriorError(f"device is {str(place)!r}; {count} of that kind are here: choose another, such as cpu")
    if place.type == "cpu" and dtype == torch.float16:
        # Half precision has no fast kernels there and overflows in the autoencoder.
        raise PriorError("dtype is float16 on the CPU; use float32, or bfloat16 for half the memory")
    return place
