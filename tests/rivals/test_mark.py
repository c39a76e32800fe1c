"""What tells a rival from what it was before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ldrps
from ldrps.rivals.mark import code_mark, weights_mark
from ldrps.rivals.registry import RIVALS, all_facts


def test_other_weights_leave_another_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    file = tmp_path / "dehazer.pth"
    file.write_bytes(b"one")
    (tmp_path / "notes.txt").write_text("of no account")
    by_folder = weights_mark("aod-net", tmp_path)
    assert by_folder == weights_mark("aod-net", file), "where they lie does not matter"
    monkeypatch.setenv("LDRPS_WEIGHTS", str(tmp_path))
    assert weights_mark("aod-net", None) == by_folder
    by_name = weights_mark(f"spandrel:{file}", None)
    file.write_bytes(b"two")
    assert weights_mark("aod-net", tmp_path) != by_folder
    assert weights_mark(f"spandrel:{file}", None) != by_name


def test_what_comes_with_the_package_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    (tmp_path / "package").mkdir()
    monkeypatch.setattr("ldrps.rivals.mark.own_weights", lambda facts: tmp_path / "package" / Path(facts.own).name)
    assert weights_mark("zero-dce-own", None) == ""
    for name in ("zero-dce.safetensors", "pixels"):
        (tmp_path / "package" / name).write_bytes(name.encode())
    own = weights_mark("zero-dce-own", None)
    assert len(own) == 64 and own != weights_mark("gdp", None)
    (tmp_path / "zero-dce.safetensors").write_bytes(b"others")
    assert weights_mark("zero-dce-own", tmp_path) != own


def test_without_weights_there_is_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    (tmp_path / "dehazer.pth").write_bytes(b"one")
    assert weights_mark("yoly", tmp_path) == weights_mark("command:x {in} {out}", tmp_path) == ""
    assert weights_mark("aod-net", None) == weights_mark("aod-net", tmp_path / "none") == ""


def test_code_has_a_mark_of_its_own() -> None:
    assert code_mark("yoly") == code_mark("yoly-detached") != code_mark("zero-ig")
    assert all(len(code_mark(name)) == 64 for name in RIVALS)


@pytest.mark.parametrize("name", ["tao-dark", "gdp"])
def test_vgg16_beside_a_file_counts_for_those_that_read_it(tmp_path: Path, name: str) -> None:
    model = tmp_path / "model.pt"
    model.write_bytes(b"one")
    marks = [weights_mark(name, model)]
    for content in (b"vgg", b"other vgg"):
        (tmp_path / "vgg16.safetensors").write_bytes(content)
        marks.append(weights_mark(name, model))
    assert len(set(marks)) == (3 if name == "tao-dark" else 1)


def test_checkpoints_of_a_training_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"one")
    before = weights_mark("gdp", tmp_path)
    (tmp_path / "training" / "pixels").mkdir(parents=True)
    for content in (b"step 1", b"step 2"):
        (tmp_path / "training" / "pixels" / "checkpoint.pt").write_bytes(content)
        assert weights_mark("gdp", tmp_path) == before
    inside = tmp_path / "training" / "pixels"
    assert weights_mark("gdp", inside) != before, "a folder in such a place, named by the user, is no checkpoint"


def test_a_prior_given_by_its_name_counts() -> None:
    assert weights_mark("gdp", Path("embedded")) != weights_mark("gdp", Path("no-such-folder"))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package's code."""
    code = shutil.ignore_patterns("*.safetensors", "__pycache__")
    return Path(shutil.copytree(Path(ldrps.__file__).parent, tmp_path_factory.mktemp("code") / "ldrps", ignore=code))


def changed_by(package: Path, file: str) -> set[str]:
    """The rivals, "" for all else, whose mark a change of that file changes."""
    names = {"", *RIVALS, "command:x {in} {out}"}

    def marks() -> dict[str, str]:
        code_mark.cache_clear()
        return {name: code_mark(name, package) for name in names}

    before, path = marks(), package / file
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n")
    after = marks()
    path.write_bytes(kept)
    return {name for name in names if before[name] != after[name]}


ALL = {"", *RIVALS, "command:x {in} {out}"}
PIXELS = {"gdp", "tao-dark", "tao-haze", "tao-noise"}


@pytest.mark.parametrize(
    "file",
    [
        *("estimation/fpam.py", "guidance/perceptual.py", "guidance/terms.py", "sampling/noise.py", "image/pad.py"),
        *("image/tiles.py", "prior/tiny/denoiser.py", "degrade/noise.py", "image/tones.py", "restorer.py"),
        *("metrics/structure.py", "bench/contenders.py", "bench/inputs.py", "bench/scores.py", "caption/classes.txt"),
    ],
)
def test_shared_code_counts_for_all(package: Path, file: str) -> None:
    assert changed_by(package, file) == ALL


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("rivals/pixel/tao.py", PIXELS),
        ("rivals/yoly/nets.py", {"yoly", "yoly-detached"}),
        ("rivals/zero_dce.py", {"zero-dce", "zero-dce-full", "zero-dce-own"}),
        ("rivals/outside.py", {"command:x {in} {out}"}),
    ],
)
def test_the_code_of_a_rival_counts_for_it_alone(package: Path, file: str, names: set[str]) -> None:
    assert changed_by(package, file) == names


@pytest.mark.parametrize(
    "file",
    [
        "cli/bench.py",
        "serve/page.py",
        "folders/feeding.py",
        "run/pool.py",
        "train/loop.py",
        "doctor.py",
        "bench/report.py",
    ],
)
def test_code_that_computes_no_row_does_not_count(package: Path, file: str) -> None:
    assert changed_by(package, file) == set()


def test_every_rival_lives_where_the_marks_look(package: Path) -> None:
    for facts in all_facts():
        place = package / "rivals" / facts.place.partition(":")[0].split(".")[2]
        assert place.is_dir() or place.with_suffix(".py").is_file(), facts.name
