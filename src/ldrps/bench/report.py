"""A page for people: tables, plots, and strips of pictures with a detail of each."""

from __future__ import annotations

import hashlib
import html
import logging
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet, Pair
from ldrps.bench.inputs import prepare
from ldrps.bench.lines import Line
from ldrps.bench.plots import psnr_against_seconds, psnr_by_image, psnr_by_setting
from ldrps.bench.runner import picture_path
from ldrps.bench.store import Row
from ldrps.bench.tables import grid, worst_words
from ldrps.errors import InputError
from ldrps.image.files import write_text
from ldrps.printable import printable

logger = logging.getLogger(__name__)

DETAIL = 64  # pixels a side of the zoomed detail
SHOWN = 220  # pixels on the page
_LONGEST = 200  # bytes of a name: with a suffix it fits into any file system
_STYLE = f"""
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }}
table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }}
th, td {{ padding: .2rem .7rem; text-align: right; white-space: nowrap }}
th:first-child, td:first-child {{ text-align: left }} tr:nth-child(even) {{ background: #f4f4f4 }}
th {{ border-bottom: 2px solid #888 }} td {{ font-variant-numeric: tabular-nums }}
.strip {{ display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 1.6rem }}
figure {{ margin: 0; flex: none; max-width: {SHOWN + 60}px }}
figure > img {{ display: block; height: {SHOWN}px }}
.detail {{ position: relative; width: {SHOWN}px; height: {SHOWN}px; overflow: hidden; margin-top: 4px }}
.detail img {{ position: absolute; image-rendering: pixelated }}
figcaption {{ font-size: 12px }} h3 {{ margin: 1rem 0 .3rem }} .plots img {{ max-width: 48% }}
"""


@dataclass(frozen=True)
class Shown:
    """What the page shows: rows of seed 0 by contender, set and picture, and how they came about."""

    contenders: Sequence[Contender]
    sets: Sequence[tuple[DataSet, Sequence[Pair]]]
    rows: Mapping[tuple[str, str, str], Row]
    lines: Sequence[Line]
    pictures: Path
    command: str


