# Everything a newcomer needs: `make demo` shows it, `make test` proves it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# How often jobs are killed by "make chaos".
ROUNDS ?= 100
# Where unit tests are; those of them that are marked slow are left out.
FAST := tests/cwl tests/engine tests/machine tests/ogc tests/views

# Where it is set (containers often do), each of a thousand processes would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast chaos check bench screenshots clean

help:
	@echo "make demo   run the water bodies example on real scenes, in an environment of its own"
	@echo "make test   run the tests"
	@echo "make test-fast  run the unit tests: rules, decider, views"
	@echo "make chaos  kill engines and keepers at random, for so many ROUNDS, and resume"
	@echo "make check  lint, types and import layers"
	@echo "make bench  measure against cwltool and the bare cost of starting processes"
	@echo "make screenshots  take the pictures of the documentation anew, with chromium"
	@echo "make clean  remove the environment and what was built"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.example: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[example]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

demo: $(VENV)/.example
	$(BIN)/python examples/water_bodies/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow" --hypothesis-profile fast $(FAST) $(PYTEST_ARGS)

chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos $(ROUNDS)
	[ -z "$$LOCALPROC_TEST_S3" ] || $(BIN)/python -m tests.chaos.storage $(ROUNDS)
	$(BIN)/python -m tests.chaos.triggers

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/.dev
	LOCALPROC_TEST_ALL=1 LOCALPROC_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser -k screenshots

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
