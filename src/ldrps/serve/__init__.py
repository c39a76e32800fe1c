"""The page: `ldrps serve` shows it in a browser. What it does is plain Python: start in `studio`, then `page`."""

from __future__ import annotations

from ldrps.errors import SettingsError, how_to_install


def without_gradio() -> SettingsError:
    """The error where the package is missing that the page is made with."""
    return SettingsError(f"the page needs the package gradio: {how_to_install('serve')}")
