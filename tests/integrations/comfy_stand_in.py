"""A small ComfyUI: as much of its V3 interface as the node uses, which raises on anything that the real one has not.

Parameters are those of `comfy_api.latest` (ComfyUI 0.3.50 and newer); unknown ones are a TypeError here as there.
Beyond the real one, `run` holds what goes into a node and what comes out of it to its schema.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor


@dataclass
class Socket:
    """An input or an output of a node."""

    id: str | None = None
    display_name: str | None = None
    tooltip: str | None = None


@dataclass
class PlainInput(Socket):
    optional: bool = False
    lazy: bool | None = None


@dataclass
class Widget(PlainInput):
    default: Any = None
    socketless: bool | None = None
    force_input: bool | None = None

    def admits(self, value: object) -> bool:
        raise NotImplementedError


@dataclass
class BooleanWidget(Widget):
    label_on: str | None = None
    label_off: str | None = None

    def admits(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass
class NumberWidget(Widget):
    min: float | None = None
    max: float | None = None
    step: float | None = None
    display_mode: object = None

    def admits(self, value: Any) -> bool:
        return (
            self.number(value) and (self.min is None or self.min <= value) and (self.max is None or value <= self.max)
        )

    def number(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class FloatWidget(NumberWidget):
    round: float | None = None


@dataclass
class IntWidget(NumberWidget):
    control_after_generate: bool | None = None

    def number(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


@dataclass
class ComboWidget(Widget):
    options: list[str] = field(default_factory=list)
    control_after_generate: bool | None = None

    def admits(self, value: object) -> bool:
        return value in self.options


@dataclass
class PlainOutput(Socket):
    is_output_list: bool = False


@dataclass
class Schema:
    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    is_output_node: bool = False
    is_experimental: bool = False
    not_idempotent: bool = False


class NodeOutput:
    def __init__(self, *args: Any, ui: object = None) -> None:
        self.args, self.ui = args, ui


class ComfyNode:
    @classmethod
    def define_schema(cls) -> Schema:
        raise NotImplementedError

    @classmethod
    def execute(cls, **given: Any) -> NodeOutput:
        raise NotImplementedError


class ComfyExtension:
    async def on_load(self) -> None: ...

    async def get_node_list(self) -> list[type[ComfyNode]]:
        raise NotImplementedError


def of_type(name: str, of_input: type, of_output: type) -> SimpleNamespace:
    """A type of ComfyUI: what its inputs and outputs are made by."""
    kinds = {"Input": of_input, "Output": of_output}
    return SimpleNamespace(**{kind: type(kind, (base,), {"io_type": name}) for kind, base in kinds.items()})


def is_image(value: object) -> bool:
    shaped = isinstance(value, Tensor) and value.ndim == 4 and value.shape[-1] == 3
    return shaped and value.dtype == torch.float32 and bool((value >= 0).all() and (value <= 1).all())


def is_mask(value: object) -> bool:
    shaped = isinstance(value, Tensor) and value.ndim == 3
    return shaped and value.dtype == torch.float32 and bool((value >= 0).all() and (value <= 1).all())


GOOD: dict[str, Callable[[object], bool]] = {"IMAGE": is_image, "MASK": is_mask, "STRING": lambda it: type(it) is str}


class Interrupted(Exception):
    """What ComfyUI raises in a node when somebody pressed Cancel."""


class Comfy:
    """A ComfyUI that has loaded a folder of nodes.

    Attributes:
        ticks: value and total, each time a bar moved.
        stop_at: how many moves of a bar it takes until somebody presses Cancel; None for nobody.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ticks: list[tuple[float, float]] = []
        self.stop_at: int | None = None
        for name, module in self._modules().items():
            patch.setitem(sys.modules, name, module)

    def load(self, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, type[ComfyNode]]:
        """The nodes of a folder by their names, as ComfyUI loads what is in `custom_nodes`."""
        name = f"custom_nodes_{folder.name}"
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, name, module)
        patch.delitem(sys.modules, f"{name}.nodes", raising=False)
        spec.loader.exec_module(module)
        extension = asyncio.run(module.comfy_entrypoint())
        assert isinstance(extension, ComfyExtension)
        return {node.define_schema().node_id: node for node in asyncio.run(extension.get_node_list())}

    def run(self, node: type[ComfyNode], **given: Any) -> tuple[Any, ...]:
        """What comes out of a node, in the mode in which ComfyUI runs it; inputs that are not given are as they start.

        Raises:
            TypeError: what goes in or comes out is not what the schema says.
        """
        schema = node.define_schema()
        inputs = {each.id: each for each in schema.inputs}
        ids = [each.id for each in (*schema.inputs, *schema.outputs)]
        if len(set(ids)) != len(ids) or not given.keys() <= inputs.keys():
            raise TypeError(f"{sorted(map(str, ids))} are not unique, or do not hold {sorted(given)}")
        started = {name: each.default for name, each in inputs.items() if isinstance(each, Widget)}
        values: Mapping[str, Any] = started | given
        for name, each in inputs.items():
            needed = name in values or not each.optional
            good = each.admits if isinstance(each, Widget) else GOOD[each.io_type]
            if needed and not good(values.get(name)):
                raise TypeError(f"{name} is {values.get(name)!r}")
        with torch.inference_mode():
            out = node.execute(**values).args
        if len(out) != len(schema.outputs):
            raise TypeError(f"{len(out)} outputs, {len(schema.outputs)} in the schema")
        for value, each in zip(out, schema.outputs, strict=True):
            if not GOOD[each.io_type](value):
                raise TypeError(f"{each.id} is no {each.io_type}: {value!r}")
        return out

    def _modules(self) -> dict[str, ModuleType]:
        latest = ModuleType("comfy_api.latest")
        types = {
            "Image": of_type("IMAGE", PlainInput, PlainOutput), "Mask": of_type("MASK", PlainInput, PlainOutput),
            "String": of_type("STRING", PlainInput, PlainOutput), "Int": of_type("INT", IntWidget, PlainOutput),
            "Float": of_type("FLOAT", FloatWidget, PlainOutput), "Combo": of_type("COMBO", ComboWidget, PlainOutput),
            "Boolean": of_type("BOOLEAN", BooleanWidget, PlainOutput),
        }  # fmt: skip
        latest.io = SimpleNamespace(Schema=Schema, NodeOutput=NodeOutput, ComfyNode=ComfyNode, **types)  # type: ignore[attr-defined]
        latest.ComfyExtension = ComfyExtension  # type: ignore[attr-defined]
        utils, management = ModuleType("comfy.utils"), ModuleType("comfy.model_management")
        comfy = self

        class ProgressBar:
            def __init__(self, total: int, node_id: str | None = None) -> None:
                self.total = total

            def update_absolute(self, value: int, total: int | None = None, preview: object = None) -> None:
                comfy.ticks.append((value, self.total))

        def throw_exception_if_processing_interrupted() -> None:
            if comfy.stop_at is not None and len(comfy.ticks) >= comfy.stop_at:
                raise Interrupted

        utils.ProgressBar = ProgressBar  # type: ignore[attr-defined]
        management.throw_exception_if_processing_interrupted = throw_exception_if_processing_interrupted  # type: ignore[attr-defined]
        management.get_torch_device = lambda: torch.device("cpu")  # type: ignore[attr-defined]
        whole, api = ModuleType("comfy"), ModuleType("comfy_api")
        whole.utils, whole.model_management = utils, management  # type: ignore[attr-defined]
        return {"comfy": whole, "comfy.utils": utils, "comfy.model_management": management,
                "comfy_api": api, "comfy_api.latest": latest}  # fmt: skip
