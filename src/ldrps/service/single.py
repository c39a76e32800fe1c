"""`POST /sdapi/v1/extra-single-image`, as AUTOMATIC1111's web UI has it, for programs that know that one."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import html
import re
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import ValidationError

from ldrps.service.ask import Ask, read_json
from ldrps.service.problems import Problem
from ldrps.service.receiving import Received, receive_text
from ldrps.service.routes import Owner, ServiceOf
from ldrps.service.rows import Row
from ldrps.service.service import Service
from ldrps.service.shapes import Single, SingleAnswer
from ldrps.service.waiting import over_or_left

_PREFIX = re.compile(r"data:[\w/+.-]*;base64,")
_SLACK = 1 << 16  # bytes beside the picture

router = APIRouter(prefix="/sdapi/v1")


@router.post(
    "/extra-single-image",
    summary="Restore and enlarge a picture, as AUTOMATIC1111's web UI",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Single"}}},
        }
    },
)
async def extra_single_image(request: Request, service: ServiceOf, owner: Owner) -> SingleAnswer:
    """A picture in base64 in, a PNG in base64 out. Of the fields `image` and `upscaling_resize` count."""
    limit = service.limits.bytes // 3 * 4 + _SLACK
    with service.arriving(owner, None) as folder:
        body = await receive_text(request, service.limits, limit)
        with service.queue.place():
            row = await asyncio.to_thread(_take, service, owner, body, folder)
        del body
    try:
        is_over = await over_or_left(request, service, row.id, service.limits.deadline, stays=False)
        if not is_over:
            raise Problem(504, f"there is no result after {service.limits.deadline:g} s: take /v1/jobs")
        return await asyncio.to_thread(_answer, service, owner, row.id)
    finally:
        await asyncio.to_thread(service.queue.forget, row.id)


def _take(service: Service, owner: str, body: bytes, folder: Path) -> Row:
    """Put the picture of a request in the queue."""
    plain = read_json(body, "body")
    try:
        single = Single.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "body"
        raise Problem(422, f"{name}: {first['msg']}", field=name) from error
    if single.resize_mode != 0:
        raise Problem(
            422,
            f"resize_mode is {single.resize_mode}; only 0 is known here: give upscaling_resize",
            field="resize_mode",
        )
    try:
        ask = Ask.read({"scale": max(single.upscaling_resize, 1.0), "format": "png"})
    except Problem as problem:
        raise Problem(422, str(problem).replace("scale", "upscaling_resize"), field="upscaling_resize") from problem
    text = _PREFIX.sub("", single.image[:100], count=1) + single.image[100:]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, f"image is no base64 ({error}): send a picture so", field="image") from error
    if not data:
        raise Problem(422, "there is no picture: send it as image", field="image")
    folder.mkdir()
    (folder / "image").write_bytes(data)
    received = Received(folder, ("image",), digest=hashlib.sha256(body).hexdigest())
    return service.take(owner, None, received, ask).row


def _answer(service: Service, owner: str, name: str) -> SingleAnswer:
    row, path = service.result(owner, name)
    data = path.read_bytes()
    words = str((row.record or {}).get("words", ""))
    return SingleAnswer(html_info=f"<p>{html.escape(words)}</p>", image=base64.b64encode(data).decode())
