"""The numbers of a training run: defaults, and a TOML file that changes some."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ldrps.errors import InputError
from ldrps.prior.base import NOISES
from ldrps.prior.config import fault
from ldrps.train.loop import TrainingPlan
from ldrps.train.tones import DETAILS, FAMILIES

_Any = TypeVar("_Any")


@dataclass(frozen=True)
class AutoencoderConfig:
    """Principal components of patches."""

    latent_channels: int = 32
    patch_size: int = 4


@dataclass(frozen=True)
class TextConfig:
    """The transformer of the text encoder and its vocabulary."""

    width: int = 128
    layers: int = 2
    vocabulary: int = 1536


@dataclass(frozen=True)
class UNetConfig:
    """See `LatentUNet`."""

    widths: tuple[int, ...] = (128, 192, 256)
    blocks: tuple[int, ...] = (3, 4)
    middle: int = 6
    kinds: int = len(NOISES)  # of noise


@dataclass(frozen=True)
class ToneExamples:
    """What the judge of tone learns from: the shares of the families of damage, see `damage_tones`, in any unit, and
    that of the pictures which show a part of a scene.
    """

    dark: float = FAMILIES["dark"]
    bright: float = FAMILIES["bright"]
    cast: float = FAMILIES["cast"]
    uneven: float = FAMILIES["uneven"]
    veil: float = FAMILIES["veil"]
    flat: float = FAMILIES["flat"]
    curve: float = FAMILIES["curve"]
    details: float = DETAILS

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise InputError(f"the share of {name!r} is {share}; it must be from 0 to 1")
        if not any(self.families.values()):
            raise InputError(f"no family has a share: give one of {', '.join(FAMILIES)} more than 0")

    @property
    def families(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in FAMILIES}


@dataclass(frozen=True)
class TrainingConfig:
    """A table of each part, as a config file has them."""

    autoencoder: AutoencoderConfig = AutoencoderConfig()
    text: TextConfig = TextConfig()
    unet: UNetConfig = UNetConfig()
    diffusion: TrainingPlan = field(
        default_factory=lambda: TrainingPlan(steps=6000, learning_rate=1.2e-3, ema=0.998, validate_every=500)
    )
    tone: TrainingPlan = field(default_factory=lambda: TrainingPlan(steps=4000, ema=0.998, validate_every=500))
    tone_examples: ToneExamples = ToneExamples()
    noise: TrainingPlan = field(default_factory=lambda: TrainingPlan(steps=5000, ema=0.998, validate_every=500))
    blur: TrainingPlan = field(default_factory=lambda: TrainingPlan(steps=6000, ema=0.998, validate_every=500))
    cast: TrainingPlan = field(default_factory=lambda: TrainingPlan(steps=6000, ema=0.998, validate_every=500))
    scratches: TrainingPlan = field(default_factory=lambda: TrainingPlan(steps=4000, ema=0.998, validate_every=500))
    enlarger: TrainingPlan = field(
        # No norm holds its features: with 6e-4 and gradients of up to 1 it was lost after 2,300 steps.
        default_factory=lambda: TrainingPlan(
            steps=6600, learning_rate=5e-4, ema=0.998, decay=0.5, gradient_norm=0.2, validate_every=500
        )
    )
    zero_dce: TrainingPlan = field(
        default_factory=lambda: TrainingPlan(steps=3000, ema=0.995, gradient_norm=0.1, validate_every=500)
    )


def read_config(path: Path | None) -> TrainingConfig:
    """The defaults, with what the file says instead; None is no file.

    Raises:
        InputError: it cannot be read, or names a table, a setting or a type of value that does not exist here, or a
            network that no prior may have, see `ldrps.prior.config`.
    """
    config = TrainingConfig()
    if path is None:
        return config
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from error
    known = {part.name: getattr(config, part.name) for part in dataclasses.fields(config)}
    for name, table in tables.items():
        if name not in known or not isinstance(table, dict):
            raise InputError(f"{path} has {name!r}; it may have the tables {', '.join(f'[{part}]' for part in known)}")
        known[name] = _changed(known[name], table, f"{path}, [{name}]")
    config = TrainingConfig(**known)
    _require_loadable(config, path)
    return config


def _require_loadable(config: TrainingConfig, path: Path) -> None:
    """Refuse a network that could be trained for hours but is beyond what a prior's folder may describe."""
    text = config.text
    described = {
        "autoencoder": ("PatchAutoencoder", vars(config.autoencoder)),
        "text": ("CLIPTextModel", {"hidden_size": text.width, "num_hidden_layers": text.layers}),
        "unet": (
            "LatentUNet",
            {**vars(config.unet), "widths": list(config.unet.widths), "blocks": list(config.unet.blocks)},
        ),
    }
    for table, (kind, fields) in described.items():
        if wrong := fault(fields, kind):
            raise InputError(f"{path}, [{table}] comes to {wrong.found}; it must be {wrong.expected}")


def _changed(defaults: _Any, table: Mapping[str, Any], where: str) -> _Any:
    """A copy of a dataclass with some fields of the same types replaced."""
    fields = {each.name: getattr(defaults, each.name) for each in dataclasses.fields(defaults)}  # type: ignore[arg-type]
    for name, value in table.items():
        if name not in fields:
            raise InputError(f"{where} has {name!r}; there are {', '.join(fields)}")
        fields[name] = _like(fields[name], value, f"{where}, {name}")
    return dataclasses.replace(defaults, **fields)  # type: ignore[type-var]


def _like(default: Any, value: Any, where: str) -> Any:
    if isinstance(default, tuple) and isinstance(value, list) and value:
        return tuple(_like(default[0], each, where) for each in value)
    if type(default) is float and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise InputError(f"{where} is {value!r}; it must be of type {type(default).__name__}, such as {default!r}")
    return value
