"""The options of the command line: from the settings' own fields, shown in panels, none without effect in silence."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args

import pytest
from conftest import Run, noisy
from PIL import Image
from typer.models import OptionInfo

from ldrps import PRESETS
from ldrps.cli.generated import SettingOptions, shown_settings
from ldrps.cli.grouped import Group, names_of
from ldrps.cli.methods import OtherMethodOptions
from ldrps.cli.restore import OF_LDRPS, restore
from ldrps.settings import Panel, option_name

OPTIONS = {
    name: info
    for name, each in inspect.signature(restore).parameters.items()
    for info in get_args(each.annotation)
    if isinstance(info, OptionInfo)
}
COMMANDS = [
    *("restore", "serve", "info", "doctor", "train", "degrade", "bench", "methods"),
    *("prior", "prior evaluate", "prior export"),
]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "noisy.png"
    Image.fromarray(noisy()).save(path)
    return path


@pytest.mark.parametrize("words", ["", *COMMANDS])
@pytest.mark.parametrize("asking", ["-h", "--help"])
def test_help(words: str, asking: str, command: Run) -> None:
    code, told, _ = command(*words.split(), asking)
    assert code == 0 and "Usage: " in told
    assert "<bool>" not in told and re.search(r"--help +-h ", told)


def test_panels_are_in_their_order(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    told = command("restore", "--help")[1]
    places = [told.index(f"─ {panel.value} ─") for panel in Panel]
    assert places == sorted(places)
    assert places[-1] < told.index("--seed "), "what only experts want is at the end"
    assert places[0] < told.index("--out ") < places[1] < told.index("--scale ") < places[2] < told.index("--strength ")


def test_help_bounds_and_defaults_are_those_of_the_settings() -> None:
    for name, shown in shown_settings().items():
        info, panel = OPTIONS[name], shown.shown.panel
        assert info.default == option_name(name) and info.rich_help_panel == panel.value
        assert info.help and info.help.startswith(shown.shown.help.removesuffix("."))
        assert shown.within is None or shown.within.words() in info.help
        assert inspect.signature(restore).parameters[name].default in (None, False)
    assert "; 512 if not given" in (OPTIONS["tile"].help or "")
    assert "; else as the preset has it, 2)" in (OPTIONS["steps"].help or "")


@pytest.mark.parametrize("name", sorted(names_of(OF_LDRPS) - {"seed", "steps", "device"}))
def test_no_option_of_ldrps_is_let_pass_with_another_method(name: str, command: Run, picture: Path) -> None:
    spelt = (OPTIONS[name].default, *(OPTIONS[name].param_decls or ()))
    long = next((each for each in spelt if isinstance(each, str) and each.startswith("--")), option_name(name))
    is_flag = inspect.signature(restore).parameters[name].default is False
    words = [long] if is_flag else [long, "1"]
    code, _, err = command("restore", picture, "-o", picture.parent / "a.png", "--method", "yoly", *words)
    assert code == 2 and f"{long}: of ldrps alone, not of yoly" in " ".join(err.split())


@pytest.mark.parametrize("name", sorted(names_of([OtherMethodOptions])))
def test_no_option_of_another_method_is_let_pass_with_ldrps(name: str, command: Run, picture: Path) -> None:
    long = {"set_": "--set"}.get(name, f"--{name}")
    code, _, err = command("restore", picture, "-o", picture.parent / "a.png", long, "steps=1")
    assert code == 2 and "give --method as well" in " ".join(err.split())


WITHOUT_EFFECT = [
    ("--caption-timeout 3", "--caption-timeout is about captions of auto, openai"),
    ("--caption-url http://x --caption words", "--caption-url is about captions of auto, openai"),
    ("--caption-prompt what? --caption offline", "--caption-prompt is about captions of auto, openai, transformers"),
    ("--no-caption-cache --caption file", "--no-caption-cache is about captions of"),
    ("--caption-required", "--caption-required is about captions of auto, file"),
    ("--recaption --caption words", "--recaption is about captions of"),
    ("--recaption --caption file", "--recaption is about captions of"),
    ("--recaption --caption offline", "give --recurrences 1 or more"),
    ("--relight 1", "give --caption"),
    ("--relight 1 --caption none", "give --caption"),
    ("--negative snow", "--negative changes nothing, as only --colorize and the paper's presets"),
    ("--tile 256 --preset paper-denoising", "--tile changes nothing"),
    ("--tile 256 --overlap 32 --working-size 128", "--tile changes nothing, as one window holds"),
    ("--noise 5 --skip noise", "--noise changes nothing, as noise is left as it is"),
    ("--undamaged 0.5 --only noise,blur", "--undamaged changes nothing, as tone is left as it is"),
    ("--noise 5 --preset paper-lowlight", "has no setting '--noise'"),
    ("--steps 4 --scale 2", "--steps changes nothing"),
    ("--perceptual noisy.png", "preset 'default' has no such terms"),
    ("--quality 80", "--quality is of JPEG, WEBP, AVIF, and no result is one"),
    ("--quality 80 --dry-run", "--quality is of JPEG, WEBP, AVIF, and no result is one"),
    ("--include *.png", "are about folders, and none is given"),
]


@pytest.mark.parametrize(("words", "told"), WITHOUT_EFFECT, ids=lambda value: value[:50])
def test_what_would_change_nothing_is_refused(
    words: str, told: str, command: Run, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture.parent)
    monkeypatch.setattr("ldrps.run.recipe.Recipe.build", None)
    code, out, err = command("restore", "noisy.png", "-o", "a.png", *words.split())
    assert (code, out) == (2, "") and told in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize("preset", [*PRESETS])
def test_what_a_preset_cannot_is_refused_in_the_words_of_the_command_line(
    preset: str, command: Run, picture: Path
) -> None:
    """Each setting that is shown is taken or refused by each preset, and never by a name of Python's."""
    values = {int: "64", float: "0.5", float | None: "0.5", str: "words"}
    for name, shown in shown_settings().items():
        spelt = option_name(name)
        words = [spelt] if shown.kind is bool else [spelt, "2" if name == "scale" else values[shown.kind]]
        code, _, err = command(
            "restore", picture, "-o", picture.parent / "a.png", "--preset", preset, *words, "--dry-run"
        )
        said = " ".join(err.replace("│", " ").split())
        assert code == 0 or (code == 2 and spelt in said), said
        assert code == 0 or not re.search(rf"(?<!-)\b{name} (is|changes)\b", said), said


