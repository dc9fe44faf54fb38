# Two commands on a fresh machine: `make demo` and `make test`. `make check` is the gate.
# Another Python: make PYTHON=python3.12 demo. Some of the tests: make test ARGS="-k wine".
PYTHON ?= python3
ARGS ?=
VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt
CODE := src tests benchmarks examples

.PHONY: demo test check slow bench clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "wellfit needs Python 3.11 or newer; name one: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Any build of the pinned torch will do: without a GPU, the CPU build is the smallest.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing wellfit into $(VENV): some minutes the first time."
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what the tests need."
	$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.base
	@$(VENV)/bin/python examples/demo.py

test: $(VENV)/.dev
	$(RUN) pytest $(ARGS)

check: $(VENV)/.dev
	$(RUN) ruff format --check $(CODE)
	$(RUN) ruff check $(CODE)
	$(RUN) mypy
	$(VENV)/bin/lint-imports
	$(RUN) pytest $(ARGS)

slow: $(VENV)/.dev
	$(RUN) pytest -m slow $(ARGS)

bench: $(VENV)/.dev
	@for name in startup optimizer_step training_loop main_job dirt/measure tables_io/csv_to_tensors larger_than_memory; do \
	  echo "== $$name"; $(VENV)/bin/python benchmarks/$$name.py || exit 1; done

clean:
	rm -rf $(VENV) build dist runs demo
