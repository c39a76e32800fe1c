"""The Pythons and systems that the project names are the same wherever it names them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import ldrps

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]


def named(project: dict[str, Any]) -> list[str]:
    """The Pythons among the classifiers."""
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(project["classifiers"]))


def test_the_matrix_is_of_the_pythons_that_are_named(project: dict[str, Any], jobs: dict[str, Any]) -> None:
    pythons = named(project)
    assert project["requires-python"] == f">={pythons[0]}" and len(pythons) > 2
    for job in ("readme", "windows"):
        assert jobs[job]["strategy"]["matrix"]["python"] == pythons
    text = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    assert f"Python {', '.join(pythons[:-1])} and {pythons[-1]}." in text


def test_it_runs_on_every_system_that_is_named(project: dict[str, Any], jobs: dict[str, Any]) -> None:
    systems = {*jobs["readme"]["strategy"]["matrix"]["os"], *(job["runs-on"] for job in jobs.values())}
    wanted = {"Linux": "ubuntu", "MacOS": "macos", "Windows": "windows"}
    told = re.findall(r"Operating System :: (?:\w+ :: )?(\w+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    assert sorted(told) == sorted(wanted)
    assert all(any(system.startswith(wanted[name]) for system in systems) for name in told)


def test_it_runs_what_the_readme_says(jobs: dict[str, Any]) -> None:
    commands = [step.get("run", "") for step in jobs["readme"]["steps"]]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"make test", "make demo"} <= set(commands)
    assert "    make test\n" in readme and "make demo\n" in readme


def test_versions_are_said_once(jobs: dict[str, Any]) -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (uv,) = re.findall(r"^ARG UV=(\S+)$", docker, re.MULTILINE)
    assert set(re.findall(r"uv==([\d.]+)", workflow)) == {uv}
    assert set(re.findall(r"ldrps:(\d[\d.]*)", workflow)) == {ldrps.__version__}
