"""The description of the service, as OpenAPI has it: what FastAPI does not see by itself, with examples."""

from __future__ import annotations

from typing import Any, get_type_hints

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ldrps.presets import PRESETS
from ldrps.service.ask import FORMATS, NAMES
from ldrps.service.problems import MEDIA, title
from ldrps.service.shapes import ProblemShape, Single
from ldrps.settings import PARTS, NamedSettings

_KINDS = {int: "integer", float: "number", bool: "boolean", str: "string"}
_PART = {"type": "number", "minimum": 0, "maximum": 4}
_BINARY = {"type": "string", "format": "binary"}

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "additionalProperties": False,
                    "properties": {
                        "image": _BINARY | {"description": "The picture: PNG, JPEG, WEBP, TIFF, BMP, GIF, AVIF, HEIC."},
                        "mask": _BINARY | {"description": "Of its size: what is lost is white, and is filled."},
                        "protect": _BINARY | {"description": "Of its size: what is white comes back as it was."},
                        "settings": {"$ref": "#/components/schemas/Settings"},
                    },
                },
                "encoding": {"settings": {"contentType": "application/json"}},
            }
        },
    }
}
_KINDS_OF_PICTURE = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/tiff", "image/bmp")
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The restored picture.",
        "content": {kind: {"schema": _BINARY} for kind in _KINDS_OF_PICTURE},
        "headers": {
            "Ldrps-Job": {"schema": {"type": "string"}, "description": "The name of the job."},
            "Ldrps-Words": {"schema": {"type": "string"}, "description": "What was found and done, percent-encoded."},
        },
    }
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as they come.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
_ERRORS = {
    "/v1/restore": (400, 408, 409, 413, 415, 422, 429, 500, 503, 504),
    "/v1/jobs": (400, 408, 409, 413, 415, 422, 429, 503),
    "/v1/jobs/{id}": (404,),
    "/v1/jobs/{id}/events": (404,),
    "/v1/jobs/{id}/result": (404, 409, 422, 500, 504),
    "/sdapi/v1/extra-single-image": (400, 408, 413, 422, 429, 500, 503, 504),
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an application of the service."""
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas["Settings"] = _settings()
    schemas["Problem"] = ProblemShape.model_json_schema()
    schemas["Single"] = Single.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in found["paths"].items():
        needs_token = path.startswith(("/v1", "/sdapi")) and path != "/v1/limits"
        for operation in operations.values():
            operation["responses"].pop("422", None)
            for status in (*_ERRORS.get(path, ()), *((401, 403) if needs_token else ())):
                operation["responses"][str(status)] = {
                    "description": title(status),
                    "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            if needs_token:
                operation["security"] = [{"HTTPBearer": []}, {}]
    return found


def _settings() -> dict[str, Any]:
    """The settings of a restoration: an object with the names of `ldrps.restore`."""
    part = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(PARTS, _PART)}
    parts = {"type": "array", "items": {"enum": list(PARTS)}}
    hints = get_type_hints(NamedSettings)
    named = {name: _kind(hints[name]) for name in NAMES}
    return {
        "title": "Settings",
        "type": "object",
        "description": "All may be left out. The names are those of `ldrps.restore` in Python.",
        "additionalProperties": False,
        "properties": {
            "preset": {"enum": list(PRESETS), "default": "default"},
            "caption": {"type": "string", "maxLength": 500, "description": "What the picture should show."},
            "strength": {"anyOf": [_PART, part], "description": "How much of the damage is undone; 1 is all of it."},
            "only": parts | {"description": "The parts that alone are undone."},
            "skip": parts | {"description": "The parts that are not."},
            "damage": {"type": "object", "description": "What happened to it, as an earlier job has it."},
            "mask": {"enum": ["alpha"], "description": "Fill what is transparent."},
            "format": {"enum": list(FORMATS), "description": "Of the result; else that of the picture, or PNG."},
            "quality": {"type": "integer", "minimum": 1, "maximum": 100},
            "keep_metadata": {"type": "boolean", "default": True},
            "srgb": {"type": "boolean", "default": False},
            "first_frame": {"type": "boolean", "default": False},
            **named,
        },
        "examples": [
            {},
            {"preset": "fast", "seed": 3, "strength": {"tone": 0.5}},
            {"scale": 2, "skip": ["noise"], "format": "png"},
            {"damage": {"noise": {"kind": "white noise", "sigma": 0.05}}},
        ],
    }


def _kind(hint: Any) -> dict[str, Any]:
    """The schema of a type that a setting has; one of settings of their own is an object of some of them."""
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None)]
    return {"type": _KINDS.get(kinds[0], "object")}
