"""The denoiser of the embedded prior: a U-shaped net of NAFNet's blocks under EDM preconditioning, with text.

Each latent channel has its own deviation sigma_data[c]; the noise level sigma is one number for all channels, because
the encoder is orthonormal. The network therefore sees unit-scale input and has unit-scale targets in every channel at
every level (Karras et al. 2022, table 1, per channel), which is what lets it learn within minutes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.prior.network import Network, configured

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)
_HEAD = 32  # channels of an attention head
_RATES = 32  # at which the features of the noise level wave


class LatentUNet(Network):
    """D(x; sigma, text, kind): noisy latents x = z0 + sigma n, [B, C, h, w], to the expected clean ones, same shape.
    Each of the conditions is there once for each of the B, or once for all, which is quicker.

    Statistics are taken over the channels of one place, never over the picture, so that a tile of a picture is denoised
    as the whole would be; only the attention of the coarsest level looks far.

    Args:
        sigma_data: deviation of each latent channel; its length is C.
        widths: channels of each level, the finest first; each level halves the sides.
        blocks: on each level but the coarsest, before it and again after it.
        middle: blocks of the coarsest level, half of them before the attention.
        text_width: D of the embeddings of captions [B, L, D]; 0 for a net that knows no text.
        kinds: how many kinds of noise n it tells apart; the first is white, which is what diffusion needs.

    Raises:
        InputError: widths and blocks do not go together.
    """

    @configured
    def __init__(
        self,
        sigma_data: list[float],
        widths: tuple[int, ...] = (128, 192, 256),
        blocks: tuple[int, ...] = (3, 4),
        middle: int = 6,
        text_width: int = 0,
        embedding: int = 256,
        kinds: int = 1,
    ) -> None:
        super().__init__()
        if len(blocks) != len(widths) - 1 or widths[-1] % _HEAD:
            raise InputError(
                f"widths are {list(widths)} and blocks {list(blocks)}: the last width must be a multiple of {_HEAD}, "
                "and there must be a number of blocks for each of the others"
            )
        channels = len(sigma_data)
        self.time_embedding = _TimeEmbedding(embedding)
        self.text_embedding = _zero(nn.Linear(text_width, embedding)) if text_width else None
        self.kind_embedding = _zero(nn.Linear(kinds, embedding, bias=False)) if kinds > 1 else None
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        levels = list(zip(widths[:-1], blocks, strict=True))
        self.encoder = nn.ModuleList(_stack(width, count, embedding) for width, count in levels)
        self.downs = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in itertools.pairwise(widths))
        self.core = _stack(widths[-1], middle, embedding)
        self.attention = _Attention(widths[-1], text_width)
        self.ups = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1) for fine, coarse in itertools.pairwise(widths))
        self.decoder = nn.ModuleList(_stack(width, count, embedding) for width, count in levels)
        self.last = _zero(nn.Conv2d(widths[0], channels, 3, padding=1))

    @property
    def size_multiple(self) -> int:
        """Latent height and width must be multiples of this."""
        return 2 ** (len(self.config["widths"]) - 1)

    def with_text(self, width: int) -> LatentUNet:
        """A copy that reads embeddings of captions of that width, 0 for none, and has yet to learn what they mean."""
        copy = self._untrained(text_width=width)
        listening = ("text_embedding.", "attention.words.")
        known = {name: value for name, value in self.state_dict().items() if not name.startswith(listening)}
        copy.load_state_dict(known, strict=False)
        if copy.attention.words is not None:
            _zero(copy.attention.words)
        return copy

    def with_kinds(self, kinds: int) -> LatentUNet:
        """A copy that tells more kinds of noise apart, and has yet to learn in what the new ones differ."""
        copy = self._untrained(kinds=kinds)
        state = copy.state_dict()
        for name, known in self.state_dict().items():
            target = state[name][:, : known.shape[1]] if name == "kind_embedding.weight" else state[name]
            target.copy_(known)
        return copy

    def with_channels(self, sigma_data: list[float]) -> LatentUNet:
        """A copy that knows more latent channels, their deviations given, behind its own: each new one starts as its
        best linear estimate from itself, and tells the others nothing yet.
        """
        own = len(self.config["sigma_data"])
        copy = self._untrained(sigma_data=[*self.config["sigma_data"], *sigma_data])
        copy.first.weight.data.zero_()
        for name, tensor in copy.state_dict().items():
            known = self.state_dict()[name]
            target = tensor[:, :own] if name == "first.weight" else tensor[:own] if name.startswith("last.") else tensor
            target.copy_(known)
        return copy

    def _untrained(self, **changed: Any) -> LatentUNet:
        """A net of the same sizes, but for what is changed."""
        return LatentUNet(**{**self.config, **changed})

    def coefficients(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c_skip, c_out, c_in, each [B, C, 1, 1], for noise levels sigma [B]; of one for all [1, C, 1, 1]."""
        s = sigma.reshape(-1, 1, 1, 1)
        d = torch.tensor(self.config["sigma_data"], device=sigma.device).reshape(1, -1, 1, 1)
        norm = (s**2 + d**2).sqrt()
        return d**2 / norm**2, s * d / norm, 1 / norm

    def network(self, x: Tensor, sigma: Tensor, text: Tensor | None = None, kind: Tensor | None = None) -> Tensor:
        """F(c_in x; sigma, text, kind), the raw network, whose training target is (z0 - c_skip x) / c_out.

        kind counts from 0, white, which is also what None stands for.
        """
        _, _, c_in = self.coefficients(sigma)
        weights = self.first.weight.dtype
        # ln sigma runs from about -4 to 3; spread over the range that the features of a timestep were made for.
        condition = self.time_embedding(_time_features(500 + 100 * sigma.log()).to(weights))
        if text is not None and self.text_embedding is not None:
            text = text.to(weights)
            condition = condition + self.text_embedding(text.mean(1))
        if self.kind_embedding is not None:
            kind = sigma.new_zeros(1, dtype=torch.long) if kind is None else kind
            condition = condition + self.kind_embedding(F.one_hot(kind, self.config["kinds"]).to(weights))
        condition = F.silu(condition)

        h = self.first((c_in * x).to(weights))
        skips = []
        for blocks, down in zip(self.encoder, self.downs, strict=True):
            h = _run(blocks, h, condition)
            skips.append(h)
            h = down(h)
        half = len(self.core) // 2
        h = self.attention(_run(self.core[:half], h, condition), text)
        h = _run(self.core[half:], h, condition)
        for blocks, up, skip in zip(reversed(self.decoder), reversed(self.ups), reversed(skips), strict=True):
            h = _run(blocks, F.pixel_shuffle(up(h), 2) + skip, condition)
        return self.last(h).to(x.dtype)

    def forward(self, x: Tensor, sigma: Tensor, text: Tensor | None = None, kind: Tensor | None = None) -> Tensor:
        c_skip, c_out, _ = self.coefficients(sigma)
        return c_skip * x + c_out * self.network(x, sigma, text, kind)


