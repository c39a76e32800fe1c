"""The description of the service as a page to read, which fetches nothing from elsewhere."""

from __future__ import annotations

import html
import json
from typing import Any

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{margin:2.5rem 0 0;font-size:1.1rem}code,pre{font:14px ui-monospace,Menlo,Consolas,monospace}
pre{background:#f4f4f2;padding:.8rem;overflow:auto;border-radius:6px}b{display:inline-block;min-width:4.5rem}
table{border-collapse:collapse}td{padding:.1rem 1rem .1rem 0;vertical-align:top}.quiet{color:#666}"""


def page(description: dict[str, Any]) -> str:
    """The page of a description, as OpenAPI has it."""
    about = description["info"]
    body = [f"<h1>{_text(about['title'])} {_text(about['version'])}</h1><p>{_text(about['description'])}</p>"]
    body.append('<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>')
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            body.append(_operation(method.upper(), path, operation))
    body.append("<h1>What is sent and answered</h1>")
    for name, schema in description["components"]["schemas"].items():
        body.append(_schema(name, schema))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>ldrps for programs</title><style>{_STYLE}</style>{''.join(body)}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (f"<code>{_text(each['name'])}</code>", f"{_text(each['in'])}. {_text(each.get('description', ''))}")
        for each in operation.get("parameters", [])
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        properties = content["schema"].get("properties", {})
        rows.append(("body", _text(f"{kind}: {', '.join(properties)}" if properties else kind)))
    rows += [(_text(status), _text(answer["description"])) for status, answer in operation["responses"].items()]
    return (
        f"<h2><b>{method}</b> <code>{_text(path)}</code></h2><p>{_text(operation.get('summary', ''))}. "
        f'<span class="quiet">{_text(operation.get("description", ""))}</span></p>{_table(rows)}'
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = []
    for field, about in schema.get("properties", {}).items():
        kind = about.get("type") or " or ".join(map(str, about.get("enum", ["any"])))
        rows.append((f"<code>{_text(field)}</code>", _text(f"{kind}. {about.get('description', '')}")))
    examples = "".join(f"<pre>{_text(json.dumps(each))}</pre>" for each in schema.get("examples", []) if each)
    return f"<h2>{_text(name)}</h2><p>{_text(schema.get('description', ''))}</p>{_table(rows)}{examples}"


def _table(rows: list[tuple[str, str]]) -> str:
    return f"<table>{''.join(f'<tr><td>{left}</td><td>{right}</td></tr>' for left, right in rows)}</table>"


def _text(value: object) -> str:
    return html.escape(str(value))
