"""From rows to lines: means, intervals, differences, and what became of the pictures."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet
from ldrps.bench.lines import bootstrap, summarise
from ldrps.bench.outcomes import Outcomes
from ldrps.bench.store import Key, Row

SET = DataSet("lol", "LOL", "lol")
CLEAN = DataSet("lol", "LOL, undamaged", "lol", degrade="none")
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


def test_what_became_of_the_pictures_is_in_the_line_and_its_record() -> None:
    def given(image: str, after: float, before: float, to_input: float, error: str | None = None) -> Row:
        scores = {"psnr_rgb": after, "psnr_input": before, "psnr_to_input": to_input}
        return Row(Key(PLAIN.fingerprint(), "lol", image, 0, ""), {} if error else scores, 1.0, error=error)

    stored = [given("a", 18.0, 20.0, 25.0), given("b", 20.0, 20.0, math.inf), given("c", 0, 0, 0, "ValueError: no")]
    (line,) = summarise(stored, [PLAIN], [SET], "identity")
    assert line.outcomes == Outcomes(1, None, 1, {"a": -2.0, "b": 0.0})
    stored = [given("a", 30.0, math.inf, 30.0), given("b", math.inf, math.inf, math.inf)]
    (line,) = summarise(stored, [PLAIN], [CLEAN], "identity")
    assert line.outcomes == Outcomes(1, 1, None, {"a": 30.0})
    (line,) = summarise(stored, [PLAIN], [SET], "identity")
    record = json.loads(json.dumps(line.record(), allow_nan=False))
    assert [record[name] for name in ("as_given", "far", "worse", "worst")] == [1, None, 1, {"a": "-inf", "b": 0.0}]
