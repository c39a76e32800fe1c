"""What those ask who run the service: whether it lives, whether it takes jobs, and what happened."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from ldrps.memory import resident_mib
from ldrps.service.metrics import MEDIA
from ldrps.service.routes import ServiceOf
from ldrps.service.service import Service

_WHY = {"loading": 5, "full": 1, "draining": 10, "broken": 60}  # seconds after which it is worth another look

router = APIRouter()


@router.get("/livez", summary="Whether the server answers")
async def alive() -> dict[str, str]:
    """Always, as long as it does."""
    return {"status": "alive"}


@router.get("/readyz", summary="Whether a job would be taken", responses={503: {"description": "It would not."}})
async def ready(service: ServiceOf) -> Response:
    """200, or 503 with why not: loading, full, draining, or broken."""
    why = service.not_ready
    if why:
        return JSONResponse({"status": why}, 503, {"Retry-After": str(_WHY[why])})
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    summary="What happened, for Prometheus",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(service: ServiceOf) -> Response:
    """Counters, histograms and gauges; nothing about pictures or their owners."""
    return Response(service.metrics.text(_gauges(service)), media_type=MEDIA)


def _gauges(service: Service) -> dict[str, tuple[str, float]]:
    queue = service.queue
    gauges = {
        "ldrps_queue_jobs": ("Jobs that wait.", float(queue.waiting)),
        "ldrps_queue_limit": ("Jobs that may wait.", float(service.limits.waiting)),
        "ldrps_queue_seconds": ("Until all are done, as far as can be told.", queue.seconds_of_all()),
        "ldrps_running": ("Jobs that are being carried out.", float(queue.is_running)),
        "ldrps_ready": ("Whether a job would be taken.", float(not service.not_ready)),
    }
    if resident := resident_mib():
        gauges["process_resident_memory_bytes"] = ("Of the server, without who restores.", resident * 2**20)
    return gauges
