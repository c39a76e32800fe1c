"""The systems that the paper compares with, by name: what each is for and what it needs.

    rival = build_rival("yoly", RivalOptions(seed=1))  # loads the rival's module, and its weights if it has any
    result = rival("hazy.jpg")  # as `ldrps.Restorer`

Importing this loads no torch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ldrps.errors import InputError, how_to_install
from ldrps.rivals.facts import Facts, Purpose, RivalOptions

if TYPE_CHECKING:
    from ldrps.rivals.rival import Rival

logger = logging.getLogger(__name__)

WEIGHTS_VARIABLE = "LDRPS_WEIGHTS"  # names the folder where weights are looked for if none are given

# Of the diffusion models of pixels, the one that comes with ldrps is by far the smallest.
_PIXELS = "256x256_diffusion_uncond.pt (ADM, 2.2 GB), a UNet2DModel, or a folder of ldrps train pixels"
_OWN_PIXELS = "prior/tiny/pixels"
_TAO_SEEDS: tuple[tuple[Purpose, int], ...] = (("dark", 10), ("haze", 10), ("noise", 20))  # as published

_ALL = (
    Facts(
        "yoly",
        "YOLY: layers of haze, learned of the one picture",
        "haze",
        "Li et al., IJCV 2021",
        seconds=110,
        place="ldrps.rivals.yoly.yoly:Yoly",
        licence="written anew; the authors' code has no licence",
    ),
    Facts(
        "yoly-detached",
        "YOLY as its code has it: the colour attenuation prior without a gradient",
        "haze",
        "Li et al., IJCV 2021",
        seconds=110,
        place="ldrps.rivals.yoly.yoly:Yoly",
        licence="written anew; the authors' code has no licence",
        changes={"cap_gradient": False},
    ),
    Facts(
        "zero-ig",
        "ZERO-IG: light and noise, learned of the one picture",
        "dark",
        "Shi et al., CVPR 2024",
        seconds=1400,
        place="ldrps.rivals.zero_ig.zero_ig:ZeroIg",
        licence="written anew; the authors' code has no licence",
    ),
    Facts(
        "zero-dce",
        "Zero-DCE++: light by curves, drawn on a copy 12 times smaller as in its test script",
        "dark",
        "Li et al., TPAMI 2021",
        needs="weights Epoch99.pth",
        seconds=0.02,
        place="ldrps.rivals.zero_dce:ZeroDce",
        licence="published weights CC BY-NC 4.0: not for commercial use",
        is_random=False,
    ),
    Facts(
        "zero-dce-full",
        "Zero-DCE++, its curves drawn on the picture itself as in training",
        "dark",
        "Li et al., TPAMI 2021",
        needs="weights Epoch99.pth",
        seconds=0.3,
        place="ldrps.rivals.zero_dce:ZeroDce",
        licence="published weights CC BY-NC 4.0: not for commercial use",
        is_random=False,
        changes={"shrink": 1},
    ),
    Facts(
        "zero-dce-own",
        "Zero-DCE++ as `ldrps train zero-dce` trains it, without references, on photographs that were darkened",
        "dark",
        "after Li et al., TPAMI 2021",
        takes="zero-dce.safetensors, what that leaves",
        own="rivals/own/zero-dce.safetensors",
        seconds=0.02,
        place="ldrps.rivals.zero_dce:OwnZeroDce",
        licence="weights trained on photographs for research and education, as those of the embedded prior",
        is_random=False,
    ),
    Facts(
        "aod-net",
        "AOD-Net: haze, a small trained network",
        "haze",
        "Li et al., ICCV 2017",
        needs="weights dehazer.pth",
        seconds=0.05,
        place="ldrps.rivals.aod_net:Aod",
        licence="weights MIT",
        is_random=False,
    ),
    Facts(
        "gdp",
        "GDP: a diffusion model of pixels, moved to a picture x of which the data are A x + M",
        "all",
        "Fei et al., CVPR 2023",
        takes=_PIXELS,
        own=_OWN_PIXELS,
        seconds=60,
        place="ldrps.rivals.pixel.gdp:Gdp",
    ),
    *(
        Facts(
            f"tao-{task}",
            f"TAO: a diffusion model of pixels and an adapter that learns the damage, constants for {task}",
            task,
            "Gou et al., ICML 2024",
            takes=f"{_PIXELS}; vgg16.safetensors beside it, or pixels stand in",
            own=_OWN_PIXELS,
            place="ldrps.rivals.pixel.tao:Tao",
            changes={"task": task, "seed": seed},
        )
        for task, seed in _TAO_SEEDS
    ),
)

RIVALS: Mapping[str, Facts] = MappingProxyType({facts.name: facts for facts in _ALL})


# Rivals that are made of what follows the colon, in place of a name.
_MADE = {
    "command:": Facts(
        "command:",
        'any program: command:"PROGRAM {in} {out}", a folder with the picture in, a folder with the result out',
        "all",
        "",
        needs="the program",
        place="ldrps.rivals.outside:Outside",
    ),
    "spandrel:": Facts(
        "spandrel:",
        "a trained network that spandrel can read: spandrel:FILE",
        "all",
        "github.com/chaiNNer-org/spandrel",
        needs=f"{how_to_install('spandrel')}, and weights",
        licence="that of the weights",
        place="ldrps.rivals.trained:Trained",
        is_random=False,
    ),
}


def is_rival(name: str) -> bool:
    """Whether `build_rival` knows what to make of that name."""
    return name in RIVALS or name.startswith(tuple(_MADE))


def facts_of(name: str) -> Facts:
    """The facts of the rival of that name.

    Raises:
        InputError: there is none.
    """
    for prefix, facts in _MADE.items():
        if name.startswith(prefix):
            return replace(facts, name=name)
    if name not in RIVALS:
        there_are = f"is {name!r}; there are {', '.join([*RIVALS, *_MADE])}"
        raise InputError(f"rival {there_are}", on_command_line=f"--method {there_are}")
    return RIVALS[name]


def own_weights(facts: Facts) -> Path:
    """Where the weights lie that come with ldrps."""
    return Path(__file__).parents[1] / facts.own


def all_facts() -> list[Facts]:
    """Those of all rivals, in the order in which they are told."""
    return [*RIVALS.values(), *_MADE.values()]


def build_rival(name: str, options: RivalOptions | None = None) -> Rival:
    """The rival of that name, ready to restore.

    Raises:
        InputError: there is none of that name, or a package that it needs is not installed.
        PriorError: weights are missing, or not the ones that are needed.
        SettingsError: a setting does not exist or is out of range.
    """
    facts = facts_of(name)
    module, _, class_name = facts.place.partition(":")
    kind: type[Rival] = getattr(import_module(module), class_name)
    options = options or RivalOptions()
    return kind.build(facts, replace(options, weights=given_weights(options.weights)))


def given_weights(given: Path | None) -> Path | None:
    """The file or folder given, or else the folder that LDRPS_WEIGHTS names, if there is one."""
    if given is not None:
        return given.expanduser()
    named = os.environ.get(WEIGHTS_VARIABLE)
    if not named:
        return None
    place = Path(named).expanduser()
    if not place.exists():
        logger.warning("%s names %s, which is not there", WEIGHTS_VARIABLE, place)
        return None
    return place
