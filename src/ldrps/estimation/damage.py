"""The damage of a picture: for each part of the forward model a value, and how sure it is. People can change it."""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from ldrps.degradation import (
    Blur,
    Compose,
    Degradation,
    GaussianBlur,
    GrainNoise,
    JpegResidue,
    LocalTone,
    Noise,
    Pointwise,
    SharedNoise,
    UncertainTone,
    WhiteNoise,
    from_plain,
)
from ldrps.degradation.kernels import spread_of
from ldrps.errors import InputError, LdrpsError, SettingsError, require
from ldrps.estimation.files import NAMES, PlainDamage, named_parts, read_plain
from ldrps.estimation.holes import Holes
from ldrps.estimation.limits import check_even, check_kernel, check_limits, widened
from ldrps.image.tiles import Window
from ldrps.prior.base import NoiseKind
from ldrps.settings import MAX_STRENGTH, PARTS, Strengths

NONE, ALL = 0.25, 0.75  # probabilities up to which nothing of a part is undone, and from which all is
_SEEN = 0.3  # pixels: the deviation of a kernel along its longer axis, below which nobody sees that it blurs
# Above it, tones lead to white, gently: where they are steep, what JPEG left beside white becomes blotches. Of ten
# held-out photographs with blown lights fresh eyes liked 0.6 best of all, and 0.9 least, with 0.8 between.
_LIGHTS = 0.6
Removable = WhiteNoise | SharedNoise | GrainNoise | JpegResidue
Value = TypeVar("Value", bound=Degradation | Noise, covariant=True)


@dataclass(frozen=True, eq=False)
class Estimate(Generic[Value]):
    """What is known of one part.

    Attributes:
        value: what happened, if it did.
        probability: that it did, 0 to 1; see `share`.
        strength: how much of it is undone, beside all of it: see `Strengths`.

    Raises:
        SettingsError: a number is out of range.
    """

    value: Value
    probability: float = 1.0
    strength: float = 1.0

    def __post_init__(self) -> None:
        for name, most in (("probability", 1.0), ("strength", MAX_STRENGTH)):
            number = getattr(self, name)
            if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number <= most:
                found = reprlib.repr(number)
                raise SettingsError(f"{name} of a part of the damage is {found}; it must be 0 to {most:g}")

    @property
    def share(self) -> float:
        """How much the possibility counts that it did happen, 0 to 1, beside that of nothing.

        "No damage" has to be beaten: where it is likelier than 3 to 1 nothing is done, where less than 1 to 3 all is,
        with a linear ramp between.
        """
        return min(max((self.probability - NONE) / (ALL - NONE), 0.0), 1.0)

    @property
    def absent(self) -> bool:
        """Whether there is nothing to undo."""
        return self.share == 0 or self.strength == 0

    @cached_property
    def scaled(self) -> Any:
        """The value, a degradation or a noise, as strong as it is undone; made once, for all windows of a picture."""
        return self.value.scaled(self.strength)

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"probability": self.probability, "strength": self.strength, "value": self.value.plain()}


