"""What the container promises, read from its files: no daemon is needed, and none is asked."""

from __future__ import annotations

import fnmatch
import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import ldrps
from ldrps.cli.serve import serve
from ldrps.prior.terms import SHIPPED_SENTENCE, SHIPPED_TERMS

ROOT = Path(__file__).parents[2]


class Instruction(NamedTuple):
    """A line of a Dockerfile: ("FROM", "python:3.11 AS build")."""

    name: str
    words: str


def read(text: str) -> list[list[Instruction]]:
    """The instructions of each stage."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        if line.strip():
            each = Instruction(*line.strip().split(maxsplit=1))
            if each.name == "FROM":
                stages.append([])
            stages[-1].append(each)
    return stages


@pytest.fixture(scope="module")
def stages() -> list[list[Instruction]]:
    return read((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def of(stage: list[Instruction], name: str) -> list[str]:
    return [each.words for each in stage if each.name == name]


def test_stages_stand_on_images_of_a_version(stages: list[list[Instruction]]) -> None:
    images = [of(stage, "FROM")[0].split()[0] for stage in stages]
    assert len(stages) == 2 and len(set(images)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", images[0]), "a name alone, of no registry, and no latest"


def test_what_it_stands_on_is_pinned(stages: list[list[Instruction]]) -> None:
    installs = [words for words in of(stages[0], "RUN") if "install" in words]
    assert installs and not [words for words in of(stages[-1], "RUN") if "pip" in words]
    for words in installs:
        assert "constraints constraints.txt" in words or '"uv==${UV}"' in words, words
    assert re.search(r"^\d+\.\d+\.\d+$", dict(words.split("=") for words in of(stages[0], "ARG"))["UV"])
    assert dict(words.split("=") for words in of(stages[0], "ARG"))["TORCH"] == "cpu"
    assert any('--torch-backend "${TORCH}"' in words for words in installs)


def test_it_runs_as_nobody_of_note(stages: list[list[Instruction]]) -> None:
    (user,) = of(stages[-1], "USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "a number, so that it can be told not to be root"
    after = stages[-1][[each.name for each in stages[-1]].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & {each.name for each in after}


def test_it_says_how_it_is(stages: list[list[Instruction]]) -> None:
    (check,) = of(stages[-1], "HEALTHCHECK")
    command = json.loads(check[check.index("CMD") + 3 :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    parameters = re.findall(r"'127\.0\.0\.1', (\d+)", command[2])
    assert parameters == of(stages[-1], "EXPOSE") == [str(inspect.signature(serve).parameters["port"].default)]
    assert json.loads(of(stages[-1], "ENTRYPOINT")[0]) == ["ldrps"]
    assert json.loads(of(stages[-1], "CMD")[0])[0] == "serve"


def test_what_is_kept_is_in_volumes(stages: list[list[Instruction]]) -> None:
    volumes = json.loads(of(stages[-1], "VOLUME")[0])
    kept = dict(word.split("=", 1) for word in shlex.split(of(stages[-1], "ENV")[0]))
    assert kept["LDRPS_CACHE"] in volumes and of(stages[-1], "WORKDIR")[0] in volumes
    assert Path(kept["HF_HOME"]).is_relative_to(kept["LDRPS_CACHE"])


def test_the_label_says_the_terms(stages: list[list[Instruction]]) -> None:
    labels = dict(word.split("=", 1) for word in shlex.split(" ".join(of(stages[-1], "LABEL"))))
    assert labels["org.ldrps.terms"] == SHIPPED_SENTENCE
    assert labels["org.opencontainers.image.licenses"] == f"Apache-2.0 AND LicenseRef-{SHIPPED_TERMS}"


def test_only_what_is_needed_is_sent(stages: list[list[Instruction]]) -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    admitted = {line[1:] for line in ignored if line.startswith("!")}
    copied = {word for words in of(stages[0], "COPY") for word in words.split()[:-1]}
    assert ignored[0] == "*" and admitted == copied
    assert all((ROOT / name).exists() for name in admitted)
    assert not [name for name in admitted if fnmatch.fnmatch(name, "*shared*") or name.startswith(".")]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_the_page_is_for_this_machine_alone(services: dict[str, Any]) -> None:
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert re.fullmatch(rf"ldrps:{re.escape(ldrps.__version__)}(-\w+)?", service["image"])
        assert "privileged" not in service and "/var/run/docker.sock" not in str(service["volumes"])


def test_torch_is_for_the_device(services: dict[str, Any]) -> None:
    backends = {name: service["build"]["args"]["TORCH"] for name, service in services.items()}
    assert backends["page"] == backends["batch"] == "cpu" and backends["page-cuda"].startswith("cu")
    assert "cuda" in services["page-cuda"]["command"]
    assert services["batch"]["network_mode"] == "none" and services["batch"]["ports"] == []
