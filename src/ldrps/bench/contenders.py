"""What the benchmark compares, as descriptions that a worker process can be sent and then builds."""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ldrps.errors import InputError
from ldrps.presets import PRESETS, preset
from ldrps.printable import printable
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.mark import code_mark, weight_files, weights_mark
from ldrps.rivals.registry import RIVALS, build_rival, facts_of, is_rival
from ldrps.settings import Settings, changed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ldrps.caption.base import Caption
    from ldrps.image.picture import Picture
    from ldrps.prior.base import Prior
    from ldrps.progress import PictureRestorer, Progress

OURS = "ldrps"
FILES = "files:"
ORACLE = "oracle-"
STOPPED = "oracle-stopped:"
PLAIN, CHAINED, ORACLES_ALL, RIVALS_ALL = "plain", "chains", "oracles", "rivals"
_WATCHED = 5  # steps between looks at the truth


@dataclass(frozen=True)
class Problem:
    """What a contender is given, how many times larger, each way, the result should be, a mask of the pixels that are
    lost, white, and the memory that it may take, or None for what is free. `truth` is for oracles and for finding
    files; nothing else may look at it.
    """

    damaged: Image.Image
    source: Path
    truth: Image.Image | None
    caption: str
    seed: int
    enlarge: int = 1
    mask: Image.Image | None = None
    max_bytes: int | None = None


Attempt = Callable[[Problem], Image.Image]


@dataclass(frozen=True)
class Contender:
    """A row of the tables.

    Attributes:
        method: "ldrps", a rival, a baseline, an oracle, "files:FOLDER", pictures that lie beside the inputs' folder, or
            "oracle-stopped:RIVAL", the rival at the step where it is nearest to the truth, as some publish theirs.
        preset: of ldrps; empty for the others.
        changes: settings changed from the preset's, as dotted names and values.
        captions: which ones ldrps is given, one of `ldrps.bench.captions.KINDS`.
        prior, device: of ldrps and the oracle that needs a prior; rivals compute on the device as well.
        weights: of rivals that take some, a file, a folder or a name; "" for the folder that LDRPS_WEIGHTS names.
    """

    method: str
    preset: str = ""
    changes: tuple[tuple[str, Any], ...] = ()
    captions: str = "none"
    prior: str = "embedded"
    device: str = "cpu"
    weights: str = ""

    @property
    def label(self) -> str:
        """Its name in tables."""
        name = self.preset or self.method
        changes = [f"{key.rpartition('.')[2]} {value}" for key, value in self.changes]
        return printable(", ".join([name, *changes, *[f"caption {self.captions}"] * (self.captions != "none")]))

    @property
    def is_oracle(self) -> bool:
        return self.method.startswith(ORACLE)

    @property
    def uses_prior(self) -> bool:
        return self.method == OURS or self.method == "oracle-roundtrip"

    @property
    def is_random(self) -> bool:
        """Whether its result depends on the seed."""
        return self.method == OURS or (bool(self.rival) and facts_of(self.rival).is_random)

    @property
    def rival(self) -> str:
        """The name of the rival that it is, or is of; "" if there is none."""
        name = self.method.removeprefix(STOPPED)
        return name if is_rival(name) else ""

    @property
    def takes_weights(self) -> bool:
        """Whether it is made of the weights that are given."""
        facts = RIVALS.get(self.rival)
        return facts is not None and bool(facts.needs or facts.takes)

    @property
    def settings(self) -> Settings:
        """Of ldrps, with the changes made.

        Raises:
            SettingsError: the preset or a changed field does not exist, or a value is out of range.
        """
        return changed(preset(self.preset), dict(self.changes))

    def fingerprint(self) -> str:
        """Changes with anything that can change a result: settings, weights, code."""
        from ldrps import __version__

        facts = {**dataclasses.asdict(self), "version": __version__, "code": code_mark(self.rival)}
        if self.method == OURS:
            facts["settings"] = dataclasses.asdict(self.settings)
        if self.uses_prior:
            facts["weights"] = _weights_digest(self.prior)
        if self.rival:
            weights = Path(self.weights) if self.weights else None
            facts |= {
                "rival": dict(facts_of(self.rival).changes),
                "weights": weights_mark(self.rival, weights),
            }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
        return f"{self.label} #{digest[:12]}"

    def finished(self, source: Path) -> Path | None:
        """The picture that files:FOLDER takes for a source; None where there is none, and for all other methods."""
        if not self.method.startswith(FILES):
            return None
        place = source.parent.parent / self.method.removeprefix(FILES)
        found = sorted(place.glob(f"{glob.escape(source.stem)}.*"))
        return next((path for path in found if path.is_file()), None)

    def build(self) -> Attempt:
        """The function that restores; loads what it needs.

        Raises:
            InputError: there is no such method, or what it needs is not installed.
        """
        if self.method.startswith(FILES):
            return _files(self)
        if self.method == OURS or self.rival:
            return _stopped(self) if self.is_oracle else _restored(self)
        if self.method == "oracle-roundtrip":
            return _roundtrip(self)
        from ldrps.tools import ORACLES, baseline

        if not self.is_oracle:
            mend = baseline(self.method)
            return lambda problem: _image(mend(_pixels(problem.damaged), problem.enlarge, _lost(problem.mask)))
        oracle = ORACLES[self.method].function

        def look(problem: Problem) -> Image.Image:
            if problem.truth is None:
                raise InputError(f"{self.method} needs the truth, which this set has not")
            return _image(oracle(_pixels(problem.damaged), _pixels(problem.truth)))

        return look


