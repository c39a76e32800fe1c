"""ldrps as a node of ComfyUI: this folder goes into `custom_nodes/`, ldrps itself into ComfyUI's own Python."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .nodes import RestorePhotograph


class LdrpsExtension(ComfyExtension):
    """What ComfyUI asks for the nodes that are here."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [RestorePhotograph]


async def comfy_entrypoint() -> LdrpsExtension:
    """What ComfyUI calls when it loads this folder."""
    return LdrpsExtension()
