# `make run` opens the dashboard, `make test` runs the tests. Each first sets up what it needs of
# .venv, once. Without a GPU, Linux is better served by PyTorch's CPU build, several GB smaller:
#     make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
TORCH_INDEX ?=
# Three fill two cores: a test in a browser, or of a process, leaves its core idle now and then.
WORKERS ?= 3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	$(addprefix --extra-index-url ,$(TORCH_INDEX))

.PHONY: run test lint clean

run: .venv/run
	$(BIN)/fercore dashboard

# The tests start hundreds of processes: on one thread each, and by code that is compiled once.
test: export OMP_NUM_THREADS = 1
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/test lint
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_docs.py -k "link or named"

.venv/run: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(INSTALL) --requirement requirements.txt
	touch $@

.venv/test: requirements-test.txt .venv/run
	$(INSTALL) --requirement requirements-test.txt
	touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info dist