def test_a_colour_picture_that_is_to_be_coloured_is_told(
    command: Run, picture: Path, tiny_prior_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["restore", picture, "-o", picture.parent / "a.png", "--prior", tiny_prior_folder, "--colorize", "--trace"]
    code, _, err = command(*words)
    assert (code, err) == (0, f"ldrps: {picture}: it is no grey picture, and was given no colours\n")
    assert "it is no grey picture" in (picture.parent / "a.png.json").read_text()
    Image.open(picture).convert("L").save(picture)
    assert command(*words, "--force")[::2] == (0, "")


def test_light_that_no_caption_asks_for_is_told(command: Run, picture: Path, tiny_prior_folder: Path) -> None:
    words = ["restore", picture, "-o", picture.parent / "a.png", "--prior", tiny_prior_folder, "--relight", 1]
    code, _, err = command(*words, "--caption", "a bright room")
    assert code == 0 and "the light was left as it is, as" in err and "knows no text" in err


def test_a_group_stands_for_its_options_in_the_order_of_their_panels() -> None:
    assert all(issubclass(group, Group) and group.of_ldrps for group in OF_LDRPS)
    assert "changes" not in OPTIONS and {each.name for each in SettingOptions.options()} <= OPTIONS.keys()
    panels = [
        list(map(str, [panel.value for panel in Panel])).index(str(info.rich_help_panel)) for info in OPTIONS.values()
    ]
    assert panels == sorted(panels)
