# Gatepost. `make run` and `make test` are all one needs; each sets up what it needs first.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help setup packages packages-test run test test-quick bench faults lint format lock sbom documents clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: packages $(STAMP) ## install what Gatepost needs into .venv

packages:
	@sh systemd/packages.sh run

packages-test:
	@sh systemd/packages.sh run test

$(STAMP): requirements.lock pyproject.toml
	@sh systemd/venv.sh $(VENV)
	@touch $(STAMP)

run: setup ## the whole thing on this machine: broker, hub, three stations
	@exec $(BIN)/hub demo

test: packages-test $(STAMP) ## unit, integration and end-to-end tests
	$(BIN)/python -m pytest -n 4 --no-loadscope-reorder

test-quick: $(STAMP) ## unit tests alone
	$(BIN)/python -m pytest -n 2 tests/unit

bench: packages-test $(STAMP) ## figures, as ratios measured side by side in one run
	$(BIN)/python -m bench

QUICK :=
faults: packages-test $(STAMP) ## nothing is lost or doubled whatever breaks, by fault injection; QUICK=1: a few minutes of it
	$(BIN)/python -m tests.faults $(if $(QUICK),--quick,--out docs/reliability/faults.json)

lint: $(STAMP) ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP) ## renew requirements.lock from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev --extra postgresql pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra postgresql -c requirements.lock pyproject.toml systemd/requirements.in -o systemd/requirements.lock

sbom: $(STAMP) ## renew the bill of materials and the licences in docs/supply
	$(BIN)/python -m tests.supply

documents: $(STAMP) ## renew the schemas and golden vectors in docs/contract, and the printed guide
	$(BIN)/python -m tests.golden.make
	$(BIN)/python -m tests.guide

clean:
	rm -rf $(VENV) var build dist *.egg-info
