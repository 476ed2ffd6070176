# `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
GPU_PYTHON ?= python3
OUT ?= runs/gpu
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.NOTPARALLEL:
.PHONY: demo test test-long bench bench-gpu gpu-check docs picture lint clean
.DELETE_ON_ERROR:

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo 'jdgnn needs Python 3.11 or newer, and there is no $(PYTHON): write `make PYTHON=python3.11 ...`' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"jdgnn needs Python 3.11 or newer, and {sys.executable} is {v[0]}.{v[1]}: write `make PYTHON=python3.11 ...`")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable '.[docs]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-gpu-compiler: $(VENV)/.installed-dev
	$(PIP) --no-deps --upgrade --target $(VENV)/gpu-compiler $$($(BIN)/python -m jdgnn.compilation.device)
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/jdgnn run configs/quickstart.toml --compilation-cache $(VENV)/compiled

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -m "not long" -n 2 --dist worksteal

# 66 minutes on two processors, and up to 14 GB of memory: the long tests of kills, oracles and kernels, thousands of spoilt files, and those
# cases that `make test` leaves out where it takes a few in which every part stands
test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long -n 2 --dist worksteal

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench.throughput --suite --pages huge
	$(BIN)/python -m bench.scaling --pages huge
	$(BIN)/python -m bench.peers --pages huge
	$(BIN)/python -m bench.parts
	$(BIN)/python -m bench.memory
	$(BIN)/python -m bench.speed
	$(BIN)/python -m bench.learning
	$(BIN)/python -m bench.quality
	$(BIN)/python -m bench.asynchrony

# On a machine with a GPU: with the Python that has jax for it, which need not be that of `.venv`.
bench-gpu:
	$(GPU_PYTHON) -m bench.needed
	$(GPU_PYTHON) -m bench.gpu --out $(OUT)

# What the programs would do on a GPU, compiled without one by JAX's compiler for CUDA (570 MB), in a folder of its own.
gpu-check: $(VENV)/.installed-gpu-compiler
	JAX_PLATFORMS=cpu PYTHONPATH=$(VENV)/gpu-compiler $(BIN)/python -m bench.gpu_check

# The site, into docs/_build/html: tutorials are run, and a warning, a public name without a page or a link to nowhere ends it.
docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -n -j 2 -q -b html docs docs/_build/html
	$(BIN)/python -m docs.check_site docs/_build/html

picture: $(VENV)/.installed-docs $(VENV)/.installed-dev
	$(BIN)/python docs/picture.py
	$(BIN)/python docs/report_picture.py

clean:
	rm -rf $(VENV) docs/_build build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
