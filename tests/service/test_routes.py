from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import until

from ldrps.service.limits import Limits
from ldrps.service.rows import Row
from tests.service.faked import STEPS, Served, png, served


def test_a_picture_goes_in_and_comes_out_with_what_was_found(serving: Served) -> None:
    serving.pool.let()
    answer = serving.http.post("/v1/restore", files={"image": png()}, data={"settings": '{"format": "png"}'})
    assert answer.status_code == 200
    assert answer.content == png()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["ldrps-words"] == "noise 12 of 255"
    assert serving.job(answer.headers["ldrps-job"])["state"] == "done"


def test_a_job_waits_runs_and_is_done(serving: Served) -> None:
    first, second = serving.give(), serving.give('{"seed": 3}')
    assert (first.status_code, second.status_code) == (202, 202)
    name = first.json()["id"]
    assert first.headers["location"] == f"/v1/jobs/{name}"
    until(lambda: serving.job(name)["state"] == "running")
    job = serving.job(second.json()["id"])
    assert (job["state"], job["place"]) == ("waiting", 1)
    assert job["seconds_left"] > 0
    serving.pool.let(2)
    until(lambda: serving.job(name)["progress"]["step"] == 2)
    assert serving.http.get(f"/v1/jobs/{name}/result").status_code == 409
    serving.pool.let(STEPS - 1)
    until(lambda: serving.job(name)["state"] == "done")
    job = serving.job(name)
    assert job["words"] == "noise 12 of 255" and job["expires"] > job["ended"] > job["created"]
    assert serving.http.get(f"/v1/jobs/{name}/result").content == png()
    serving.pool.let()
    until(lambda: serving.job(second.json()["id"])["state"] == "done")
    assert serving.job(second.json()["id"])["record"]["seed"] == 3


