# make help tells what there is. PYTHON=python3.12 chooses the interpreter,
# PYTEST_ARGS="-k spf -x" goes on to pytest, WORKERS=0 runs the tests one by one, UPGRADE=1 lets `make requirements` move pins.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

export PYTHON ?=
# Debian keeps named, nft and others where a plain user's PATH does not reach.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
# Where it is set, each of some hundred processes compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

PYTEST_ARGS ?=
WORKERS ?= auto
VENV := .venv/bin
UV := build/uv/bin/uv
# pip before 23.3 takes `coverage==7.17.3` for no pin of `coverage[toml]`, so the extras stay.
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-strip-extras \
	--no-annotate --custom-compile-command "make requirements" $(if $(UPGRADE),--upgrade)
MANIFESTS = $(filter-out %/kustomization.yaml %/exosync.yaml,$(wildcard deploy/kubernetes/*/*.yaml))
PINS = $(COMPILE) --constraint requirements/dev.txt

.PHONY: help demo service test coverage lint types docs bench reference requirements wheel image image-twice clean env-run env-demo env-test env-dev env-bench

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: env-demo ## the whole way in two minutes or so, without network, root or credentials
	@$(VENV)/python -m tests.demo

service: env-demo ## the service with its page, to look at; the same stand-ins, until Ctrl-C
	@$(VENV)/python -m tests.playground

test: env-test ## install what the tests need, and run them all
	@deploy/dev/servers.sh
	@$(VENV)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# Counting takes as long as the tests themselves.
coverage: override PYTEST_ARGS += --cov=exosync --cov=exosync_adapters --cov-branch
coverage: test ## the same, and count which lines and branches they run

lint: env-dev types ## style, types, import arrows, dead code, spelling, shell, Dockerfile and manifests
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports --no-cache
	$(VENV)/vulture
	$(VENV)/codespell
	$(VENV)/shellcheck deploy/dev/*.sh deploy/container/*.sh .ci/run
	$(VENV)/hadolint Dockerfile
	$(VENV)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
	$(VENV)/kubernetes-validate --strict --quiet $(MANIFESTS)

types: env-dev ## check types (mypy, strict)
	$(VENV)/mypy

docs: env-dev ## build the documentation into docs/_build/html, warnings as errors
	$(VENV)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet docs docs/_build/html

reference: env-dev ## write docs/reference anew from the code
	$(VENV)/python docs/_generate.py

bench: env-bench ## speed and size, as ratios against others' tools
	@deploy/dev/servers.sh
	$(VENV)/python -m tests.bench

# All are pinned alike: the choice for development binds the other files.
requirements: $(UV) ## pin the dependencies of pyproject.toml with their hashes
	$(COMPILE) pyproject.toml --all-extras --group test --group lint --group docs --output-file requirements/dev.txt
	$(PINS) pyproject.toml --all-extras --group test --output-file requirements/test.txt
	$(PINS) pyproject.toml --all-extras --group test --group bench --output-file requirements/bench.txt
	$(PINS) pyproject.toml --all-extras --output-file requirements/runtime.txt
	$(PINS) pyproject.toml --all-extras --group demo --output-file requirements/demo.txt
	$(PINS) --group build --output-file requirements/build.txt

wheel: env-dev ## build the wheel into dist/
	rm -rf dist
	$(VENV)/python -m hatchling build --target wheel

image: env-run ## build the container image by buildah, without an engine or an image registry
	@deploy/container/image.sh

image-twice: env-run ## build it twice from nothing: the digests must be the same
	@deploy/container/image.sh twice

clean: ## remove everything that was made, .venv included
	rm -rf .venv build dist docs/_build htmlcov .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find service adapters tests docs -type d -name __pycache__ -prune -exec rm -rf {} +

env-run env-demo env-test env-dev env-bench: env-%:
	@deploy/dev/environment.sh $*

$(UV):
	@deploy/dev/environment.sh uv