def contenders(
    name: str, presets: Sequence[str], *, prior: str = "embedded", device: str = "cpu", weights: str = ""
) -> list[Contender]:
    """What a name on the command line stands for: `ldrps` in each of the presets, one preset, a rival, a baseline or
    several joined by "+", an oracle, oracle-stopped:RIVAL, files:FOLDER, command:"PROGRAM {in} {out}", spandrel:FILE,
    or a group of them: `plain`, `chains`, `rivals` (all that are known by name) and `oracles`.

    Raises:
        InputError: there is none of that name.
        SettingsError: there is no such preset.
    """
    if name == OURS or name in PRESETS:
        wanted = presets if name == OURS else [name]
        return [Contender(OURS, preset(each).preset, prior=prior, device=device) for each in wanted]
    if name.startswith(FILES):
        return [Contender(name)]
    if is_rival(name.removeprefix(STOPPED)) or name == RIVALS_ALL:
        wanted = list(RIVALS) if name == RIVALS_ALL else [name]
        return [Contender(each, device=device, weights=weights) for each in wanted]
    from ldrps.tools import BASELINES, CHAINS, ORACLES

    # Those that enlarge or fill are for sets of reduced pictures or of holes, and called by name.
    plain = [each.name for each in BASELINES.values() if not each.enlarges and not each.fills]
    groups = {PLAIN: plain, CHAINED: list(CHAINS), ORACLES_ALL: list(ORACLES)}
    if name not in groups and name not in ORACLES and not set(name.split("+")) <= BASELINES.keys():
        names = ", ".join([OURS, *PRESETS, RIVALS_ALL, *RIVALS, *groups, *BASELINES, *ORACLES])
        others = 'plain tools joined by +, files:FOLDER, command:"PROGRAM {in} {out}", spandrel:FILE, '
        others += "oracle-stopped:RIVAL"
        raise InputError(f"method is {name!r}; there are {names}, {others}")
    return [Contender(each, prior=prior, device=device) for each in groups.get(name, [name])]


@lru_cache(maxsize=2)
def _prior(name: str, device: str) -> Prior:
    from ldrps.prior import load_prior

    return load_prior(name, device=device)


def _restorer(entry: Contender) -> PictureRestorer:
    if entry.method == OURS:
        from ldrps.restorer import Restorer

        return Restorer(_prior(entry.prior, entry.device), entry.settings)
    return build_rival(
        entry.rival, RivalOptions(weights=Path(entry.weights) if entry.weights else None, device=entry.device)
    )


