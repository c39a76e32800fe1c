"""Every number of a restoration, as frozen dataclasses."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ldrps.errors import SettingsError

PARTS = ("tone", "noise", "blur")  # of the damage that have a strength of their own
MAX_STRENGTH = 4.0
MAX_SCALE = 8.0


def _check(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise SettingsError(f"{name} is {value}; it must be {wanted}")


def _take_numbers(settings: Any) -> None:
    """Refuse what is no number where one is wanted, and make numpy's numbers Python's own: records are of JSON."""
    for each in dataclasses.fields(settings):
        value, whole = getattr(settings, each.name), each.type == "int"
        if each.type not in ("int", "float", "float | None") or (value is None and each.type == "float | None"):
            continue
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        is_good = is_number and (not whole or isinstance(value, numbers.Integral))
        _check(is_good, each.name, repr(value), "a whole number" if whole else "a number")
        if not isinstance(value, int | float) or type(value).__module__ != "builtins":  # numpy has a kind of float
            object.__setattr__(settings, each.name, int(value) if whole else float(value))


@dataclass(frozen=True)
class Until:
    """A weight that holds below a timestep and is zero above it: the two-stage timetable as data."""

    weight: float = 0.0
    t: int = 700

    def at(self, t: int) -> float:
        return self.weight if t < self.t else 0.0


@dataclass(frozen=True)
class Alignment:
    """How F-PAM, psi(x), learns the degradation: one Adam step on S_psi per diffusion step."""

    distance: float = 0.02  # weight of MSE(psi(x), x)
    perceptual: float = 0.3  # weight of the distance of features of psi(x) and x
    adversarial: float = 0.8  # weight of -log D1(psi(x))
    learning_rate: float = 5e-4
    weight_decay: float = 1e-5
    discriminator_rate: float = 4e-5
    # The reference multiplies a weighted perceptual term above 10 by 0.2, in stage two only.
    perceptual_limit: float = 10.0
    perceptual_damping: float = 0.2


@dataclass(frozen=True)
class Guidance:
    """The posterior's loss terms and when they act; the gradient of their sum times `scale` is subtracted."""

    distance: Until = Until(1.0)  # MSE(psi(x), y)
    perceptual: Until = Until(0.0)  # distance of features of psi(x) and y
    adversarial: Until = Until(0.0)  # -log D2(x - y)
    brightness: Until = Until(0.0)  # mean over cells of (grey - 0.5)^2
    chrominance: Until = Until(0.0)  # distance of the channel means
    brightness_cell: int = 32  # pixels
    scale: float = 80_000.0
    discriminator_rate: float = 4e-5


@dataclass(frozen=True)
class Strengths:
    """How much of each part of the damage is undone: 1 all, 0 none, more than was found; None as found, or as given.

    A strength scales the parameter of a part (stops, the logarithm of a transmission, the deviation of noise, the width
    of a blur), and is no blend of pictures. See `Degradation.scaled`.
    """

    tone: float | None = None
    noise: float | None = None
    blur: float | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            value = getattr(self, part)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            good = value is None or (is_number and 0 <= value <= MAX_STRENGTH)
            _check(good, f"strength of {part}", repr(value), f"0, which leaves it out, to {MAX_STRENGTH:g}")


class MethodSettings:
    """What callers ask of the settings of any method.

    Attributes:
        in_windows: whether a large picture is restored in windows.
        enlarges: whether it can make the picture larger.
        knows_parts: whether the damage is undone part by part, as it was estimated or given.
        seconds_before: that it takes to find out what happened, if by a chain over a small copy.
        seconds_of_pass: of a megapixel with the embedded prior on two CPU cores (benchmarks/cost.py).
        bytes_of_pixel: of a pixel of the window.
        batch_size: how many pictures go through the networks at once.
    """

    in_windows: ClassVar[bool]
    enlarges: ClassVar[bool] = False
    knows_parts: ClassVar[bool]
    seconds_before: ClassVar[float] = 0.0
    seconds_of_pass: ClassVar[float]
    bytes_of_pixel: ClassVar[int]

    @property
    def batch_size(self) -> int:
        return 1

    def steps_before(self, settings: Settings) -> int:
        """How many steps it takes to find out what happened to a picture, if they are a chain."""
        return 0

    def sampled(self) -> Self:
        """The same where samples are wanted."""
        return self


