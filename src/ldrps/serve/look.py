"""How the page looks: its style, and the pieces of HTML that tell what is going on. All text is escaped here."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.printable import printable
from ldrps.serve.limits import MIB, Limits
from ldrps.serve.order import Order
from ldrps.serve.task import Snapshot, Upload

if TYPE_CHECKING:
    import gradio as gr

STYLE = Path(__file__).with_name("style.css")
_SCRIPTS = [Path(__file__).with_name(f"{name}.js") for name in ("page", "brush", "focus")]

HEADER = """<header class="masthead"><h1>Restore a photograph</h1>
<p>Dark, hazy, noisy, blurred, or some of each: it finds out by itself, and shows what it found. Scratches it looks for
when asked; what is torn or hidden you can draw over. It does not take away rain.</p></header>"""

_DRAW = "Drawing over the picture. Arrow keys move the brush, the space bar draws; with Shift, the arrow keys draw."
_BRUSH = """<summary>Draw over what is lost, or what must stay</summary>
<div role="group" aria-label="Brush">
<button type="button" data-brush="lost" aria-pressed="true">Lost: fill it</button>
<button type="button" data-brush="kept" aria-pressed="false">Keep as it is</button>
<button type="button" data-brush="erase" aria-pressed="false">Eraser</button>
<button type="button" data-brush="clear">Nothing drawn</button>
<label>Width <input type="range" min="1" max="100" value="16" data-brush-width></label>
</div><p class="quiet">With mouse or finger; or go to the picture with Tab: arrow keys move, the space bar draws, Shift
and an arrow key draw a line.</p>"""

_STRIP = 6  # chosen pictures that are shown; the rest are counted


def theme() -> gr.themes.Base:
    """Quiet greys and the system's own fonts, so that nothing is fetched from elsewhere."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.stone,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
        radius_size=gr.themes.sizes.radius_md,
    ).set(
        button_primary_background_fill="*neutral_800",
        button_primary_background_fill_hover="*neutral_700",
        button_primary_text_color="white",
        button_primary_background_fill_dark="*neutral_100",
        button_primary_background_fill_hover_dark="*neutral_300",
        button_primary_text_color_dark="*neutral_900",
        block_border_width="0px",
        block_shadow="none",
        block_background_fill="*neutral_50",
        block_background_fill_dark="*neutral_900",
        input_background_fill="white",
        input_background_fill_dark="*neutral_800",
        input_border_width="1px",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
    )


def script() -> str:
    """What the page does in the browser, as one function."""
    return "() => {" + "".join(f"({path.read_text(encoding='utf-8').strip()})();" for path in _SCRIPTS) + "}"


def notice(limits: Limits, terms: str) -> str:
    """What is taken, and what becomes of it; and the terms under which the weights are."""
    return (
        f'<p class="quiet">Up to {limits.pictures} pictures of {limits.upload / MIB:.4g} MiB and '
        f"{limits.pixels / 1e6:.4g} million pixels each. They stay on the machine that serves this page, nobody else "
        f"sees them, and they are deleted {duration(limits.away)} after you close it.</p>"
        + (f'<p class="quiet">{text(terms)}</p>' if terms else "")
    )


def chosen(uploads: Sequence[Upload], *, brush: bool = False, is_open: bool = False, marks: str = "") -> str:
    """The pictures that will be restored: several as a strip, one large.

    Args:
        uploads: which.
        brush: whether one can be drawn over.
        is_open: whether somebody is about to.
        marks: the address of what is drawn over it to begin with.
    """
    if not uploads:
        return ""
    first = uploads[0]
    if len(uploads) == 1:
        size = f"{text(first.name)}, {first.size[0]} x {first.size[1]}"
        tools = f'<details class="brush"{" open" if is_open else ""}>{_BRUSH}</details>' if brush else ""
        canvas = f'<canvas tabindex="0" role="application" aria-label="{_DRAW}" data-marks="{marks}"></canvas>'
        over = f'{canvas}<span class="aim" aria-hidden="true" hidden></span>' if brush else ""
        ratio = f"--ratio: {first.size[0] / first.size[1]:.5f}"
        return (
            f'<figure class="stage">{tools}<div class="paper" style="{ratio}">{_image(first)}{over}</div>'
            f"<figcaption>{size}</figcaption></figure>"
        )
    shown = "".join(_image(each) for each in uploads[:_STRIP])
    more = f"<span>and {len(uploads) - _STRIP} more</span>" if len(uploads) > _STRIP else ""
    count = f"<figcaption>{len(uploads)} pictures</figcaption>"
    return f'<figure class="stage"><div class="strip">{shown}{more}</div>{count}</figure>'


