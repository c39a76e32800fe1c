"""What users may rely on: each public name, what is on it, and the arguments it takes. None changes by accident."""

from __future__ import annotations

import dataclasses
import inspect
from operator import attrgetter

import pytest

import ldrps

# Of each public name, what is public on it, if it is a class.
NAMES = {
    "__version__": "",
    "Cancelled": "",
    "Caption": "confidence negative note seconds source text",
    "Damage": (
        "absent blur blur_kernel drawn from_plain holes in_larger load local noise noise_deviation noise_kind of_size "
        "plain possible_noise tone undo_tone with_strengths"
    ),
    "Denoiser": "forward",
    "draw_samples": "",
    "Estimate": "absent plain probability scaled share strength value",
    "load_prior": "",
    "preset": "",
    "PRESETS": "",
    "Prior": (
        "decode denoise describe embed encode from_pretrained has_text networks noise_kinds precision remove_noise "
        "terms to"
    ),
    "Progress": "decode losses number picture round t total window z0",
    "restore": "",
    "Restorer": "forward from_pretrained steps to with_seed with_settings within",
    "RestorerModule": "forward",
    "Result": (
        "caption damage findings image levels losses marks picture precision prior record rgb save seconds seed "
        "settings tensor unchanged words"
    ),
    "Samples": "results spread",
    "Settings": (
        "colourise fill may_fill method negative overlap preset recorded_as recurrences relight renoise require_parts "
        "require_used scale seed steps text_scale tile with_changes with_knowledge with_masks with_strengths "
        "working_size"
    ),
    "VGG16Features": "forward from_file",
}
# Of what people call, the arguments.
ARGUMENTS = {
    "Denoiser": "prior shifts",
    "Denoiser.forward": "y sigma",
    "Damage.load": "source scale",
    "Restorer": "prior settings estimators damage features",
    "Restorer.__call__": "image caption mask protect damage on_step callback_on_step_end recaption",
    "Restorer.forward": "y caption damage on_step callback_on_step_end",
    "Restorer.from_pretrained": "name preset device dtype revision settings",
    "Restorer.steps": "image caption mask protect damage recaption",
    "Restorer.to": "device",
    "RestorerModule": "restorer preset",
    "RestorerModule.forward": "y",
    "Result.save": "path overwrite trace quality keep_metadata srgb",
    "Settings.with_strengths": "strength only skip",
    "draw_samples": "restorer image count caption on_step",
    "load_prior": "name device dtype revision",
    "preset": "name",
    "restore": "image caption mask protect preset prior damage strength only skip max_pixels first_frame device dtype "
    "settings",
}


def test_no_name_appears_or_disappears() -> None:
    assert set(ldrps.__all__) == NAMES.keys()
    assert len(ldrps.__all__) == len(NAMES), "each once"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_on_a_name(name: str) -> None:
    value = getattr(ldrps, name)
    found = set(vars(value)) if inspect.isclass(value) else set()
    if inspect.isclass(value) and dataclasses.is_dataclass(value):
        found |= {field.name for field in dataclasses.fields(value)}
    assert {each for each in found if not each.startswith("_")} == set(NAMES[name].split())


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_arguments_of_a_call(name: str) -> None:
    found = [each for each in inspect.signature(attrgetter(name)(ldrps)).parameters if each != "self"]
    assert found == ARGUMENTS[name].split()
