"""What a release is made of: one version everywhere, its terms, licences of what it requires, what is in the wheel."""

from __future__ import annotations

import hashlib
import re
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import release
import yaml
from packaging.licenses import canonicalize_license_expression

import ldrps
from ldrps.prior.terms import SHIPPED_SENTENCE, SHIPPED_TERMS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_one_version_everywhere() -> None:
    version = PROJECT["version"]
    assert ldrps.__version__ == version, "install ldrps again (make venv)"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    node = tomllib.loads((ROOT / "integrations" / "comfyui" / "pyproject.toml").read_text(encoding="utf-8"))
    assert (citation["version"], node["project"]["version"]) == (version, version)
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None and first[1] == version


def test_metadata_say_the_terms_of_code_and_weights() -> None:
    expression = f"Apache-2.0 AND LicenseRef-{SHIPPED_TERMS}"
    assert PROJECT["license"] == expression == canonicalize_license_expression(expression)
    assert not [each for each in PROJECT["classifiers"] if each.startswith("License")], "as PEP 639 has it"
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-WEIGHTS.md"]
    terms = (ROOT / "LICENSE-WEIGHTS.md").read_text(encoding="utf-8")
    assert SHIPPED_SENTENCE in " ".join(terms.split()) and f"LicenseRef-{SHIPPED_TERMS}" in terms
    named = [Path(each) for each in re.findall(r"^\| `([^`]+)` \|", terms, re.MULTILINE)]
    package = ROOT / "src" / "ldrps"
    for weights in (path.relative_to(package) for path in package.rglob("*.safetensors")):
        assert any(weights.is_relative_to(each) for each in named), f"under which terms is {weights}?"


def test_hashes_of_weights_are_those_of_the_files() -> None:
    told = dict(
        re.findall(
            r"^\| `([^`]+\.safetensors)` \| ([0-9a-f]{64}) \|$", (ROOT / "REPRODUCE.md").read_text(), re.MULTILINE
        )
    )
    package = ROOT / "src" / "ldrps"
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*.safetensors")}
    assert told == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}, (
        "the table of REPRODUCE.md: sha256sum $(find src -name '*.safetensors' | sort)"
    )


def test_what_is_required_has_licences_that_suit() -> None:
    licences = release.required()
    assert {"torch", "numpy", "pillow", "safetensors"} <= licences.keys() and "gradio" not in licences
    assert release.unsuited(licences) == {}


@pytest.mark.parametrize(
    ("licence", "suits"),
    [
        ("MIT", True),
        ("Apache-2.0 AND BSL-1.0", True),
        ("MPL-2.0 AND MIT", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("GNU General Public License v3 (GPLv3)", False),
        ("LGPL-2.1-or-later", False),
        ("MIT AND AGPL-3.0-only", False),
        ("Noncommercial, MIT-like", False),
        ("", False),
    ],
)
def test_licences_that_do_not_suit_are_told(licence: str, suits: bool) -> None:
    assert release.unsuited({"some": licence}) == ({} if suits else {"some": licence or "unknown"})


def test_the_licence_is_where_a_package_says_it(tmp_path: Path) -> None:
    def of(lines: str) -> str:
        (tmp_path / "METADATA").write_text(f"Metadata-Version: 2.4\nName: some\nVersion: 1\n{lines}\n")
        return release.licence_of(metadata.PathDistribution(tmp_path))

    assert of("License-Expression: MIT\nLicense: other") == "MIT"
    assert of("License: BSD\nClassifier: License :: OSI Approved :: BSD License") == "BSD, BSD License"
    assert of(f"License: {'a whole text ' * 20}") == ""


def test_what_does_not_belong_into_a_wheel_is_told(tmp_path: Path) -> None:
    good = ["ldrps/__init__.py", "ldrps/serve/examples/dark.png", "ldrps-0.2.0.dist-info/licenses/LICENSE"]
    stray = ["tests/test_x.py", "ldrps/tests/a.py", "ldrps/a.pth", "ldrps/bench/photo.png", "ldrps/x/__pycache__/a.py"]
    assert release.strays([*good, *stray]) == stray
    wheel = tmp_path / "ldrps-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name in [*good, stray[0]]:
            packed.writestr(name, "")
    with pytest.raises(SystemExit, match=r"does not belong there: tests/test_x\.py"):
        release.check_wheel(wheel)


def test_digests_are_as_sha256sum_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "a.whl"
    file.write_bytes(b"wheel")
    assert release.digests([file]) == f"{hashlib.sha256(b'wheel').hexdigest()}  a.whl\n"