@dataclass(frozen=True)
class PublishedSettings(MethodSettings):
    """LD-RPS as published: a guided and a free chain, F-PAM between picture and data, gradient of the posterior."""

    in_windows: ClassVar[bool] = False  # what F-PAM learns is of the whole picture
    knows_parts: ClassVar[bool] = False
    seconds_of_pass: ClassVar[float] = 142
    bytes_of_pixel: ClassVar[int] = 2880

    alignment: Alignment = Alignment()
    guidance: Guidance = Guidance()
    # Clamp z0 to this quantile of its absolute values (never below 1); None leaves it alone.
    clamp_quantile: float | None = 0.995
    # The reference computes the z0 that is guided from the latent *after* the step, with the old noise and timestep.
    z0_from_stepped: bool = True

    def passes(self, settings: Settings) -> float:
        """How often a picture goes through the networks."""
        return settings.steps * (1 + settings.renoise * settings.recurrences)


@dataclass(frozen=True)
class Splitting:
    """How a blur or a reduction is undone, by half-quadratic splitting: a data step and a call of the denoiser at
    falling levels.
    """

    levels: int = 12
    start: float = 49.0  # of 255: what the first, far too sharp data step leaves of errors
    end: float = 1.2  # of 255, if the picture has less noise than that
    weight: float = 0.23  # lambda: how much what the denoiser says counts, relative to its level; as published
    noise: float = 1.0  # of 255, where none was found: of rounding, of a kernel that is not quite the true one
    rounds: int = 15  # of conjugate gradients in a data step; of a motion over 11 px three cost 1.7 dB, ten 0.1

    def __post_init__(self) -> None:
        _take_numbers(self)
        _check(1 <= self.levels <= 1000, "levels", self.levels, "1 to 1000")
        for name in ("start", "end", "weight", "noise"):
            _check(0 < getattr(self, name) <= 255, name, getattr(self, name), "above 0, at most 255")
        _check(1 <= self.rounds <= 1000, "rounds", self.rounds, "1 to 1000")


# How a reduction is undone. Held-out photographs at 192 pixels, reduced to a half, gain 2.85 dB over a cubic with 12
# levels and 2.88 with 20; where the levels begin and end (30 to 70, 2 to 5) moves that by 0.02.
ENLARGING = Splitting(end=3.0, noise=0.3)


