"""How results look: before and after, what was found with a switch and a slider each, and all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ldrps.serve.look import embedded, in_short, text
from ldrps.serve.task import UploadOutcome
from ldrps.settings import Strengths

_TITLES = {"tone": "Light and colour", "blur": "Blur", "noise": "Noise and grain", "holes": "What is lost"}
_MOST = 200  # per cent of what was found, on a slider; the command line goes to 400
_STEP = 5

Where = Callable[..., str]  # the address of a file, and of one that is downloaded under a name


def compare(outcome: UploadOutcome, where: Where, after: bytes | None = None) -> str:
    """Before and after, one upon the other, with a line between them that is a slider; `after` is a JPEG, if it is not
    the result.
    """
    assert outcome.upload is not None and outcome.after is not None and outcome.file is not None
    width, height = outcome.upload.size
    name = text(outcome.name)
    source = embedded(after) if after is not None else where(outcome.after)
    marks = f'<img class="marks" src="{where(outcome.marks)}" alt="What was marked" hidden>' if outcome.marks else ""
    show = '<button type="button" data-do="marks" aria-pressed="false">Show the marks</button>' if marks else ""
    draw = f'<button type="button" data-do="draw">{"Change the marks" if marks else "Draw over it"}</button>'
    scale = outcome.order.scale
    return (
        f'<figure class="compare"><div class="pair" style="--ratio: {width / height:.5f}">'
        f'<img class="before" src="{where(outcome.before)}" alt="Before: {name}">'
        f'<img class="after" src="{source}" alt="After: {name}">{marks}'
        '<input type="range" min="0" max="100" value="50" aria-label="Line between before and after">'
        '<span class="line" aria-hidden="true"></span><span class="tag">before</span><span class="tag end">after</span>'
        f"</div><figcaption><span>{name}, {round(scale * width)} x {round(scale * height)}</span>"
        f'{show}{draw}<button type="button" data-do="large">Full screen</button>'
        f'<a id="download" class="download" href="{where(outcome.file, outcome.name)}" download>Download</a>'
        "</figcaption></figure>"
    )


def findings(outcome: UploadOutcome) -> str:
    """What was found, part by part, each with a switch and, where it can be undone in part, a slider; and what may be
    wrong and was left, with a switch that has it undone.
    """
    if not outcome.parts and not outcome.doubt:
        said = outcome.words or "nothing that this way of restoring looks for"
        return f'<div class="findings"><h2>What was found</h2><p>{text(said)}</p></div>'
    rows = "".join(_row(outcome, part, words) for part, words in outcome.parts.items())
    rows += _finding("suspects", _TITLES["tone"], outcome.doubt) if outcome.doubt else ""
    found = ", ".join(outcome.parts.values())
    told = {found, outcome.doubt}
    more = "; ".join(each for each in outcome.words.split("; ") if each not in told)
    rest = f'<p class="quiet">{text(more)}</p>' if more and outcome.order.strengths == Strengths() else ""
    caption = f'<p class="quiet">Words: {text(outcome.caption)}</p>' if outcome.caption else ""
    return (
        f'<div class="findings" role="group" aria-label="What was found" data-number="{outcome.number}">'
        f"<h2>What was found</h2>{rows}{rest}{caption}</div>"
    )


def _row(outcome: UploadOutcome, part: str, words: str) -> str:
    """A part of the damage, with what was found of it, and how much of that is undone."""
    title = _TITLES[part]
    if part == "holes":
        is_on, slider = outcome.filled, ""
    else:
        strength = getattr(outcome.order.strengths, part)
        percent = 100 if strength is None else round(100 * strength)
        is_on = percent > 0
        slider = (
            f'<input type="range" data-part="{part}" min="0" max="{_MOST}" step="{_STEP}" value="{percent}" '
            f'aria-label="How much of it is undone, in per cent: {title}"><output>{percent}%</output>'
        )
    return _finding(part, title, words, is_on=is_on, slider=slider)


def _finding(switch: str, title: str, words: str, *, is_on: bool = False, slider: str = "") -> str:
    checked = " checked" if is_on else ""
    return (
        f'<div class="finding"><label><input type="checkbox" data-switch="{switch}"{checked}>'
        f"<span>{title}</span></label>{slider}<small>{text(words)}</small></div>"
    )


def gallery(history: Sequence[UploadOutcome], shown: UploadOutcome | None, where: Where) -> str:
    """All results of a visit side by side, the latest first: the left half of each as it was."""
    cards = "".join(_card(outcome, outcome is shown, where) for outcome in history)
    return f'<div class="gallery"><h2>Your pictures</h2><ul>{cards}</ul></div>'


def _card(outcome: UploadOutcome, is_shown: bool, where: Where) -> str:
    pressed = "true" if is_shown else "false"
    before, after = (_image(path, where) for path in (outcome.before, outcome.after))
    return (
        f'<li><button type="button" data-number="{outcome.number}" aria-pressed="{pressed}">'
        f'<span class="halves">{before}{after}</span><span class="name">{text(outcome.name)}</span>'
        f"<small>{text(in_short(outcome.order))}</small></button></li>"
    )


def _image(path: Path | None, where: Where) -> str:
    return "" if path is None else f'<img src="{where(path)}" alt="" loading="lazy">'
