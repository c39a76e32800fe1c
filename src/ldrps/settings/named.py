"""Every setting by name and type, as keyword arguments that editors and type checkers know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from ldrps.settings.blind import BlindSettings, Filling, Loop, Splitting
from ldrps.settings.checks import no_such_setting
from ldrps.settings.method import Strengths
from ldrps.settings.published import Alignment, Guidance, PublishedSettings


class NamedSettings(TypedDict, total=False):
    """The fields of `ldrps.Settings`, which see, but for the preset's name, and those of the method of each preset.

    None is "as the preset has it".
    """

    # Of all methods.
    seed: int | None
    steps: int | None
    recurrences: int | None
    renoise: float | None
    text_scale: float | None
    negative: str | None
    tile: int | None
    overlap: int | None
    working_size: int | None
    scale: float | None
    colourise: bool | None
    relight: float | None
    fill: bool | None
    method: PublishedSettings | BlindSettings | None

    # Of `BlindSettings`: the presets default, fast, best and ldrps.
    strengths: Strengths | None
    undamaged: float | None
    noiseless: float | None
    sharp: float | None
    blur_factor: float | None
    expected: float | None
    noise: float | None
    scratches: bool | None
    noise_factor: float | None
    data_variance: float | None
    floor: float | None
    caption_misleads: float | None
    sample: bool | None
    shifts: int | None
    share_shifts: bool | None
    splitting: Splitting | None
    enlarging: Splitting | None
    filling: Filling | None

    # Of `LdrpsSettings`: the preset ldrps.
    loop: Loop | None
    last_steps: int | None

    # Of `PublishedSettings`: the paper's presets.
    alignment: Alignment | None
    guidance: Guidance | None
    clamp_quantile: float | None
    z0_from_stepped: bool | None


def check_names(given: Iterable[str], others: Iterable[str] = ()) -> None:
    """Refuse names that no setting has; `others` are arguments beside them, one of which may have been meant.

    Raises:
        SettingsError: such a name; the message has the nearest of those that there are.
    """
    for name in given:
        if name not in NamedSettings.__annotations__:
            raise no_such_setting(name, {*NamedSettings.__annotations__, *others})