def test_its_events_are_told_until_the_last(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    name = serving.give().json()["id"]
    find, looks = serving.service.store.find, itertools.count(1)

    def look(*about: str) -> Row | None:
        if next(looks) == 3:  # the request came, and the first event was told
            serving.pool.let()
        return find(*about)

    monkeypatch.setattr(serving.service.store, "find", look)
    lines = serving.http.get(f"/v1/jobs/{name}/events").text.splitlines()
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    jobs = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert set(kinds[:-1]) == {"job"} and kinds[-1] == "done"
    assert jobs[-1]["words"] == "noise 12 of 255"
    assert {each["id"] for each in jobs} == {name}


def test_a_job_that_is_deleted_stops_within_a_step_and_nothing_of_it_is_kept(serving: Served) -> None:
    running, waiting = serving.give().json()["id"], serving.give().json()["id"]
    until(lambda: serving.job(running)["state"] == "running")
    assert serving.http.delete(f"/v1/jobs/{waiting}").status_code == 204
    assert serving.http.delete(f"/v1/jobs/{running}").status_code == 204
    for name in (running, waiting):
        assert serving.http.get(f"/v1/jobs/{name}").status_code == 404
        assert serving.http.delete(f"/v1/jobs/{name}").status_code == 404
    serving.pool.let(1)
    until(lambda: not serving.pool.is_busy)
    until(lambda: [path.name for path in serving.service.store.folder.iterdir() if path.is_dir()] == [])
    assert serving.pool.done == []


def test_after_the_deadline_the_job_is_cancelled(serving: Served) -> None:
    answer = serving.http.post("/v1/restore?deadline=0.2", files={"image": png()})
    assert answer.status_code == 504
    assert "give a longer deadline" in answer.json()["detail"]
    until(lambda: serving.service.queue.waiting == 0 and not serving.service.queue.is_running)
    assert serving.pool.done == [] and serving.pool.closed == 1  # no step came to an end


@pytest.mark.parametrize(
    ("settings", "status", "field"),
    [
        ('{"scale": 20}', 422, "scale"),
        ('{"scle": 2}', 422, "scle"),
        ('{"only": ["tones"]}', 422, "only"),
        ('{"strength": {"tone": 9}}', 422, "strength"),
        ('{"preset": "slow"}', 422, "preset"),
        ('{"fill": true}', 422, "fill"),
        ('{"damage": {"noise": {"kind": "no such"}}}', 422, "damage"),
        ('{"damage": {"holes": {"file": "/etc/passwd"}}}', 422, "damage"),
        ('{"mask": "mask.png"}', 422, "mask"),
        ('{"steps": 1e9}', 422, "steps"),
        ('{"steps": 10000, "recurrences": 100}', 422, "preset"),
        ('{"seed": NaN}', 400, "settings"),
        ('{"seed": 1, "seed": 2}', 400, "settings"),
        ("[]", 422, "settings"),
        ("{", 400, "settings"),
        ("[" * 100_000, 400, "settings"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_with_the_field(
    serving: Served, settings: str, status: int, field: str
) -> None:
    answer = serving.give(settings)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["field"]) == (status, field)
    assert problem["detail"] and str(serving.service.store.folder) not in answer.text
    assert serving.service.queue.waiting == 0
    assert [path for path in serving.service.store.folder.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(
    ("files", "status", "field"),
    [
        ({"image": b"no picture"}, 422, "image"),
        ({"image": b""}, 422, "image"),
        ({"mask": png()}, 422, "image"),
        ({"image": png(20, 20)}, 422, "image"),
        ({"image": png(), "mask": png(64, 40)}, 422, "mask"),
        ({"image": png(), "protect": b"nothing"}, 422, "protect"),
        ({"image": png(), "passwd": b"x"}, 422, "passwd"),
        ({"image": png(2048, 1024)}, 413, "image"),
    ],
)
def test_what_is_wrong_with_the_pictures_is_told_without_a_path(
    tmp_path: Path, files: dict[str, bytes], status: int, field: str
) -> None:
    with served(tmp_path / "jobs", Limits(pixels=1_000_000)) as serving:
        answer = serving.http.post("/v1/jobs", files=files)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert "jobs/" not in answer.text and str(tmp_path) not in answer.text


def test_a_result_that_would_be_too_large_and_a_form_that_is_none_are_refused(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(pixels=10_000)) as serving:
        assert serving.give('{"scale": 4}').json()["field"] == "scale"
        assert serving.http.post("/v1/jobs", content=png()).status_code == 415
        form = {"content-type": "multipart/form-data; boundary=x"}
        whole = b'--x\r\ncontent-disposition: form-data; name="image"\r\n\r\nabc\r\n--x--\r\n'
        for body in (b"", whole[:-8], b"rubbish", whole.replace(b"image", b"")):
            answer = serving.http.post("/v1/jobs", content=body, headers=form)
            assert answer.status_code in (400, 422), body


def test_why_a_picture_failed_is_told(serving: Served) -> None:
    serving.pool.reason = "the image is damaged or cut short: get a whole copy of it"
    serving.pool.let()
    answer = serving.http.post("/v1/restore", files={"image": png()})
    assert (answer.status_code, answer.json()["detail"]) == (422, serving.pool.reason)
    serving.pool.reason, serving.pool.lost = "", 1
    name = serving.give().json()["id"]
    serving.pool.let(1)
    until(lambda: serving.job(name)["state"] == "failed")
    assert serving.job(name)["error"]["status"] == 500
    assert "Send a smaller picture" in serving.job(name)["error"]["detail"]
    serving.pool.let(100)
    assert serving.http.post("/v1/restore", files={"image": png()}).status_code == 200


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(waiting=1)) as serving:
        first = serving.give().json()["id"]
        until(lambda: serving.job(first)["state"] == "running")
        assert serving.give().status_code == 202
        assert serving.http.get("/readyz").json() == {"status": "full"}
        answer = serving.give()
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "1 jobs are waiting" in answer.json()["detail"]
        assert serving.http.post("/v1/jobs", content=b"").status_code == 429  # before the body is looked at
        serving.pool.let()
        until(lambda: serving.job(first)["state"] == "done")
        assert serving.http.get("/readyz").status_code == 200


def test_the_same_key_is_the_same_job_and_another_request_with_it_is_refused(serving: Served) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = serving.give(**key), serving.give(**key)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    other = serving.give('{"seed": 1}', **key)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    serving.pool.let(100)
    until(lambda: serving.job(first.json()["id"])["state"] == "done")
    assert serving.give(**key).json()["state"] == "done"
    restored = serving.http.post("/v1/restore", files={"image": png()}, data={"settings": "{}"}, headers=key)
    assert restored.headers["ldrps-job"] == first.json()["id"]
    assert len(serving.pool.done) == 1
    serving.http.delete(f"/v1/jobs/{first.json()['id']}")
    assert serving.give(**key).json()["id"] != first.json()["id"]
    assert serving.give(**{"Idempotency-Key": "x" * 201}).json()["field"] == "Idempotency-Key"


def test_a_token_sees_its_own_jobs_alone(tmp_path: Path) -> None:
    ann, bob = ({"Authorization": f"Bearer token-of-{name}"} for name in ("ann", "bob"))
    with served(tmp_path / "jobs", tokens=("token-of-ann", "token-of-bob")) as serving:
        name = serving.give(**ann, **{"Idempotency-Key": "k"}).json()["id"]
        assert serving.job(name, **ann)["id"] == name
        for method, path in (("GET", ""), ("GET", "/result"), ("GET", "/events"), ("DELETE", "")):
            assert serving.http.request(method, f"/v1/jobs/{name}{path}", headers=bob).status_code == 404
        assert serving.give(**bob, **{"Idempotency-Key": "k"}).json()["id"] != name
        for wrong in ({}, {"Authorization": "Bearer token-of-eve"}, {"Authorization": "Basic token-of-ann"}):
            answer = serving.give(**wrong)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        assert serving.http.get("/livez").status_code == 200
        assert b"token-of-ann" not in serving.service.store.path.read_bytes()


def test_without_a_token_pages_of_other_servers_are_refused(serving: Served) -> None:
    assert serving.give(Origin="https://elsewhere.example").status_code == 403
    assert serving.give(Origin="http://testserver").status_code == 202


def test_who_asks_for_a_password_of_its_page_lets_no_program_in_without_a_token(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", closed=True) as serving:
        answer = serving.give()
    assert answer.status_code == 401
    assert "--token" in answer.json()["detail"]


def test_limits_are_told_and_what_is_not_there_is_a_problem(serving: Served) -> None:
    told = serving.http.get("/v1/limits").json()
    assert told["bytes"] == Limits().bytes and "default" in told["presets"]
    for path, status in (("/v1/nothing", 404), ("/v1/jobs/..%2f..%2fetc", 404), ("/elsewhere", 404)):
        answer = serving.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert serving.http.put("/v1/jobs").status_code == 405
    assert serving.http.post("/v1/restore?deadline=-1", files={"image": png()}).json()["field"] == "deadline"
    assert serving.http.post("/v1/restore?deadline=1e9", files={"image": png()}).json()["field"] == "deadline"


def test_what_happens_is_counted(serving: Served) -> None:
    serving.pool.let()
    serving.http.post("/v1/restore", files={"image": png()})
    answer = serving.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    assert 'ldrps_jobs_total{outcome="done"} 1.0' in text
    assert 'ldrps_requests_total{route="/v1/restore",status="200"} 1.0' in text
    for line in ("ldrps_job_seconds_count 1", "ldrps_job_wait_seconds_count 1", "ldrps_queue_jobs 0", "ldrps_ready 1"):
        assert f"\n{line}.0\n" in text
    for name in ("ldrps_queue_limit", "ldrps_queue_seconds", "ldrps_running"):
        assert f"\n{name} " in text


def test_it_is_described_and_the_page_of_it_fetches_nothing(serving: Served) -> None:
    described: dict[str, Any] = serving.http.get("/openapi.json").json()
    assert set(described["paths"]) >= {"/v1/restore", "/v1/jobs", "/v1/jobs/{id}", "/sdapi/v1/extra-single-image"}
    settings = described["components"]["schemas"]["Settings"]["properties"]
    assert {"preset", "seed", "scale", "damage", "caption"} <= set(settings)
    page = serving.http.get("/docs").text
    assert "/v1/restore" in page and "Idempotency-Key" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page
