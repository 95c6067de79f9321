# Salerno. Every target installs what it needs and does nothing that is already done.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo serve test check fmt docs pictures lock env-example bench soak clean test-tools

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
JOBS   ?= auto
T      ?=

CODES    := src/salerno/contexts/encounters/data/icd10cm.index.gz
SOURCES  := $(if $(wildcard frontend),$(shell find frontend -type f -not -path '*/node_modules/*'))

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/python $(CODES) $(STAMPS)/frontend ## Install everything, pinned and checked by hash

demo: setup ## The demo clinic, with its logins printed
	@$(BIN)/salerno demo

serve: setup ## The product on your own data folder
	@$(BIN)/salerno serve

test: setup test-tools ## All tests; T=tests/kernel for some of them
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(T)

check: setup ## Style, types, import rules, the lock and the house's own rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python scripts/lock_in_step.py
	@$(BIN)/python -m pytest -q tests/house
	@if [ -f frontend/package.json ]; then scripts/npm.sh --prefix frontend run check; fi

fmt: setup ## Format, and mend what can be mended
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

docs: setup ## Bring lists in the documents and the schemas of events up to date
	@$(BIN)/python scripts/documents.py

pictures: setup test-tools ## Take the pictures of docs/signing-in.md anew
	@PYTHONPATH=. $(BIN)/python scripts/pictures.py

lock: $(STAMPS)/python ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml -o requirements.lock

env-example: setup ## Write .env.example from the settings
	@$(BIN)/python -c 'from salerno.kernel.settings import example; print(example(), end="")' > .env.example

bench: setup ## Speed beside the machine's limits
	@$(BIN)/python -m bench

soak: setup test-tools ## Load, kills, and the long cases in full: half an hour
	@$(BIN)/python -m bench.soak

clean: ## Remove what setup made; data folders stay
	@rm -rf $(VENV) frontend/node_modules src/salerno/interfaces/web/static $(CODES)

test-tools: $(STAMPS)/python
	@scripts/test_tools.sh

$(STAMPS)/python: requirements.lock pyproject.toml scripts/python.sh
	@scripts/python.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(CODES): requirements.lock scripts/icd10.py | $(STAMPS)/python
	@$(BIN)/python scripts/icd10.py
	@touch $@

$(STAMPS)/frontend: $(SOURCES) scripts/npm.sh | $(STAMPS)/python
	@if [ -f frontend/package.json ]; then \
		scripts/npm.sh --prefix frontend ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
		scripts/npm.sh --prefix frontend run build; \
	fi
	@touch $@
