"""The page itself: what it answers when visitors do something."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ldrps.errors import LdrpsError
from ldrps.presets import PRESETS
from ldrps.serve import fields, look, results
from ldrps.serve.brush import Drawing
from ldrps.serve.door import browser_of
from ldrps.serve.parts import Parts
from ldrps.serve.studio import Studio
from ldrps.serve.task import Abilities, Task
from ldrps.serve.views import Updates, Views
from ldrps.settings import PARTS, Strengths

_TICK = 0.1  # seconds between looks at a run
_SETTLE = 0.15  # seconds for which a slider must rest: of what it passes on its way nothing is made
_SAME = "same"  # instead of a drawing: that of the run before
_KEY = Path(__file__).with_name("key.js").read_text(encoding="utf-8").partition("\n")[2]  # without its comment


class Page:
    """Builds the page, and answers what visitors do on it.

    Args:
        studio: who carries it out.
        presets: that can be chosen, the first to begin with.
        able: what whoever restores can do.
    """

    def __init__(self, studio: Studio, presets: Sequence[str], able: Abilities) -> None:
        self._studio = studio
        self._wanted: dict[str, object] = {}  # what each session moved last
        with gr.Blocks(title="Restore a photograph", analytics_enabled=False) as self.blocks:
            self.parts = Parts(studio.limits, presets, able)
            self._views = Views(self.parts, studio)
            self._connect(presets)

    def _connect(self, presets: Sequence[str]) -> None:
        parts, hidden = self.parts, {"api_visibility": "private", "show_progress": "hidden"}
        settings = list(parts.settings.values())
        # Many visitors may wait at once: the queue of the studio sees to it that one is served at a time.
        many = {"concurrency_limit": None, **hidden}
        arrived = self.blocks.load(self._arrive, parts.key, parts.shown, js=_KEY, **many)
        arrived.then(self._go_on, None, parts.shown, **many)
        parts.files.upload(self._choose, parts.files, parts.shown, **hidden)
        for button, path in parts.samples:
            button.click(self._example(path), None, parts.shown, **hidden)
        parts.clear.click(self._clear, None, parts.shown, **hidden)
        parts.go.click(
            self._restore,
            [*settings, parts.drawn],
            parts.shown,
            js="(...given) => [...given.slice(0, -1), window.ldrps.drawing()]",
            **many,
        )
        parts.halt.click(self._stop, None, parts.status, queue=False, **hidden)
        parts.findings.input(self._adjust, None, parts.shown, trigger_mode="multiple", **many)
        parts.stage.select(self._draw, None, parts.shown, **hidden)
        parts.gallery.select(self._recall, None, parts.shown, **hidden)
        parts.reuse.click(self._reuse, None, settings, **hidden)
        parts.forget.click(self._forget, parts.key, parts.shown, js=_KEY, **hidden)
        parts.all.click(self._pack, None, parts.place, **hidden).then(
            None, parts.place, None, js="(place) => window.ldrps.download(place)", **hidden
        )
        # Numbers with which the presets begin alike stay as they are: even where it is done in the browser, a busy one
        # could set them after the visitor has typed others.
        for number, name in ((parts.seed, "seed"), (parts.recurrences, "recurrences")):
            starts = {preset: getattr(PRESETS[preset], name) for preset in presets}
            if len(set(starts.values())) > 1:
                parts.preset.input(
                    None, parts.preset, number, js=f"(preset) => ({json.dumps(starts)})[preset]", **hidden
                )
        self.blocks.unload(self._leave)

    def _arrive(self, key: str, request: gr.Request) -> Updates:
        visit = self._studio.visits.arrive(_session(request), browser_of(request.cookies), str(key)[:64])
        if not visit.history and not visit.chosen:
            return self._views.as_it_is()
        updates = {**self._views.chosen(_session(request), []), **self._views.kept(_session(request), None)}
        if visit.looked_at is not None and not visit.is_running:
            updates |= self._views.shown(_session(request), visit.looked_at)
        return updates

    async def _go_on(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Follow a run that was begun before the page was loaded again.

        Apart from what else is shown then: Gradio says the last of what a generator yields once more at its end, by
        when a visitor may have begun something new.
        """
        visit = self._studio.visits.of(_session(request))
        if visit.task is not None and visit.is_running and not visit.task.amends:
            async for updates in self._followed(request, visit.task):
                yield updates
        else:
            yield self._views.as_it_is()

    def _choose(self, files: list[str], request: gr.Request) -> Updates:
        refused = self._studio.choose(_session(request), [(Path(file), Path(file).name) for file in files or []])
        return self._views.chosen(_session(request), refused)

    def _example(self, path: Path) -> Callable[[gr.Request], Updates]:
        def choose(request: gr.Request) -> Updates:
            self._studio.clear(_session(request))
            return self._views.chosen(_session(request), self._studio.choose(_session(request), [(path, path.name)]))

        return choose

    def _clear(self, request: gr.Request) -> Updates:
        self._studio.clear(_session(request))
        return self._views.chosen(_session(request), [])

    async def _restore(self, request: gr.Request, *given: Any) -> AsyncIterator[Updates]:
        try:
            task = await asyncio.to_thread(self._start, _session(request), *given)
        except LdrpsError as error:
            yield self._views.refused(fields.in_labels(str(error)))
            return
        async for updates in self._followed(request, task):
            yield updates

    def _start(self, session: str, *given: Any) -> Task:
        """Begin a run with the values of the fields, and what was drawn."""
        *values, drawn = given
        order = fields.read(dict(zip(self.parts.settings, values, strict=True)))
        drawing = self._studio.visits.of(session).drawing if drawn == _SAME else Drawing.parse(drawn)
        return self._studio.start(session, order, drawing)

    async def _followed(self, request: gr.Request, task: Task) -> AsyncIterator[Updates]:
        """What changes while a run goes on, and at its end."""
        yield self._views.begun()
        seen: tuple[object, ...] = ()
        shown: object = None
        while not task.snapshot.over:
            snapshot, ahead = task.snapshot, self._studio.queue.ahead(task)
            now = (snapshot, ahead, task.stopping, snapshot.elapsed // 1)
            if now != seen:
                picture = (snapshot.picture, snapshot.preview)
                yield self._views.going_on(task, ahead, again=seen == () or picture != shown)
                seen, shown = now, picture
            await asyncio.sleep(_TICK)
        yield self._views.ended(_session(request), task)

    async def _adjust(self, request: gr.Request, event: gr.EventData) -> AsyncIterator[Updates]:
        """Make a result once more, with what was found undone more or less: its tones at once, the rest as it comes."""
        session, wish = _session(request), object()
        self._wanted[session] = wish
        await asyncio.sleep(_SETTLE)
        if self._wanted.get(session) is not wish:
            yield self._views.as_it_is()
            return
        moved = event._data
        strengths = Strengths(**{part: float(moved["strengths"][part]) for part in PARTS if part in moved["strengths"]})
        outcome = self._studio.recall(session, int(moved["number"]))
        try:
            wanted = {"filled": bool(moved["filled"]), "suspects": bool(moved["suspects"])}
            task = self._studio.adjust(session, int(moved["number"]), strengths, **wanted)
        except LdrpsError as error:
            yield self._views.refused(str(error))
            return
        yield {self.parts.status: look.status("Changing it"), self.parts.refusal: gr.HTML(visible=False)}
        assert outcome is not None
        if strengths.tone != outcome.order.strengths.tone:
            foreseen = await asyncio.to_thread(self._studio.foresee, outcome, strengths)
            sketch = results.compare(outcome, self._views.where(session), foreseen)
            yield {self.parts.stage: gr.HTML(sketch, visible=True)}
        while not task.snapshot.over:
            await asyncio.sleep(_TICK)
        if self._wanted.get(session) is not wish:
            return
        amended = self._studio.amend(session, outcome.number, task)
        if amended is not None:
            found_anew = wanted["suspects"]
            yield {**self._views.shown(session, amended, again=found_anew), self.parts.status: look.status("Done")}
        else:
            reasons = [each.error for each in task.snapshot.outcomes if each.error]
            refused = self._views.refused(*(reasons or ["it is as it was before: this was stopped"]))
            yield {**self._views.shown(session, outcome), **refused, self.parts.status: look.status("")}

    def _stop(self, request: gr.Request) -> str:
        self._studio.stop(_session(request))
        return look.status("Stopping")

    def _leave(self, request: gr.Request) -> None:
        self._wanted.pop(_session(request), None)
        self._studio.visits.depart(_session(request))

    def _recall(self, request: gr.Request, event: gr.EventData) -> Updates:
        outcome = self._studio.recall(_session(request), int(event._data["number"]))
        if outcome is None:
            return self._views.refused("this result is no longer kept")
        return {**self._views.shown(_session(request), outcome), self.parts.refusal: gr.HTML(visible=False)}

    def _draw(self, request: gr.Request) -> Updates:
        """The picture whose result is looked at, to be drawn over."""
        outcome = self._studio.take_up(_session(request))
        if outcome is None:
            return self._views.refused("wait for the run to end, or stop it")
        marks = "" if outcome.marks is None else self._views.where(_session(request))(outcome.marks)
        uploads = self._studio.visits.of(_session(request)).chosen
        return {
            **self._views.chosen(_session(request), []),
            self.parts.stage: gr.HTML(look.chosen(uploads, brush=True, is_open=True, marks=marks), visible=True),
        }

    def _reuse(self, request: gr.Request) -> list[Any]:
        visit = self._studio.visits.of(_session(request))
        outcome = visit.looked_at or next(iter(visit.history), None)
        if outcome is None:
            return [gr.skip()] * len(self.parts.settings)
        values = fields.values(outcome.order)
        return [values[name] for name in self.parts.settings]

    def _forget(self, key: str, request: gr.Request) -> Updates:
        self._studio.leave(_session(request))
        self._studio.visits.arrive(_session(request), browser_of(request.cookies), str(key)[:64])
        return {**self._views.chosen(_session(request), []), **self._views.kept(_session(request), None)}

    def _pack(self, request: gr.Request) -> str:
        place = self._studio.pack(_session(request))
        return "" if place is None else self._views.where(_session(request))(place, place.name)


def _session(request: gr.Request) -> str:
    """What tells one open page from another."""
    return str(request.session_hash)
