"""What the answers of the service look like, for those who read them and for OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ldrps.service.problems import title
from ldrps.service.queue import JobQueue
from ldrps.service.rows import Row

_WORDS = "2.8 stops too dark, noise 12 of 255"


class ProblemShape(BaseModel):
    """What is wrong with a request (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = "about:blank"
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["scale is 20; it must be 1 to 8"])
    field: str | None = Field(default=None, description="What of the request it is about.", examples=["scale"])


class Progress(BaseModel):
    """How far a job is that is being carried out."""

    step: int = Field(description="How many steps are done.", examples=[1])
    steps: int = Field(description="Of how many; 0 before the first.", examples=[2])
    share: float = Field(description="How much of the whole is done, 0 to 1.", examples=[0.6])


class Job(BaseModel):
    """A job, as its owner sees it."""

    id: str = Field(examples=["3f2b8c1e9a7d4f60b5c2d1e0f9a8b7c6"])
    state: Literal["waiting", "running", "done", "failed"]
    place: int | None = Field(
        default=None, description="How many jobs come before it; null once it is over.", examples=[3]
    )
    seconds_left: float | None = Field(default=None, description="Until its end, as a guess.", examples=[12.5])
    progress: Progress | None = None
    size: tuple[int, int] = Field(description="Width and height of the picture.", examples=[[1024, 768]])
    result_size: tuple[int, int] | None = Field(default=None, examples=[[1024, 768]])
    words: str | None = Field(default=None, description="What was found and done.", examples=[_WORDS])
    unheeded: list[str] = Field(default=[], description="What was asked for and could do nothing, and why.")
    unchanged: bool | None = Field(default=None, description="Whether each pixel is as it was.")
    damage: dict[str, Any] | None = Field(
        default=None, description="What was found; edited, it can be the setting `damage`."
    )
    record: dict[str, Any] | None = Field(default=None, description="Settings, seed, findings, seconds and versions.")
    error: ProblemShape | None = Field(default=None, description="Why it failed.")
    created: str = Field(examples=["2026-01-31T12:00:00+00:00"])
    began: str | None = None
    ended: str | None = None
    expires: str | None = Field(default=None, description="When it will be forgotten.")


class LimitsShape(BaseModel):
    """What is taken, and what is refused."""

    model_config = ConfigDict(title="Limits")

    bytes: int = Field(description="Of the body of a request.")
    pixels: int = Field(description="Of a picture, and of its result.")
    waiting: int = Field(description="Jobs that wait; further ones are refused with 429.")
    kept: int = Field(description="Jobs that are over and still kept, of all owners; then the oldest go.")
    work: float = Field(description="Seconds that a job may take.")
    deadline: float = Field(description="Seconds that /v1/restore may be asked to wait, at most.")
    arrival: float = Field(description="Seconds in which a request must have arrived.")
    pause: float = Field(description="Seconds that a client may be silent meanwhile.")
    keep: float = Field(description="Seconds for which a job is kept when it is over.")
    settings: int = Field(description="Bytes of the settings.")
    formats: list[str] = Field(description="What a result may be written as.", examples=[["png", "jpeg"]])
    presets: list[str] = Field(examples=[["default", "fast", "best"]])


class Single(BaseModel):
    """What AUTOMATIC1111's web UI takes at `/sdapi/v1/extra-single-image`, as far as it counts here; the rest is not
    heeded.
    """

    model_config = ConfigDict(extra="allow")

    image: str = Field(default="", description="A picture in base64, with or without `data:image/png;base64,`.")
    upscaling_resize: float = Field(default=2.0, description="How many times larger the result is: `scale`.")
    resize_mode: int = Field(default=0, description="Must be 0: by a factor.")


class SingleAnswer(BaseModel):
    """What it answers."""

    html_info: str = Field(description="What was found and done.", examples=[f"<p>{_WORDS}</p>"])
    image: str = Field(description="The result, a PNG in base64.")


def job_of(row: Row, queue: JobQueue, keep: float) -> Job:
    """A job as it is now."""
    job = Job(
        id=row.id,
        state=row.state,
        size=row.size,
        created=_time(row.created),
        began=None if row.began is None else _time(row.began),
        ended=None if row.ended is None else _time(row.ended),
        expires=None if row.ended is None else _time(row.ended + keep),
    )
    live = queue.live(row.id)
    if live is not None and not row.is_over:
        job.place, job.seconds_left = len(queue.ahead(live)), round(queue.seconds_left(live), 1)
    if live is not None and row.state == "running":
        step, steps = (0, 0) if live.tick is None else (live.tick.number, live.tick.total)
        job.progress = Progress(step=step, steps=steps, share=round(live.share(queue.speed), 3))
    if row.state == "failed":
        status = row.status or 500
        job.error = ProblemShape(title=title(status), status=status, detail=row.reason)
    if row.record is not None:
        job.record = row.record
        for name in ("words", "unheeded", "unchanged", "damage"):
            setattr(job, name, row.record.get(name))
        if (size := row.record.get("result_size")) is not None:
            job.result_size = tuple(size)
    return job


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
