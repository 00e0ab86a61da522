# `make run` opens the dashboard, `make test` runs the tests. Both set up .venv first, once.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint setup clean

run: setup
	$(BIN)/streamlit run dashboard/app.py

test: setup lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

setup: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache *.egg-info
