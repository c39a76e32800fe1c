"""Rivals as contenders: by name, as a group, told apart by what can change their results."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, noisy
from PIL import Image

from ldrps.bench import contenders as module
from ldrps.bench.command import Benchmark, Plan, listing
from ldrps.bench.contenders import Contender, Problem, contenders
from ldrps.bench.judges import Judges
from ldrps.errors import InputError, PriorError
from ldrps.rivals.aod_net import AodNet
from ldrps.rivals.registry import RIVALS, facts_of
from ldrps.rivals.rival import Rival, RivalStep
from ldrps.rivals.rival import Run as Run_

COPY = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
COMMAND = f"command:{shlex.quote(sys.executable)} -c {shlex.quote(COPY)} {{in}} {{out}}"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(AodNet().state_dict(), tmp_path / "dehazer.pth")
    return tmp_path


def test_names_and_the_group() -> None:
    (yoly,) = contenders("yoly", [], weights="w")
    assert yoly == Contender("yoly", weights="w") and yoly.rival and yoly.is_random and not yoly.uses_prior
    assert [each.method for each in contenders("rivals", [])] == list(RIVALS)
    assert not Contender("aod-net").is_random, "so it is run once, not for each seed"
    assert contenders(COMMAND, [])[0].label == COMMAND
    with pytest.raises(InputError, match=r"there are ldrps, .*rivals, yoly, .*command:.*spandrel:FILE"):
        contenders("yolo", [])
    assert all(name in listing() for name in RIVALS)


def test_fingerprints(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    entries = [Contender("yoly"), Contender("yoly-detached"), Contender("aod-net"), Contender(COMMAND)]
    prints = {entry.fingerprint() for entry in entries}
    assert len(prints) == 4 and Contender("yoly").fingerprint() in prints
    given = Contender("aod-net", weights=str(weights))
    before = given.fingerprint()
    torch.save(AodNet().state_dict(), weights / "dehazer.pth")
    assert given.fingerprint() != before, "other weights"
    plain = Contender("nlm").fingerprint()
    mark = module.code_mark
    monkeypatch.setattr(module, "code_mark", lambda name: "other code" if name else mark(name))
    assert Contender("yoly").fingerprint() not in prints
    assert Contender("nlm").fingerprint() == plain


def test_a_rival_is_given_the_seed(weights: Path) -> None:
    problem = Problem(Image.fromarray(noisy()), Path("a"), None, "a boat", 3)
    assert Contender("aod-net", weights=str(weights)).build()(problem).size == (48, 40)
    seeded = COMMAND.replace(shlex.quote(COPY), "'import sys; sys.exit(int(sys.argv[3]))'") + " {seed}"
    attempt = Contender(seeded).build()
    for seed in (3, 5):
        with pytest.raises(Exception, match=f"exit code {seed}"):
            attempt(dataclasses.replace(problem, seed=seed))
    assert np.array_equal(Contender(COMMAND).build()(problem), noisy())


def test_missing_weights_are_told_by_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    with pytest.raises(PriorError, match=r"get dehazer\.pth"):
        Contender("aod-net").build()


def test_the_command_line_hands_on_weights_and_whole_commands(
    command: Run, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []

    def note(plan: Plan) -> None:
        plans.append(plan)
        raise InputError("noted")

    monkeypatch.setattr("ldrps.bench.command.Benchmark", note)
    words = ("--method", "identity,aod-net", "--method", "command:p {in},{out}", "--weights", weights)
    assert command("bench", "lol", *words)[0] == 2
    assert plans[0].methods == ["identity", "aod-net", "command:p {in},{out}"], "a command's commas are its own"
    assert plans[0].weights == str(weights)


def test_a_file_of_weights_is_for_rivals_and_judges_are_found_elsewhere(
    command: Run, root: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []
    made = Benchmark

    def note(plan: Plan) -> Benchmark:
        plans.append(plan)
        return made(plan)

    monkeypatch.setattr("ldrps.bench.command.Benchmark", note)
    words = ("bench", "lol", "--method", "aod-net", "--limit", 1, "--store", root.parent / "bench", "--weights")
    code, table, _ = command(*words, weights / "dehazer.pth")
    assert (code, "failed" in table) == (0, False)
    assert plans[-1].judges == Judges.at_hand(None)
    judges = root.parent / "judges"
    judges.mkdir()
    (judges / "niqe_pris_params.npz").touch()
    monkeypatch.setenv("LDRPS_WEIGHTS", str(judges))
    assert command(*words, weights / "dehazer.pth")[0] == 0
    assert plans[-1].judges == Judges.at_hand(judges)


def test_names_of_weights(root: Path) -> None:
    for name in ("embedded", "embedded-pixels", "google/ddpm-church-256"):
        plan = Plan(["lol"], ["identity", "oracle-stopped:gdp"], weights=name, store=root.parent / "bench")
        assert Benchmark(plan).contenders[1].weights == name


def test_weights_that_nobody_takes(command: Run, root: Path, weights: Path) -> None:
    store = ("--store", root.parent / "bench")
    for method, given, message in (
        ("identity", weights / "dehazer.pth", "is not a folder, and no method here takes it: give a folder"),
        ("ldrps,yoly", "embedded", "weights is 'embedded', which is not a folder, and no method"),
        ("aod-net", weights / "dehaze.pth", "there is no such file or folder, nor can it be a hub id"),
        ("gdp", "embeded", "weights is 'embeded': there is no such file or folder"),
    ):
        code, out, err = command("bench", "lol", "--method", method, "--weights", given, *store)
        assert (code, out) == (2, "")
        assert message in " ".join(err.split())


def test_a_plan_gives_weights_to_its_rivals(root: Path, weights: Path) -> None:
    benchmark = Benchmark(Plan(["lol"], ["identity", "aod-net"], weights=str(weights), store=root.parent / "bench"))
    assert benchmark.contenders == [Contender("identity"), Contender("aod-net", weights=str(weights))]
    assert [task.key.seed for task in benchmark.tasks] == [0] * 6


class Passing(Rival):
    """Comes by the inverted picture at step 10 of 20 and at step 11, which is not looked at, and ends elsewhere."""

    def run(self, y: torch.Tensor, generator: torch.Generator) -> Run_:
        for number in range(1, 21):
            near = {5: 0.7, 10: 0.95, 11: 1.0, 15: 0.6}.get(number, 0.1)
            yield RivalStep(number, 20, {}, near * (1 - y) + (1 - near) * y)
        return y


def test_the_step_nearest_to_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = contenders("oracle-stopped:yoly", [])
    assert entry.is_oracle and entry.is_random and entry.rival == "yoly"
    assert entry.fingerprint() != Contender("yoly").fingerprint()
    monkeypatch.setattr(module, "build_rival", lambda name, order: Passing(facts_of(name)))
    y = noisy(45, 39)
    best = np.asarray(entry.build()(Problem(Image.fromarray(y), Path("a"), Image.fromarray(255 - y), "", 0)))
    assert np.abs(best - (0.95 * (255.0 - y) + 0.05 * y)).max() <= 1
    left = entry.build()(Problem(Image.fromarray(y), Path("a"), Image.fromarray(y), "", 0))
    assert np.array_equal(left, y), "the last one counts too"
    with pytest.raises(InputError, match="oracle-stopped:yoly needs the truth"):
        entry.build()(Problem(Image.fromarray(y), Path("a"), None, "", 0))


def test_a_picture_that_a_program_has_not_touched_is_no_step_of_it() -> None:
    darken = "import sys, time; from PIL import Image; time.sleep(0.5)"
    darken += "; Image.open(sys.argv[1] + '/picture.png').point(lambda v: v // 2).save(sys.argv[2] + '/picture.png')"
    command = f"command:{shlex.quote(sys.executable)} -c {shlex.quote(darken)} {{in}} {{out}}"
    (entry,) = contenders(f"oracle-stopped:{command}", [])
    y = noisy()
    best = entry.build()(Problem(Image.fromarray(y), Path("a"), Image.fromarray(y), "", 0))
    assert np.array_equal(best, y // 2), "though the input is nearer to the truth"
