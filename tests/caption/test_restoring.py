"""Captions on their way into restorations: a batch in which everything fails, and the command line."""

from __future__ import annotations

import json
import logging
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run, restore_job
from PIL import Image

from ldrps import Restorer, load_prior
from ldrps.caption import chain
from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.caption.chain import Fallback, make_captioner
from ldrps.errors import CaptionError
from ldrps.estimation.estimators import Estimators
from ldrps.prior.base import Prior
from ldrps.run.batch import restorer_batch
from ldrps.run.job import Job, Output


@pytest.fixture(scope="module")
def text_prior(text_prior_folder: Path) -> Prior:
    return load_prior(text_prior_folder)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Twenty small pictures."""
    (tmp_path / "in").mkdir()
    random = np.random.default_rng(0)
    made = [Job(tmp_path / "in" / f"{n:02}.png", tmp_path / "out" / f"{n:02}.png") for n in range(20)]
    for n, job in enumerate(made):
        array = (60 + 5 * n + 25 * random.standard_normal((32, 40, 3))).clip(0, 255).astype(np.uint8)
        Image.fromarray(array).save(job.source)
    return made


class Told:
    """Says what it is told, and remembers what it was shown."""

    name = "told"

    def __init__(self, **caption: Any) -> None:
        self.caption = Caption(source=self.name, **caption)
        self.seen: list[tuple[Image.Image, Hints]] = []

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        self.seen.append((image, hints))
        return self.caption


def test_a_batch_in_which_everything_fails(
    endpoint: Any,
    offline: None,
    pauses: list[float],
    jobs: list[Job],
    text_prior: Prior,
    small_estimators: Estimators,
    key: str,
    caplog: pytest.LogCaptureFixture,
    hurried: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chain, "_SLOW", math.inf)  # on a busy machine all of them may be slow
    good, answered, instead = endpoint.good("a red car"), "openai:gpt-x", "offline"
    faults: list[tuple[list[Any], str, str]] = [
        ([good], answered, ""),
        ([endpoint.plain("a red car")] * 2, answered, ""),
        ([endpoint.hang], instead, "timed out after"),
        ([endpoint.drip], instead, "timed out after"),
        ([endpoint.status(429, retry_after="2"), good], answered, ""),
        ([endpoint.status(500), good], answered, ""),
        ([endpoint.status(500)] * 3, instead, "answered HTTP 500"),
        ([endpoint.body(b"{gar")], instead, "no chat completion"),
        ([endpoint.content("x " * 5_000_000)], instead, "more than 64 KiB"),
        ([endpoint.endless()], instead, "more than 64 KiB"),
        ([endpoint.hang_up] * 3, instead, "hung up"),
        ([endpoint.status(401)], instead, "check OPENAI_API_KEY"),
        ([endpoint.content("I'm sorry, I cannot.")], instead, "refusal"),
        ([endpoint.content(None)], instead, "without text"),
    ]
    faults += [([good], answered, "")] * (20 - len(faults))
    captioner = make_captioner("openai:gpt-x", timeout=60)
    restorer = Restorer(text_prior, estimators=small_estimators)
    batch = restorer_batch(restorer, Output(trace=True, overwrite=True), captioner)
    asked = captioner._captioners[0]._captioner

    def restore(timeout: float, job: Job) -> None:
        asked._timeout = timeout
        restore_job(batch, job)

    caplog.set_level(logging.DEBUG)
    for job, (acts, source, problem) in zip(jobs, faults, strict=True):
        endpoint.script = acts
        endpoint.requests.clear()
        if "timed out" in problem:
            hurried(partial(restore, job=job))
        else:
            restore(60, job)
            assert len(endpoint.requests) == len(acts)
        trace = job.target.with_name(f"{job.target.name}.json").read_text()
        record = json.loads(trace)
        assert record["caption_source"] == source, job
        assert record["caption"].startswith("golden retriever" if source == instead else "a red car")
        if problem:
            assert problem in record["caption_note"] and record["caption_note"].endswith("; offline used instead")
            assert f"{job.source}: {record['caption_note']}" in caplog.text
        else:
            assert record["caption_note"] == ""
        assert key not in trace
    assert key not in caplog.text and pauses[0] == 2


def test_a_second_run_asks_nobody(
    endpoint: Any, jobs: list[Job], text_prior: Prior, small_estimators: Estimators
) -> None:
    endpoint.script = [endpoint.good("a red car"), endpoint.good("a blue car")]
    for _ in range(2):
        restorer = Restorer(text_prior, estimators=small_estimators)
        batch = restorer_batch(restorer, Output(overwrite=True), make_captioner("openai:gpt-x"))
        assert [restore_job(batch, job)[0].caption.text for job in jobs[:2]] == ["a red car", "a blue car"]
    assert len(endpoint.requests) == 2


def test_the_captioner_sees_the_picture_and_its_caption_counts(jobs: list[Job], text_prior: Prior) -> None:
    Image.open(jobs[0].source).convert("LA").save(jobs[0].source)
    told = Told(text="golden retriever", negative="dark", note="a note")
    restorer = Restorer(text_prior)
    result, _ = restore_job(restorer_batch(restorer, Output(samples=2), told), jobs[0])
    ((image, hints),) = told.seen
    assert (image.mode, image.size, hints.path) == ("RGB", (40, 32), jobs[0].source)
    assert (result.caption.text, result.caption.source, result.caption.note) == ("golden retriever", "told", "a note")
    assert result.settings.negative == "dark" and restorer.settings.negative == ""
    again = restorer(jobs[0].source, told.caption)
    assert again.settings == result.settings
    assert restorer(jobs[0].source, "golden retriever").caption.source == "text"
    assert restorer(jobs[0].source).caption.source == "none"


def test_a_negative_of_the_settings_stays_unless_there_is_another(text_prior: Prior, jobs: list[Job]) -> None:
    restorer = Restorer(text_prior, Restorer(text_prior).settings.with_changes(negative="dog"))
    assert restorer(jobs[0].source, Caption("a", source="told")).settings.negative == "dog"
    assert restorer(jobs[0].source, Caption("a", "cat")).settings.negative == "cat"


def test_a_caption_that_is_required(jobs: list[Job], text_prior: Prior) -> None:
    jobs[1].source.with_suffix(".txt").write_text("a dog")
    batch = restorer_batch(Restorer(text_prior), Output(), make_captioner("file", required=True))
    for job in (jobs[0], jobs[2]):
        with pytest.raises(CaptionError):
            restore_job(batch, job)
    restore_job(batch, jobs[1])
    assert [job.target.exists() for job in jobs[:3]] == [False, True, False]


def test_a_prior_without_text_asks_nobody(
    endpoint: Any, jobs: list[Job], tiny_prior: Prior, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.script = [endpoint.good()]
    told = Told(text="a cat")
    for captioner in (make_captioner("openai:gpt-x", required=True), told, Fallback([told])):
        caplog.clear()
        result, _ = restore_job(restorer_batch(Restorer(tiny_prior), Output(overwrite=True), captioner), jobs[0])
        assert result.caption.text == ""
        assert "knows no text" in result.caption.note and result.caption.source == "none"
        assert "knows no text" in caplog.text
    assert endpoint.requests == [] and told.seen == []


@pytest.mark.parametrize("caption", ["a cat", make_captioner("a cat"), make_captioner("text:a cat")])
def test_a_prior_without_text_is_given_what_was_written(
    caption: Any, jobs: list[Job], tiny_prior: Prior, caplog: pytest.LogCaptureFixture
) -> None:
    result, _ = restore_job(restorer_batch(Restorer(tiny_prior), Output(), caption), jobs[0])
    assert (result.caption.text, result.caption.source) == ("a cat", "text")
    assert "the caption is recorded and not used" in caplog.text


def test_the_command_line(
    command: Run,
    endpoint: Any,
    offline: None,
    jobs: list[Job],
    text_prior_folder: Path,
    key: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    hurried: Any,
) -> None:
    def restore(*words: object) -> tuple[int, str, list[dict[str, Any]]]:
        sources, out = [job.source for job in jobs[:2]], tmp_path / "out"
        code, _, err = command(
            *("restore", *sources, "-o", out, "--prior", text_prior_folder, "--trace", "--force", *words)
        )
        texts = [job.target.with_name(f"{job.target.name}.json").read_text() for job in jobs[:2] if job.target.exists()]
        assert key not in err and not any(key in text for text in texts)
        return code, err, [json.loads(text) for text in texts]

    endpoint.script = [endpoint.good("a red car"), endpoint.status(401)]
    options = ("--caption-timeout", 60, "--caption-prompt", "What is it?")
    code, err, records = restore("--caption", "openai:gpt-x", *options, "--negative", "dog", "--colorize")
    assert code == 0
    assert [record["caption_source"] for record in records] == ["openai:gpt-x", "offline"]
    assert [record["settings"]["negative"] for record in records] == ["dog", "dog"]
    assert records[0]["caption"] == "a red car" and records[1]["caption"].startswith("golden retriever")
    note = "01.png: openai:gpt-x refused the key (HTTP 401): check OPENAI_API_KEY; offline used instead"
    assert note in caplog.text, "which stderr has where pytest has not"
    assert endpoint.requests[0]["messages"][0]["content"][0]["text"] == "What is it?"

    def require(timeout: float) -> None:
        words = ("--caption-required", "--no-caption-cache", "--caption-timeout", timeout)
        code, err, _ = restore("--caption", "openai:gpt-x", *words)
        assert code == 1 and "2 of 2 pictures failed" in err
        assert f"openai:gpt-x timed out after {timeout:g} s" in " ".join(err.split())

    endpoint.script = [endpoint.hang]
    hurried(require)

    code, err, records = restore("--caption", "a dog")
    assert (code, err) == (0, "") and [record["caption"] for record in records] == ["a dog", "a dog"]
    code, err, records = restore()
    assert [(record["caption"], record["caption_source"]) for record in records] == [("", "none")] * 2
    code, err, _ = restore("--caption", "openai:gpt-x", "--caption-url", "nonsense")
    assert code == 2 and "http://localhost:11434/v1" in err
