# make demo   restores the sample photographs
# make test   checks style and types, runs the tests
# make docs   builds the site in out/docs, and runs the examples for it
# make release  makes and tries what is published, in out/release: wheel, sdist, SBOM, digests
# All set up .venv on the first run; `make venv` does only that.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
RELEASE_READY := $(VENV)/.release-ready

CAPTION := "an orange cat with brown fur"

SITE := sphinx-build --fail-on-warning --keep-going -c docs/site docs

.PHONY: venv test demo pictures docs release lint format clean
.DEFAULT_GOAL := demo

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer, or give PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python {v.major}.{v.minor} found; ldrps needs 3.11 or newer: give PYTHON=...")'
	@echo "Installing into $(VENV): minutes, in which pip says nothing"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)
	@mkdir -p out/demo
	$(BIN)/ldrps restore samples/*.png samples/*.jpg --out out/demo --compare --trace --force
	$(BIN)/ldrps restore samples/prints/*.png --out out/demo --scratches --compare --trace --force
	$(BIN)/ldrps restore samples/small/*.png --out out/demo --scale 2 --compare --trace --force
	$(BIN)/ldrps restore samples/hidden/written.png --out out/demo --mask samples/hidden/written_mask.png --compare --trace --force
	$(BIN)/ldrps restore samples/grey/*.png --out out/demo --colorize --caption $(CAPTION) --compare --trace --force
	$(BIN)/python samples/make_pictures.py --sheet out/demo out/demo/sheet.png
	@echo "Before and after: out/demo/sheet.png, and each by itself in out/demo/*.compare.png"

# The pictures of README and docs/, which are kept in the repository.
pictures: demo
	$(BIN)/python samples/make_pictures.py out/demo docs/pictures
	$(BIN)/python samples/make_figures.py out/demo docs/pictures

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@

docs: $(DOCS_READY)
	$(BIN)/$(SITE) out/docs
	$(BIN)/python docs/site/check.py out/docs
	@echo "The site: out/docs/index.html"

$(RELEASE_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[release]'
	@touch $@

release: $(RELEASE_READY)
	$(BIN)/python benchmarks/release.py out/release

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist loadfile

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) out docs/gallery docs/project .mypy_cache .pytest_cache .ruff_cache .hypothesis
