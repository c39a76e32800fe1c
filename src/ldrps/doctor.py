"""An installation, looked over: what it consists of, what it lacks, and whether it restores a picture."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ldrps.caption.cache import cache_path
from ldrps.cost import estimate
from ldrps.errors import LdrpsError, how_to_install
from ldrps.presets import preset
from ldrps.prior import AUTO, EMBEDDED, load_prior, precision_of
from ldrps.prior.device import native_precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldrps.prior.base import Prior

_SIZES = {"256x256": (256, 256), "2 megapixels": (1632, 1224), "24 megapixels": (6000, 4000)}
_SIDE = 128  # pixels of the picture that is restored
_PRESETS = ("fast", "default")
_LITTLE_DISK = 1 << 30  # bytes


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: which.
        state: "ok"; "note": something optional is missing; "broken".
        text: what was found, and what to do about it.
        figures: the same for programs.
    """

    name: str
    state: Literal["ok", "note", "broken"]
    text: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        return self.state == "broken"

    @property
    def mark(self) -> str:
        """The state, for the first column of a table."""
        return {"ok": "ok", "note": "-", "broken": "BAD"}[self.state]

    def record(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def examine(prior: str = EMBEDDED, device: str = "cpu") -> Iterator[Finding]:
    """Findings, one after the other; the last ones, which restore pictures, take some seconds."""
    yield from _versions()
    yield from _machine()
    yield from _extras()
    try:
        loaded = load_prior(prior, device=device, dtype=precision_of(prior, AUTO, device))
    except LdrpsError as error:
        yield Finding("prior", "broken", str(error))
        return
    facts = loaded.describe()
    parts = ", ".join(sorted(loaded.networks()))
    yield Finding("prior", "ok", f"{loaded.name} on {facts['device']}: {parts}", dict(facts))
    yield _precision(loaded)
    if loaded.terms:
        yield Finding("terms", "ok", loaded.terms, {"terms": loaded.terms})
    yield from _self_test(loaded)


def _precision(prior: Prior) -> Finding:
    """What the command line computes in here, unless it is told, and why."""
    native = str(native_precision(prior.device)).removeprefix("torch.")
    place = "the processor" if prior.device.type == "cpu" else str(prior.device)
    if prior.precision == "bfloat16":
        why = f"which {place} computes in natively; --dtype float32 is slower, and the same on more machines"
    elif native == "bfloat16":
        why = f"as priors of its make have, unless --dtype asks for bfloat16, in which {place} computes natively"
    else:
        why = f"as {place} does not compute in bfloat16 natively"
    return Finding("precision", "ok", f"{prior.precision}, {why}", {"precision": prior.precision, "native": native})


def _versions() -> Iterator[Finding]:
    python = platform.python_version()
    state: Literal["ok", "broken"] = "ok" if sys.version_info >= (3, 11) else "broken"
    text = f"{python} on {platform.platform(terse=True)}" + (", 3.11 or newer is needed" if state == "broken" else "")
    yield Finding("python", state, text, {"version": python})
    for name in ("ldrps", *_required()[""]):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, "broken", "is not installed: pip install . in the checkout of ldrps")
        else:
            yield Finding(name, "ok", version, {"version": version})


def _machine() -> Iterator[Finding]:
    import torch

    cores = os.cpu_count() or 1
    yield Finding("cores", "ok", f"{cores}, of which torch uses {torch.get_num_threads()}", {"cores": cores})
    devices = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    devices += ["mps"] * torch.backends.mps.is_available()
    yield Finding("devices", "ok", ", ".join(["cpu", *devices]), {"devices": ["cpu", *devices]})
    memory = _memory()
    if memory is not None:
        total, free = memory
        figures = {"total_bytes": total, "free_bytes": free}
        yield Finding("memory", "ok", f"{free / 2**30:.1f} GiB free of {total / 2**30:.1f}", figures)
    yield _cache()


