"""The service on a cluster, by Ray Serve: its `POST /v1/restore`, answered by as many replicas as there is work for.

    serve run ldrps.service.deployment:app max_replicas=8

    client -> entry: token, form, limits -> the queue of Ray Serve -> a replica: one prior, one picture at a time

What a request may be and what is answered are the service's own. What is not here is what takes a store that all
machines share: jobs, and keys under which a request is known again.
"""

# No `from __future__ import annotations` here: Ray Serve looks at what `app` takes.
import asyncio
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.exceptions import RayActorError
from ray.serve import Application
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle

from ldrps.cost import estimate
from ldrps.prior import AUTO, EMBEDDED, check_prior, precision_of
from ldrps.prior.device import check_device
from ldrps.run.pool import Pool, ProcessPool, until_over
from ldrps.run.share import wait_briefly
from ldrps.serve.limits import Limits as PageLimits
from ldrps.serve.task import Question
from ldrps.serve.work import Loader
from ldrps.service import routes
from ldrps.service.app import make_app, refuse_elsewhere
from ldrps.service.ask import Ask
from ldrps.service.carrying import carried
from ldrps.service.limits import MIB, Limits, check_picture
from ldrps.service.live import Stoppable
from ldrps.service.problems import Problem
from ldrps.service.receiving import Received, receive_form
from ldrps.service.routes import DEADLINE, Deadline, Owner, service_of
from ldrps.service.tokens import Tokens, tokens_of
from ldrps.service.work import ProgramJob, ServiceJob, ServiceOutcome, ServiceWork

ENTRY, REPLICA = "Entry", "Replica"  # the names of the two deployments, by which a configuration of Serve knows them
_AT_ONCE = 1000  # requests that the entry takes in at once: most of them wait, for their bytes or for a replica
_GRACE = 1.0  # seconds that the process has to leave in which pictures are restored


