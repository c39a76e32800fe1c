"""The presets: settings by name."""

from __future__ import annotations

from dataclasses import replace

from ldrps.errors import SettingsError
from ldrps.settings import (
    ENLARGING,
    Alignment,
    BlindSettings,
    Filling,
    Guidance,
    LdrpsSettings,
    PublishedSettings,
    Settings,
    Until,
)

PRESETS: dict[str, Settings] = {
    # Noisy Kodak in dB, seconds and memory of a 256x256 picture on two cores in bfloat16; the rest is in
    # docs/default.md.
    "default": Settings(),  # 33.69, 0.30 s, 394 MiB
    "fast": Settings(
        preset="fast",
        steps=1,
        method=BlindSettings(shifts=1, enlarging=replace(ENLARGING, levels=6), filling=Filling(levels=8)),
    ),  # 33.59, 0.20 s, 383 MiB
    "best": Settings(
        preset="best",
        steps=4,
        method=BlindSettings(
            shifts=12, expected=0.9, enlarging=replace(ENLARGING, levels=20), filling=Filling(levels=32)
        ),
    ),  # 33.71, 0.59 s, 415 MiB
    "ldrps": Settings(preset="ldrps", steps=40, recurrences=1, method=LdrpsSettings()),
    "paper-lowlight": Settings(
        preset="paper-lowlight",
        seed=20,
        steps=450,
        text_scale=8.0,
        recurrences=2,
        method=PublishedSettings(
            Alignment(distance=0.02, perceptual=0.3, adversarial=0.8, discriminator_rate=4e-5),
            Guidance(
                perceptual=Until(2e-3),
                adversarial=Until(5e-5),
                brightness=Until(1e-2, 100),
                chrominance=Until(1e-2, 100),
                brightness_cell=32,
                scale=80_000,
                discriminator_rate=4e-5,
            ),
        ),
    ),
    "paper-dehazing": Settings(
        preset="paper-dehazing",
        seed=10,
        steps=450,
        text_scale=8.0,
        # The script's default is 0 rounds, with which it saves nothing; the paper's table has its best with 3.
        recurrences=0,
        method=PublishedSettings(
            Alignment(distance=0.2, perceptual=0.5, adversarial=0.2, discriminator_rate=1e-4),
            Guidance(
                perceptual=Until(5e-3),
                brightness=Until(1e-2, 150),
                chrominance=Until(1e-3, 150),
                brightness_cell=64,
                scale=25_000,
                discriminator_rate=2e-5,
            ),
        ),
    ),
    "paper-denoising": Settings(
        preset="paper-denoising",
        seed=20,
        steps=450,
        text_scale=8.0,
        recurrences=1,
        method=PublishedSettings(
            Alignment(distance=3.0, perceptual=0.002, adversarial=0.001, discriminator_rate=1e-4),
            Guidance(scale=40_000, discriminator_rate=1e-3),
        ),
    ),
}


def preset(name: str) -> Settings:
    """The settings of that name.

    Raises:
        SettingsError: there is none.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise SettingsError(f"preset is {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
