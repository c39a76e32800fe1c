"""Tables in Markdown and LaTeX."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from strange import NAME, assert_seen

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet
from ldrps.bench.lines import Line, published, summarise
from ldrps.bench.outcomes import Outcomes
from ldrps.bench.store import Key, Row
from ldrps.bench.tables import grid, latex, markdown

SET = DataSet("lol", "LOL & friends", "lol", published={"LD-RPS": {"psnr_rgb": 17.45, "source": "ICCV 2025"}})
PLAIN = Contender("identity")


def line(label: str = "identity", **given: Any) -> Line:
    return Line("lol", label, label, "", {"psnr_rgb": 10.0}, None, n=1, seeds=1, **given)


def test_failures_are_counted_and_shown() -> None:
    assert "| 1, 2 failed |" in markdown([line(failed=2)], SET)


def test_what_became_of_the_pictures_is_counted_and_the_worst_are_named() -> None:
    pairs = [
        line("first", outcomes=Outcomes(3, None, 2, {"a": -3.21, "b|": 0.5})),
        line("second", outcomes=Outcomes(0, None, 0)),
        *published([SET]),
    ]
    heads, *body = grid(pairs)
    assert heads.index("as given") + 1 == heads.index("worse by 0.5 dB")
    assert [row[heads.index("as given")] for row in body] == ["3", "0", ""]
    assert [row[heads.index("worse by 0.5 dB")] for row in body] == ["2", "0", ""]
    assert markdown(pairs, SET).endswith("|\n\n- first: least gained, dB: a -3.21, b| +0.50\n")
    clean = [line(outcomes=Outcomes(3, 1, None, {"a": 18.0}))]
    heads, cells = grid(clean)
    assert dict(zip(heads, cells, strict=True))["below 32 dB"] == "1" and "worse by 0.5 dB" not in heads
    assert markdown(clean, SET).endswith("- identity: most changed, dB to itself: a 18.00\n")
    assert "as given" not in grid([line()])[0], "nothing is known"


def test_tables_hold_every_line_and_escape() -> None:
    lines = [line(), *published([SET])]
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
    worst = markdown([replace(line, outcomes=Outcomes(0, None, 1, {NAME: -1.0}))], strange)
    assert_seen(worst)
    assert len(worst.splitlines()) == 7
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