@dataclass(frozen=True)
class BlindSettings(MethodSettings):
    """The default: what happened is estimated, tones are undone, and the noise that is left in the picture is where the
    chain starts; a proximal data step replaces the gradient, and no network is trained.
    """

    in_windows: ClassVar[bool] = True
    enlarges: ClassVar[bool] = True
    knows_parts: ClassVar[bool] = True
    seconds_of_pass: ClassVar[float] = 3.2
    bytes_of_pixel: ClassVar[int] = 240

    # How much of each part of the damage is undone.
    strengths: Strengths = Strengths()
    # How likely it is, before a picture is seen, that its tones need nothing: more leaves more pictures alone. With 0.8
    # 240 of 253 held-out photographs are, of which nothing is wrong.
    undamaged: float = 0.8
    # How likely it is, before a picture is seen, that it has no noise to speak of. With 0.7 95 % of 240 held-out
    # photographs are left alone; with 0.5 88 % are, and camera noise on others gains 0.1 dB more.
    noiseless: float = 0.7
    # How likely it is, before a picture is seen, that it is as sharp as it was meant to be.
    sharp: float = 0.9
    # A kernel is taken to be so many times as wide as it is estimated: too wide a one leaves rings, too narrow a one
    # only less sharpness.
    blur_factor: float = 1.0
    # The deviation of the noise, of 255, where somebody knows better than the estimate, such as of coarse grain; 0
    # leaves noise alone.
    noise: float | None = None
    # The denoiser is told of so many times the noise that is estimated.
    noise_factor: float = 1.0
    # In a recurrence, the variance of the data relative to the estimated noise: less keeps more of the grain.
    data_variance: float = 1.0
    # Noise below this (of 255) is left alone: so much is in good photographs.
    floor: float = 0.7
    # A caption is not followed if with it the denoiser's error on a small copy of the picture grows by more than this
    # share: the right ones take away 0.07 on average, a few of them add some.
    caption_misleads: float = 0.03
    # Draw from what may be, instead of taking the mean of it: see `ldrps.samples`.
    sample: bool = False
    # On how many offsets of the prior's grid of patches the picture is restored, to be averaged: 1 shows the grid.
    shifts: int = 4
    splitting: Splitting = Splitting()
    enlarging: Splitting = ENLARGING

    def __post_init__(self) -> None:
        _take_numbers(self)
        _check(0 < self.undamaged < 1, "undamaged", self.undamaged, "above 0 and below 1")
        _check(0 < self.noiseless < 1, "noiseless", self.noiseless, "above 0 and below 1")
        _check(0 < self.sharp < 1, "sharp", self.sharp, "above 0 and below 1")
        _check(0 < self.blur_factor <= 4, "blur_factor", self.blur_factor, "above 0, at most 4")
        _check(self.noise is None or 0 <= self.noise <= 255, "noise", self.noise, "0 to 255")
        _check(0 <= self.noise_factor <= 10, "noise_factor", self.noise_factor, "0 to 10")
        _check(self.data_variance >= 0, "data_variance", self.data_variance, "0 or more")
        _check(1 <= self.shifts <= 64, "shifts", self.shifts, "1 to 64")

    @property
    def batch_size(self) -> int:
        return self.shifts

    def passes(self, settings: Settings) -> float:
        """How often a picture goes through the denoiser; on each offset of the grid once."""
        if settings.scale > 1:
            return self.enlarging.levels * (1 + settings.renoise * settings.recurrences)
        return self.shifts * settings.steps * (1 + settings.recurrences)

    def sampled(self) -> Self:
        return dataclasses.replace(self, sample=True)


@dataclass(frozen=True)
class Loop:
    """How psi is learned along the chain, by losses free of scale: of the size of the picture, of the latents, and of
    their number.
    """

    side: int = 128  # pixels of the longer side of the copy that the chain restores: tones, not detail, are learned
    chains: int = 1  # guided chains beside each other, of which the mean is taken

    # What stands for the clean domain: how much the judge of tones counts, from 0, the prior's free samples alone and
    # nobody is asked, to 1; and how many free samples there are, of which the paper has one.
    judged: float = 0.9
    free: int = 64
    # Of a sample, how far the truth may be from the judge's hypothesis, relative to how free samples differ.
    apart: float = 1.75

    knots: int = 17  # of psi's curve; 2 for a line, 0 for none
    convolutions: int = 0  # the width of F-PAM's, on top of the curve, which is published with 64; 0 for none
    rate: float = 0.05  # Adam's, of the curve
    convolution_rate: float = 2e-3  # of the convolutions
    alone: int = 10  # learning steps of psi per step of the chain in stage one
    along: int = 2  # and in stage two
    slower: float = 0.5  # the rate in stage two, relative

    stage_two: float = 4.0  # the noise level t1, below which g acts
    smooth: float = 0.03  # weight of the bend of psi's curve, in logarithms of its slope
    least: float = 0.01  # weight of psi's slope, in logarithms: no more damage than it takes
    grey: float = 30.0  # weight of what a channel's curve has of its own; not of a sample, whose colours are drawn
    quiet: float = 1.0  # weight of what the convolutions add, in variances of y
    domain: float = 1.0  # weight of the domain term in stage two
    # Weight of MSE(psi(x), y) / var(y) in stage two. With 1 psi is drawn to what the prior believes of y by then, which
    # costs 0.4 dB of dark photographs and 1.1 of pale ones; with 0.1 nothing.
    data: float = 0.1

    # The gate w, from 0, y is no degraded picture, to 1; None has it told by the judge, or, without one, by how many
    # nats per latent y must be likelier as a degraded picture, for nothing and for all of it. Of 146 undamaged
    # photographs 85 % are below the first and 95 % below the second; of 50 made dark or hazy to less than 12 dB, 90 %
    # are above the first. Beside the judge that tells nothing new.
    gate: float | None = None
    undamaged: float = 0.04
    damaged: float = 0.10

    noise_factor: float = 1.15  # the estimate of noise sees too little of what neighbours share
    noise_floor: float = 0.5 / 255  # of what is rounded to bytes
    inner: int = 2  # rounds of the data step

    quality: float = 0.0  # how much of a channel's distance from grey a step below `quality_from` takes away
    quality_from: float = 2.0  # noise level


