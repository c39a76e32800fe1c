"""The published posterior: F-PAM learns the degradation while its gradient steers the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam

from ldrps.estimation.fpam import AlignmentNets, judged, learn
from ldrps.guidance.perceptual import Features
from ldrps.guidance.terms import brightness, chrominance
from ldrps.settings import PublishedSettings

Losses = dict[str, float]


@dataclass
class LearnedPosterior:
    """grad log p(y | z0) for a pair of chains, with everything that is learned on the way.

    Made for one picture and thrown away with it: its nets and their optimisers are state.

    Args:
        y: the degraded picture [1, 3, H, W] in [0, 1].
        decode: the prior's differentiable decoder.
        features: what the perceptual terms compare.
        nets: freshly initialised F-PAM and discriminators.
        settings: loss weights, rates and timetable.
    """

    y: Tensor
    decode: Callable[[Tensor], Tensor]
    features: Features
    nets: AlignmentNets
    settings: PublishedSettings
    _fpam: Adam = field(init=False, repr=False)
    _d1: Adam = field(init=False, repr=False)
    _d2: Adam = field(init=False, repr=False)

    def __post_init__(self) -> None:
        align, guide = self.settings.alignment, self.settings.guidance
        self._fpam = Adam(self.nets.fpam.parameters(), lr=align.learning_rate, weight_decay=align.weight_decay)
        self._d1 = Adam(self.nets.domain.parameters(), lr=align.discriminator_rate)
        self._d2 = Adam(self.nets.kind.parameters(), lr=guide.discriminator_rate)

    def correction(self, z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        """What to add to the latents, [2, C, h, w], for the predicted z0 of the guided and the free chain.

        F-PAM learns one step first. The free chain's correction is zero; in stage one both are.
        """
        z0 = z0.detach().requires_grad_()
        x = self.decode(z0)  # [2, 3, H, W]; f in the paper
        losses = self._learn(x.detach(), t)
        guide = self.settings.guidance
        weights = (guide.distance, guide.perceptual, guide.adversarial, guide.brightness, guide.chrominance)
        if not any(term.at(t) for term in weights):
            return torch.zeros_like(z0), losses  # stage one: g = 0
        terms = self._posterior_terms(x, t)
        (gradient,) = torch.autograd.grad(sum(terms.values(), torch.zeros((), device=z0.device)), z0)
        losses |= {f"posterior/{name}": float(term.detach()) for name, term in terms.items()}
        return -guide.scale * gradient, losses

    def _learn(self, x: Tensor, t: int) -> Losses:
        """One step of S_psi = L2 + perceptual + GAN. The first two hold on to the content of x, the third pulls its
        look to the degraded domain.
        """
        align, psi, d1 = self.settings.alignment, self.nets.fpam, self.nets.domain
        generated = psi(x)
        distance = align.distance * F.mse_loss(generated, x)
        perceptual = align.perceptual * F.mse_loss(self.features(generated), self.features(x))
        if t < self.settings.guidance.distance.t and perceptual > align.perceptual_limit:
            perceptual = perceptual * align.perceptual_damping

        y_pair = self.y.expand_as(x)
        verdict = judged(d1(generated.detach()), real=False) + judged(d1(y_pair), real=True)
        learn(self._d1, verdict)
        adversarial = align.adversarial * judged(d1(generated), real=True)

        learn(self._fpam, distance + perceptual + adversarial)
        terms = {"distance": distance, "perceptual": perceptual, "adversarial": adversarial}
        return {f"alignment/{name}": float(term.detach()) for name, term in terms.items()}

    def _posterior_terms(self, x: Tensor, t: int) -> dict[str, Tensor]:
        """The weighted terms of the posterior's loss, of the guided chain alone (the first of the pair)."""
        guide, psi, d2, y = self.settings.guidance, self.nets.fpam, self.nets.kind, self.y
        generated = psi(x)
        clean, degraded = x[:1], generated[:1]
        terms = {"distance": guide.distance.at(t) * F.mse_loss(degraded, y)}
        if weight := guide.perceptual.at(t):
            terms["perceptual"] = weight * F.mse_loss(self.features(degraded), self.features(y))
        if weight := guide.adversarial.at(t):
            verdict = judged(d2((clean - y).detach()), real=False) + judged(d2((x - generated).detach()), real=True)
            learn(self._d2, verdict)
            terms["adversarial"] = weight * judged(d2(clean - y), real=True)
        if weight := guide.brightness.at(t):
            terms["brightness"] = weight * brightness(clean, guide.brightness_cell)
        if weight := guide.chrominance.at(t):
            terms["chrominance"] = weight * chrominance(clean)
        return terms
