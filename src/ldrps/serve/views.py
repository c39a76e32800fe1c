"""What of the page changes, and how, when something has happened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from ldrps.serve import look, results
from ldrps.serve.door import PICTURES
from ldrps.serve.parts import ROOMY, SLIM, Parts
from ldrps.serve.studio import Studio
from ldrps.serve.task import Task, UploadOutcome

Updates = dict[gr.blocks.Block, Any]


class Views:
    """Makes the updates of the parts of the page, for the visitor of a session.

    Args:
        parts: what there is.
        studio: who knows what is whose.
    """

    def __init__(self, parts: Parts, studio: Studio) -> None:
        self._parts, self._studio = parts, studio

    def as_it_is(self) -> Updates:
        """No change: of an answer without any, Gradio would make empty parts."""
        return {self._parts.halt: gr.skip()}

    def refused(self, *reasons: str) -> Updates:
        return {self._parts.refusal: gr.HTML(look.refusals(reasons), visible=True)}

    def chosen(self, session: str, refused: list[str]) -> Updates:
        parts, uploads = self._parts, self._studio.visits.of(session).chosen
        return {
            parts.files: gr.File(value=None, height=SLIM if uploads else ROOMY),
            parts.stage: gr.HTML(look.chosen(uploads, brush=True), visible=bool(uploads)),
            parts.findings: gr.HTML(visible=False),
            parts.bar: gr.HTML(visible=False),
            parts.status: look.status("Ready" if uploads else ""),
            parts.refusal: gr.HTML(look.refusals(refused), visible=bool(refused)),
            parts.colourise: gr.Checkbox(visible=any(upload.grey for upload in uploads)),
            parts.go: gr.Button(variant="primary", interactive=bool(uploads)),
            parts.clear: gr.Button(interactive=bool(uploads)),
        }

    def begun(self) -> Updates:
        parts = self._parts
        return {
            parts.files: gr.File(visible=False),
            parts.findings: gr.HTML(visible=False),
            parts.refusal: gr.HTML(visible=False),
            parts.go: gr.Button(interactive=False),
            parts.halt: gr.Button(interactive=True),
            parts.clear: gr.Button(interactive=False),
            **{button: gr.Button(interactive=False) for button, _ in parts.samples},
        }

    def going_on(self, task: Task, ahead: int, *, again: bool) -> Updates:
        snapshot, count = task.snapshot, len(task.uploads)
        done = snapshot.done([upload.size for upload in task.uploads])
        updates: Updates = {
            self._parts.status: look.status(look.progress(snapshot, ahead, count, task.stopping)),
            self._parts.bar: gr.HTML(look.bar(done, snapshot.elapsed), visible=True),
        }
        if again:
            updates[self._parts.stage] = gr.HTML(look.running(snapshot, task.uploads), visible=True)
        return updates

    def ended(self, session: str, task: Task) -> Updates:
        parts = self._parts
        reasons = [outcome.error for outcome in task.snapshot.outcomes if outcome.error]
        good = self._studio.remember(session, task)
        return {
            parts.stage: gr.HTML(look.chosen(task.uploads), visible=not good),
            **(self.shown(session, good[0]) if good else self.kept(session, None)),
            parts.files: gr.File(visible=True),
            parts.bar: gr.HTML(visible=False),
            parts.status: look.status(look.finished(task.snapshot, len(task.uploads))),
            parts.refusal: gr.HTML(look.refusals(reasons), visible=bool(reasons)),
            parts.go: gr.Button(variant="secondary" if good else "primary", interactive=True),
            parts.halt: gr.Button(interactive=False),
            parts.clear: gr.Button(interactive=True),
            **{button: gr.Button(interactive=True) for button, _ in parts.samples},
        }

    def shown(self, session: str, outcome: UploadOutcome, *, again: bool = True) -> Updates:
        """A result, before and after; with `again` what was found of it is written anew, which would take the focus
        from a slider that somebody is moving.
        """
        where, parts = self.where(session), self._parts
        self._studio.visits.of(session).looked_at = outcome
        updates: Updates = {
            parts.stage: gr.HTML(results.compare(outcome, where), visible=True),
            **self.kept(session, outcome),
        }
        if again:
            updates[parts.findings] = gr.HTML(results.findings(outcome), visible=True)
        return updates

    def kept(self, session: str, outcome: UploadOutcome | None) -> Updates:
        """All results of the visit, of which one is shown large."""
        parts, history = self._parts, self._studio.visits.of(session).history
        some = bool(history)
        return {
            parts.gallery: gr.HTML(results.gallery(history, outcome, self.where(session)), visible=some),
            parts.all: gr.Button(f"Download all {len(history)}", visible=len(history) > 1),
            parts.reuse: gr.Button(visible=some),
            parts.forget: gr.Button(visible=some),
        }

    def where(self, session: str) -> Callable[..., str]:
        """What gives the addresses of the visitor's files."""
        return partial(_address, self._studio, session)


def _address(studio: Studio, session: str, path: Path, name: str = "") -> str:
    return f"{PICTURES}/{studio.address(session, path, name)}"
