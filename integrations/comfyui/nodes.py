"""The node: pictures as ComfyUI has them, restored by ldrps, and handed back with what was found."""

from __future__ import annotations

from functools import lru_cache

import comfy.model_management
import comfy.utils
import torch
from comfy_api.latest import io
from torch import Tensor

try:
    import ldrps
except ImportError as error:
    raise ImportError(
        "ldrps is not installed in the Python that runs ComfyUI: run `pip install .` with that Python in a checkout of "
        "ldrps, and start ComfyUI again"
    ) from error
from ldrps.errors import InputError
from ldrps.settings import MAX_SCALE

PRESETS = ("default", "fast", "best", "ldrps")  # for any prior: those of the paper want a Stable Diffusion
PARTS = ("tone", "noise", "blur")
_MOST_SEED = 2**64 - 1
_TICKS = 1000  # of the bar, for each picture


class RestorePhotograph(io.ComfyNode):
    """Takes pictures of any damage; gives them restored, a mask of what was filled, and what was found in words."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        strengths = [
            io.Float.Input(
                part,
                default=1.0,
                min=0.0,
                max=4.0,
                step=0.05,
                tooltip=f"How much of the {part} that went wrong is undone: 0 leaves it, 1 is what was found.",
            )
            for part in PARTS
        ]
        return io.Schema(
            node_id="LdrpsRestorePhotograph",
            display_name="Restore photograph (ldrps)",
            category="image/restoration",
            description="Finds out by itself what is wrong with a photograph, dark, hazy, noisy, blurred or some of "
            "each, and undoes it.",
            inputs=[
                io.Image.Input("image"),
                io.Mask.Input("mask", optional=True, tooltip="White is lost and will be filled."),
                io.Combo.Input("preset", options=list(PRESETS), default=PRESETS[0]),
                *strengths,
                io.Boolean.Input(
                    "find_scratches", default=False, tooltip="Look for scratches, dust and bare spots, and fill them."
                ),
                io.Float.Input(
                    "scale", default=1.0, min=1.0, max=MAX_SCALE, step=0.1, tooltip="Times larger each way."
                ),
                io.Int.Input("seed", default=0, min=0, max=_MOST_SEED, control_after_generate=True),
            ],
            outputs=[
                io.Image.Output("restored", display_name="image"),
                io.Mask.Output("filled", display_name="mask", tooltip="White where something was filled."),
                io.String.Output("damage", tooltip="What was found, a line for each picture."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        preset: str,
        tone: float,
        noise: float,
        blur: float,
        find_scratches: bool,
        scale: float,
        seed: int,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Restore a batch [B, H, W, 3] in [0, 1], each picture as if it were alone.

        Raises:
            InputError: the pictures have no three channels, or the mask does not fit them.
            SettingsError: scratches are looked for beside a mask or a scale, which decide otherwise.
        """
        if image.ndim != 4 or image.shape[-1] != 3:
            raise InputError(f"the image has shape {list(image.shape)}; it must be [B, H, W, 3]: take its alpha apart")
        holes = _holes(mask, image)
        settings = ldrps.preset(preset).with_changes(seed=seed, scale=scale, scratches=find_scratches or None)
        settings = settings.with_strengths({"tone": tone, "noise": noise, "blur": blur})
        whole = settings.with_masks(holes=holes is not None, protected=False)  # refuses a mask beside a scale
        if find_scratches:
            whole.require_used(["scratches"])
        restorer = _restorer(str(comfy.model_management.get_torch_device())).with_settings(settings)
        bar = comfy.utils.ProgressBar(_TICKS * len(image))
        results = [
            restorer(picture, mask=None if holes is None else holes[number], on_step=_watch(bar, number))
            for number, picture in enumerate(image.movedim(-1, 1).float().clamp(0, 1).cpu())
        ]
        bar.update_absolute(_TICKS * len(image))
        restored = torch.cat([result.tensor.movedim(1, -1) for result in results])
        lines = [" ".join(result.words.split()) for result in results]
        return io.NodeOutput(restored, torch.cat([_filled(result) for result in results]), "\n".join(lines))


@lru_cache(maxsize=1)
def _restorer(device: str) -> ldrps.Restorer:
    return ldrps.Restorer.from_pretrained(device=device)


def _holes(mask: Tensor | None, image: Tensor) -> Tensor | None:
    """The masks of a batch [B, H, W], None where nothing is lost, as "Load Image" says of a picture without alpha.

    Raises:
        InputError: the mask is of another size than the pictures, or there is neither one nor one for each.
    """
    if mask is None or not mask.any():
        return None
    masks, (count, height, width) = mask.reshape(-1, *mask.shape[-2:]), image.shape[:3]
    if masks.shape[1:] != (height, width) or len(masks) not in (1, count):
        raise InputError(
            f"the mask has shape {list(mask.shape)} and the image {list(image.shape)}: give a mask of its size, one or "
            "one for each picture"
        )
    return masks.float().clamp(0, 1).cpu().expand(count, -1, -1)


def _watch(bar: comfy.utils.ProgressBar, number: int) -> ldrps.progress.OnStep:
    """Tells the bar of the steps of picture `number`, and leaves by ComfyUI's own exception when it is told to stop."""

    def on_step(progress: ldrps.Progress) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(_TICKS * number + _TICKS * progress.number // progress.total)

    return on_step


def _filled(result: ldrps.Result) -> Tensor:
    """Which pixels of a result were filled, [1, H, W] in [0, 1]."""
    lost = result.picture.lost
    return result.tensor.new_zeros(1, *result.tensor.shape[-2:]) if lost is None else lost.values[0].clone()
