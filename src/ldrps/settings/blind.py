"""The numbers of the methods that are told nothing of the damage: the default, and LD-RPS on any prior."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

from ldrps.settings.checks import take_values
from ldrps.settings.method import MethodSettings, Rounds, Strengths, again
from ldrps.settings.shown import Needs, Panel, Shown, Within

_LEVEL = Within(0, 255, above=True)
_SHARE = Within(0, 1, above=True, below=True)
_AT_ONCE = 4  # offsets of the grid that go through a network together: one by one takes a third longer


def _leaves(part: str) -> Needs:
    """What is said about a part of the damage needs that part to be undone."""
    otherwise = f"{part} is left as it is, by {{only}}, {{skip}} or {{strength}}"
    return Needs(lambda settings: getattr(settings.method.strengths, part) != 0, otherwise)


@dataclass(frozen=True)
class Splitting:
    """How a blur or a reduction is undone, by half-quadratic splitting: a data step and a call of the denoiser at
    falling levels.
    """

    levels: Annotated[int, Within(1, 1000)] = 12
    start: Annotated[float, _LEVEL] = 49.0  # of 255: what the first, far too sharp data step leaves of errors
    end: Annotated[float, _LEVEL] = 1.2  # of 255, if the picture has less noise than that
    # lambda: how much what the denoiser says counts, relative to its level; as published.
    weight: Annotated[float, _LEVEL] = 0.23
    # Of 255, where none was found: of rounding, of a kernel that is not quite the true one.
    noise: Annotated[float, _LEVEL] = 1.0
    # Where none was found, how many times the noise is assumed that may be there, if the picture is enlarged, and that
    # there would be if there were any, for a kernel that is no Gaussian. Ten held-out photographs whose path was found,
    # with noise of 0.3 to 1.5 and half of them saved as JPEG above 90, gain 1.48 dB on average with 0, 2.74 with 1.5,
    # 2.98 with 2, 3.01 with 3. Twelve with a Gaussian gain 2.74, 2.98, 2.93 and 2.80, but with noise of 0.5 alone
    # twelve lose by it: 4.04 dB at a level of 1, 3.55 at 2.
    unsure: Annotated[float, Within(0, 10)] = 2.0
    # Of noise that is not white, how much is left once it was taken away. Six held-out photographs at x2, saved as JPEG
    # of 40, 60 and 80, gain 1.06, 0.61, 0.49 dB over a cubic with 0.5, 1.08, 0.61, 0.49 with 0.8, 0.95, 0.50, 0.50 with
    # 1.4; as if it were white, 0.66, 0.54, 0.57.
    residue: Annotated[float, Within(0, 10)] = 0.8
    # Of conjugate gradients in a data step; of a motion over 11 px three cost 1.7 dB, ten 0.1.
    rounds: Annotated[int, Within(1, 1000)] = 15

    def __post_init__(self) -> None:
        take_values(self)


# How a reduction is undone. Held-out photographs at 192 pixels, reduced to a half, gain 2.85 dB over a cubic with 12
# levels and 2.88 with 20; where the levels begin and end (30 to 70, 2 to 5) moves that by 0.02. With `unsure` 0, 1 and
# 1.5, ten reduced to a half gain 3.52, 3.47, 3.39 dB, saved as JPEG of 85 0.84, 1.39, 1.60, of 60 0.85, 1.00, 1.09,
# blurred, noisy and saved 0.51, 0.60, 0.69; to a quarter and saved as JPEG of 85 0.50, 0.63, 0.46.
ENLARGING = Splitting(end=3.0, noise=0.3, unsure=1.0)


@dataclass(frozen=True)
class Filling:
    """How holes are filled: noise is added and taken away at falling levels, and after each what is known put back.

    Four held-out photographs at 192 pixels, with scratches, text, half of the pixels lost and squares of 24, come to
    34.5, 34.8, 32.4, 31.9 dB with 8 levels, 35.2, 35.5, 33.1, 32.2 with 16, 35.4, 35.6, 33.2, 32.2 with 20; with all of
    the noise and from 255 on, 34.8, 34.4, 32.0, 32.1 with 20; by a plain continuation 32.3, 32.4, 29.4, 31.3.
    """

    levels: Annotated[int, Within(1, 1000)] = 20
    # Of 255: what a plain continuation of what is around gets wrong, where it is worst.
    start: Annotated[float, Within(0, 2550, above=True)] = 51.0
    end: Annotated[float, Within(0, 2550, above=True)] = 2.0  # of 255
    # Of a level, how much noise is added: what was filled in before has errors of its own.
    fresh: Annotated[float, Within(0, 1)] = 0.6

    def __post_init__(self) -> None:
        take_values(self)


@dataclass(frozen=True)
class BlindSettings(MethodSettings):
    """The default: what happened is estimated, tones are undone, and the noise that is left in the picture is where the
    chain starts; a proximal data step replaces the gradient, and no network is trained.
    """

    in_windows: ClassVar[bool] = True
    enlarges: ClassVar[bool] = True
    fills: ClassVar[bool] = True
    knows_parts: ClassVar[bool] = True
    seconds_of_pass: ClassVar[float] = 1.3
    bytes_of_pixel: ClassVar[int] = 240

    # How much of each part of the damage is undone.
    strengths: Strengths = field(default_factory=Strengths)
    # With 0.8 240 of 253 held-out photographs are left alone, of which nothing is wrong.
    undamaged: Annotated[
        float,
        _SHARE,
        Shown(
            "How likely it is, before a picture is seen, that its tones need nothing; less changes more pictures.",
            Panel.STRENGTH,
            (_leaves("tone"),),
        ),
    ] = 0.8
    # How likely it is, before a picture is seen, that it has no noise to speak of. Of 200 held-out photographs 86, 94,
    # 95 and 96 % are held for less than one in five noisy with 0.7, 0.8, 0.85 and 0.9; of 80 that were saved as JPEG of
    # 10 and again at 90, 91, 80, 66 and 59 % are seen.
    noiseless: Annotated[float, _SHARE] = 0.8
    # How likely it is, before a picture is seen, that it is as sharp as it was meant to be.
    sharp: Annotated[float, _SHARE] = 0.9
    # A kernel is taken to be so many times as wide as it is estimated: too wide a one leaves rings, too narrow a one
    # only less sharpness.
    blur_factor: Annotated[float, Within(0, 4, above=True)] = 1.0
    noise: Annotated[
        float | None,
        Within(0, 255),
        Shown(
            "How strong the noise is, of 255, in place of the estimate, which does not see coarse grain; 0 leaves it.",
            Panel.STRENGTH,
            (_leaves("noise"),),
        ),
    ] = None
    scratches: Annotated[
        bool,
        Shown(
            "Look for scratches, cracks, dust and bare spots, and fill them; --trace keeps a mask of what was found.",
            Panel.WHAT,
            (
                Needs(
                    lambda settings: settings.scale == 1, "what is lost is filled in a picture's own size, see {scale}"
                ),
                Needs(lambda settings: not settings.fill, "{mask} tells what is lost"),
            ),
        ),
    ] = False
    # The denoiser is told of so many times the noise that is estimated.
    noise_factor: Annotated[float, Within(0, 10)] = 1.0
    # In a recurrence, the variance of the data relative to the estimated noise: less keeps more of the grain.
    data_variance: Annotated[float, Within(0)] = 1.0
    # Noise below this (of 255) is left alone: so much is in good photographs.
    floor: float = 0.7
    # A caption is not followed if with it the denoiser's error on a small copy of the picture grows by more than this
    # share: the right ones take away 0.07 on average, a few of them add some.
    caption_misleads: float = 0.03
    # Draw from what may be, instead of taking the mean of it: see `ldrps.samples`.
    sample: bool = False
    # On how many offsets of the prior's grid of patches the picture is restored, to be averaged: 1 shows the grid.
    shifts: Annotated[int, Within(1, 64)] = 4
    # Whether the steps of a chain share these offsets among them, if there are two or more for each, and hand on a
    # picture, or each takes all: that makes hardly any difference to the picture, and half of the calls with two steps
    # (benchmarks/offsets.py).
    share_shifts: bool = True
    # How much what a network expects of a small picture that is wanted larger counts beside what the loop makes of it:
    # with 1 there is no loop, with 0 the network is not asked. Held-out photographs gain 0.89, 1.30, 1.43, 1.45, 1.46
    # dB over a cubic with 0, 0.5, 0.8, 0.9 and 1, pages and drawings by code 1.35, 2.18, 2.43, 2.44, 2.41
    # (benchmarks/enlarge_share.py). The loop takes several times as long; `best` has 0.9.
    expected: Annotated[float, Within(0, 1)] = 1.0
    splitting: Splitting = Splitting()
    enlarging: Splitting = ENLARGING
    filling: Filling = Filling()

    def __post_init__(self) -> None:
        take_values(self)

    @property
    def batch_size(self) -> int:
        return min(self.shifts, _AT_ONCE)

    def may_be_expected(self, settings: Rounds) -> bool:
        """Whether a network that nothing can be told may say what a small picture is expected to be when it is larger,
        as far as settings tell: not where somebody wants noise or blur left, or told how much there is, and not for a
        sample or a recurrence, which begin with noise of our own.
        """
        is_drawn = self.sample or settings.recurrences > 0
        wanted = {self.strengths.noise, self.strengths.blur}
        return self.expected > 0 and self.noise is None and not is_drawn and wanted <= {None, 1}

    def passes(self, settings: Rounds) -> float:
        """How often a picture goes through the denoiser, on an offset of the grid at a time; one that is enlarged as if
        it had no blur, which would take the loop.
        """
        if settings.scale > 1:
            expected = self.expected if self.may_be_expected(settings) else 0.0
            network = 1 + 4 / settings.scale**2 if expected else 0.0  # its work is of the small picture
            loop = self.enlarging.levels * (1 + settings.renoise * settings.recurrences)
            return network + loop * (expected < 1)
        recurrences = max(settings.recurrences, self.sample)
        if not recurrences and self.shares_among(settings.steps):
            return self.shifts
        return self.shifts * settings.steps * (1 + recurrences)

    def shares_among(self, steps: int) -> bool:
        """Whether so many steps share the offsets of the grid, where no recurrence follows."""
        return self.share_shifts and steps > 1 and self.shifts >= 2 * steps

    @property
    def passes_of_fill(self) -> float:
        return self.filling.levels

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

    def __post_init__(self) -> None:
        take_values(self)


@dataclass(frozen=True)
class LdrpsSettings(BlindSettings):
    """LD-RPS, alive on any prior: psi, what happened to the picture, is learned along a chain from pure noise over a
    small copy, with two stages and recurrence; it is undone in full size, and the noise is taken away as by default.
    """

    seconds_before: ClassVar[float] = 9.0
    enlarges: ClassVar[bool] = False

    loop: Loop = Loop()
    last_steps: int = 2  # of the chain at full size, which begins with the picture's own noise

    def steps_before(self, settings: Rounds) -> int:
        return settings.steps + settings.recurrences * again(settings.steps, settings.renoise)

    def passes(self, settings: Rounds) -> float:
        return self.shifts * (1 if self.shares_among(self.last_steps) else self.last_steps)
