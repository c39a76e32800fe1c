"""What those ask who run the service: whether it lives, whether it takes jobs, and what happened."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from ldrps.service.routes import ServiceOf

_MEDIA = ("text/plain", "application/openmetrics-text")
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
    responses={200: {"content": {media: {"schema": {"type": "string"}} for media in _MEDIA}}},
)
async def metrics(service: ServiceOf, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    """Counters, histograms and gauges; nothing about pictures or their owners. OpenMetrics, where `Accept` has it."""
    text, media = service.metrics.told(accept)
    return Response(text, media_type=media)