class Options(BaseModel):
    """What `serve run`, or `args` in a configuration of Ray Serve, may say; as the options of `ldrps serve`.

    Attributes:
        prior, device, dtype: of each replica; see `ldrps.load_prior`.
        threads: CPUs of each replica.
        gpus: GPUs of each, or a share of one.
        min_replicas, max_replicas: between which Ray Serve starts and ends them.
        max_waiting: requests that wait while all replicas are at work; further ones are refused.
        max_pixels, max_upload, max_seconds: of a picture, in MiB of a request, and of its restoration.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prior: str = EMBEDDED
    device: str = "cpu"
    dtype: str = AUTO
    threads: int = Field(1, ge=1)
    gpus: float = Field(0.0, ge=0)
    min_replicas: int = Field(1, ge=0)
    max_replicas: int = Field(4, ge=1)
    max_waiting: int = Field(16, ge=1)
    max_pixels: int = Field(50_000_000, ge=1)
    max_upload: int = Field(100, ge=1)
    max_seconds: float = Field(600.0, ge=1)


def app(options: Options) -> Application:
    """The application, for `serve run` and for configurations of Ray Serve. Tokens are those of LDRPS_TOKENS here.

    Raises:
        LdrpsError: there is no such prior or device, or a token is none.
    """
    check_device(options.device)
    check_prior(options.prior)
    limits = Limits(
        bytes=options.max_upload * MIB,
        pixels=options.max_pixels,
        waiting=options.max_waiting,
        work=options.max_seconds,
        deadline=options.max_seconds,
    )
    # Found out here, so that all machines compute in the same, as their bytes depend on it.
    dtype = str(precision_of(options.prior, options.dtype, options.device)).removeprefix("torch.")
    replica = serve.deployment(
        Replica,
        name=REPLICA,
        ray_actor_options={"num_cpus": options.threads, "num_gpus": options.gpus},
        autoscaling_config={
            "min_replicas": options.min_replicas,
            "max_replicas": options.max_replicas,
            "target_ongoing_requests": 1,
        },
        max_ongoing_requests=1,
        max_queued_requests=options.max_waiting,
    ).bind(Loader(options.prior, options.device, dtype), limits, options.threads)
    room = options.max_waiting + options.max_replicas
    entry = serve.ingress(_entry(Tokens(tokens_of(())), limits, room))()
    # It takes in and waits: a tenth of a CPU on paper.
    deployed = serve.deployment(entry, name=ENTRY, max_ongoing_requests=_AT_ONCE, ray_actor_options={"num_cpus": 0.1})
    return deployed.bind(replica)


def _entry(tokens: Tokens, limits: Limits, room: int) -> Callable[[], FastAPI]:
    """What makes the entry where it runs."""

    def build() -> FastAPI:  # sent there by its text, and what it calls by name
        return _made(tokens, limits, room)

    return build


def _made(tokens: Tokens, limits: Limits, room: int) -> FastAPI:
    return make_app(Entry(tokens, limits, room, serve.get_deployment_handle(REPLICA)), [router])


@dataclass(frozen=True)
class Restored:
    """A restored picture, on its way to who asked.

    Attributes:
        data: its file.
        name: of that, with its suffix.
        words: what was found and done.
    """

    data: bytes
    name: str
    words: str


class Entry:
    """Lets requests in, and has replicas carry them out.

    Args:
        tokens: who is let in.
        limits: what is refused.
        room: requests that may be with the replicas, or wait for them, at once.
        replicas: whom they are sent to.
    """

    def __init__(self, tokens: Tokens, limits: Limits, room: int, replicas: DeploymentHandle) -> None:
        self.tokens, self.limits = tokens, limits
        self._room, self._replicas = room, replicas
        self._handed = 0

    def refuse_full(self, seconds: float = 1.0) -> None:
        """Refuse a request for which there is no room; `seconds`: after which there may be.

        Raises:
            Problem: there is none.
        """
        if self._handed >= self._room:
            raise self._full(seconds)

    async def restored(self, files: Mapping[str, bytes], ask: Ask, seconds: float, deadline: float) -> Restored:
        """Have a replica restore a picture. Where nobody waits any more, it stops within a step.

        Args:
            files: by the parts of the request.
            ask: how.
            seconds: that it is said to take.
            deadline: seconds to wait.

        Raises:
            Problem: there is no room, or no restored picture, or none in time.
        """
        self.refuse_full(seconds)
        self._handed += 1
        response = self._replicas.restore.remote(files, ask)
        try:
            async with asyncio.timeout(deadline):
                made: Restored | Problem = await response
        except BackPressureError as error:
            raise self._full(seconds) from error
        except RayActorError as error:
            raise Problem(503, "the machine that was at it is gone: send it again", retry_after=1) from error
        except TimeoutError as error:
            response.cancel()
            raise Problem(504, f"there is no result after {deadline:g} s: give a longer deadline") from error
        except asyncio.CancelledError:  # who asked has left
            response.cancel()
            raise
        finally:
            self._handed -= 1
        if isinstance(made, Problem):
            raise made
        return made

    def _full(self, seconds: float) -> Problem:
        message = f"{self.limits.waiting} requests are waiting already, which is the most: try again later"
        return Problem(429, message, retry_after=seconds)


router = APIRouter(prefix="/v1")
router.get("/limits", summary="What is taken, and what is refused")(routes.limits)


@router.post("/restore", **routes.RESTORE)
async def restore(
    request: Request, entry: Annotated[Entry, Depends(service_of)], owner: Owner, deadline: Deadline = DEADLINE
) -> Response:
    """The restored picture itself, with what was found in `Ldrps-Words`. Who hangs up cancels it."""
    if not entry.tokens.are_asked_for:
        refuse_elsewhere(request.method, {name: value.decode("latin-1") for name, value in request.headers.raw})
    routes.check_deadline(deadline, entry.limits)
    entry.refuse_full()
    with tempfile.TemporaryDirectory(prefix="ldrps-") as name:
        received = await receive_form(request, Path(name), entry.limits)
        ask, files, seconds = await asyncio.to_thread(_looked_at, received, entry.limits)
    made = await entry.restored(files, ask, seconds, deadline)
    return Response(made.data, **routes.about_picture(made.name, uuid.uuid4().hex, made.words))


def _looked_at(received: Received, limits: Limits) -> tuple[Ask, dict[str, bytes], float]:
    """What is asked for, with the bytes of its files, and the seconds that it is said to take.

    Raises:
        Problem: it is refused.
    """
    ask = routes.ask_of(received)
    size = check_picture(received.files, ask.settings, limits, first_frame=ask.first_frame)
    files = {part: path.read_bytes() for part, path in received.files.items()}
    return ask, files, estimate(size, ask.settings).seconds


class Replica:
    """Restores with a prior that is loaded once, in a process of its own: what ends that one costs its picture alone.

    Args:
        load: loads the prior.
        limits: what is refused.
        threads: that compute.

    Raises:
        PriorError: the prior cannot be loaded.
    """

    def __init__(self, load: Loader, limits: Limits, threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        wait_briefly()
        self._limits = limits
        self._pool: Pool[ServiceJob, ServiceOutcome] = ProcessPool(
            ServiceWork(load, limits.pixels, PageLimits()), 1, grace=_GRACE
        )
        self._only = ThreadPoolExecutor(1, thread_name_prefix="ldrps")  # the pool belongs to it
        self._only.submit(self._load).result()

    async def restore(self, files: Mapping[str, bytes], ask: Ask) -> Restored | Problem:
        """The picture of a request, restored; or why there is none."""
        live = Stoppable()
        work = asyncio.get_running_loop().run_in_executor(self._only, self._carry, files, ask, live)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:  # nobody waits for it any more
            live.stop("forgotten")
            await asyncio.wait([work])  # until the next can be begun
            raise

    def _load(self) -> None:
        handle = self._pool.submit(Question())
        until_over(self._pool, handle)
        handle.result()

    def _carry(self, files: Mapping[str, bytes], ask: Ask, live: Stoppable) -> Restored | Problem:
        with tempfile.TemporaryDirectory(prefix="ldrps-") as name:
            folder = Path(name)
            for part, data in files.items():
                (folder / part).write_bytes(data)
            self._pool.start()  # another process in the place of one that is lost
            job = ProgramJob({part: folder / part for part in files}, folder, ask)
            made = carried(self._pool, job, live, self._limits)
            if made is None:
                return Problem(499, "the connection was closed before the end")
            if isinstance(made, Problem):
                return made
            assert made.file is not None
            return Restored(made.file.read_bytes(), made.file.name, str((made.record or {}).get("words", "")))
