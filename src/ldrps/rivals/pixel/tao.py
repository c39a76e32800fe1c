"""TAO, test-time degradation adaptation (Gou et al., ICML 2024), the ancestor of LD-RPS: an adapter learns the way from
the clean domain to the degraded one while the chain runs, and the gradient through it guides the chain.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam

from ldrps.estimation.fpam import judged, learn
from ldrps.guidance.perceptual import Features, VGG16Features
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.model import PixelDiffusion
from ldrps.rivals.pixel.nets import AdaptationNets
from ldrps.rivals.pixel.rival import PixelRival, PixelSettings, require
from ldrps.rivals.pixel.step import descent, guided, moments, stepped
from ldrps.rivals.rival import RivalStep
from ldrps.rivals.terms import total_variation
from ldrps.sampling.chains import Losses
from ldrps.sampling.noise import draw

logger = logging.getLogger(__name__)

VGG16 = "vgg16.safetensors"
_ADAPTER_RATE = 1e-3
# Of 1000 timesteps: above the first the guidance is weak and of both chains; below the second, TV acts.
_FREE, _SMOOTH, _OF = 700, 50, 1000


@dataclass(frozen=True)
class TaoTask:
    """The constants of a kind of damage, tuned by TAO's authors on a few pictures each.

    Attributes:
        content, look, domain: weights of the adapter's losses, a, b and c: to stay near its input in pixels and in
            features, and to be taken for degraded.
        rate: of the discriminators' Adam.
        early: k, of the guidance above t = 700.
        perceptual, kind, smooth: d, e and f, of the guidance's terms below it.
        scale: of the guidance.
    """

    content: float
    look: float
    domain: float
    rate: float
    early: float
    perceptual: float
    kind: float
    smooth: float
    scale: float


TASKS = MappingProxyType(
    {
        "dark": TaoTask(0.02, 0.3, 0.6, 5e-5, 0, 2e-3, 5e-5, 4e-5, 50_000),
        "haze": TaoTask(0.2, 0.5, 0.3, 5e-4, 2, 1e-3, 0, 1e-4, 25_000),
        "noise": TaoTask(3, 2e-3, 1e-3, 1e-3, 0.5, 0, 0, 6e-4, 6_000),
    }
)


@dataclass(frozen=True)
class TaoSettings(PixelSettings):
    """TAO must be told the kind of damage: "dark", "haze" or "noise". The published seeds are 10, 10 and 20."""

    seed: int = 10
    task: str = "dark"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.task in TASKS, "task", repr(self.task), f"one of {', '.join(TASKS)}")


class Tao(PixelRival):
    """Two chains of the same picture; the first is guided to the end and returned.

    Args:
        facts, model, settings: as of any rival in pixel space.
        features: what the perceptual terms compare, as published `VGG16Features`; None lets the pixels stand in.
    """

    settings_type = TaoSettings

    def __init__(
        self,
        facts: Facts,
        model: PixelDiffusion,
        settings: TaoSettings | None = None,
        *,
        features: Features | None = None,
    ) -> None:
        super().__init__(facts, model, settings)
        self.features = features

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """As of any rival in pixel space. VGG16 is read from `vgg16.safetensors` in the folder of the weights.

        Raises:
            PriorError: the model is missing, or it or VGG16 cannot be used.
            SettingsError: there is no such setting, or a value is out of range.
        """
        settings = cls.settings_of(facts, options)
        assert isinstance(settings, TaoSettings)
        model = load_pixel_model(options.weights, device=options.device)
        return cls(facts, model, settings, features=_vgg16(options.weights, model.device))

    def chain(self, y: Tensor, generator: torch.Generator) -> Generator[RivalStep, None, Tensor]:
        settings, model = self.settings, self.model
        assert isinstance(settings, TaoSettings)
        if self.features is None:
            logger.warning("%s has no VGG16 (%s beside its weights): pixels stand in", self.facts.name, VGG16)
        nets = AdaptationNets.create(generator, y.device)
        adaptation = Adaptation(y, nets, self.features or _pixels, TASKS[settings.task])
        descending = descent(len(model.alphas_cumprod), settings.steps)
        shape = (2, *y.shape[1:])
        x_t = draw(shape, generator, y.device)
        for number, (t, following) in enumerate(descending, 1):
            step = moments(model, x_t, t, following)
            correction, losses = adaptation.correction(step.x0, _OF * t // len(model.alphas_cumprod))
            noise = None if following is None else draw(shape, generator, y.device)
            x_t = stepped(step.mean + correction, step.log_variance, noise)
            yield RivalStep(number, len(descending), losses, step.x0[:1])
        return x_t[:1]


@dataclass
class Adaptation:
    """The adapter and the discriminators of one picture, with their optimisers: made for it, thrown away with it.

    Args:
        y: the degraded picture [1, 3, H, W] in [0, 1].
        nets: freshly initialised.
        features: what the perceptual terms compare.
        task: the constants.
    """

    y: Tensor
    nets: AdaptationNets
    features: Features
    task: TaoTask
    _adapter: Adam = field(init=False, repr=False)
    _d1: Adam = field(init=False, repr=False)
    _d2: Adam = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._adapter = Adam(self.nets.adapter.parameters(), lr=_ADAPTER_RATE)
        self._d1 = Adam(self.nets.domain.parameters(), lr=self.task.rate)
        self._d2 = Adam(self.nets.kind.parameters(), lr=self.task.rate)

    def correction(self, x0: Tensor, t: int) -> tuple[Tensor, Losses]:
        """What to add to the means of the two chains, [2, 3, H, W], for their x0 in [-1, 1], at t of 1000.

        The adapter learns one step first, then its gradient is taken.
        """
        losses = self._learn(((x0 + 1) / 2).detach())
        point = x0.detach().requires_grad_()
        x = (point + 1) / 2
        terms = self._early(x, t) if t >= _FREE else self._late(x, t)
        (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), point)
        losses |= {f"posterior/{name}": float(term.detach()) for name, term in terms.items()}
        return guided(gradient, self.task.scale), losses

    def _learn(self, x: Tensor) -> Losses:
        """One step of G on both chains x, [2, 3, H, W] in [0, 1], after one of D1."""
        task, adapter, d1 = self.task, self.nets.adapter, self.nets.domain
        adapted = adapter(x)
        learn(self._d1, judged(d1(adapted.detach()), real=False) + judged(d1(self.y), real=True))
        terms = {
            "content": task.content * F.mse_loss(adapted, x),
            "look": task.look * F.mse_loss(self.features(adapted), self.features(x)),
            "domain": task.domain * judged(d1(adapted), real=True),
        }
        learn(self._adapter, torch.stack(list(terms.values())).sum())
        return {f"adaptation/{name}": float(term.detach()) for name, term in terms.items()}

    def _early(self, x: Tensor, t: int) -> dict[str, Tensor]:
        """Of both chains, from nothing at t = 999 to its full weight at t = 700."""
        weight = self.task.early * (1 - (t - _FREE) / (_OF - 1 - _FREE))
        return {"distance": weight * F.mse_loss(self.nets.adapter(x), self.y.expand_as(x))}

    def _late(self, x: Tensor, t: int) -> dict[str, Tensor]:
        """Of the first chain alone; D2 learns one step before it judges."""
        task, d2, y = self.task, self.nets.kind, self.y
        adapted = self.nets.adapter(x)
        clean, degraded = x[:1], adapted[:1]
        terms = {"distance": F.mse_loss(degraded, y)}
        if task.perceptual:
            terms["perceptual"] = task.perceptual * F.mse_loss(self.features(degraded), self.features(y))
        if task.kind:
            taken = judged(d2((clean - y).detach()), real=False) + judged(d2((x - adapted).detach()), real=True)
            learn(self._d2, taken)
            terms["kind"] = task.kind * judged(d2(clean - y), real=True)
        if task.smooth and t < _SMOOTH:
            terms["smooth"] = task.smooth * total_variation(clean)
        return terms


def _pixels(x: Tensor) -> Tensor:
    return x


def _vgg16(weights: Path | None, device: torch.device) -> Features | None:
    """VGG16 in the folder of the model's weights, or in that folder's if it is a file; None where there is none."""
    if weights is None:
        return None
    file = (weights if weights.is_dir() else weights.parent) / VGG16
    return VGG16Features.from_file(file).to(device) if file.is_file() else None
