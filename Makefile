# make run    install what is missing and open the dashboard on 127.0.0.1 (PORT=8501)
# make test   lint, types, import contracts and every test
# make check  the same without the tests
# PYTHON=/path/to/python3.11 chooses the interpreter.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check clean
.DELETE_ON_ERROR:

run: $(VENV)/installed-to-run
	@exec $(BIN)/python -m medgemma_dash run --port $(PORT)

test: check
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/installed-to-develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp is older than a changed requirements file, and only then pip runs again.
$(VENV)/installed-to-run: requirements.txt | $(BIN)/python
	@echo "Installing what the dashboard needs; the first time takes minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-to-develop: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need; the first time takes minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/installed-to-run
