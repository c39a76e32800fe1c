"""What the page consists of, from top to bottom; what it answers is in `page`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ldrps.presets import PRESETS
from ldrps.serve import fields, look
from ldrps.serve.door import EXAMPLES
from ldrps.serve.examples import examples
from ldrps.serve.fields import LABELS
from ldrps.serve.limits import Limits
from ldrps.serve.task import Abilities

ROOMY, SLIM = 200, 72  # pixels of height of the place to drop pictures on, before and after there is one
_SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"]
# What of our own HTML tells the server: a finding that was switched or moved, and a card that was chosen.
_FINDINGS = """element.addEventListener("change", () => trigger("input", window.ldrps.findings(element)));"""
_STAGE = """element.addEventListener("click", (event) => {
  if (event.target.closest("[data-do=draw]")) trigger("select", {});
});"""
_CARDS = """element.addEventListener("click", (event) => {
  const card = event.target.closest("[data-number]");
  if (card) trigger("select", { number: Number(card.dataset.number) });
});"""


class Parts:
    """The components of the page. Made within a `gr.Blocks`.

    Args:
        limits: of what is taken.
        presets: that can be chosen, the first to begin with.
        able: what whoever restores can do.
    """

    def __init__(self, limits: Limits, presets: Sequence[str], able: Abilities) -> None:
        self.key, self.drawn, self.place = (gr.Textbox(visible=False) for _ in range(3))
        gr.HTML(look.HEADER)
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=3, min_width=320):
                self._picture()
                self._actions()
            with gr.Column(scale=2, min_width=280):
                self.findings = gr.HTML(visible=False, js_on_load=_FINDINGS, elem_id="findings")
                self._settings(presets, able)
                gr.HTML(look.notice(limits, able.terms))
        self._gallery()

    @property
    def shown(self) -> list[Any]:
        """What changes when something happens, beside the settings."""
        return [
            *(self.files, self.stage, self.status, self.bar, self.refusal, self.findings, self.colourise),
            *(self.go, self.halt, self.clear, self.gallery, self.all, self.reuse, self.forget),
            *(button for button, _ in self.samples),
        ]

    def _picture(self) -> None:
        self.files = gr.File(
            label="Pictures",
            show_label=False,
            file_count="multiple",
            file_types=_SUFFIXES,
            height=ROOMY,
            elem_id="files",
        )
        self.stage = gr.HTML(visible=False, js_on_load=_STAGE, elem_id="stage")
        self.bar = gr.HTML(visible=False, elem_id="bar")
        self.status = gr.HTML(look.status(""), elem_id="status")
        self.refusal = gr.HTML(visible=False, elem_id="refusal")

    def _actions(self) -> None:
        with gr.Row(elem_id="actions"):
            self.go = gr.Button("Restore", variant="primary", interactive=False, elem_id="restore", min_width=70)
            self.halt = gr.Button("Stop", interactive=False, elem_id="stop", min_width=70)
            self.clear = gr.Button("Clear", interactive=False, elem_id="clear", min_width=70)
        self.samples = []
        found = examples()
        if found:
            with gr.Row(elem_id="examples"):
                for path in found:
                    kind = [f"example-{path.stem}"]
                    button = gr.Button(f"Try {path.stem}", size="sm", min_width=80, elem_classes=kind)
                    self.samples.append((button, path))

    def _settings(self, presets: Sequence[str], able: Abilities) -> None:
        start = PRESETS[presets[0]]
        choices = [(fields.PRESETS.get(name, name), name) for name in presets]
        with gr.Group(elem_id="settings"):
            self.preset = gr.Radio(choices, value=presets[0], label=LABELS["preset"], elem_id="preset")
            self.scale = gr.Number(start.scale, label=LABELS["scale"], info="1 leaves its size")
            self.scratches = gr.Checkbox(label=LABELS["scratches"])
            self.colourise = gr.Checkbox(label=LABELS["colourise"], visible=False)
        with gr.Accordion("Light and colours, by words", open=False, visible=able.has_text, elem_id="words"):
            self.caption = gr.Textbox(
                label=LABELS["caption"],
                placeholder="a harbour at noon, blue and white",
                info="It decides the colours of a grey picture, and its light as far as you say here.",
                max_length=500,
            )
            self.describe = gr.Checkbox(label="Find such words for each picture, offline", visible=able.has_tagger)
            self.relight = gr.Slider(0, fields.MOST_RELIT, value=0, step=0.1, label=LABELS["relight"])
        with gr.Accordion("For experts", open=False, elem_id="experts"), gr.Row():
            self.seed = gr.Number(
                start.seed, label=LABELS["seed"], info="Another number draws other noise.", min_width=120
            )
            self.recurrences = gr.Number(
                start.recurrences,
                label=LABELS["recurrences"],
                info="How often noise is added once more and taken away.",
                min_width=120,
            )
        self.settings = {
            **{name: getattr(self, name) for name in LABELS},
            "describe": self.describe,
        }

    def _gallery(self) -> None:
        self.gallery = gr.HTML(visible=False, js_on_load=_CARDS, elem_id="gallery")
        with gr.Row(elem_id="kept"):
            self.all = gr.Button("Download all", visible=False, size="sm", elem_id="all", min_width=120)
            self.reuse = gr.Button("Use its settings", visible=False, size="sm", elem_id="reuse", min_width=120)
            self.forget = gr.Button("Delete all of mine", visible=False, size="sm", elem_id="forget", min_width=120)


def example_style() -> str:
    """Style that puts a small picture before the words of each example."""
    rule = '#examples .example-{0}::before {{ background-image: url("{1}/{0}"); }}'
    return "\n".join(rule.format(path.stem, EXAMPLES) for path in examples())
