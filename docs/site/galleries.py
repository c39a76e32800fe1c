"""The gallery: every example is run, and the pictures that it writes are shown below the block that wrote them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = ROOT / "out" / "examples"  # where examples leave their pictures
ORDER = (
    "look_at_what_was_found",
    "undo_a_part",
    "tell_the_damage",
    "make_it_larger",
    "own_degradation",
    "plug_and_play",
    "pipeline",
)


class Written:
    """A scraper of PNG files that are named as their example, which it moves to the gallery."""

    def __call__(self, block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
        """The RST that shows what a block has written, "" if nothing."""
        source = WRITTEN / f"{Path(block_vars['src_file']).stem}.png"
        if not source.is_file():
            return ""
        target = next(block_vars["image_path_iterator"])
        shutil.move(source, target)
        return figure_rst([target], gallery_conf["src_dir"])

    def __repr__(self) -> str:
        """The same in every process: the gallery is made anew where its settings change."""
        return "Written()"


def _place(name: str) -> int:
    """Where an example stands; one that is new, at the end."""
    stem = Path(name).stem
    return ORDER.index(stem) if stem in ORDER else len(ORDER)


GALLERY = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": _place,
    "image_scrapers": (Written(),),
    "reset_argv": lambda gallery, script: [str(WRITTEN)],
    "reset_modules": (),
    "remove_config_comments": True,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 1e9,  # how long it took on the machine of the site tells nobody anything
    "write_computation_times": False,
    "download_all_examples": False,
    "plot_gallery": "True",
    "abort_on_example_error": True,
}