@dataclass(frozen=True, eq=False)
class Damage:
    """What happened to a picture, x -> tone -> blur -> noise = y; None for a part that nobody looked for, or found.

    The same whether it was estimated or given: `Damage.load(file)` of what `plain()` wrote restores to the same bytes.

    >>> damage = Damage.from_plain({"noise": {"kind": "white noise", "sigma": 0.05}})
    >>> damage.noise_deviation
    0.05
    >>> damage.plain()
    {'noise': {'probability': 1.0, 'strength': 1.0, 'value': {'kind': 'white noise', 'sigma': 0.05}}}

    Attributes:
        tone: exposure, contrast, colour and haze, as one curve of each channel, or a white balance.
        noise: the noise of the picture whose tones are as they should be, in the size in which it is worked on: white,
            shared between neighbours or grain, as cameras and films leave it, or what JPEG has added.
        local: what is believed instead of `tone` as far as tones went wrong more at some places than at others:
            curves, and a field on top of them, such as haze that grows with distance, or the shade; as likely as it is
            that it was so if anything happened to the tones, and as strong as `tone`. A strength of its own below 1
            lets it count that much less, one above 1 scales the field.
        blur: the same everywhere, of the picture whose tones are as they should be, in the size in which it is worked
            on, or, of one that is enlarged, of the result. Whatever its border says, nothing is assumed beyond the
            edge. Where it is unsure, as much of its width is undone as it is believed.
        holes: the pixels that are lost, whatever else happened to the others; a mask has to tell.

    Raises:
        SettingsError: a part is of a kind that cannot be undone, or its parameters are not for one picture as a whole,
            or out of range.
    """

    tone: Estimate[Pointwise] | None = None
    noise: Estimate[Removable] | None = None
    local: Estimate[Compose] | None = None
    blur: Estimate[GaussianBlur | Blur] | None = None
    holes: Holes | None = None

    def __post_init__(self) -> None:
        for name, (kind, what) in _WANTED.items():
            part: Estimate[Any] | None = getattr(self, name)
            if part is not None and not isinstance(part.value, kind):
                found = getattr(part.value, "kind", part.value)
                raise SettingsError(f"{name} of the damage is {found!r}; what can be undone of it is {what}")
        if self.tone is not None:
            check_limits(self.tone.value)
            check_even(self.tone.value)
        if self.local is not None:
            if self.tone is None:
                raise SettingsError("the damage has local without tone, instead of which it is undone: give both")
            for value in self.local.value.parts:
                if not isinstance(value, Pointwise | LocalTone):
                    raise SettingsError(f"local of the damage has {value.kind!r}; it may have {_WANTED['local'][1]}")
                check_limits(value)
                if isinstance(value, Pointwise):
                    check_even(value)
        if self.noise is not None:
            for field in dataclasses.fields(self.noise.value):
                if isinstance(getattr(self.noise.value, field.name), Tensor):
                    raise SettingsError(
                        f"{field.name} of the noise is a list; it must be a number, the same everywhere"
                    )
            check_limits(self.noise.value)
        if self.blur is not None:
            check_limits(self.blur.value)
            check_kernel(self.blur.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Damage) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]

    @property
    def absent(self) -> bool:
        """Whether there is nothing to undo but holes."""
        return all(part is None or part.absent for part in (self.tone, self.noise, self.blur))  # no local without tone

    def undo_tone(self, y: Tensor, window: Window | None = None) -> Tensor:
        """A picture y [B, 3, H, W] in [0, 1] with its tones as they were: the mean of what may be.

        White stays white: what was clipped may have been brighter, never darker, so that the curve is raised to it.

        Args:
            y: the picture, or what is in a window of it.
            window: that window; the damage must know the size of the whole, see `of_size`.
        """
        tone, local = self.tone, self._uneven
        if tone is None or tone.absent:
            return y
        uneven = local.value if window is None or local.absent else local.value.at(window)

        def undone(levels: Tensor) -> Tensor:
            even: Tensor = tone.scaled.invert(levels).clamp(0, 1)
            return even if local.absent else torch.lerp(even, uneven.invert(levels).clamp(0, 1), local.share)

        darkened = 1 - undone(torch.ones_like(y[:1, :, :1, :1] if local.absent else y))  # of white
        rise = ((y.amin(1, keepdim=True) - _LIGHTS) / (1 - _LIGHTS)).clamp(0, 1) ** 2  # where all channels are white
        return torch.lerp(y, undone(y) + darkened * rise, tone.share)

    def of_size(self, height: int, width: int) -> Damage:
        """The same, of a picture of a size that is told, so that windows of it can be asked about."""
        if self.local is None:
            return self
        placed = [
            part.of_size(height, width) if isinstance(part, LocalTone) else part for part in self.local.value.parts
        ]
        return dataclasses.replace(self, local=dataclasses.replace(self.local, value=Compose(tuple(placed))))

    @cached_property
    def _uneven(self) -> Estimate[Compose]:
        """What is undone instead of `tone`, as strong as that is, and how much it counts."""
        if self.local is None or self.tone is None:
            return Estimate(Compose(), 0.0)
        beyond, within = max(self.local.strength, 1.0), min(self.local.strength, 1.0)
        parts = [
            part.scaled(self.tone.strength * (beyond if isinstance(part, LocalTone) else 1.0))
            for part in self.local.value.parts
        ]
        return Estimate(Compose(tuple(parts)), (self.local.share * within + 0.5) / 2)

    @cached_property
    def blur_kernel(self) -> Tensor | None:
        """Of the blur that is to be undone when tones are as they were, [h, w]; None where none would be seen."""
        if self.blur is None or self.blur.absent:
            return None
        undone = self.blur.value.scaled(self.blur.strength * self.blur.share)
        assert isinstance(undone, GaussianBlur | Blur)
        kernel = undone.kernel
        return kernel if spread_of(kernel.double().cpu()) >= _SEEN else None

    @property
    def noise_deviation(self) -> float:
        """Of the noise that is to be taken away when tones are as they were, of 1."""
        if self.noise is None:
            return 0.0
        return self.noise.share * float(self.noise.scaled.sigma)

    @property
    def possible_noise(self) -> float:
        """Of the noise that may be there when tones are as they were, whether or not it is to be taken away: the root
        of its mean square, of 1.
        """
        return 0.0 if self.noise is None else self.noise.probability**0.5 * float(self.noise.scaled.sigma)

    @property
    def noise_kind(self) -> NoiseKind:
        """The name by which priors know the noise; "white" where there is none."""
        if self.noise is None or not self.noise_deviation or isinstance(self.noise.value, WhiteNoise):
            return "white"
        return "jpeg" if isinstance(self.noise.value, JpegResidue) else "camera"

    def in_larger(self, scale: float) -> Damage:
        """The same damage in pixels of a picture that is `scale` times as large: the blur is as much wider, as far as
        one so wide can be undone.
        """
        if self.blur is None or scale == 1:
            return self
        return dataclasses.replace(self, blur=dataclasses.replace(self.blur, value=widened(self.blur.value, scale)))

    def with_strengths(self, strengths: Strengths) -> Damage:
        """The same, with the strengths that are not None in place of its own."""
        changes: dict[str, Any] = {}
        for name in PARTS:
            part, strength = getattr(self, name), getattr(strengths, name)
            if part is not None and strength is not None:
                changes[name] = dataclasses.replace(part, strength=strength)
        return dataclasses.replace(self, **changes)

    def drawn(self, random: torch.Generator) -> Damage:
        """One of the possible tones in place of their mean, and all or nothing of it where it is unsure."""
        if self.tone is None:
            return self
        value = self.tone.value.drawn(random) if isinstance(self.tone.value, UncertainTone) else self.tone.value
        happened = float(torch.rand((), generator=random)) < self.tone.share
        drawn = dataclasses.replace(self, tone=Estimate(value, float(happened), self.tone.strength))
        if self.local is None:
            return drawn
        uneven = float(torch.rand((), generator=random)) < self.local.share
        parts = [part.drawn(random) if isinstance(part, UncertainTone) else part for part in self.local.value.parts]
        return dataclasses.replace(drawn, local=Estimate(Compose(tuple(parts)), float(uneven), self.local.strength))

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON, which `from_plain` turns back; parts that nobody looked for are left out."""
        return {name: part.plain() for name in NAMES if (part := getattr(self, name)) is not None}

    @staticmethod
    def from_plain(data: Any) -> Damage:
        """The damage of which `plain()` made this, or somebody by hand.

        A part may be its value alone, such as {"noise": {"kind": "white noise", "sigma": 0.05}}: then it is sure.

        Raises:
            SettingsError: a part or a parameter does not exist, or has a value that cannot be.
        """
        parts = dict(named_parts(data))
        holes = Holes.from_plain(parts.pop("holes")) if "holes" in parts else None
        others: dict[str, Any] = {name: _estimate(name, part) for name, part in parts.items()}
        return Damage(**others, holes=holes)

    @staticmethod
    def load(source: str | Path | PlainDamage, scale: float = 1.0) -> Damage:
        """The damage in a file of JSON, or in what was read of it: its `plain()`, or the record of a restoration.

        Args:
            source: the file, or what was read of it.
            scale: how many times larger the result is to be, of whose pixels a blur is one. The blur in a record of
                another scale is made as much wider or narrower.

        Raises:
            InputError: the file cannot be read, or holds no damage.
        """
        require(source, (str, Path, PlainDamage), "the file of a damage", "give its path")
        plain = source if isinstance(source, PlainDamage) else read_plain(Path(source))
        try:
            damage = Damage.from_plain(plain.data)
            return damage if plain.scale is None else damage.in_larger(scale / plain.scale)
        except LdrpsError as error:
            raise InputError(f"{plain.path}: {error}") from error


_WANTED: dict[str, tuple[Any, str]] = {
    "tone": (Pointwise, "a curve of tones, such as tone, exposure, white balance, veil"),
    "local": (Compose, "compose, of curves of tones and local tone"),
    "noise": (Removable, "white noise, shared noise, grain, jpeg residue"),
    "blur": (GaussianBlur | Blur, "gaussian blur, blur"),
}


def _estimate(name: str, data: Any) -> Estimate[Any]:
    if isinstance(data, Mapping) and "kind" in data:
        data = {"value": data}
    if not isinstance(data, Mapping) or "value" not in data:
        raise SettingsError(f"{name} of the damage is {reprlib.repr(data)}; give a value, with a kind")
    known = [field.name for field in dataclasses.fields(Estimate)]
    if unknown := [key for key in data if key not in known]:
        raise SettingsError(f"{name} has no {reprlib.repr(unknown[0])}; it has {', '.join(known)}")
    return Estimate(from_plain(data["value"]), **{key: data[key] for key in data if key != "value"})
