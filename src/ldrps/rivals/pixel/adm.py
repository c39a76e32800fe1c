"""ADM (Dhariwal and Nichol 2021), the unconditional model of 256x256 pixels of openai/guided-diffusion.

Its network is a `UNet2DModel` under other names: residual blocks that also change the size ("resnet"), a norm that the
timestep scales and shifts, attention of 64 channels a head whose queries, keys and values are one layer. Nothing has to
be rebuilt; `diffusers_names` says which tensor is which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor

from ldrps.prior.refusal import unusable
from ldrps.prior.weights import build
from ldrps.rivals.pixel.diffusers_model import DiffusersPixels
from ldrps.rivals.pixel.model import ADM_FILE
from ldrps.rivals.pixel.schedule import adm_schedule

_RESIDUAL = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_OUTSIDE = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
_REMEDY = f"give {ADM_FILE} of openai/guided-diffusion, whole and unchanged"


@dataclass(frozen=True)
class AdmShape:
    """The sizes of a network of ADM; the defaults are those of the checkpoint for 256 pixels.

    Attributes:
        channels: of the finest level.
        multipliers: of the channels, level by level; each level halves the sides.
        blocks: residual blocks of a level; one more on the way up.
        attention: the levels that have it, 0 the finest.
        head: channels of an attention head.
    """

    channels: int = 256
    multipliers: tuple[int, ...] = (1, 1, 2, 2, 4, 4)
    blocks: int = 2
    attention: tuple[int, ...] = (3, 4, 5)
    head: int = 64

    def network(self) -> UNet2DModel:
        """The same in diffusers, with random weights."""
        levels = range(len(self.multipliers))
        down = ["AttnDownBlock2D" if level in self.attention else "ResnetDownsampleBlock2D" for level in levels]
        up = ["AttnUpBlock2D" if level in self.attention else "ResnetUpsampleBlock2D" for level in reversed(levels)]
        return UNet2DModel(
            in_channels=3,
            out_channels=6,  # the noise, and where the variance lies
            block_out_channels=tuple(self.channels * multiplier for multiplier in self.multipliers),
            layers_per_block=self.blocks,
            down_block_types=tuple(down),
            up_block_types=tuple(up),
            downsample_type="resnet",
            upsample_type="resnet",
            resnet_time_scale_shift="scale_shift",
            attention_head_dim=self.head,
            attn_norm_num_groups=32,
        )

    def _modules(self) -> Iterator[tuple[str, str]]:
        """The prefixes of all residual and attention blocks, in ADM and in diffusers."""
        last, place = len(self.multipliers) - 1, 1  # input_blocks.0 is the first convolution
        for level in range(last + 1):
            for block in range(self.blocks):
                yield f"input_blocks.{place}.0", f"down_blocks.{level}.resnets.{block}"
                if level in self.attention:
                    yield f"input_blocks.{place}.1", f"down_blocks.{level}.attentions.{block}"
                place += 1
            if level < last:
                yield f"input_blocks.{place}.0", f"down_blocks.{level}.downsamplers.0"
                place += 1
        for part, name in enumerate(("resnets.0", "attentions.0", "resnets.1")):
            yield f"middle_block.{part}", f"mid_block.{name}"
        for step in range(last + 1):
            for block in range(self.blocks + 1):
                place = step * (self.blocks + 1) + block
                attends = last - step in self.attention
                yield f"output_blocks.{place}.0", f"up_blocks.{step}.resnets.{block}"
                if attends:
                    yield f"output_blocks.{place}.1", f"up_blocks.{step}.attentions.{block}"
                if block == self.blocks and step < last:
                    yield f"output_blocks.{place}.{1 + attends}", f"up_blocks.{step}.upsamplers.0"

    def diffusers_names(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A state dict of ADM's as that of `network()`; tensors of other names keep them."""
        prefixes = dict(self._modules())
        found: dict[str, Tensor] = {}
        for name, tensor in state.items():
            block = next((prefix for prefix in _prefixes(name) if prefix in prefixes), None)
            if block is not None:
                found |= self._of_block(prefixes[block], name.removeprefix(f"{block}."), tensor)
                continue
            layer, _, kind = name.rpartition(".")
            found[f"{_OUTSIDE.get(layer, layer)}.{kind}"] = tensor
        return found

    def _of_block(self, block: str, name: str, tensor: Tensor) -> dict[str, Tensor]:
        layer, _, kind = name.rpartition(".")
        if ".attentions." not in block:
            return {f"{block}.{_RESIDUAL.get(layer, layer)}.{kind}": tensor}
        if layer == "norm":
            return {f"{block}.group_norm.{kind}": tensor}
        matrix = tensor.squeeze(-1) if kind == "weight" else tensor  # ADM has convolutions of one place
        if layer != "qkv":
            return {f"{block}.to_out.0.{kind}": matrix}
        # The layer gives the query, key and value of the first head, then those of the second, and so on.
        heads = matrix.unflatten(0, (-1, 3, self.head))
        return {f"{block}.to_{part}.{kind}": heads[:, k].flatten(0, 1) for k, part in enumerate("qkv")}


def load_adm(
    file: Path, *, device: torch.device, dtype: torch.dtype = torch.float32, shape: AdmShape | None = None
) -> DiffusersPixels:
    """Load a checkpoint of ADM, a state dict that torch saved; nothing else in it is read, and no code run.

    Raises:
        PriorError: it is missing, broken, or another network.
    """
    shape = shape or AdmShape()
    state = shape.diffusers_names(_read(file))
    network = build(shape.network, file)
    wanted = network.state_dict()
    if wrong := sorted(wanted.keys() ^ state.keys()):
        found = f"{len(wrong)} tensors too few or too many, such as {wrong[0]}"
        raise unusable(file, found, f"the {len(wanted)} of ADM-256", _REMEDY)
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape or not bool(tensor.isfinite().all()):
            found = f"{name} of shape {list(tensor.shape)}, or NaN or infinity in it"
            raise unusable(file, found, f"finite values of shape {list(wanted[name].shape)}", _REMEDY)
    network.load_state_dict({name: tensor.to(device, dtype) for name, tensor in state.items()}, assign=True)
    network.to(device).eval().requires_grad_(False)
    return DiffusersPixels(file.name, network, adm_schedule(), "epsilon", "learned_range")


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise unusable(file, "no such file", "the checkpoint of ADM-256 (2.2 GB)", _REMEDY)
    try:
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # a broken pickle breaks in whatever way it happens to
        found = f"a file that cannot be read as weights ({type(error).__name__})"
        raise unusable(file, found, "a state dict that torch saved", _REMEDY) from error
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise unusable(file, f"a {type(state).__name__} that is no state dict", "tensors by name", _REMEDY)
    return state


def _prefixes(name: str) -> Iterator[str]:
    """Its beginnings that end before a dot."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))
