"""A folder by a cluster of two raylets on this machine, with workers that die; and storage that speaks S3."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE, noisy
from PIL import Image

ray = pytest.importorskip("ray", reason="needs Ray: pip install '.[ray]'")
from ldrps.distributed.running import Cluster  # noqa: E402
from ldrps.distributed.store import Store  # noqa: E402
from ldrps.distributed.tables import OUTCOMES, arrow_files, sum_up  # noqa: E402
from ldrps.errors import InputError  # noqa: E402

COUNT = 20
SLOWLY = {"RAY_DASHBOARD_STARTUP_TIMEOUT_S": "600", "RAY_worker_register_timeout_seconds": "600"}  # on busy machines


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ray") / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(COUNT):
        name = f"deep/{number:02}.jpg" if number % 3 == 0 else f"{number:02}.png"
        Image.fromarray(noisy(seed=number)).save(folder / name)
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "read.me").touch()
    return folder


def start(*words: object, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **SLOWLY, **variables}
    command = [sys.executable, "-m", "ldrps", "restore", *map(str, words), "--preset", "fast"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*words: object, **variables: str) -> tuple[int, str]:
    process = start(*words, **variables)
    _, err = process.communicate(timeout=10 * PATIENCE)
    return process.returncode, err


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and ".ldrps" not in str(path.relative_to(folder))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def alone(pictures: Path, tiny_prior_folder: Path) -> dict[str, bytes]:
    out = pictures.parent / "alone"
    code, err = run(pictures, "-r", "-o", out, "--prior", tiny_prior_folder)
    assert code == 1 and f"{COUNT} done, 1 failed" in " ".join(err.split()).replace(f" ({COUNT} unchanged)", ""), err
    return files(out)


def workers_of(folder: Path) -> list[int]:
    """The processes of Ray that restore."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"MapBatches(_Actor)" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_folder_with_workers_that_die(pictures: Path, alone: dict[str, bytes], tiny_prior_folder: Path) -> None:
    out = pictures.parent / "out"
    words = (pictures, "-r", "-o", out, "--prior", tiny_prior_folder, "--ray", "local", "--jobs", 2)
    process, killed = start(*words), 0
    until = time.monotonic() + 10 * PATIENCE
    while process.poll() is None and time.monotonic() < until and killed < 2:
        if len(files(out) if out.exists() else {}) > killed * 8 and (workers := workers_of(out)):
            os.kill(workers[0], signal.SIGKILL)
            killed += 1
        time.sleep(0.05)
    _, err = process.communicate(timeout=10 * PATIENCE)
    assert process.returncode == 1 and f"{COUNT} done" in err and "1 failed" in err and "bad.png is not an image" in err
    assert killed == 2 and files(out) == alone
    store = Store.of(str(out))
    summed = sum_up(store, 1)
    assert (summed.done, summed.failed) == (COUNT, 1)
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(store.at(OUTCOMES), filesystem=arrow_files(store)).to_table()
    assert len(set(table["id"].to_pylist())) == table.num_rows == COUNT + 1, "a row for each, and no more"

    # The same again tries what failed, and does what is new or was changed.
    shutil.copy(pictures / "01.png", pictures / "new.png")
    code, err = run(*words)
    assert code == 1 and "1 done" in err and f"{COUNT} skipped, finished before" in err and "1 failed" in err
    (pictures / "new.png").unlink()
    assert files(out)["new.png"] == alone["01.png"]
    code, err = run(*words, "--seed", 3)
    assert code == 2 and "made with other settings" in err
    code, err = run(pictures, "-r", "-o", pictures.parent / "alone", *words[4:])
    assert code == 2 and "were made without --ray" in err


def test_there_must_be_a_cluster() -> None:
    with pytest.raises(InputError, match="begun on a machine of the cluster: give auto"):
        Cluster("ray://head:10001")


@pytest.fixture
def bucket() -> Iterator[str]:
    """A bucket of a stand-in for S3 on this machine."""
    moto = pytest.importorskip("moto.server", reason="needs moto: pip install '.[ray-tests]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


def test_storage_that_speaks_s3(
    bucket: str, pictures: Path, alone: dict[str, bytes], tiny_prior_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow.fs import FileSelector, S3FileSystem

    keys = {
        "AWS_ACCESS_KEY_ID": "of-nobody",
        "AWS_SECRET_ACCESS_KEY": "of-nobody",
        "AWS_ENDPOINT_URL": f"http://{bucket}",
    }
    keys |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    storage = S3FileSystem(endpoint_override=bucket, scheme="http", region="us-east-1", allow_bucket_creation=True)
    storage.create_dir("photos")
    for key in ("01.png", "deep/00.jpg", "bad.png"):
        with storage.open_output_stream(f"photos/in/{key}") as file:
            file.write((pictures / key).read_bytes())
    words = ("s3://photos/in", "-r", "-o", "s3://photos/out", "--prior", tiny_prior_folder, "--ray", "local", "-j", 1)
    code, err = run(*words)
    assert code == 1 and "2 done" in err and "s3://photos/in/bad.png is not an image" in err, err
    for key in ("01.png", "deep/00.jpg"):
        with storage.open_input_stream(f"photos/out/{key}") as file:
            assert file.read() == alone[key]
    found = storage.get_file_info(FileSelector("photos/out", recursive=True))
    assert not [each.path for each in found if "partial" in each.path]
    code, err = run(*words)
    assert code == 1 and "0 done" in err and "2 skipped" in err
