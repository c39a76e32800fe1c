"""How the pictures of a run are restored, as plain data that can be sent to other processes and compared."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.baselines.facts import Order
from ldrps.baselines.mark import edges, weights_mark
from ldrps.baselines.registry import build_rival
from ldrps.cost import affordable, check_reading
from ldrps.estimation import PACKAGED, estimators_folder
from ldrps.folders.fingerprint import Fingerprint, TextFingerprint
from ldrps.jobs import Output
from ldrps.prior import EMBEDDED, prior_folder
from ldrps.settings import Settings

if TYPE_CHECKING:
    from ldrps.batch import Batch

# Of the output, what decides which files there are, not what is in them.
_WHICH_FILES = {"overwrite", "compare", "trace", "samples", "max_pixels", "max_memory"}


@dataclass(frozen=True)
class Captions:
    """Who is asked for captions, the arguments of `ldrps.caption.chain.make_captioner`; and whether before each
    recurrence `again`.
    """

    spec: str = ""
    url: str | None = None
    prompt: str | None = None
    required: bool = False
    cache: bool = True
    timeout: float = 30.0
    again: bool = False

    @property
    def in_files(self) -> bool:
        """Whether they are in text files."""
        return self.spec.partition(":")[0] == "file"

    @property
    def folder(self) -> Path | None:
        """Of captions in files, the folder; None for beside each picture."""
        _, colon, folder = self.spec.partition(":")
        return Path(folder.strip()) if colon else None


@dataclass(frozen=True)
class Method:
    """A rival in place of ldrps, by its name in `ldrps methods`, and what was said about it; see `Order`."""

    name: str
    seed: int | None = None
    steps: int | None = None
    weights: Path | None = None
    changes: tuple[tuple[str, Any], ...] = ()

    def order(self, device: str) -> Order:
        """The same for `build_rival`."""
        return Order(self.seed, self.steps, self.weights, device, dict(self.changes))


@dataclass(frozen=True)
class Recipe:
    """Settings, prior, captions and output; see `ldrps.load_prior` and `VGG16Features.from_file` for the rest.

    With a `method`, a rival restores: settings, prior and captions then play no part.
    """

    settings: Settings
    prior: str = EMBEDDED
    device: str = "cpu"
    dtype: str = "float32"
    perceptual: Path | None = None
    estimators: str = PACKAGED
    captions: Captions = field(default_factory=Captions)
    output: Output = field(default_factory=Output)
    method: Method | None = None

    def fingerprint(self) -> Fingerprint:
        """Of all that decides a result beside its picture: equal ones give the same results."""
        if self.method is None and self.captions.in_files:
            return TextFingerprint(self._hash(), self.captions.folder)
        return self._hash()

    def _hash(self) -> str:
        output = {name: value for name, value in dataclasses.asdict(self.output).items() if name not in _WHICH_FILES}
        captions = self.captions
        about: list[Any] = [
            dataclasses.asdict(self.settings) | {"method": self.settings.method},
            [_identity(prior_folder(self.prior), self.prior), self.dtype],
            _identity(estimators_folder(self.estimators), self.estimators),
            None if self.perceptual is None else _identity(self.perceptual, str(self.perceptual)),
            [captions.spec, captions.url, captions.prompt, captions.required, captions.again],
            output,
        ]
        if self.method is not None:
            weights = weights_mark(self.method.name, self.method.weights)
            about = [dataclasses.asdict(self.method) | {"weights": weights}, output]
        return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()

    def check_size(self, size: tuple[int, int]) -> None:
        """Find out before anything is loaded whether there is memory for a picture of (width, height) `size`.

        Raises:
            InputError: there is too little.
        """
        if self.method is None:
            affordable(size, self.settings, self.output.max_memory)
        else:
            check_reading(size, self.output.max_memory)

    def build(self) -> Batch:
        """Load all that it takes.

        Raises:
            InputError, PriorError, SettingsError: something cannot be loaded, or the parts do not go together.
        """
        if self.method is not None:
            from ldrps.batch import RivalBatch

            return RivalBatch(build_rival(self.method.name, self.method.order(self.device)), self.output)
        import torch

        from ldrps.batch import RestorerBatch
        from ldrps.caption.chain import make_captioner
        from ldrps.estimation.estimators import load_estimators
        from ldrps.guidance.perceptual import VGG16Features
        from ldrps.prior import load_prior
        from ldrps.restorer import Restorer

        captions = self.captions
        captioner = make_captioner(
            captions.spec,
            url=captions.url,
            prompt=captions.prompt,
            required=captions.required,
            cache=captions.cache,
            timeout=captions.timeout,
            device=self.device,
        )
        precision: torch.dtype = getattr(torch, self.dtype)
        prior = load_prior(self.prior, device=self.device, dtype=precision)
        features = None if self.perceptual is None else VGG16Features.from_file(self.perceptual).to(prior.device)
        return RestorerBatch(
            Restorer(prior, self.settings, estimators=load_estimators(self.estimators), features=features),
            self.output,
            captioner,
            recaption=captions.again,
        )


def _identity(root: Path, name: str) -> str:
    """What tells a folder or a file of weights from another: a hash of its files, or, of the hub's, its name."""
    if root.is_file():
        return edges(root)
    if not root.is_dir():
        return name
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != "training")
        for file in sorted(files):
            path = Path(folder) / file
            if file.endswith((".json", ".safetensors", ".txt")) and path.is_file():  # a pipe would wait for ever
                digest.update(os.fsencode(f"{path.relative_to(root).as_posix()} {edges(path)}\n"))
    return digest.hexdigest()
