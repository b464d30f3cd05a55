# Everything runs in .venv, made from the pinned versions of requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help setup demo test lint types unit soak ui pictures clean lock bench
.DEFAULT_GOAL := help

help:  ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## Make the virtual environment

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	PIP_NO_COMPILE=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true  # as pip would, on all cores
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## Run the whole pipeline against the embedded sandbox
	$(BIN)/sitoo-pipeline demo

# Types are checked beside the tests, which wait now and then; what is said of them comes at the end, in one piece.
TYPES := .mypy_cache/said.txt

test: setup lint  ## Lint, types and all tests
	@mkdir -p $(dir $(TYPES))
	@$(MAKE) --no-print-directory types >$(TYPES) 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory unit; tests=$$?; \
	wait $$types; types=$$?; cat $(TYPES); \
	[ $$tests = 0 ] || echo "make test: tests have failed, see above"; \
	[ $$types = 0 ] || echo "make test: types are wrong, see above"; \
	[ "$$tests $$types" = "0 0" ]

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

# Tests commit to many small databases: in memory, where there is room, none of them waits for a disk.
MEMORY := $(shell df --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 { print "TMPDIR=/dev/shm" }')

# Some tests wait for a server or a schedule: one process more than there are cores uses that time.
WORKERS := PYTEST_XDIST_AUTO_NUM_WORKERS=$(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# Processes that tests start import the whole package: they find its bytecode, also where the environment forbids it.
unit: export PYTHONDONTWRITEBYTECODE =
unit: setup
	$(MEMORY) $(WORKERS) $(BIN)/pytest

soak: setup  ## Faults and kills while every target is served, and the longest tests (minutes)
	$(MEMORY) $(BIN)/pytest -m soak

pictures: setup  ## Make the pictures of README and docs anew (needs Chromium)
	mkdir -p docs/pictures
	SITOO_PIPELINE_PICTURES=$(CURDIR)/docs/pictures $(MEMORY) $(BIN)/pytest -n0 sitoo_pipeline_tests/browser

ui: setup  ## Start Dagster's web server and daemon
	$(BIN)/sitoo-pipeline ui

bench: setup  ## Measure speed, memory and requests beside dlt and a bare script (benchmarks/)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[bench]'
	$(BIN)/python -m benchmarks $(ARGS)

lock: setup  ## Pin the newest versions that pyproject.toml and constraints.in allow
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(BIN)/python -m piptools compile --quiet --upgrade --generate-hashes --no-strip-extras --no-header --extra dev \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock constraints.in pyproject.toml

clean:  ## Remove the virtual environment and caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
