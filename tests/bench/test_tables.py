"""Means, intervals and tables."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from strange import NAME, assert_seen

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet
from ldrps.bench.lines import bootstrap, published, summarise
from ldrps.bench.store import Key, Row
from ldrps.bench.tables import grid, latex, markdown

SET = DataSet("lol", "LOL & friends", "lol", published={"LD-RPS": {"psnr_rgb": 17.45, "source": "ICCV 2025"}})
PLAIN, OURS = Contender("identity"), Contender("ldrps", "default")


def rows(contender: Contender, values: dict[tuple[str, int], float | str]) -> list[Row]:
    made = []
    for (image, seed), value in values.items():
        key = Key(contender.fingerprint(), "lol", image, seed, "")
        good = not isinstance(value, str)
        made.append(Row(key, {"psnr_rgb": value} if good else {}, 2.0, 100.0, None if good else value))  # type: ignore[dict-item]
    return made


def test_mean_over_seeds_first_then_over_pictures() -> None:
    # Picture a has three seeds, b one: each counts once.
    values: dict[tuple[str, int], float | str] = {("a", 0): 10, ("a", 1): 11, ("a", 2): 12, ("b", 0): 21}
    (line,) = summarise(rows(OURS, values), [OURS], [SET], "default")
    assert line.scores["psnr_rgb"] == pytest.approx((11 + 21) / 2)
    assert (line.n, line.seeds, line.failed, line.seconds, line.peak_mb) == (2, 3, 0, 2.0, 100.0)
    assert line.seed_deviation == pytest.approx(np.std([15.5, 11, 12], ddof=1))


def test_failures_are_counted_and_shown() -> None:
    (line,) = summarise(rows(PLAIN, {("a", 0): 10, ("b", 0): "ValueError: no"}), [PLAIN], [SET], "identity")
    assert (line.n, line.failed) == (1, 1)
    assert "1, 1 failed" in markdown([line], SET)


def test_paired_difference_to_the_reference() -> None:
    ours = rows(OURS, {("a", 0): 12.0, ("b", 0): 23.0})
    plain = rows(PLAIN, {("a", 0): 10.0, ("b", 0): 20.0})
    first, second = summarise([*ours, *plain], [OURS, PLAIN], [SET], "identity")
    assert first.difference is not None
    assert first.difference.mean == pytest.approx(2.5)
    assert 2 <= first.difference.low <= first.difference.high <= 3
    assert second.difference is None


def test_rows_of_other_settings_do_not_count() -> None:
    other = Contender("ldrps", "default", (("steps", 3),))
    (line,) = summarise(rows(other, {("a", 0): 12.0}), [OURS], [SET], "default")
    assert (line.n, line.psnr) == (0, None)


def test_bootstrap_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        interval = bootstrap(random.normal(5, 2, 30))
        inside += interval.low <= 5 <= interval.high
    assert 0.90 <= inside / 300 <= 0.98
    assert bootstrap([3.0, 3.0]).low == bootstrap([3.0, 3.0]).high == 3
    assert bootstrap([3.0, math.inf]).mean == math.inf


def test_json_is_valid_with_infinite_and_missing_values() -> None:
    for values in ({("a", 0): math.inf}, {("a", 0): "Error: no"}, {("a", 0): 10.0}):
        (line,) = summarise(rows(PLAIN, dict(values)), [PLAIN], [SET], "identity")  # type: ignore[arg-type]
        record = json.loads(json.dumps(line.record(), allow_nan=False))
        wanted = {"set", "method", "preset", "seeds", "n", "psnr_rgb", "psnr_y", "ssim_y", "lpips", "niqe"}
        assert wanted | {"seconds", "peak_mb"} <= record.keys()
    assert record["psnr_rgb"] == record["low"] == record["high"] == 10.0


def test_tables_hold_every_line_and_escape() -> None:
    lines = summarise(rows(PLAIN, {("a", 0): 10.0}), [PLAIN], [SET], "identity") + published([SET])
    heads, *body = grid(lines)
    assert [len(row) for row in body] == [len(heads)] * 2
    assert "LD-RPS (published: ICCV 2025)" in markdown(lines, SET)
    assert r"\textbf{10.00}" in latex(lines, SET), "the best of what was measured here, not of what was published"
    assert r"\textbf{17.45}" not in latex(lines, SET)


def test_no_name_makes_a_line_or_a_cell_of_its_own() -> None:
    strange = DataSet(NAME, f"{NAME} | of mine", "lol")
    contender = Contender(f'command:"a | b {NAME}"')
    (line,) = summarise([], [contender], [strange], "")
    assert_seen(line.label)
    plain = markdown([line], strange)
    assert_seen(plain)
    assert len(plain.splitlines()) == 5
    assert {row.replace("\\|", "").count("|") for row in plain.splitlines()[2:]} == {len(grid([line])[0]) + 1}
    tex = latex([line], strange)
    assert_seen(tex)
    assert r"\textbackslash{}x1b" in tex and len(tex.splitlines()) == 8
    escaped = latex([replace(line, label="\\input{x} $a^b$ ~ 5% #1 & _")], SET)
    assert r"\textbackslash{}input\{x\} \$a\textasciicircum{}b\$ \textasciitilde{} 5\% \#1 \& \_ \\" in escaped


def test_lpips_of_another_net_than_the_papers_says_so() -> None:
    for net, head in (("alex", "LPIPS"), ("squeeze", "LPIPS (squeeze; published: alex)")):
        key = Key(PLAIN.fingerprint(), "lol", "a", 0, "")
        row = Row(key, {"psnr_rgb": 10.0, "lpips": 0.2}, 1.0, details={"protocol": {"lpips": {"net": net}}})
        heads, *_ = grid(summarise([row], [PLAIN], [SET], "identity"))
        assert head in heads
