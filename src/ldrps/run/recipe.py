"""How the pictures of a run are restored, as plain data that can be sent to other processes and compared."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.cost import Cost, affordable, check_reading, estimate
from ldrps.errors import SettingsError
from ldrps.estimation import PACKAGED, estimators_folder
from ldrps.estimation.files import PlainDamage
from ldrps.image.formats import ALPHA
from ldrps.image.limits import refuse_enlarged
from ldrps.masks import Masks
from ldrps.prior import AUTO, EMBEDDED, precision_of, prior_folder
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.mark import edges, weights_mark
from ldrps.rivals.registry import build_rival
from ldrps.run.fingerprint import FileFingerprint, Fingerprint
from ldrps.run.job import Output
from ldrps.run.share import Share
from ldrps.settings import Settings

if TYPE_CHECKING:
    from ldrps.run.batch import Batch

_PRECISIONS = ("bfloat16", "float32")  # that "auto" may mean
# Of the output, what decides which files there are, not what is in them.
_WHICH_FILES = {"overwrite", "compare", "trace", "samples", "max_pixels", "max_memory", "first_frame"}


@dataclass(frozen=True)
class CaptionSource:
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
class OwnMethod:
    """ldrps itself: settings, prior and captions; see `ldrps.load_prior` and `VGG16Features.from_file` for the rest."""

    settings: Settings
    prior: str = EMBEDDED
    device: str = "cpu"
    dtype: str = "float32"
    perceptual: Path | None = None
    estimators: str = PACKAGED
    captions: CaptionSource = field(default_factory=CaptionSource)
    damage: PlainDamage | None = None
    masks: Masks = field(default_factory=Masks)

    def in_precisions(self) -> list[OwnMethod]:
        """The same with each precision that "auto" may mean, that of this machine first; itself where one is told."""
        if self.dtype != AUTO:
            return [self]
        here = str(precision_of(self.prior, AUTO, self.device)).removeprefix("torch.")
        return [dataclasses.replace(self, dtype=name) for name in (here, *(n for n in _PRECISIONS if n != here))]

    def fingerprint(self, output: Mapping[str, Any]) -> Fingerprint:
        captions = self.captions
        mark = _hash(
            [self.settings.recorded_as, dataclasses.asdict(self.settings)],
            [_identity(prior_folder(self.prior), self.prior), self.dtype],
            _identity(estimators_folder(self.estimators), self.estimators),
            None if self.perceptual is None else _identity(self.perceptual, str(self.perceptual)),
            [captions.spec, captions.url, captions.prompt, captions.required, captions.again],
            *([] if self.damage is None else [self.damage.data]),
            *([] if self.damage is None or self.damage.scale in (None, self.settings.scale) else [self.damage.scale]),
            *(["masks", self.masks.holes == ALPHA] if self.masks else []),
            output,
        )
        if not captions.in_files and not self.masks:
            return mark
        return FileFingerprint(mark, captions.folder, captions.in_files, self.masks)

    def check_size(self, size: tuple[int, int], output: Output) -> None:
        self._within(size, output)

    def cost(self, size: tuple[int, int], output: Output) -> Cost:
        return estimate(size, self._within(size, output))

    def _within(self, size: tuple[int, int], output: Output) -> Settings:
        """The settings for a picture of that size within the limits."""
        refuse_enlarged("a picture", *size, self.settings.scale, output.max_pixels)
        return affordable(size, self.settings, output.max_memory)

    def check_damage(self) -> None:
        if self.damage is not None:
            from ldrps.estimation.damage import Damage

            Damage.load(self.damage)

    def build(self, output: Output) -> Batch:
        from ldrps.caption.chain import make_captioner
        from ldrps.estimation.damage import Damage
        from ldrps.estimation.estimators import load_estimators
        from ldrps.guidance.perceptual import VGG16Features
        from ldrps.prior import load_prior
        from ldrps.restorer import Restorer
        from ldrps.run.batch import restorer_batch

        # First, so that what is wrong with it is told soon.
        damage = None if self.damage is None else Damage.load(self.damage, self.settings.scale)
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
        precision = precision_of(self.prior, self.dtype, self.device)
        prior = load_prior(self.prior, device=self.device, dtype=precision)
        features = None if self.perceptual is None else VGG16Features.from_file(self.perceptual).to(prior.device)
        restorer = Restorer(
            prior,
            self.settings,
            estimators=load_estimators(self.estimators),
            damage=damage,
            features=features,
        )
        return restorer_batch(restorer, output, captioner, recaption=captions.again, masks=self.masks)


@dataclass(frozen=True)
class RivalMethod:
    """A rival in place of ldrps, by its name in `ldrps methods`, and what was said about it; see `RivalOptions`."""

    name: str
    seed: int | None = None
    steps: int | None = None
    weights: Path | None = None
    changes: tuple[tuple[str, Any], ...] = ()
    device: str = "cpu"

    def in_precisions(self) -> list[RivalMethod]:
        """Itself alone: rivals know one precision."""
        return [self]

    def fingerprint(self, output: Mapping[str, Any]) -> Fingerprint:
        about = dataclasses.asdict(self) | {"weights": weights_mark(self.name, self.weights)}
        del about["device"]  # where it computes decides no result
        return _hash(about, output)

    def check_size(self, size: tuple[int, int], output: Output) -> None:
        check_reading(size, output.max_memory)

    def cost(self, size: tuple[int, int], output: Output) -> Cost:
        raise SettingsError(f"nobody knows what {self.name} will take: leave --dry-run out")

    def check_damage(self) -> None:
        """None is given to a rival."""

    def build(self, output: Output) -> Batch:
        from ldrps.run.batch import Batch

        options = RivalOptions(self.seed, self.steps, self.weights, self.device, dict(self.changes))
        return Batch(build_rival(self.name, options), output)


@dataclass(frozen=True)
class Recipe:
    """Who restores the pictures of a run, and what is written of each. Both methods answer the same questions."""

    method: OwnMethod | RivalMethod
    output: Output = field(default_factory=Output)

    def fingerprint(self) -> Fingerprint:
        """Of all that decides a result beside its picture: equal ones give the same results."""
        output = dataclasses.asdict(self.output)
        return self.method.fingerprint({name: output[name] for name in output if name not in _WHICH_FILES})

    def in_precisions(self) -> list[Recipe]:
        """The recipe in each precision that its own may mean, that of this machine first. Equal bytes are promised of
        one precision: what is carried on must stay in the one in which it began.

        Raises:
            PriorError: the index of the prior's folder is broken.
        """
        return [dataclasses.replace(self, method=method) for method in self.method.in_precisions()]

    @property
    def preload(self) -> list[str]:
        """See `Work.preload`."""
        return ["ldrps.run.batch"] if self.method.device == "cpu" else []

    def within(self, share: Share) -> Recipe:
        """The recipe of a worker with such a share of the machine: it is what its memory is limited to, unless a limit
        was given.
        """
        if share.bytes is None or self.output.max_memory is not None:
            return self
        return dataclasses.replace(self, output=dataclasses.replace(self.output, max_memory=share.bytes))

    def check_size(self, size: tuple[int, int]) -> None:
        """Find out before anything is loaded whether there is memory for a picture of (width, height) `size`, and room
        within the limit of pixels for what it is enlarged to.

        Raises:
            InputError: there is too little.
        """
        self.method.check_size(size, self.output)

    def cost(self, size: tuple[int, int]) -> Cost:
        """What a picture of (width, height) `size` will take.

        Raises:
            InputError: as `check_size`.
            SettingsError: of this method nobody knows.
        """
        return self.method.cost(size, self.output)

    def check_damage(self) -> None:
        """Find out before anything is written whether a damage that was given can be; loads torch where one was.

        Raises:
            InputError: it cannot.
        """
        self.method.check_damage()

    def build(self) -> Batch:
        """Load all that it takes.

        Raises:
            InputError, PriorError, SettingsError: something cannot be loaded, or the parts do not go together.
        """
        return self.method.build(self.output)


def _hash(*about: Any) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()


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