def _image(upload: Upload) -> str:
    return f'<img src="{embedded(upload.shown.read_bytes())}" alt="{text(upload.name)}">'


def running(snapshot: Snapshot, uploads: Sequence[Upload]) -> str:
    """The picture as it is by now."""
    upload = uploads[max(0, snapshot.picture - 1)]
    data = snapshot.preview or upload.shown.read_bytes()
    alt = f"{upload.name} after step {snapshot.step} of {snapshot.steps}" if snapshot.steps else upload.name
    ratio = f"--ratio: {upload.size[0] / upload.size[1]:.5f}"
    image = f'<img src="{embedded(data)}" alt="{text(alt)}">'
    return f'<figure class="stage"><div class="paper" style="{ratio}">{image}</div></figure>'


def progress(snapshot: Snapshot, ahead: int, count: int, stopping: bool) -> str:
    """Where a run is, in a line."""
    if stopping:
        return "Stopping after this step"
    if not snapshot.started:
        return "Starting" if not ahead else f"Waiting: {ahead} {'request' if ahead == 1 else 'requests'} ahead of yours"
    parts = [f"Picture {snapshot.picture} of {count}"] if count > 1 else []
    parts.append(f"step {snapshot.step} of {snapshot.steps}" if snapshot.steps else "looking at it")
    if snapshot.seconds_left is not None:
        parts.append(f"about {duration(snapshot.seconds_left)} left")
    line = ", ".join(parts)
    return line[0].upper() + line[1:]


def finished(snapshot: Snapshot, count: int) -> str:
    """How a run ended, in a line."""
    good = sum(1 for outcome in snapshot.outcomes if outcome.file)
    if snapshot.stopped:
        return f"Stopped: {good} of {count} done" if good else "Stopped"
    if len(snapshot.outcomes) < count:
        return "This failed, for a reason that the server's log tells: try again"
    failed = count - good
    seconds = sum(outcome.seconds for outcome in snapshot.outcomes)
    if not failed:
        return f"Done in {duration(seconds)}"
    return f"{good} of {count} restored in {duration(seconds)}" if good else "Nothing could be restored"


def status(line: str) -> str:
    """A line that screen readers speak when it changes."""
    return f'<p class="status" role="status" aria-live="polite">{text(line)}</p>'


def bar(done: float, elapsed: float) -> str:
    """How much is done, 0 to 1, and for how long it has been going on."""
    for_how_long = f"{duration(elapsed)} so far" if elapsed >= 1 else ""
    return (
        f'<progress aria-label="Progress" max="1" value="{done:.3f}"></progress>'
        f'<span class="quiet">{for_how_long}</span>'
    )


def refusals(reasons: Sequence[str]) -> str:
    """Why something was refused, a paragraph for each reason; "" for none."""
    if not reasons:
        return ""
    lines = "".join(f"<p>{text(reason)}.</p>" for reason in reasons)
    return f'<div class="refusal" role="alert">{lines}</div>'


def in_short(order: Order) -> str:
    """Settings in a few words."""
    again = f", {order.recurrences} recurrences" if order.recurrences else ""
    larger = f", {order.scale:g} times as large" if order.scale != 1 else ""
    seed = f", seed {order.seed}" if order.seed else ""
    return f"{order.preset}{seed}{again}{larger}"


def duration(seconds: float) -> str:
    """Such as "4 s", "3 min" or "2 h 5 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def text(given: str) -> str:
    """A text as what it says, whatever is in it, between tags and in attributes."""
    return html.escape(printable(given), quote=True)


def embedded(jpeg: bytes) -> str:
    """A picture inside the page: it needs no file that others could ask the server for."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