class _TimeEmbedding(nn.Module):
    """Features of the noise level to what modulates the blocks; the names of the layers are those of diffusers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(2 * _RATES, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, features: Tensor) -> Tensor:
        embedded: Tensor = self.linear_2(F.silu(self.linear_1(features)))
        return embedded


def _time_features(t: Tensor) -> Tensor:
    """Cosines and sines of t [B] at falling rates, [B, 64] (Vaswani et al. 2017, section 3.5)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(_RATES, dtype=torch.float32, device=t.device) / _RATES)
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], 1)


class _Block(nn.Module):
    """The block of NAFNet (Chen et al. 2022, arXiv 2204.04676, fig. 3), without its attention over channels, whose
    statistics would depend on the size of the picture; the layer norms are modulated by the condition.
    """

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.modulation = _zero(nn.Linear(embedding, 4 * width))
        self.norm1 = _ChannelNorm(width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.filter = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.project = _zero(nn.Conv2d(width, width, 1))
        self.norm2 = _ChannelNorm(width)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = _zero(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain1, bias1, gain2, bias2 = self.modulation(condition).chunk(4, 1)
        x = _onto(x, self.project, _gate(self.filter(self.expand(self.norm1(x, gain1, bias1)))))
        return _onto(x, self.narrow, _gate(self.widen(self.norm2(x, gain2, bias2))))


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [B, C, h, w], then times 1 + gain, plus bias, both [B, C], [1, C] or nothing.

    What is the same for all B goes into the norm's own pass over the picture.
    """

    def forward(self, x: Tensor, gain: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        places = x.permute(0, 2, 3, 1)
        weight, offset = self.weight, self.bias
        if gain is None or bias is None:
            return self._normal(places, weight, offset)
        if len(gain) == 1:
            return self._normal(places, weight * (1 + gain[0]), offset * (1 + gain[0]) + bias[0])
        return self._normal(places, weight, offset) * (1 + gain[..., None, None]) + bias[..., None, None]

    def _normal(self, places: Tensor, weight: Tensor, offset: Tensor) -> Tensor:
        return F.layer_norm(places, self.normalized_shape, weight, offset, self.eps).permute(0, 3, 1, 2)


class _Attention(nn.Module):
    """Each place looks at all places and at the words of the caption."""

    def __init__(self, width: int, text_width: int) -> None:
        super().__init__()
        self.norm = _ChannelNorm(width)
        self.queries = nn.Conv2d(width, 3 * width, 1)  # and keys and values
        self.words = nn.Linear(text_width, 2 * width) if text_width else None
        self.project = _zero(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor, text: Tensor | None) -> Tensor:
        batch, width, height, columns = x.shape
        q, k, v = (_heads(part.flatten(2).transpose(1, 2)) for part in self.queries(self.norm(x)).chunk(3, 1))
        if text is not None and self.words is not None:
            word_k, word_v = (_heads(part).expand(batch, -1, -1, -1) for part in self.words(text).chunk(2, 2))
            k, v = torch.cat([k, word_k], 2), torch.cat([v, word_v], 2)
        seen = F.scaled_dot_product_attention(q, k, v)  # [B, heads, places, 32]
        return x + self.project(seen.transpose(2, 3).reshape(batch, width, height, columns))


def _heads(x: Tensor) -> Tensor:
    """[B, N, C] to [B, heads, N, 32]."""
    return x.unflatten(2, (-1, _HEAD)).transpose(1, 2)


def _gate(x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    return a * b


def _onto(x: Tensor, layer: nn.Conv2d, h: Tensor) -> Tensor:
    """x + layer(h), of a convolution over single pixels; where nothing is learned x itself may be changed.

    On a processor oneDNN adds while it convolves: one way through memory less, a tenth of the network's time.
    """
    plain = torch.is_grad_enabled() or torch.is_autocast_enabled("cpu") or x.device.type != "cpu"
    convolve = None if plain or not x.dtype == h.dtype == layer.weight.dtype else _adding_convolution(x.dtype)
    return layer(h).add_(x) if convolve is None else convolve(x, h, layer.weight, layer.bias)


@cache
def _adding_convolution(dtype: torch.dtype) -> Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor] | None:
    """x, h, weight, bias to x + a convolution of h, written onto x; None where this processor has none of that type.

    It is what torch's own compiler calls, and no part of what torch promises: so it is tried.
    """

    def convolve(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        sums: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
            x, h, weight, bias, [0, 0], [1, 1], [1, 1], 1, "add", 1.0, None, [], None
        )
        return sums

    one = torch.ones(1, 1, 1, 1, dtype=dtype)
    try:
        return convolve if float(convolve(one.clone(), one, one, None)) == 2 else None
    except Exception:  # whatever a build of torch says that lacks it, or knows it by other arguments
        return None


def _stack(width: int, count: int, embedding: int) -> nn.ModuleList:
    return nn.ModuleList(_Block(width, embedding) for _ in range(count))


def _run(blocks: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, condition)
    return x


def _zero(layer: Layer) -> Layer:
    """A layer that begins as zero: a residual that begins as nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
