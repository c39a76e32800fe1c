"""What is compared: found by name, told apart by everything that can change a result."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from conftest import noisy
from PIL import Image

from ldrps import Prior
from ldrps.bench import contenders as module
from ldrps.bench.command import swept
from ldrps.bench.contenders import Contender, Problem, contenders
from ldrps.errors import InputError, SettingsError
from ldrps.presets import preset
from ldrps.settings import changed

DEFAULT = Contender("ldrps", "default")


def test_names_and_groups() -> None:
    assert contenders("ldrps", ["default", "paper-lowlight"]) == [DEFAULT, Contender("ldrps", "paper-lowlight")]
    assert contenders("paper-dehazing", ["default"]) == [Contender("ldrps", "paper-dehazing")]
    assert contenders("nlm", []) == [Contender("nlm")]
    assert contenders("files:tao_output", []) == [Contender("files:tao_output")]
    plain = [each.method for each in contenders("plain", [])]
    assert {"identity", "stretch", "nlm", "wiener"} <= set(plain)
    assert not any(name.startswith(("bicubic", "oracle")) for name in plain)
    assert all(each.is_oracle for each in contenders("oracles", []))
    chains = [each.method for each in contenders("chains", [])]
    assert len(set(chains)) == 30 and "stretch+nlm-auto" in chains
    assert contenders("nlm+clahe+nlm", []) == [Contender("nlm+clahe+nlm")]


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'nml'; there are ldrps, default, .*plain, .*nlm.*files:FOLDER"):
        contenders("nml", [])
    for name in ("nlm+nml", "nlm+", "+", "nlm+oracle-tone", "plain+nlm"):
        with pytest.raises(InputError, match=r"plain tools joined by \+"):
            contenders(name, [])
    with pytest.raises(SettingsError, match="'fastest'"):
        contenders("ldrps", ["fastest"])


def test_a_fingerprint_changes_with_what_changes_results(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        dataclasses.replace(DEFAULT, changes=(("steps", 7),)),
        dataclasses.replace(DEFAULT, captions="file"),
        Contender("ldrps", "paper-lowlight"),
        Contender("identity"),
    ]
    prints = {each.fingerprint() for each in [DEFAULT, *others]}
    assert len(prints) == 5
    assert DEFAULT.fingerprint() in prints, "the same again"
    monkeypatch.setattr(module, "_weights_digest", lambda name: "other weights")
    assert DEFAULT.fingerprint() not in prints
    monkeypatch.setattr(module, "code_mark", lambda name: "other code")
    assert Contender("identity").fingerprint() not in prints


def test_changes_reach_nested_settings_and_are_checked() -> None:
    settings = changed(preset("default"), {"method.shifts": 2, "recurrences": 2})
    assert (settings.method.shifts, settings.recurrences) == (2, 2)  # type: ignore[union-attr]
    with pytest.raises(SettingsError, match=r"no setting 'method.tune'; at 'tune' there are strengths"):
        changed(preset("default"), {"method.tune": 1})
    with pytest.raises(SettingsError, match="recurrences is -1"):
        changed(preset("default"), {"recurrences": -1})


def test_sweeps_are_all_combinations_of_ours_and_leave_others_alone() -> None:
    labels = [each.label for each in swept(DEFAULT, ["recurrences=0,2", "caption=none,file"])]
    assert labels == [
        "default, recurrences 0",
        "default, recurrences 0, caption file",
        "default, recurrences 2",
        "default, recurrences 2, caption file",
    ]
    assert swept(Contender("nlm"), ["recurrences=0,2"]) == [Contender("nlm")]
    for wrong in ("recurrences", "=1", "recurrences="):
        with pytest.raises(InputError, match="must be NAME=VALUE,VALUE"):
            swept(DEFAULT, [wrong])
    with pytest.raises(InputError, match="caption is mine; there are none, written, wrong, file"):
        swept(DEFAULT, ["caption=mine"])
    with pytest.raises(SettingsError, match="no setting 'recurences'"):
        swept(DEFAULT, ["recurences=0,1"])


def test_files_of_others_lie_beside_the_inputs(tmp_path: Path) -> None:
    source = tmp_path / "input" / "a.b.png"
    (tmp_path / "theirs").mkdir()
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "theirs" / "a.b.jpg")
    problem = Problem(Image.new("RGB", (4, 4)), source, None, "", 0)
    assert Contender("files:theirs").build()(problem).getpixel((0, 0)) == (9, 9, 9)
    with pytest.raises(InputError, match=r"has no file a\.b\.\*"):
        Contender("files:others").build()(problem)


def test_only_finished_files_are_found_beside_the_inputs(tmp_path: Path) -> None:
    entry = Contender("files:theirs")
    (tmp_path / "theirs" / "a[1].dir").mkdir(parents=True)
    assert entry.finished(tmp_path / "input" / "a[1].png") is None
    for suffix in ("png", "jpg"):
        (tmp_path / "theirs" / f"a[1].{suffix}").write_bytes(b"x")
    assert entry.finished(tmp_path / "input" / "a[1].png") == tmp_path / "theirs" / "a[1].jpg", "always the same"
    assert DEFAULT.finished(tmp_path / "input" / "a[1].png") is None


def test_all_weights_of_a_prior_count_but_its_checkpoints_do_not(tmp_path: Path) -> None:
    def mark() -> str:
        module._weights_digest.cache_clear()
        return module._weights_digest(str(tmp_path))

    for file in ("unet/model.safetensors", "training/unet/checkpoint.safetensors"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_bytes(bytes(300_000))
    before = mark()
    (tmp_path / "training/unet/checkpoint.safetensors").write_bytes(b"other")
    assert mark() == before
    (tmp_path / "unet/model.safetensors").write_bytes(bytes(150_000) + b"x" + bytes(149_999))
    assert mark() != before, "in the middle of a file"


def test_oracles_say_that_they_need_the_truth() -> None:
    problem = Problem(Image.new("RGB", (40, 40)), Path("a"), None, "", 0)
    with pytest.raises(InputError, match="needs the truth"):
        Contender("oracle-gain-offset").build()(problem)


def test_ours_is_given_seed_and_caption(tiny_prior_folder: Path) -> None:
    import numpy as np
    from conftest import noisy

    damaged = Image.fromarray(noisy())
    entry = dataclasses.replace(DEFAULT, prior=str(tiny_prior_folder), changes=(("recurrences", 1),))
    attempt = entry.build()
    first, again, other = (attempt(Problem(damaged, Path("a"), None, "x", seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_set_of_reduced_pictures_tells_by_how_much(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_prior", lambda name, device: tiny_prior)
    problem = Problem(Image.fromarray(noisy()), Path("a.png"), None, "", 0, enlarge=3)
    for entry in (DEFAULT, Contender("bicubic"), Contender("lanczos")):
        assert entry.build()(problem).size == (144, 120)
    assert DEFAULT.build()(dataclasses.replace(problem, enlarge=1)).size == (48, 40)


def test_ours_and_plain_tools_that_fill_are_told_what_is_lost() -> None:
    y, x = np.mgrid[0:48, 0:64]
    whole = np.stack([3 * x, 4 * y, 255 - 3 * x], 2).astype(np.uint8)
    lost = np.zeros((48, 64), np.uint8)
    lost[20:22, 4:60] = 255
    holed = Image.fromarray(np.where(lost[..., None] > 0, 0, whole).astype(np.uint8))
    problem = Problem(holed, Path("a"), None, "", 0, mask=Image.fromarray(lost))
    for name in ("fast", "telea"):
        (entry,) = contenders(name, ["default"])
        found = np.asarray(entry.build()(problem))
        assert np.array_equal(found[lost == 0], whole[lost == 0]), name
        assert np.abs(found.astype(int) - whole)[lost > 0].mean() < 20, name
    assert {"telea", "navier-stokes"}.isdisjoint(entry.method for entry in contenders("plain", []))
