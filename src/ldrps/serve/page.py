"""The page itself: which parts it has, and which of them change when something happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ldrps.errors import LdrpsError
from ldrps.presets import PRESETS
from ldrps.serve import look
from ldrps.serve.examples import examples
from ldrps.serve.order import OFFLINE, Order
from ldrps.serve.studio import Studio, mark, pack
from ldrps.serve.task import Task, UploadOutcome
from ldrps.settings import MAX_SCALE

_TICK = 0.1  # seconds between looks at a run
_ROOMY, _SLIM = 220, 72  # pixels of height of the place to drop pictures on, before and after there is one
_SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"]

Updates = dict[gr.blocks.Block, Any]


class Page:
    """Builds the page, and answers what visitors do on it.

    Args:
        studio: who carries it out.
        presets: that can be chosen, the first to begin with.
        captions: whether the prior understands captions.
        offline: whether the packaged tagger can be asked for them.
    """

    def __init__(self, studio: Studio, presets: Sequence[str], *, captions: bool, offline: bool) -> None:
        self._studio = studio
        with gr.Blocks(title="Restore a photograph", analytics_enabled=False) as self.blocks:
            gr.HTML(look.HEADER)
            with gr.Row():
                with gr.Column(scale=3, min_width=320):
                    self._picture_parts()
                with gr.Column(scale=2, min_width=280):
                    self._setting_parts(presets, captions, offline)
                    self._history_parts()
                    gr.HTML(look.notice(studio.limits))
            self._connect()

    def _picture_parts(self) -> None:
        self.files = gr.File(
            label="Pictures",
            show_label=False,
            file_count="multiple",
            file_types=_SUFFIXES,
            height=_ROOMY,
            elem_id="files",
        )
        self.stage = gr.HTML(visible=False, elem_id="stage")
        self.slider = gr.ImageSlider(
            visible=False,
            label="Before and after",
            show_label=False,
            container=False,
            interactive=False,
            buttons=["fullscreen"],
            elem_id="slider",
            max_height=620,
        )
        self.status = gr.HTML(look.status(""), elem_id="status")
        self.refusal = gr.HTML(visible=False, elem_id="refusal")
        self.details = gr.HTML(visible=False, elem_id="details")
        self.download = gr.DownloadButton("Download", variant="primary", visible=False, elem_id="download")
        with gr.Row():
            self.go = gr.Button("Restore", variant="primary", interactive=False, elem_id="restore", min_width=70)
            self.halt = gr.Button("Stop", interactive=False, elem_id="stop", min_width=70)
            self.clear = gr.Button("Clear", interactive=False, elem_id="clear", min_width=70)
        self.samples = []
        found = examples()
        if found:
            with gr.Row(elem_id="examples"):
                for path in found:
                    button = gr.Button(f"Try {path.stem}", size="sm", icon=str(path), min_width=80)
                    self.samples.append((button, path))

    def _setting_parts(self, presets: Sequence[str], captions: bool, offline: bool) -> None:
        self.preset = gr.Radio(
            list(presets), value=presets[0], label="Preset", info="fast is rougher, best takes longer"
        )
        self.caption = gr.Textbox(
            label="Caption",
            placeholder="a harbour at noon, blue and white",
            info="What the picture shows. It decides only what the picture leaves open; may be empty.",
            max_length=500,
            visible=captions,
        )
        self.describe = gr.Checkbox(label="Find a caption for each picture, offline", visible=captions and offline)
        with gr.Row():
            start = PRESETS[presets[0]]
            self.seed = gr.Number(start.seed, label="Seed", precision=0, minimum=0, maximum=2**53, min_width=120)
            self.recurrences = gr.Number(
                start.recurrences, label="Recurrences", precision=0, minimum=0, maximum=10, min_width=120
            )
            self.scale = gr.Number(start.scale, label="Enlarge, times", minimum=1, maximum=MAX_SCALE, min_width=120)
        self.settings = [self.preset, self.caption, self.describe, self.seed, self.recurrences, self.scale]

    def _history_parts(self) -> None:
        self.history = gr.Radio([], label="Earlier on this page", visible=False, elem_id="history")
        self.reuse = gr.Button("Use its settings", visible=False, size="sm", elem_id="reuse")

    def _connect(self) -> None:
        hidden = {"api_visibility": "private", "show_progress": "hidden"}
        shown = [
            *(self.files, self.stage, self.slider, self.status, self.refusal, self.details),
            *(self.go, self.halt, self.clear, self.download, self.history, self.reuse),
            *(button for button, _ in self.samples),
        ]
        self.files.upload(self._choose, self.files, shown, **hidden)
        for button, path in self.samples:
            button.click(self._example(path), None, shown, **hidden)
        self.clear.click(self._clear, None, shown, **hidden)
        # Many visitors may wait here at once: the queue of the studio sees to it that one is served at a time.
        self.go.click(self._restore, self.settings, shown, concurrency_limit=None, **hidden)
        self.halt.click(self._stop, None, self.status, queue=False, **hidden)
        self.history.input(self._recall, self.history, shown, **hidden)
        self.reuse.click(self._reuse, self.history, self.settings, **hidden)
        # In the browser: an answer of the server could come after a number that the visitor has typed meanwhile.
        starts = {name: [PRESETS[name].seed, PRESETS[name].recurrences] for name, _ in self.preset.choices}
        self.preset.input(
            None, self.preset, [self.seed, self.recurrences], js=f"(preset) => ({json.dumps(starts)})[preset]", **hidden
        )
        self.blocks.unload(self._leave)

    def _choose(self, files: list[str], request: gr.Request) -> Updates:
        refused = self._studio.choose(_key(request), [(Path(file), Path(file).name) for file in files or []])
        return self._chosen(request, refused)

    def _example(self, path: Path) -> Any:
        def choose(request: gr.Request) -> Updates:
            self._studio.clear(_key(request))
            return self._chosen(request, self._studio.choose(_key(request), [(path, path.name)]))

        return choose

    def _clear(self, request: gr.Request) -> Updates:
        self._studio.clear(_key(request))
        return self._chosen(request, [])

    async def _restore(
        self,
        preset: str,
        caption: str,
        describe: bool,
        seed: float,
        recurrences: float,
        scale: float,
        request: gr.Request,
    ) -> AsyncIterator[Updates]:
        words = OFFLINE if describe else (caption or "").strip()
        try:
            order = Order(preset, words, int(seed or 0), int(recurrences or 0), float(scale or 1))
            task = self._studio.start(_key(request), order)
        except LdrpsError as error:
            yield {self.refusal: gr.HTML(look.refusals([str(error)]), visible=True)}
            return
        yield self._begun()
        seen: tuple[object, ...] = ()
        while not task.snapshot.over:
            now = (task.snapshot, self._studio.queue.ahead(task), task.stopping)
            if now != seen:
                seen = now
                yield self._going_on(task, now[1])
            await asyncio.sleep(_TICK)
        yield self._ended(request, task)

    def _stop(self, request: gr.Request) -> str:
        self._studio.stop(_key(request))
        return look.status("Stopping after this step")

    def _leave(self, request: gr.Request) -> None:
        self._studio.leave(_key(request))

    def _recall(self, which: str, request: gr.Request) -> Updates:
        outcome = self._studio.recall(_key(request), which)
        if outcome is None:
            return {self.refusal: gr.HTML(look.refusals(["this result is no longer kept"]), visible=True)}
        return {**self._result(outcome), self.download: gr.DownloadButton(value=outcome.file, visible=True)}

    def _reuse(self, which: str, request: gr.Request) -> list[Any]:
        outcome = self._studio.recall(_key(request), which)
        if outcome is None:
            return [gr.skip()] * len(self.settings)
        order = outcome.order
        offline = order.caption == OFFLINE
        return [order.preset, "" if offline else order.caption, offline, order.seed, order.recurrences, order.scale]

    def _chosen(self, request: gr.Request, refused: list[str]) -> Updates:
        uploads = self._studio.visits.of(_key(request)).chosen
        return {
            self.files: gr.File(value=None, height=_SLIM if uploads else _ROOMY),
            self.stage: gr.HTML(look.chosen(uploads), visible=bool(uploads)),
            self.slider: gr.ImageSlider(visible=False),
            self.details: gr.HTML(visible=False),
            self.download: gr.DownloadButton(visible=False),
            self.status: look.status("Ready" if uploads else ""),
            self.refusal: gr.HTML(look.refusals(refused), visible=bool(refused)),
            self.go: gr.Button(variant="primary", interactive=bool(uploads)),
            self.clear: gr.Button(interactive=bool(uploads)),
        }

    def _begun(self) -> Updates:
        return {
            self.files: gr.File(visible=False),
            self.slider: gr.ImageSlider(visible=False),
            self.details: gr.HTML(visible=False),
            self.refusal: gr.HTML(visible=False),
            self.download: gr.DownloadButton(visible=False),
            self.go: gr.Button(interactive=False),
            self.halt: gr.Button(interactive=True),
            self.clear: gr.Button(interactive=False),
            **{button: gr.Button(interactive=False) for button, _ in self.samples},
        }

    def _going_on(self, task: Task, ahead: int) -> Updates:
        text = look.progress(task.snapshot, ahead, len(task.uploads), task.stopping)
        return {
            self.stage: gr.HTML(look.running(task.snapshot, task.uploads), visible=True),
            self.status: look.status(text),
        }

    def _ended(self, request: gr.Request, task: Task) -> Updates:
        outcomes = task.snapshot.outcomes
        reasons = [outcome.error for outcome in outcomes if outcome.error]
        history = self._studio.remember(_key(request), outcomes)
        good = [outcome for outcome in outcomes if outcome.file]
        updates: Updates = {
            self.stage: gr.HTML(look.chosen(task.uploads), visible=not good),
            **(self._result(good[0]) if good else {}),
            self.files: gr.File(visible=True),
            self.status: look.status(look.finished(task.snapshot, len(task.uploads))),
            self.refusal: gr.HTML(look.refusals(reasons), visible=bool(reasons)),
            self.download: gr.DownloadButton(
                "Download" if len(good) < 2 else f"Download all {len(good)}",
                value=pack(outcomes, task.folder / "restored.zip"),
                visible=bool(good),
            ),
            self.go: gr.Button(variant="secondary" if good else "primary", interactive=True),
            self.halt: gr.Button(interactive=False),
            self.clear: gr.Button(interactive=True),
            **{button: gr.Button(interactive=True) for button, _ in self.samples},
        }
        if history:
            choices = [(f"{each.name}: {look.in_short(each.order)}", mark(each)) for each in history]
            first = mark(good[0]) if good else None
            updates[self.history] = gr.Radio(choices, value=first, visible=True)
            updates[self.reuse] = gr.Button(visible=True)
        return updates

    def _result(self, outcome: UploadOutcome) -> Updates:
        return {
            self.stage: gr.HTML(visible=False),
            self.slider: gr.ImageSlider(value=(outcome.before, outcome.after), visible=True),
            self.details: gr.HTML(look.details(outcome), visible=True),
        }


def _key(request: gr.Request) -> str:
    """What tells one open page from another."""
    return str(request.session_hash)
