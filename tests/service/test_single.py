from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from conftest import until

from ldrps.service.limits import Limits
from tests.service.faked import Served, png, served

ADDRESS = "/sdapi/v1/extra-single-image"


def body(**fields: Any) -> dict[str, Any]:
    return {"image": base64.b64encode(png()).decode(), "upscaling_resize": 2, "upscaler_1": "ESRGAN"} | fields


def test_a_picture_goes_in_and_comes_out_in_base64(serving: Served) -> None:
    serving.pool.let(100)
    for prefix in ("", "data:image/png;base64,"):
        answer = serving.http.post(ADDRESS, json=body(image=prefix + body()["image"]))
        assert answer.status_code == 200
        assert base64.b64decode(answer.json()["image"]) == png()
        assert answer.json()["html_info"] == "<p>noise 12 of 255</p>"
    until(lambda: [path for path in serving.service.store.folder.iterdir() if path.is_dir()] == [])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image": "no base64!"}, "image"),
        ({"image": ""}, "image"),
        ({"image": base64.b64encode(b"no picture").decode()}, "image"),
        ({"upscaling_resize": 9}, "upscaling_resize"),
        ({"upscaling_resize": "much"}, "upscaling_resize"),
        ({"resize_mode": 1}, "resize_mode"),
    ],
)
def test_what_is_wrong_is_told(serving: Served, fields: dict[str, Any], field: str) -> None:
    answer = serving.http.post(ADDRESS, json=body(**fields))
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_it_has_the_limits_of_the_others(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(bytes=1000, pixels=3000), ("token-of-ann",)) as serving:
        ann = {"Authorization": "Bearer token-of-ann"}
        assert serving.http.post(ADDRESS, json=body()).status_code == 401
        assert serving.http.post(ADDRESS, json=body(), headers=ann).status_code == 413  # pixels
        assert serving.http.post(ADDRESS, content=b" " * 100_000, headers=ann).status_code == 413
        assert serving.http.post(ADDRESS, content=b"[]", headers=ann).status_code == 422
        assert serving.http.post(ADDRESS, content=b"{", headers=ann).status_code == 400
