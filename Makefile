# Everything runs in .venv, which the first target to need it makes from constraints.txt.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# Options for pip, for instance an index that has a CPU-only torch.
PIP_ARGS ?=
# Boards whose wheels `make wheels` collects for offline installation.
BOARDS ?=
# Address of the published repository, for the links of the wheels.
URL ?=
# Options for the quick start: --corpus DIR, --help.
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install $(PIP_ARGS) -c constraints.txt
TORCH := $(shell grep '^torch==' constraints.txt)
BUILD_PIP := $(shell grep '^pip==' constraints.txt)
# What the live tests need of Debian, and PyAudio to be built.
SOUND_PACKAGES := pulseaudio pulseaudio-utils libasound2-plugins portaudio19-dev python3-dev
INSTALL_PYAUDIO = @$(PIP) -q --build-constraint constraints.txt pyaudio >$(VENV)/pyaudio.log 2>&1 || echo \
  "make: PyAudio is left out ($(VENV)/pyaudio.log); on Debian: apt install portaudio19-dev python3-dev"

.PHONY: help install quickstart test test-slow test-board test-cards test-live check docs docs-serve boards locks wheels mutants fuzz bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## make .venv with everything pinned; then: . .venv/bin/activate

quickstart: $(STAMP) ## teacher to bundle to profile, on speech it makes itself
	$(BIN)/edge-vc quickstart $(ARGS)

# A crashed worker is not started anew: xdist then waits for ever for the rest of its file.
test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --max-worker-restart 0

test-slow: $(STAMP) ## the tests that take longer than a few seconds each
	$(BIN)/python -m pytest -m "slow and not cards"

test-board: $(STAMP) ## the tests that run on emulated boards; makes their arm64 root first
	$(BIN)/python -m pytest -m emulated tests/boards

test-cards: $(STAMP) ## cards that boot, and flashing over SSH, in arm64 systems; as root, an hour or more
	$(BIN)/python -m pytest -m cards -rA tests/boards

test-live: $(STAMP) ## the tests with a sound server, one at a time; installs what they need
	@$(BIN)/python -c 'import pyaudio' 2>/dev/null && command -v pulseaudio >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	  apt-get -qq --yes --no-install-recommends install $(SOUND_PACKAGES); } || echo \
	  "make: as root: apt install $(SOUND_PACKAGES)"
	$(INSTALL_PYAUDIO)
	$(BIN)/python -m pytest -m live tests/live tests/serve

check: $(STAMP) ## lint, format, types, the documentation built strictly
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory docs

docs: $(STAMP) ## build the documentation into build/docs; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs

docs-serve: $(STAMP) ## show the documentation on loopback and rebuild it on every change
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

boards: $(STAMP) ## write the runtime's boards.json anew from the profiles
	$(BIN)/python -m edge_vc_boards.catalogue

locks: $(STAMP) ## requirements with hashes, and the page of licences, made anew from constraints.txt
	$(PIP) -q --group locks
	PATH="$(BIN):$$PATH" $(BIN)/python requirements/lock.py
	$(BIN)/python docs/licences.py

wheels: $(STAMP) ## distributions into dist/, and what BOARDS="pi4 pi5" need; URL=... sets links
	$(PIP) -q --group release
	rm -rf dist
	EDGE_VC_URL="$(URL)" $(BIN)/python -m build --no-isolation --outdir dist .
	EDGE_VC_URL="$(URL)" $(BIN)/python -m build --no-isolation --outdir dist runtimes
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	for board in $(BOARDS); do \
	  $(BIN)/edge-vc wheels $$board --into dist/$$board; done

mutants: $(STAMP) ## change the core one token at a time; tests that notice nothing are listed
	$(PIP) -q --group mutation
	$(BIN)/python -m benchmarks.mutants $(ARGS)

fuzz: $(STAMP) ## give every reader of files changed ones for ten minutes; ARGS="--seconds 60"
	$(PIP) -q --group fuzz
	$(BIN)/python tests/fuzz/fuzz.py $(ARGS)

bench: $(STAMP) ## measure this machine and write benchmarks/results
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove what was built; .venv stays
	rm -rf build dist runtimes/dist .pytest_cache .mypy_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

$(STAMP): constraints.txt pyproject.toml runtimes/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "make: $$($(PYTHON) --version) is too old, Python 3.11 or later is needed: make PYTHON=python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo \
	  "make: no virtual environment could be made; on Debian: apt install python3-venv python3-dev"; exit 1; }
	@echo "Installing into $(VENV), once; this takes a few minutes."
	$(PIP) -q "$(BUILD_PIP)"
	$(PIP) "$(TORCH)"
	$(PIP) --build-constraint constraints.txt -e 'runtimes/[sounddevice]' -e '.[ansible,evaluate,prepare,serve,train]' --group dev --group docs
	$(INSTALL_PYAUDIO)
	@touch $@