def _memory() -> tuple[int, int] | None:
    """Bytes of memory, and of those that can be had; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    entries = {name: int(value.split()[0]) << 10 for name, value in (line.split(":", 1) for line in lines)}
    return entries["MemTotal"], entries.get("MemAvailable", entries["MemFree"])


def _cache() -> Finding:
    """Where captions are kept, and the room there."""
    path = cache_path()
    if path is None:
        return Finding("cache", "note", "there is no home folder: captions are not kept; set LDRPS_CACHE to a folder")
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    free = shutil.disk_usage(nearest).free
    figures = {"folder": str(path.parent), "free_bytes": free}
    text = f"{path.parent}, {free / 2**30:.1f} GiB free"
    if not os.access(nearest, os.W_OK):
        return Finding("cache", "note", f"{text}, may not be written: set LDRPS_CACHE to another folder", figures)
    if free < _LITTLE_DISK:
        return Finding("cache", "note", f"{text}: that is little, make room or set LDRPS_CACHE", figures)
    return Finding("cache", "ok", text, figures)


def _extras() -> Iterator[Finding]:
    """The optional parts, and what they lack."""
    for extra, names in sorted(_required().items()):
        if extra in ("", "dev"):
            continue
        missing = [name for name in names if not _is_installed(name)]
        figures = {"missing": missing}
        if missing:
            yield Finding(extra, "note", f"without {', '.join(missing)}: {how_to_install(extra)}", figures)
        else:
            yield Finding(extra, "ok", "all there", figures)


def _required() -> dict[str, list[str]]:
    """The packages that ldrps needs, by the optional part that needs them; "" for all of it."""
    required: dict[str, list[str]] = {"": []}
    for line in metadata.requires("ldrps") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)", line)
        assert name is not None
        required.setdefault(extra[1] if extra else "", []).append(name[0])
    return required


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _self_test(prior: Prior) -> Iterator[Finding]:
    """Restore a small noisy picture, judge it, and tell from its time what others will take."""
    clean, damaged = _pictures()
    before = _psnr(damaged, clean)
    for name in _PRESETS:
        try:
            restored, seconds = _restore(prior, name, damaged)
        except Exception as error:  # whatever it is, it is what is broken
            yield Finding(f"self-test {name}", "broken", f"{type(error).__name__}: {error}")
            continue
        problem, after = _problem(restored, clean, before)
        figures = {"seconds": round(seconds, 3), "psnr_before": round(before, 2), "psnr_after": round(after, 2)}
        text = f"{_SIDE}x{_SIDE} in {seconds:.2f} s, {before:.1f} dB to {after:.1f}"
        if problem:
            yield Finding(f"self-test {name}", "broken", f"{text}: {problem}", figures)
            continue
        yield Finding(f"self-test {name}", "ok", text, figures)
        yield _outlook(name, seconds)


def _restore(prior: Prior, name: str, damaged: NDArray[Any]) -> tuple[NDArray[Any], float]:
    import numpy as np

    from ldrps.restorer import Restorer

    restorer = Restorer(prior, preset(name))
    restorer(damaged)  # the first call sets kernels up, and takes longer
    began = time.perf_counter()
    result = restorer(damaged)
    seconds = time.perf_counter() - began
    return np.asarray(result.image, dtype=np.float64) / 255, seconds


def _problem(restored: NDArray[Any], clean: NDArray[Any], before: float) -> tuple[str, float]:
    """What is wrong with a restored picture, "" for nothing; and its PSNR."""
    import numpy as np

    if restored.shape != clean.shape:
        return f"the result is of shape {restored.shape}, not {clean.shape}: install ldrps anew", 0.0
    if not np.isfinite(restored).all():
        return "the result holds NaN or infinity: try --device cpu", 0.0
    after = _psnr(restored, clean)
    return "" if after > before else "the result is no better than the damaged picture: install ldrps anew", after


def _outlook(name: str, seconds: float) -> Finding:
    """What larger pictures will take: the estimate, by how fast this machine turned out to be."""
    pace = seconds / estimate((_SIDE, _SIDE), preset(name)).seconds
    costs = {size: estimate(sides, preset(name)) for size, sides in _SIZES.items()}
    figures = {size: {"seconds": pace * cost.seconds, "bytes": cost.bytes} for size, cost in costs.items()}
    shares = [f"{size} {pace * cost.seconds:,.1f} s, {cost.bytes / 2**20:,.0f} MiB" for size, cost in costs.items()]
    return Finding(f"{name} will take", "ok", "; ".join(shares), figures)


def _pictures() -> tuple[NDArray[Any], NDArray[Any]]:
    """A smooth clean picture and a noisy one, float64 [H, W, 3] in [0, 1]; always the same."""
    import numpy as np

    y, x = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    clean = 0.5 + 0.3 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    return clean, (clean + 0.1 * noise).clip(0, 1)


def _psnr(picture: NDArray[Any], truth: NDArray[Any]) -> float:
    import numpy as np

    return float(-10 * np.log10(max(np.mean((picture - truth) ** 2), 1e-12)))
