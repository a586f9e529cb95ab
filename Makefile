# `make` alone lists what there is. Everything is installed into .venv, from hash-pinned locks.

# Used to create .venv. Empty: python3.11, else python3 if it is 3.11 or newer.
PYTHON ?=

BIN := .venv/bin
EXAMPLE := .make/example
LOCKED := .venv/.locked
INSTALLED := .venv/.installed
DEV := .venv/.dev
NPM := .make/npm/.installed

# A wheel whose hash is in the lock, or nothing: no package's own code runs while it is installed.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --require-hashes --only-binary=:all:
COMPILE := $(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

# What the user gave reaches the recipes as environment variables, as it is: a space, a quote or a
# dollar sign in it means nothing to make and nothing to the shell.
override REPO := $(value REPO)
override RANGE := $(value RANGE)
override PR := $(value PR)
override ARGS := $(value ARGS)
export REPO RANGE PR ARGS

.DEFAULT_GOAL := help
.PHONY: help install review example check format test system-test-deps lock benchmark clean
.DELETE_ON_ERROR:

help:
	@echo 'make install                     build .venv with the command rlm in it'
	@echo 'make review                      review the pull request in examples/'
	@echo 'make review REPO=path RANGE=a..b review commits of a repository of yours'
	@echo 'make review PR=url               review a pull request'
	@echo '            ARGS="..."           more options for rlm review (see rlm review --help)'
	@echo 'make test                        set everything up and run every test'
	@echo 'make check                       formatting, lint, types'
	@echo 'make format                      put the formatting and the imports right'
	@echo 'make lock [ARGS=--upgrade]       write requirements.txt and requirements-dev.txt anew'
	@echo 'make benchmark                   measure the first run, beside its bounds'
	@echo 'make clean                       remove everything that these commands made'

install: $(INSTALLED)

# The packages depend on the lock alone, so that editing pyproject.toml does not fetch them again.
$(LOCKED): requirements.txt
	@if [ -n '$(PYTHON)' ]; then set -- '$(PYTHON)'; else set -- python3.11 python3; fi; \
	for python in "$$@"; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer is needed, and none was found as: $$*" >&2; \
		echo 'Install it (apt install python3.11 python3.11-venv, brew install python@3.11,' >&2; \
		echo 'or python.org/downloads), or name it: make PYTHON=/path/to/python3.11 ...' >&2; \
		exit 1; \
	fi; \
	echo "Installing into .venv with $$("$$python" --version) (once; a minute or so)"; \
	if ! "$$python" -m venv .venv; then \
		echo "$$python cannot make a virtual environment; on Debian: apt install python3.11-venv" >&2; \
		exit 1; \
	fi
	@$(INSTALL) -r requirements.txt
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(DEV): requirements-dev.txt $(INSTALLED)
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

# Make itself ends with 2 whatever the exit code of rlm is; where that matters, call rlm.
review: $(INSTALLED)
	@set -f; \
	if [ -n "$$PR" ]; then \
		exec $(BIN)/rlm review $$ARGS -- "$$PR"; \
	elif [ -n "$$RANGE" ]; then \
		exec $(BIN)/rlm review --repo="$${REPO:-.}" $$ARGS -- "$$RANGE"; \
	elif [ -n "$$REPO" ]; then \
		exec $(BIN)/rlm review --repo="$$REPO" $$ARGS; \
	fi; \
	$(BIN)/python examples/build.py $(EXAMPLE) || exit; \
	exec $(BIN)/rlm review --repo=$(EXAMPLE) $$ARGS -- main..feature/coupons

example: $(INSTALLED)
	@$(BIN)/python examples/build.py $(EXAMPLE)
	@echo 'The example is in $(EXAMPLE), branch feature/coupons.'

check: $(DEV)
	@$(BIN)/ruff format --check --quiet . || { echo 'Run: make format' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

format: $(DEV)
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

# One worker has all the tests of a file: what they share (a server, an installation) is set up once.
# Files go out in order: by the number of their tests, the long ones that have one would come last.
# What is compiled is kept: to compile the tests takes longer than to import them, in each worker.
# They write in memory, where Linux has room for it: the stores and git wait for the disk at each
# commit, thousands of times. Elsewhere (and for pytest by hand) it is the usual folder. What
# tests that failed wrote stays, for whoever looks why.
test: $(DEV) $(NPM) system-test-deps
	@set -e; \
	if place=$$($(BIN)/python tests/memory.py); then \
		trap 'if [ $$? = 1 ]; then echo "What failed tests wrote is in $$place, in memory" >&2; \
			else rm -rf "$$place"; fi' EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; \
		export PYTEST_DEBUG_TEMPROOT="$$place"; \
	fi; \
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

# The tests need programs from outside .venv: git, Redis and PostgreSQL (started by the tests, on
# loopback), Node.js for what GitHub publishes as npm packages (its API's document, examples of
# webhooks) and for a mock server and a linter, and Chromium with its driver.
system-test-deps:
	@command -v git >/dev/null || { echo 'git is needed: install it' >&2; exit 1; }
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'Installing Node.js for the tests'; \
			apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm; \
		else \
			echo 'Node.js 18 or newer with npm is needed for the tests: install it' >&2; exit 1; \
		fi; \
	fi
	@if ! test -x /usr/bin/chromium || ! test -x /usr/bin/chromedriver; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'Installing Chromium for the tests'; \
			apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium chromium-driver; \
		else \
			echo 'Chromium with its driver (/usr/bin/chromium, /usr/bin/chromedriver) is needed' >&2; \
			echo 'for the tests of the run pages: apt install chromium chromium-driver' >&2; exit 1; \
		fi; \
	fi
	@for need in redis-server:redis-server initdb:postgresql; do \
		program=$${need%:*}; package=$${need#*:}; \
		PATH="$$PATH:$$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"; \
		if ! command -v "$$program" >/dev/null; then \
			if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
				echo "Installing $$package for the tests"; \
				apt-get update -qq && \
				apt-get install -qq -y --no-install-recommends "$$package" >/dev/null || exit 1; \
			else \
				echo "$$package is needed for the tests: install it" >&2; exit 1; \
			fi; \
		fi; \
	done

$(NPM): tests/npm/package.json tests/npm/package-lock.json | system-test-deps
	@mkdir -p .make/npm
	@cp tests/npm/package.json tests/npm/package-lock.json .make/npm/
	@npm ci --prefix .make/npm --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

lock: $(DEV)
	@set -f; export CUSTOM_COMPILE_COMMAND='make lock'; \
	$(COMPILE) $$ARGS --all-build-deps --output-file=requirements.txt pyproject.toml && \
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' | \
	$(COMPILE) $$ARGS --constraint=requirements.txt --output-file=requirements-dev.txt -
	@! grep -nE '://|--(index-url|extra-index-url|find-links)' requirements.txt requirements-dev.txt

benchmark: $(INSTALLED)
	@$(BIN)/python benchmarks/first_run.py

clean:
	rm -rf .venv .make build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find app reviewer tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
