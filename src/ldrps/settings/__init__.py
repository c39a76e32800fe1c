"""Every number of a restoration, as frozen dataclasses."""

from ldrps.settings.blind import ENLARGING, BlindSettings, Filling, LdrpsSettings, Loop, Splitting
from ldrps.settings.changes import changed
from ldrps.settings.method import MAX_STRENGTH, PARTS, MethodSettings, Strengths, again
from ldrps.settings.named import NamedSettings, check_names
from ldrps.settings.published import Alignment, Guidance, PublishedSettings, Until
from ldrps.settings.shown import Option, Panel, Shown, Within, option_name, options_of, refused
from ldrps.settings.whole import MAX_SCALE, Settings

__all__ = [
    "ENLARGING",
    "MAX_SCALE",
    "MAX_STRENGTH",
    "PARTS",
    "Alignment",
    "BlindSettings",
    "Filling",
    "Guidance",
    "LdrpsSettings",
    "Loop",
    "MethodSettings",
    "NamedSettings",
    "Option",
    "Panel",
    "PublishedSettings",
    "Settings",
    "Shown",
    "Splitting",
    "Strengths",
    "Until",
    "Within",
    "again",
    "changed",
    "check_names",
    "option_name",
    "options_of",
    "refused",
]