def write_report(shown: Shown, folder: Path) -> Path:
    """Write `index.html` with its pictures and plots into a folder, and return its path."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    parts = ["<h1>Benchmark</h1>", f"<p><code>{_text(shown.command)}</code></p>"]
    for dataset, pairs in shown.sets:
        lines = [line for line in shown.lines if line.dataset == dataset.name]
        name, title = _text(dataset.name), _text(dataset.title)
        parts.append(f'<h2 id="{name}">{name}: {title}</h2>')
        parts.append(_table(lines))
        plots = [
            *psnr_by_setting(lines, folder, dataset.name),
            psnr_against_seconds(lines, folder, dataset.name),
            psnr_by_image(lines, folder, dataset.name),
        ]
        images = "".join(_plot(path) for path in plots if path is not None)
        parts.append(f'<div class="plots">{images}</div>')
        parts += [_strip(shown, dataset, pair, folder) for pair in _worst_first(lines, pairs)]
    body = "\n".join(parts)
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>ldrps benchmark</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
    index = folder / "index.html"
    write_text(index, page)
    return index


def _worst_first(lines: Sequence[Line], pairs: Sequence[Pair]) -> list[Pair]:
    """By the PSNR of ldrps (of the first contender, if it is not among them), so that its failures are seen first."""
    measured = [line for line in lines if line.per_image]
    ours = [line for line in measured if line.preset]
    first = [*ours, *measured][0].per_image if measured else {}
    return sorted(pairs, key=lambda pair: first.get(pair.name, -math.inf))


def _strip(shown: Shown, dataset: DataSet, pair: Pair, folder: Path) -> str:
    head = f"<h3>{_text(pair.name)}</h3>\n"
    try:
        damaged, truth = prepare(dataset, pair)
    except InputError as error:
        return f"{head}<p>{_text(str(error))}</p>"
    box = _detail(truth or damaged)
    stem = _stem(f"{dataset.name}_{pair.name}")
    figures = [_figure(_kept(damaged, folder, f"{stem}_input"), damaged.size, "input", box)]
    for number, contender in enumerate(shown.contenders):
        row = shown.rows.get((contender.fingerprint(), dataset.name, pair.name))
        if row is not None:
            figures.append(_restored(row, contender.label, shown.pictures, folder, f"{stem}_{number}", box))
    if truth is not None:
        figures.append(_figure(_kept(truth, folder, f"{stem}_clean"), truth.size, "clean", box))
    return f'{head}<div class="strip">{"".join(figures)}</div>'


def _restored(row: Row, label: str, pictures: Path, folder: Path, name: str, box: tuple[int, int]) -> str:
    """The figure of a row, or why there is none; "" for one whose picture was deleted."""
    if row.error is not None:
        return f"<figure>{_caption(f'{label}: {row.error}')}</figure>"
    path = picture_path(pictures, row.key)
    if not path.is_file():
        logger.warning("%s is gone: the page does not show %s on %s", path, label, row.key.image)
        return ""
    with Image.open(path) as result:
        size = result.size
    shutil.copyfile(path, folder / "pictures" / f"{name}.png")
    return _figure(name, size, f"{label}: {_figures(row)}", box)


def _text(text: str) -> str:
    """A text as what it says, whatever is in it, between tags and in attributes."""
    return html.escape(printable(text), quote=True)


def _stem(name: str) -> str:
    """A name as a file's: of one that cannot be a file's, what can, and a hash, so that no two are the same."""
    safe = re.sub(r"[^\w.-]", "_", name).encode()[:_LONGEST].decode(errors="ignore")
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _plot(path: Path) -> str:
    return f'<img src="{quote(path.name)}" alt="{_text(path.stem)}">'


def _kept(image: Image.Image, folder: Path, name: str) -> str:
    image.convert("RGB").save(folder / "pictures" / f"{name}.png", compress_level=1)
    return name


def _figure(name: str, size: tuple[int, int], caption: str, box: tuple[int, int]) -> str:
    """A picture, the detail at `box` enlarged under it, and its caption."""
    left, top = (-SHOWN / DETAIL * place for place in box)
    zoomed = f"left: {left:.0f}px; top: {top:.0f}px; width: {size[0] * SHOWN / DETAIL:.0f}px"
    image = f'<img loading="lazy" src="pictures/{quote(name)}.png" alt="{_text(caption)}"'
    return f'<figure>{image}><div class="detail">{image} style="{zoomed}"></div>{_caption(caption)}</figure>'


def _caption(text: str) -> str:
    return f"<figcaption>{_text(text)}</figcaption>"


def _figures(row: Row) -> str:
    shown = [("psnr_rgb", "{:.2f} dB"), ("ssim_y", "{:.3f}"), ("lpips", "LPIPS {:.3f}")]
    return ", ".join(text.format(row.scores[name]) for name, text in shown if name in row.scores)


def _detail(image: Image.Image) -> tuple[int, int]:
    """Left and top of the square with the most structure, where methods differ most."""
    grey: NDArray[np.float64] = np.asarray(image.convert("L"), dtype=np.float64)
    energy = np.abs(np.diff(grey, axis=0, prepend=0)) + np.abs(np.diff(grey, axis=1, prepend=0))
    step = DETAIL // 2
    tops, lefts = range(0, max(1, grey.shape[0] - DETAIL), step), range(0, max(1, grey.shape[1] - DETAIL), step)
    places = [(left, top) for top in tops for left in lefts]
    return max(places, key=lambda place: energy[place[1] : place[1] + DETAIL, place[0] : place[0] + DETAIL].sum())


def _table(lines: Sequence[Line]) -> str:
    heads, *body = grid(lines)
    rows = ["".join(f"<th>{_text(head)}</th>" for head in heads)]
    rows += ["".join(f"<td>{_text(cell)}</td>" for cell in row) for row in body]
    worst = "".join(f"<li>{_text(words)}</li>" for words in map(worst_words, lines) if words)
    table = "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    return f"{table}<ul>{worst}</ul>" if worst else table