def _restored(entry: Contender) -> Attempt:
    from ldrps.image.picture import load_picture

    restorer = _restorer(entry)
    describe = _describe_offline(entry) if entry.captions == "offline" else None

    def restore(problem: Problem) -> Image.Image:
        picture = load_picture(problem.damaged)
        if problem.mask is not None and entry.method == OURS:
            picture = picture.with_holes(problem.mask)
        caption = problem.caption if describe is None else describe(picture)
        return _fitted(restorer, problem)(picture, caption).image

    return restore


def _fitted(restorer: PictureRestorer, problem: Problem) -> PictureRestorer:
    """The same for a problem, in the memory that it may take. Rivals leave reduced pictures as small as they are."""
    from ldrps.restorer import Restorer

    if problem.enlarge != 1 and isinstance(restorer, Restorer):
        restorer = restorer.with_settings(restorer.settings.with_changes(scale=float(problem.enlarge)))
    return restorer.with_seed(problem.seed).within(problem.damaged.size, problem.max_bytes)


def _describe_offline(entry: Contender) -> Callable[[Picture], Caption]:
    from ldrps.caption.offline import OfflineCaptioner
    from ldrps.captioning import ask
    from ldrps.estimation.estimators import load_estimators

    captioner, estimators = OfflineCaptioner(), load_estimators(device=entry.device)
    return lambda picture: ask(captioner, picture, estimators)


def _stopped(entry: Contender) -> Attempt:
    """YOLY's own script measures every fifth step so, and publishes the best. Step 0, a rival that waits, is none."""
    from ldrps.image.arrays import to_pil
    from ldrps.metrics import psnr

    restorer = _restorer(entry)

    def watch(problem: Problem) -> Image.Image:
        truth = problem.truth
        if truth is None:
            raise InputError(f"{entry.method} needs the truth, which this set has not")
        width, height = problem.damaged.size
        seen: list[tuple[float, Image.Image]] = []

        def look(image: Image.Image) -> None:
            seen.append((float(psnr(image, truth)), image))
            seen[:] = [max(seen, key=lambda each: each[0])]

        def on_step(progress: Progress) -> None:
            if progress.number >= 1 and progress.number % _WATCHED == 0:
                look(to_pil(progress.z0[0, :, :height, :width]))

        look(_fitted(restorer, problem)(problem.damaged, on_step=on_step).image)
        return seen[0][1]

    return watch


def _roundtrip(entry: Contender) -> Attempt:
    from ldrps.tools.oracles import roundtrip

    prior = _prior(entry.prior, entry.device)

    def encode_decode(problem: Problem) -> Image.Image:
        if problem.truth is None:
            raise InputError("oracle-roundtrip needs the truth, which this set has not")
        return _image(roundtrip(_pixels(problem.truth), prior))

    return encode_decode


def _files(entry: Contender) -> Attempt:
    def find(problem: Problem) -> Image.Image:
        found = entry.finished(problem.source)
        if found is None:
            place = problem.source.parent.parent / entry.method.removeprefix(FILES)
            raise InputError(f"{place} has no file {problem.source.stem}.*: give the folder beside the inputs'")
        with Image.open(found) as image:
            return image.convert("RGB")

    return find


@lru_cache
def _weights_digest(name: str) -> str:
    """Of all bytes of a prior's weights and of the estimators': two that share their ends, as after a merge of
    adapters, are two.
    """
    from ldrps.estimation import estimators_folder
    from ldrps.prior import prior_folder

    digest = hashlib.sha256()
    for path in [*weight_files(prior_folder(name)), *weight_files(estimators_folder())]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _pixels(image: Image.Image) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255)


def _lost(mask: Image.Image | None) -> NDArray[np.bool_] | None:
    import numpy as np

    return None if mask is None else np.asarray(mask) > 0


def _image(pixels: NDArray[np.float32]) -> Image.Image:
    from ldrps.tools.base import levels

    return Image.fromarray(levels(pixels))
