"""Networks that others trained, in any make that spandrel can tell by its weights: NAFNet, SCUNet, RetinexFormer, ...

spandrel needs torchvision, so its extra installs only where torchvision does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ldrps.errors import InputError, LdrpsError, PriorError, how_to_install
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run
from ldrps.weights import read_checkpoint


class TrainedSettings(RivalSettings):
    """A network has no settings."""


class Trained(Rival):
    """A network that takes a picture and gives one of the same size.

    Args:
        facts, settings, device: see `Rival`.
        network: a callable of [1, 3, H, W] in [0, 1], of any H and W, to the same.
    """

    settings_type = TrainedSettings

    def __init__(self, facts: Facts, network: Any, settings: RivalSettings | None = None, *, device: str = "cpu"):
        super().__init__(facts, settings, device=device)
        self._network = network

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """See `Rival.build`; the file is what follows "spandrel:" in the name.

        Raises:
            InputError: spandrel, or torchvision that it needs, is not installed.
            PriorError: the file cannot be read, or is of no network that restores a colour picture in its size.
        """
        settings = cls.settings_of(facts, options)
        path = Path(facts.name.partition(":")[2]).expanduser()
        spandrel = _spandrel()
        stored = read_checkpoint(path)
        if not isinstance(stored, Mapping):
            raise PriorError(f"{path} holds a {type(stored).__name__}: give a state dict, not a whole model")
        try:
            network = spandrel.ModelLoader().load_from_state_dict(spandrel.canonicalize_state_dict(stored))
        except spandrel.UnsupportedModelError as error:
            raise PriorError(
                f"{path} is of no network that spandrel {spandrel.__version__} knows: give another"
            ) from error
        if not isinstance(network, spandrel.ImageModelDescriptor):
            raise PriorError(f"{path} ({network.architecture.name}) wants a mask: give one that restores pictures")
        scale, before, after = network.scale, network.input_channels, network.output_channels
        if (scale, before, after) != (1, 3, 3):
            raise PriorError(
                f"{path} ({network.architecture.name}) enlarges by {scale} and takes {before} channels to {after}; it "
                "must keep the size and take 3 to 3: give another"
            )
        return cls(facts, network.to(torch.device(options.device)).eval(), settings, device=options.device)

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """See `Rival.run`; one step, without chance."""
        with torch.no_grad():
            restored = self._network(y).float()
        if restored.shape != y.shape:
            raise LdrpsError(
                f"{self.facts.name} made {tuple(restored.shape)} of {tuple(y.shape)}: give another network"
            )
        yield RivalStep(1, 1, {}, restored)
        return restored


def _spandrel() -> Any:
    try:
        return importlib.import_module("spandrel")
    except ImportError as error:
        raise InputError(
            f"spandrel cannot be loaded ({error}): {how_to_install('spandrel')}, which needs torchvision"
        ) from error
