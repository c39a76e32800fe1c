from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, Run


def test_a_login_that_cannot_be_is_refused_and_not_repeated(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, words in (({}, ("--auth", "hunter2")), ({"LDRPS_AUTH": "hunter2"}, ())):
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        code, _, err = command("serve", *words)
        assert code == 2
        assert "USER:PASSWORD" in err
        assert "hunter2" not in err


def test_without_gradio_it_says_how_to_get_it(
    command: Run, tiny_prior_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    code, _, err = command("serve", "--prior", tiny_prior_folder, "--host", "0.0.0.0")
    assert code == 2
    assert "pip install '.[serve]' in the checkout of ldrps" in err
    assert "anyone who can reach 0.0.0.0" in err


def test_help_loads_neither_torch_nor_gradio() -> None:
    program = (
        "import sys; sys.argv = ['ldrps', 'serve', '--help']\nfrom ldrps.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.stderr.write(' '.join(sorted({'torch', 'gradio', 'numpy', 'PIL'} & set(sys.modules))))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stderr == ""


@pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="needs the packages of the extra serve")
def test_it_ends_in_order_and_leaves_nothing(tiny_prior_folder: Path, tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--prior", str(tiny_prior_folder)]
    environment = os.environ | {"TMPDIR": str(tmp_path), "LDRPS_AUTH": "ann:hunter2"}
    command = [sys.executable, "-m", "ldrps", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "the page is at" in line)
        assert "http://127.0.0.1:" in line
        assert any(tmp_path.iterdir())
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert "hunter2" not in line + rest and "Traceback" not in rest
    assert list(tmp_path.glob("ldrps-serve-*")) == []
