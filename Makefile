# Each target sets up what it needs first (scripts/setup.py), so any of them may be the first one.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python

# No bytecode among the sources: it would look like a change to them.
export PYTHONDONTWRITEBYTECODE := 1

# Folders count as sources too, so that a deleted file is noticed.
JS_SOURCES := js/build.mjs js/expand.mjs js/package.json $(shell find js/src js/bin 2>/dev/null)
PY_SOURCES := pyproject.toml hatch_build.py LICENSE py/README.md $(shell find py -not -path '*__pycache__*' 2>/dev/null)
# What could differ between two versions of Pyodide: conversions, proxies, exceptions, the event loop.
OLDER_PYODIDE := $(patsubst %,tests/browser/test_%.py,main_job arguments callbacks deaths entries in_flight \
    load_forms load_namespaces names_and_objects nesting readme docs_pages values buffers data streams value_numbers deadlines)
RUNTIME := js/dist/runtime.js
WHEEL := dist/.wheel

# Where engines differ: how Rust dies and is entered, what is in flight or nested, who hears of it; and the harness.
CORE := $(patsubst %,tests/browser/test_%.py,harness main_job deaths entries in_flight nesting names_and_objects \
    policy callbacks plain_javascript deadlines deadline_errors)

.PHONY: help setup demo site screenshots examples docs links test bench fuzz soak soak-short wheel dist rust lint unit \
    node smoke browser browser-page browser-elsewhere older pages crate firefox firefox-core compat compat-table \
    compat-packages page-packages clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

setup: ## tools, npm packages and a browser (every other target does this by itself)
	@python3 scripts/setup.py

demo: site ## the demo site on this machine, and its story line by line (ONCE=1 ends then, OPEN=1 opens your browser)
	$(PYTHON) -m scripts.demo

site: wheel ## the demo site with the documentation into dist/site, for any static host
	@python3 scripts/setup.py site docs
	$(PYTHON) -m scripts.site

screenshots: site ## the pictures of the README and of the documentation's first page
	$(PYTHON) -m scripts.screenshots

examples: wheel ## the examples into dist/examples, for any static host
	@python3 scripts/setup.py examples
	$(PYTHON) -m scripts.examples

docs: ## the documentation into dist/docs
	@python3 scripts/setup.py docs
	NO_MKDOCS_2_WARNING=1 .cache/docs/bin/mkdocs build --strict --site-dir dist/docs

links: docs ## ask other servers whether the documentation's links to them still lead somewhere
	$(PYTHON) -m scripts.links

# What is quick comes first, so that it fails first. Several runs of pytest, because the browser's driver keeps an event
# loop; two at a time, because a page with its Pyodide takes one core; the longest first.
test: ## everything that must hold
	@python3 scripts/setup.py compat site examples docs
	$(MAKE) --jobs=2 --output-sync=target lint unit node smoke
	$(MAKE) --jobs=2 --output-sync=target pages browser-page browser-elsewhere firefox-core older compat soak-short

bench: wheel compat-packages ## measure, against other ways
	$(PYTHON) -m bench.run

fuzz: wheel ## mutated files and random arguments, for ten minutes: only documented exceptions come out
	node tests/fuzz/files.mjs 10000
	node tests/fuzz/arguments.mjs 100000

wheel: $(WHEEL) ## the JavaScript bundles and the two wheels: unpanic, and unpanic-tools for a desktop

dist: wheel site ## the wheels and the demo site

rust: setup ## build the Rust fixtures again
	$(PYTHON) rust/build.py

lint: wheel ## formatting, types, budgets
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	js/node_modules/.bin/biome check --error-on-warnings .
	cd js && node_modules/.bin/tsc --project .
	@if [ -n "$${CI:-}" ] || (cargo clippy --version && cargo fmt --version) >/dev/null 2>&1; then \
	    env -u MAKEFLAGS -u MFLAGS $(PYTHON) rust/build.py --lint; \
	else \
	    echo "lint: no cargo with clippy and rustfmt here, the Rust sources go unchecked"; \
	fi
	$(PYTHON) -m scripts.sizes

unit: setup ## the tests that need no browser
	node --test --test-reporter=dot $$(find js/test -name "*.test.js")
	$(PYTHON) -m pytest tests/unit

node: wheel ## the tests in Pyodide under Node, with the built wheel
	$(PYTHON) -m pytest tests/node

smoke: wheel ## the same as fuzz, for seconds
	node tests/fuzz/files.mjs 300
	node tests/fuzz/arguments.mjs 3000

browser: wheel ## the tests in Chromium, with the built wheel
	$(PYTHON) -m pytest tests/browser tests/soak

browser-page: wheel
	$(PYTHON) -m pytest tests/browser --realm page

browser-elsewhere: wheel
	$(PYTHON) -m pytest tests/browser --realm elsewhere

soak-short: wheel
	$(PYTHON) -m pytest tests/soak

older: wheel
	$(PYTHON) -m pytest --pyodide 0.29 --realm page $(OLDER_PYODIDE)

soak: wheel ## 20,000 crashes over five packages; prints the figures of docs/measurements.md
	$(PYTHON) -m pytest tests/soak --crashes 20000

pages: wheel page-packages ## the tests of the demo site, the examples and the documentation, which they build
	$(PYTHON) -m pytest tests/site tests/examples tests/docs --ignore tests/examples/test_crate.py

crate: wheel ## the page "From your crate", step by step; needs Rust, and takes minutes
	$(PYTHON) -m pytest tests/examples/test_crate.py

page-packages: setup
	@python3 scripts/setup.py site examples docs

compat: wheel compat-packages ## packages from npm, in a browser, against the table of docs/compatibility.md
	$(PYTHON) -m pytest tests/compat

compat-table: wheel compat-packages ## measure the packages anew, and write the table of docs/compatibility.md
	$(PYTHON) -m pytest tests/compat --write-table

compat-packages: setup
	@python3 scripts/setup.py compat

firefox: wheel ## the same tests in Firefox
	$(PYTHON) -m pytest tests/browser --engine firefox

firefox-core: wheel
	$(PYTHON) -m pytest --engine firefox --realm page $(CORE)

clean: ## remove what was built
	rm -rf dist js/dist .cache .mypy_cache .ruff_cache

# Order-only: set-up always runs and must not make its results look old.
$(RUNTIME): $(JS_SOURCES) | setup
	cd js && node build.mjs

$(WHEEL): $(RUNTIME) $(PY_SOURCES) | setup
	rm -f dist/*.whl
	$(PYTHON) -m hatchling build -t wheel -d dist
	cd py/unpanic_tools && ../../$(PYTHON) -m hatchling build -t wheel -d ../../dist
	touch $@
