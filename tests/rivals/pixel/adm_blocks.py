"""ADM's network by the formula of each block, under its own names: what the converted one must equal."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


class Blocks:
    """Functions of the tensors of a state dict, by the prefix of a block.

    Args:
        state: ADM's state dict.
        head: channels of an attention head.
    """

    def __init__(self, state: Mapping[str, Tensor], head: int) -> None:
        self.state, self.head = state, head

    def has(self, prefix: str) -> bool:
        return any(name.startswith(f"{prefix}.") for name in self.state)

    def conv(self, prefix: str, x: Tensor) -> Tensor:
        weight = self.state[f"{prefix}.weight"]
        return F.conv2d(x, weight, self.state[f"{prefix}.bias"], padding=weight.shape[-1] // 2)

    def linear(self, prefix: str, x: Tensor) -> Tensor:
        return F.linear(x, self.state[f"{prefix}.weight"], self.state[f"{prefix}.bias"])

    def norm(self, prefix: str, x: Tensor) -> Tensor:
        return F.group_norm(x, 32, self.state[f"{prefix}.weight"], self.state[f"{prefix}.bias"], 1e-5)

    def timestep(self, t: int) -> Tensor:
        """cos and sin of t at frequencies from 1 to 1/10000, then two layers."""
        channels = self.state["time_embed.0.weight"].shape[1]
        half = channels // 2
        angles = t * torch.exp(-math.log(10_000) * torch.arange(half) / half)
        features = torch.cat([angles.cos(), angles.sin()])[None]
        return self.linear("time_embed.2", F.silu(self.linear("time_embed.0", features)))

    def residual(self, prefix: str, x: Tensor, time: Tensor, resize: str = "") -> Tensor:
        h = F.silu(self.norm(f"{prefix}.in_layers.0", x))
        if resize == "down":
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        if resize == "up":
            h, x = (F.interpolate(each, scale_factor=2, mode="nearest") for each in (h, x))
        h = self.conv(f"{prefix}.in_layers.2", h)
        scale, shift = self.linear(f"{prefix}.emb_layers.1", F.silu(time))[:, :, None, None].chunk(2, 1)
        h = self.norm(f"{prefix}.out_layers.0", h) * (1 + scale) + shift
        h = self.conv(f"{prefix}.out_layers.3", F.silu(h))
        return h + (self.conv(f"{prefix}.skip_connection", x) if self.has(f"{prefix}.skip_connection") else x)

    def attention(self, prefix: str, x: Tensor) -> Tensor:
        """Each head has its own queries, keys and values, one after the other in the layer that gives them."""
        batch, channels, height, width = x.shape
        flat = self.norm(f"{prefix}.norm", x).reshape(batch, channels, -1)
        qkv = torch.einsum("oc,bcn->bon", self.state[f"{prefix}.qkv.weight"][..., 0], flat)
        qkv = qkv + self.state[f"{prefix}.qkv.bias"][:, None]
        seen = []
        for each in qkv.split(3 * self.head, 1):
            q, k, v = each.split(self.head, 1)  # [B, head, N]
            looked = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / math.sqrt(self.head), -1)
            seen.append(torch.einsum("bnm,bcm->bcn", looked, v))
        out = torch.einsum("oc,bcn->bon", self.state[f"{prefix}.proj_out.weight"][..., 0], torch.cat(seen, 1))
        out = out + self.state[f"{prefix}.proj_out.bias"][:, None]
        return x + out.reshape(batch, channels, height, width)


def two_levels(blocks: Blocks, x: Tensor, t: int) -> Tensor:
    """The whole of a network of two levels, one residual block each, with attention on the coarse one."""
    time = blocks.timestep(t)
    first = blocks.conv("input_blocks.0.0", x)
    second = blocks.residual("input_blocks.1.0", first, time)
    third = blocks.residual("input_blocks.2.0", second, time, "down")
    fourth = blocks.attention("input_blocks.3.1", blocks.residual("input_blocks.3.0", third, time))
    h = blocks.residual("middle_block.0", fourth, time)
    h = blocks.residual("middle_block.2", blocks.attention("middle_block.1", h), time)
    h = blocks.residual("output_blocks.0.0", torch.cat([h, fourth], 1), time)
    h = blocks.attention("output_blocks.0.1", h)
    h = blocks.residual("output_blocks.1.0", torch.cat([h, third], 1), time)
    h = blocks.attention("output_blocks.1.1", h)
    h = blocks.residual("output_blocks.1.2", h, time, "up")
    h = blocks.residual("output_blocks.2.0", torch.cat([h, second], 1), time)
    h = blocks.residual("output_blocks.3.0", torch.cat([h, first], 1), time)
    return blocks.conv("out.2", F.silu(blocks.norm("out.0", h)))


def random_state(head: int = 16, channels: int = 32, wider: int = 64) -> dict[str, Tensor]:
    """The state dict of such a network, random in every tensor."""
    random = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}

    def layer(name: str, out: int, *inputs: int) -> None:
        fan = math.prod(inputs) or 1
        state[f"{name}.weight"] = torch.randn((out, *inputs), generator=random) / math.sqrt(fan)
        state[f"{name}.bias"] = 0.3 * torch.randn(out, generator=random)

    def residual(name: str, inside: int, out: int) -> None:
        layer(f"{name}.in_layers.0", inside)
        layer(f"{name}.in_layers.2", out, inside, 3, 3)
        layer(f"{name}.emb_layers.1", 2 * out, 4 * channels)
        layer(f"{name}.out_layers.0", out)
        layer(f"{name}.out_layers.3", out, out, 3, 3)
        if inside != out:
            layer(f"{name}.skip_connection", out, inside, 1, 1)

    def attention(name: str, width: int) -> None:
        layer(f"{name}.norm", width)
        layer(f"{name}.qkv", 3 * width, width, 1)
        layer(f"{name}.proj_out", width, width, 1)

    layer("time_embed.0", 4 * channels, channels)
    layer("time_embed.2", 4 * channels, 4 * channels)
    layer("input_blocks.0.0", channels, 3, 3, 3)
    for name, inside, out in (
        ("input_blocks.1.0", channels, channels), ("input_blocks.2.0", channels, channels),
        ("input_blocks.3.0", channels, wider), ("middle_block.0", wider, wider), ("middle_block.2", wider, wider),
        ("output_blocks.0.0", 2 * wider, wider), ("output_blocks.1.0", wider + channels, wider),
        ("output_blocks.1.2", wider, wider), ("output_blocks.2.0", wider + channels, channels),
        ("output_blocks.3.0", 2 * channels, channels),
    ):  # fmt: skip
        residual(name, inside, out)
    for name in ("input_blocks.3.1", "middle_block.1", "output_blocks.0.1", "output_blocks.1.1"):
        attention(name, wider)
    layer("out.0", channels)
    layer("out.2", 6, channels, 3, 3)
    return state
