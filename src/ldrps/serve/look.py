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
from ldrps.serve.task import Snapshot, Upload, UploadOutcome

if TYPE_CHECKING:
    import gradio as gr

STYLE = Path(__file__).with_name("style.css")
SCRIPT = Path(__file__).with_name("slider.js")

HEADER = """<header class="masthead"><h1>Restore a photograph</h1>
<p>Dark, hazy, noisy, blurred, or some of each: it finds out by itself, and makes it larger if you say so.
It does not fill holes or take away rain.</p></header>"""

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


def notice(limits: Limits) -> str:
    """What is taken, and what becomes of it."""
    return (
        f'<p class="quiet">Up to {limits.pictures} pictures of {limits.upload / MIB:.4g} MiB and '
        f"{limits.pixels / 1e6:.4g} million pixels each. They stay on the machine that serves this page, nobody else "
        "sees them, and they are deleted when you close it.</p>"
    )


def chosen(uploads: Sequence[Upload]) -> str:
    """The pictures that will be restored; one is shown large, several as a strip."""
    if not uploads:
        return ""
    shown = "".join(
        f'<img src="{_embedded(each.shown.read_bytes())}" alt="{_text(each.name)}">' for each in uploads[:_STRIP]
    )
    more = f"<span>and {len(uploads) - _STRIP} more</span>" if len(uploads) > _STRIP else ""
    kind = "one" if len(uploads) == 1 else "strip"
    first = uploads[0]
    caption = (
        f"{_text(first.name)}, {first.size[0]} x {first.size[1]}" if len(uploads) == 1 else f"{len(uploads)} pictures"
    )
    return f'<figure class="stage {kind}"><div>{shown}{more}</div><figcaption>{caption}</figcaption></figure>'


def running(snapshot: Snapshot, uploads: Sequence[Upload]) -> str:
    """The picture as it is by now, and a bar."""
    upload = uploads[max(0, snapshot.picture - 1)]
    data = snapshot.preview or upload.shown.read_bytes()
    done = (max(0, snapshot.picture - 1) + snapshot.step / max(1, snapshot.steps)) / len(uploads)
    alt = f"{upload.name} after step {snapshot.step} of {snapshot.steps}"
    value = f' value="{done:.3f}"' if snapshot.started else ""
    return (
        f'<figure class="stage one"><div><img src="{_embedded(data)}" alt="{_text(alt)}"></div>'
        f'<progress aria-label="Progress" max="1"{value}></progress></figure>'
    )


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
    text = ", ".join(parts)
    return text[0].upper() + text[1:]


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


def status(text: str) -> str:
    """A line that screen readers speak when it changes."""
    return f'<p class="status" role="status" aria-live="polite">{_text(text)}</p>'


def refusals(reasons: Sequence[str]) -> str:
    """Why something was refused, a paragraph for each reason; "" for none."""
    if not reasons:
        return ""
    lines = "".join(f"<p>{_text(reason)}.</p>" for reason in reasons)
    return f'<div class="refusal" role="alert">{lines}</div>'


def details(outcome: UploadOutcome) -> str:
    """What was found out about a restored picture, and what was used."""
    facts = [("Found", outcome.words or "nothing that this preset looks for")]
    if outcome.caption:
        facts.append(("Caption", outcome.caption))
    facts.append(("Settings", in_short(outcome.order)))
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts)
    return f'<dl class="details">{rows}</dl>'


def in_short(order: Order) -> str:
    """Settings in a few words."""
    again = f", {order.recurrences} recurrences" if order.recurrences else ""
    larger = f", {order.scale:g} times as large" if order.scale != 1 else ""
    return f"{order.preset}, seed {order.seed}{again}{larger}"


def duration(seconds: float) -> str:
    """Such as "4 s", "3 min" or "2 h 5 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _text(text: str) -> str:
    """A text as what it says, whatever is in it, between tags and in attributes."""
    return html.escape(printable(text), quote=True)


def _embedded(jpeg: bytes) -> str:
    """A picture inside the page: it needs no file that others could ask the server for."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
