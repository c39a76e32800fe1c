"""Errors: the same in Python and on the command line, but for the remedy, and through pipes between processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ldrps.errors import InputError, LdrpsError, OutputError, PriorError, SettingsError
from ldrps.image.files import taken
from ldrps.image.limits import refuse_large


@pytest.mark.parametrize("kind", [LdrpsError, InputError, OutputError, PriorError, SettingsError])
def test_both_messages_survive_a_pipe(kind: type[LdrpsError]) -> None:
    for error, told in ((kind("said"), "said"), (kind("said", on_command_line="told"), "told")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (str(again), again.on_command_line) == ("said", told)


def test_each_names_its_own_remedy() -> None:
    error: LdrpsError = taken(Path("a.png"))
    assert str(error) == "a.png exists: give overwrite=True to replace it"
    assert error.on_command_line == "a.png exists: give --force to replace it"
    with pytest.raises(InputError) as refused:
        refuse_large("a.png", 40, 50, 1999)
    assert str(refused.value).endswith("allow it with max_pixels=2000")
    assert refused.value.on_command_line.endswith("allow it with --max-pixels 2000")