@dataclass(frozen=True)
class LdrpsSettings(BlindSettings):
    """LD-RPS, alive on any prior: psi, what happened to the picture, is learned along a chain from pure noise over a
    small copy, with two stages and recurrence; it is undone in full size, and the noise is taken away as by default.
    """

    seconds_before: ClassVar[float] = 9.0
    enlarges: ClassVar[bool] = False

    loop: Loop = Loop()
    last_steps: int = 2  # of the chain at full size, which begins with the picture's own noise

    def steps_before(self, settings: Settings) -> int:
        return settings.steps + settings.recurrences * again(settings.steps, settings.renoise)

    def passes(self, settings: Settings) -> float:
        return self.shifts * self.last_steps


def again(steps: int, renoise: float) -> int:
    """How many of the timesteps of a chain a recurrence takes again, from gamma T on; one at least."""
    return max(steps - round(steps * (1 - renoise)), 1)


@dataclass(frozen=True)
class Settings:
    """All that decides a restoration beside the picture, the prior and the caption."""

    preset: str = "default"
    seed: int = 0
    steps: int = 2
    recurrences: int = 0
    # Recurrence re-noises to this fraction of the chain: gamma.
    renoise: float = 0.5
    # Classifier-free guidance: eps_u + scale (eps_c - eps_u); used only with a prior that knows text. 1 takes the
    # caption as the prior was trained with it, at half the cost.
    text_scale: float = 1.0
    negative: str = ""
    # Larger pictures are restored in windows of so many pixels a side, of which neighbours share `overlap`. The paper's
    # presets learn from the whole picture and have one window.
    tile: int = 512
    overlap: int = 64
    # Restore a copy of at most so many pixels on the longer side, and give what changed to the picture in full size,
    # whose own detail stays; 0 restores the picture itself.
    working_size: int = 0
    # How many times larger the result is, each way; 1 is as large as the picture.
    scale: float = 1.0
    # Give a grey photograph colours, drawn from the prior as the caption wants them. Others stay as they are.
    colourise: bool = False
    # How much a caption may say about how light the result is: 1 lets "bright" and "dark" be seen, 0 does not listen.
    relight: float = 0.0
    method: PublishedSettings | BlindSettings = field(default_factory=BlindSettings)

    def __post_init__(self) -> None:
        _take_numbers(self)
        _check(0 <= self.seed < 2**64, "seed", self.seed, f"0 to {2**64 - 1}")
        _check(1 <= self.steps <= 10_000, "steps", self.steps, "1 to 10000")
        _check(0 <= self.recurrences <= 100, "recurrences", self.recurrences, "0 to 100")
        _check(0 < self.renoise <= 1, "renoise", self.renoise, "above 0, at most 1")
        _check(0 <= self.relight <= 10, "relight", self.relight, "0 to 10")
        _check(16 <= self.overlap <= 1024, "overlap", self.overlap, "16 to 1024 pixels")
        wanted = f"{4 * self.overlap} to 8192 pixels: four times the overlap at least"
        _check(4 * self.overlap <= self.tile <= 8192, "tile", self.tile, wanted)
        wanted = "0 for the picture's own, or 32 to 8192 pixels"
        _check(self.working_size == 0 or 32 <= self.working_size <= 8192, "working_size", self.working_size, wanted)
        _check(0 <= self.text_scale <= 100, "text_scale", self.text_scale, "0 to 100")
        _check(1 <= self.scale <= MAX_SCALE, "scale", self.scale, f"1, which is as large as it is, to {MAX_SCALE:g}")
        if self.scale > 1 and not self.method.enlarges:
            raise SettingsError(
                f"scale is {self.scale:g}; preset {self.preset!r} cannot enlarge: leave scale out, or take the preset "
                "default, fast or best"
            )
        if self.scale > 1 and self.working_size:
            raise SettingsError(
                f"scale is {self.scale:g} and working_size {self.working_size}; a smaller copy has no detail to "
                "enlarge: leave one of the two out"
            )

    @property
    def recorded_as(self) -> str:
        """The name of the method in records."""
        return type(self.method).__name__.removesuffix("Settings")

    def with_changes(self, **changes: Any) -> Settings:
        """A copy with some fields replaced; None means "as the preset has it"."""
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, **given)

    def with_knowledge(self, *, undamaged: float | None = None, noise: float | None = None) -> Settings:
        """A copy for somebody who knows something of the damage: see `BlindSettings`. None is "not known".

        Raises:
            SettingsError: the published method asks nobody.
        """
        return self._with_method(undamaged=undamaged, noise=noise)

    def with_strengths(
        self,
        strength: float | Mapping[str, float] | None = None,
        *,
        only: Collection[str] = (),
        skip: Collection[str] = (),
    ) -> Settings:
        """A copy that undoes some parts of the damage more, less or not at all; the others as before.

        Args:
            strength: of all parts, or of some by name; see `Strengths`.
            only: parts that are undone, and no others; all if empty. A text is one of them.
            skip: parts that are not.

        Raises:
            SettingsError: there is no such part, or the published method, which knows no parts.
        """
        only, skip = ([names] if isinstance(names, str) else names for names in (only, skip))
        given = strength if isinstance(strength, Mapping) else {}
        for name in [*given, *only, *skip]:
            _check(name in PARTS, "part", repr(name), f"one of {', '.join(PARTS)}")
        everywhere = None if isinstance(strength, Mapping) else strength
        wanted = {
            part: 0.0 if part in skip or (only and part not in only) else given.get(part, everywhere) for part in PARTS
        }
        strengths = {part: value for part, value in wanted.items() if value is not None}
        if not strengths:
            return self
        self.require_parts()
        assert isinstance(self.method, BlindSettings)
        return self._with_method(strengths=dataclasses.replace(self.method.strengths, **strengths))

    def require_parts(self) -> None:
        """Raise SettingsError unless the method undoes the damage part by part, as it was estimated or given."""
        if not self.method.knows_parts:
            raise SettingsError(
                f"preset {self.preset!r} learns the damage as a whole: leave damage, only, skip and strength out"
            )

    def _with_method(self, **changes: Any) -> Settings:
        given = {name: value for name, value in changes.items() if value is not None}
        known = {field.name for field in dataclasses.fields(self.method)}
        if unknown := [name for name in given if name not in known]:
            raise SettingsError(
                f"preset {self.preset!r} finds the damage out by itself: leave {', '.join(unknown)} out"
            )
        return dataclasses.replace(self, method=dataclasses.replace(self.method, **given))
