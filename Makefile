# Two commands on a fresh machine: `make demo` and `make test`. `make check` is the gate.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# On machines without a GPU the CPU build of torch is enough; any build of the pinned version will do.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check slow bench clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The build tools are held to the constraints too, and torch comes first: it is the largest.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) torch
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.base
	@rm -rf runs/demo
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/main_job.py

clean:
	rm -rf $(VENV) build dist runs demo
