"""Every number of the recurrent posterior."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecurrentNumbers:
    """LD-RPS with losses that are free of scale: of the size of the picture, of the latents, and of their number."""

    side: int = 128  # pixels of the longer side of the copy that the chain restores: tones, not detail, are learned
    chains: int = 1  # guided chains beside each other, of which the mean is taken
    steps: int = 40  # of the first round, from pure noise; with 20 psi has not settled in the dark
    recurrences: int = 1  # the rounds after the first
    strength: float = 0.6  # gamma: the noise level that a recurrence begins at, relative to the latents
    text_scale: float = 1.0  # of guidance by the caption in the guided chain

    knots: int = 17  # of psi's curve
    convolutions: bool = False  # F-PAM's, on top of the curve
    rate: float = 0.05  # Adam's, of the curve
    convolution_rate: float = 2e-3  # learned faster, the convolutions fold what the curve cannot
    alone: int = 10  # learning steps of psi per step of the chain in stage one
    along: int = 2  # and in stage two
    slower: float = 0.5  # the rate in stage two, relative

    stage_two: float = 4.0  # the noise level t1, below which g acts
    smooth: float = 1.0  # weight of the bend of psi's curve, in logarithms of its slope
    least: float = 0.05  # weight of psi's slope, in logarithms: no more damage than it takes
    grey: float = 30.0  # weight of what a channel's curve has of its own
    quiet: float = 1.0  # weight of what the convolutions add, in variances of y
    content: float = 10.0  # weight of psi staying the identity where y is no degraded picture
    domain: float = 1.0  # weight of the domain term in stage two
    data: float = 1.0  # weight of MSE(psi(x), y) / var(y) in stage two

    # The gate w: how many nats per latent y must be likelier as a degraded picture, for nothing and for all of it. Of
    # 146 undamaged photographs 85 % are below the first and 95 % below the second; of 50 made dark or hazy to less than
    # 12 dB, 90 % are above the first.
    undamaged: float = 0.04
    damaged: float = 0.10

    noise_factor: float = 1.15  # the estimate of noise sees too little of what neighbours share
    noise_floor: float = 0.5 / 255  # of what is rounded to bytes
    inner: int = 2  # rounds of the data step

    quality: float = 0.0  # how much of a channel's distance from grey a step below `quality_from` takes away
    quality_from: float = 2.0  # noise level
