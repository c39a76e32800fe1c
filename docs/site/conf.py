"""How the site is built: `make docs`, offline, without warnings."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from galleries import GALLERY

import ldrps

project = "ldrps"
author = "The ldrps authors"
project_copyright = f"{author}. Code: Apache-2.0; weights: see their cards"
version = release = ldrps.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "beyond",
    "commands",
    "docstrings",
]
exclude_patterns = ["site"]
suppress_warnings = ["config.cache"]  # the gallery's settings hold an object
default_role = "literal"  # docstrings have single backticks, as Markdown
highlight_language = "bash"  # of blocks that name none: commands
myst_heading_anchors = 3  # as deep as pages link
sphinx_gallery_conf = GALLERY

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in ("Source", "MaskSource", "Parameter")}  # else each is all that it may be
add_module_names = False
python_maximum_signature_line_length = 88
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "ldrps"
html_sidebars: dict[str, list[str]] = {"how-it-works": []}  # there is no page below it
html_static_path = ["static"]
html_css_files = ["ldrps.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}
