"""Make a release and try it: wheel and sdist, what is in them, an empty environment, licences, SBOM, digests.

    make release                                    # which installs the tools and then does the line below
    python benchmarks/release.py [OUT]              # else out/release

Stops at the first thing that is not as it must be. Nothing is published, and nothing of it is kept in the repository.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 30_000_000  # bytes of the wheel
# What belongs into the wheel: code, weights and their cards, facts of data sets, and parts of the page.
_KINDS = {".py", ".typed", ".toml", ".tsv", ".json", ".safetensors", ".md", ".txt", ".css", ".js"}
_EXAMPLES = "ldrps/serve/examples/"
_NEVER = re.compile(r"(^|/)(tests?|\.git|\.venv|out|runs|__pycache__)(/|$)|\.ldrps-partial-")
_SUITED = re.compile(r"\b(MIT|Apache|BSD|0BSD|PSF|ISC|MPL|Zlib|CC0|BSL|HPND|Mozilla Public|Python Software)", re.I)
_UNSUITED = re.compile(r"\b(A|L)?GPL|GNU |non-?commercial|proprietary|SSPL|BUSL", re.I)
# The CUDA build of torch brings its maker's libraries, under terms of their own; that for the CPU has none of them.
_OF_CUDA = re.compile(r"nvidia-|cuda-")


def strays(names: Iterable[str]) -> list[str]:
    """What does not belong into a wheel, of the names of what is in it."""
    return [
        name
        for name in names
        if _NEVER.search(name)
        or not re.match(r"ldrps(/|-[\w.]+\.dist-info/)", name)
        or not (
            PurePosixPath(name).suffix in _KINDS
            or ".dist-info/" in name
            or (name.startswith(_EXAMPLES) and name.endswith(".png"))
        )
    ]


def required(root: str = "ldrps", path: Sequence[str] = tuple(sys.path)) -> dict[str, str]:
    """The packages that one requires, all the way down and without extras, as installed below `path`, with their
    licences.
    """
    found: dict[str, str] = {}
    left = [root]
    while left:
        name = canonicalize_name(left.pop())
        if name in found:
            continue
        package = next(iter(metadata.distributions(name=name, path=list(path))), None)
        if package is None:
            sys.exit(f"{name} is required, and not installed")
        found[name] = licence_of(package)
        wanted = [Requirement(each) for each in package.requires or []]
        left += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return {name: licence for name, licence in sorted(found.items()) if name != root}


def licence_of(package: metadata.Distribution) -> str:
    """As its metadata have it: an expression, else a short text, else what it is classed as; "" if they are silent."""
    facts = package.metadata.json  # one key each, however often it stands there
    expression, text = (facts.get(key) for key in ("license_expression", "license"))
    if expression:
        return f"{expression}"
    classes = [each.rpartition(" :: ")[2] for each in facts.get("classifier", []) if each.startswith("License ::")]
    return ", ".join(dict.fromkeys([*[f"{text}"] * (bool(text) and len(f"{text}") < 80), *classes]))


def unsuited(licences: Mapping[str, str]) -> dict[str, str]:
    """Those of which the licence is unknown, or does not suit a package under Apache-2.0."""
    return {
        name: licence or "unknown"
        for name, licence in licences.items()
        if not _OF_CUDA.match(name) and (not _SUITED.search(licence) or _UNSUITED.search(licence))
    }


def digests(files: Iterable[Path]) -> str:
    """SHA-256 and name of each file, a line each, as `sha256sum -c` reads them."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def check_wheel(wheel: Path) -> None:
    """End the program if the wheel is too large or holds what does not belong there."""
    size = wheel.stat().st_size
    names = zipfile.ZipFile(wheel).namelist()
    if size > LARGEST:
        sys.exit(f"{wheel.name} has {size:,} bytes; {LARGEST:,} are the most")
    if wrong := strays(names):
        sys.exit(f"{wheel.name} holds what does not belong there: {', '.join(wrong)}")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")


def tried(wheel: Path, out: Path) -> Path:
    """Install the wheel into an empty environment and restore a sample there, away from the sources; its Python."""
    home = out / "env"
    venv.create(home, with_pip=True, clear=True)
    folder = home / ("Scripts" if sys.platform == "win32" else "bin")
    python = folder / "python"
    _run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    version = _run(folder / "ldrps", "--version", cwd=out).strip()
    if version != f"ldrps {wheel.name.split('-')[1]}":
        sys.exit(f"the wheel is {wheel.name}, and what it installs calls itself {version!r}")
    sample, restored = ROOT / "samples" / "noisy.png", out / "restored.png"
    _run(folder / "ldrps", "restore", sample, "-o", restored, "--force", cwd=out)
    print(f"{version}, Python {sys.version.split()[0]}: {restored.name} restored from an empty environment")
    return python


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "out" / "release").resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("ldrps-*"), out / "SHA256SUMS"):
        old.unlink(missing_ok=True)
    _run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    _run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    check_wheel(wheel)
    with tarfile.open(sdist) as packed:
        print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB, {len(packed.getnames())} files")
    python = tried(wheel, out)
    places = _run(python, "-c", "import sysconfig as s; print(s.get_path('purelib')); print(s.get_path('platlib'))")
    licences = required(path=places.split("\n"))
    if wrong := unsuited(licences):
        sys.exit("licences that do not suit: " + ", ".join(f"{name}: {each}" for name, each in wrong.items()))
    print(f"{len(licences)} packages are required, all under licences that suit")
    bill = out / f"{wheel.name.split('-py3')[0]}.cdx.json"
    words = ("environment", "--pyproject", ROOT / "pyproject.toml", "--mc-type", "library", "--output-reproducible")
    _run(sys.executable, "-m", "cyclonedx_py", *words, "--of", "JSON", "-o", bill, python)
    (out / "SHA256SUMS").write_text(digests([wheel, sdist, bill]))
    print((out / "SHA256SUMS").read_text() + f"in {out}")


def _run(*words: object, cwd: Path | None = None) -> str:
    done = subprocess.run([f"{word}" for word in words], check=False, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(f'{word}' for word in words)}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
