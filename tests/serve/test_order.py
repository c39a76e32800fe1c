from __future__ import annotations

import pytest

from ldrps.errors import SettingsError
from ldrps.serve.order import Order, quick_presets


def test_settings_are_those_of_the_preset_with_the_visitors_own() -> None:
    settings = Order("fast", seed=7, recurrences=2).settings()
    assert (settings.preset, settings.seed, settings.recurrences, settings.steps) == ("fast", 7, 2, 1)
    assert Order(scale=3.0).settings().scale == 3 and settings.scale == 1
    for order in (
        Order("fog"),
        Order(scale=0.5),
        Order("ldrps", scale=2.0),
        Order(seed=-1),
        Order(recurrences=1000),
        Order(caption="x" * 501),
    ):
        with pytest.raises(SettingsError):
            order.settings()


@pytest.mark.parametrize("words", ["openai:gpt", "file:/etc", "transformers:x", "auto", "a boat"])
def test_a_visitors_words_never_name_a_service(words: str) -> None:
    assert Order(caption=words).captioner() == f"text:{words}"


def test_nobody_or_the_packaged_tagger_is_asked() -> None:
    assert (Order().captioner(), Order(caption="offline").captioner()) == ("", "offline")


def test_quick_presets() -> None:
    assert quick_presets()[0] == "default"
    assert not any(name.startswith("paper") for name in quick_presets())
