"""The node of ComfyUI does what ldrps does, and keeps to the interface, of the stand-in and of the real one if here."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import noisy, photo
from integrations.comfy_stand_in import Comfy, ComfyNode, Interrupted, Widget

import ldrps
from ldrps.errors import InputError, SettingsError
from ldrps.image.arrays import pixels
from ldrps.presets import PRESETS
from ldrps.prior.terms import SHIPPED_SENTENCE
from ldrps.settings.method import MAX_STRENGTH, PARTS

FOLDER = Path(__file__).parents[2] / "integrations" / "comfyui"
NODE = "LdrpsRestorePhotograph"


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch) -> Comfy:
    return Comfy(monkeypatch)


@pytest.fixture
def node(comfy: Comfy, monkeypatch: pytest.MonkeyPatch) -> type[ComfyNode]:
    return comfy.load(FOLDER, monkeypatch)[NODE]


@pytest.fixture
def images() -> torch.Tensor:
    """A batch of two, [2, H, W, 3]: one with noise, one without."""
    first = pixels(noisy())
    second = photo(96)[..., : first.shape[-2], : first.shape[-1]]
    return torch.cat([first, second]).movedim(1, -1).contiguous()


def test_a_batch_is_restored_picture_by_picture(comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    before = images.clone()
    restored, filled, damage = comfy.run(node, image=images, preset="fast", seed=3)
    alone = [ldrps.restore(each.movedim(-1, 0), preset="fast", seed=3) for each in images]
    assert torch.equal(restored, torch.cat([each.tensor for each in alone]).movedim(1, -1))
    assert not torch.equal(restored[0], images[0]) and torch.equal(images, before)
    assert damage.split("\n") == [each.words for each in alone] and "noise" in damage
    assert filled.shape == images.shape[:3] and not filled.any()
    assert comfy.ticks == sorted(comfy.ticks) and comfy.ticks[-1] == (2000, 2000) and len(comfy.ticks) > 2


def test_parts_are_undone_by_their_strengths(comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    strengths = {"tone": 0.0, "noise": 0.5, "blur": 0.0}
    restored, _, _ = comfy.run(node, image=images[:1], preset="fast", **strengths)
    alone = ldrps.restore(images[0].movedim(-1, 0), preset="fast", strength=strengths)
    assert torch.equal(restored, alone.tensor.movedim(1, -1))
    left, _, _ = comfy.run(node, image=images[:1], preset="fast", **dict.fromkeys(strengths, 0.0))
    assert torch.allclose(left, images[:1], atol=1 / 255)


def test_a_larger_picture(comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    restored, filled, damage = comfy.run(node, image=images[:1], preset="fast", scale=1.5)
    height, width = images.shape[1:3]
    assert restored.shape == (1, round(1.5 * height), round(1.5 * width), 3)
    assert filled.shape == restored.shape[:3] and "enlarged 1.5 times" in damage


@pytest.mark.parametrize("masks", [1, 2])
def test_holes_are_filled(masks: int, comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    mask = torch.zeros(masks, *images.shape[1:3])
    mask[:, 20:26, 10:30] = 1
    restored, filled, _ = comfy.run(node, image=images, mask=mask, preset="fast")
    alone = ldrps.restore(images[1].movedim(-1, 0), mask=mask[-1], preset="fast")
    assert torch.equal(restored[1:], alone.tensor.movedim(1, -1))
    assert torch.equal(filled, mask.expand(2, -1, -1))


def test_a_black_mask_is_none(comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    """As "Load Image" gives it with a picture that has no alpha: of 64 pixels, whatever the size of the picture."""
    with_mask = comfy.run(node, image=images, mask=torch.zeros(1, 64, 64), preset="fast")
    assert torch.equal(with_mask[0], comfy.run(node, image=images, preset="fast")[0])


def test_scratches_are_looked_for(comfy: Comfy, node: type[ComfyNode]) -> None:
    scratched = photo(128)
    for column in (30, 70, 100):
        scratched[..., 4:124, column : column + 3] = 1.0
    image = scratched.movedim(1, -1).contiguous()
    restored, filled, damage = comfy.run(node, image=image, preset="fast", find_scratches=True)
    alone = ldrps.restore(scratched, preset="fast", scratches=True)
    assert alone.marks is not None and torch.equal(filled, alone.marks.values[0])
    assert torch.equal(restored, alone.tensor.movedim(1, -1)) and damage == alone.words


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"mask": torch.ones(1, 8, 8)}, InputError, "give a mask of its size"),
        ({"mask": torch.ones(3, 64, 96)}, InputError, "one or one for each"),
        ({"mask": True, "scale": 2.0}, SettingsError, "scale"),
        ({"mask": True, "find_scratches": True}, SettingsError, "scratches changes nothing, as mask tells"),
        ({"scale": 2.0, "find_scratches": True}, SettingsError, "scratches changes nothing"),
        ({"preset": "ldrps", "scale": 2.0}, SettingsError, "preset 'ldrps' cannot enlarge"),
    ],
)
def test_what_cannot_be_done_is_told(
    given: dict[str, Any],
    error: type[Exception],
    message: str,
    comfy: Comfy,
    node: type[ComfyNode],
    images: torch.Tensor,
) -> None:
    mask = {"mask": (images[..., 0] > 0.5).float()} if given.get("mask") is True else {}
    with pytest.raises(error, match=message):
        comfy.run(node, image=images, **given | mask)
    assert not comfy.ticks, "it is told before anything is restored"


def test_alpha_is_not_dropped_in_silence(node: type[ComfyNode]) -> None:
    with pytest.raises(InputError, match=r"\[1, 64, 64, 4\].*take its alpha apart"):
        node.execute(torch.zeros(1, 64, 64, 4), "fast", 1.0, 1.0, 1.0, False, 1.0, 0)  # type: ignore[call-arg]


def test_cancel_stops_between_two_steps(comfy: Comfy, node: type[ComfyNode], images: torch.Tensor) -> None:
    comfy.run(node, image=images[:1], preset="best")
    all_of_them, comfy.ticks = len(comfy.ticks), []
    comfy.stop_at = 1
    with pytest.raises(Interrupted):
        comfy.run(node, image=images[:1], preset="best")
    assert len(comfy.ticks) == 1 < all_of_them
    comfy.stop_at = None
    comfy.run(node, image=images[:1], preset="fast")  # and nothing of it is left


def test_what_can_be_chosen_is_what_there_is(node: type[ComfyNode]) -> None:
    inputs = {each.id: each for each in node.define_schema().inputs}
    assert set(inputs["preset"].options) == {name for name, each in PRESETS.items() if each.method.knows_parts}
    assert all((inputs[part].min, inputs[part].max) == (0, MAX_STRENGTH) for part in PARTS)
    assert inputs["seed"].max == 2**64 - 1
    assert not [each for each in inputs.values() if isinstance(each, Widget) and not each.admits(each.default)]


def test_without_ldrps_it_says_what_to_do(comfy: Comfy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ldrps", None)
    with pytest.raises(ImportError, match=r"run `pip install \.` with that Python in a checkout of ldrps"):
        comfy.load(FOLDER, monkeypatch)


def test_nothing_is_installed_evaluated_or_started() -> None:
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "compile", "__import__"}
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not imported & {"subprocess", "os", "pip", "importlib", "pickle"}


def test_what_the_registry_reads() -> None:
    described = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    project, theirs = described["project"], described["tool"]["comfy"]
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", project["name"]) and "comfy" not in project["name"]
    assert (project["version"], project["dependencies"]) == (ldrps.__version__, [])
    assert {"PublisherId", "DisplayName", "Icon", "requires-comfyui"} == theirs.keys()
    readme = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert SHIPPED_SENTENCE in readme and "non-commercial research and education" in project["description"]


def test_the_example_fits_the_node(node: type[ComfyNode]) -> None:
    (path,) = (FOLDER / "example_workflows").glob("*.json")
    workflow = json.loads(path.read_text(encoding="utf-8"))
    nodes = {each["id"]: each for each in workflow["nodes"]}
    for link, start, outlet, end, inlet, kind in workflow["links"]:
        source, target = nodes[start]["outputs"][outlet], nodes[end]["inputs"][inlet]
        assert link in source["links"] and target["link"] == link and source["type"] == kind
        assert target["type"] in (kind, "*")
    (ours,) = (each for each in nodes.values() if each["type"] == NODE)
    schema = node.define_schema()
    sockets = [each for each in schema.inputs if not isinstance(each, Widget)]
    assert [(each["name"], each["type"]) for each in ours["inputs"]] == [(each.id, each.io_type) for each in sockets]
    assert [each["type"] for each in ours["outputs"]] == [each.io_type for each in schema.outputs]
    values = iter(ours["widgets_values"])
    for widget in (each for each in schema.inputs if isinstance(each, Widget)):
        assert widget.admits(next(values)), widget.id
        if getattr(widget, "control_after_generate", None):
            assert next(values) in ("fixed", "increment", "decrement", "randomize")
    assert not list(values)


def test_the_real_interface_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(
        "comfy_api.latest", reason="ComfyUI is not in this Python: run the test with its own, in its folder"
    )
    monkeypatch.syspath_prepend(FOLDER.parent)
    module = importlib.import_module(FOLDER.name)
    (node,) = asyncio.run(asyncio.run(module.comfy_entrypoint()).get_node_list())
    schema = node.GET_SCHEMA()
    assert schema.node_id == NODE and set(schema.get_v1_info(node).input) >= {"required", "optional"}
    restored, filled, damage = node.EXECUTE_NORMALIZED(
        torch.rand(1, 64, 64, 3), "fast", tone=1.0, noise=1.0, blur=1.0, find_scratches=False, scale=1.0, seed=0
    ).result
    assert restored.shape == (1, 64, 64, 3) and filled.shape == (1, 64, 64) and damage
