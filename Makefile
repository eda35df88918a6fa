# Each target first sets up the tools that it needs (scripts/setup.py), so any target may be the first one.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
# Tests that fail in a browser get one second try.
BROWSER_TESTS := $(PYTHON) -m scripts.tests

# No bytecode among the sources: it would look like a change to them.
export PYTHONDONTWRITEBYTECODE := 1

# The lists contain folders too, so that make notices a deleted file.
JS_SOURCES := js/build.mjs js/expand.mjs js/parser.mjs js/package.json $(shell find js/src js/bin 2>/dev/null)
PY_SOURCES := pyproject.toml hatch_build.py LICENSE py/README.md \
    rust/rewriter/pkg/rewriter.wasm $(shell find py -not -path '*__pycache__*' 2>/dev/null)
# Tests of everything that may differ between two versions of Pyodide: conversions, proxies, exceptions, the event loop.
OLDER_PYODIDE := $(patsubst %,tests/browser/test_%.py,main_job arguments callbacks deaths entries in_flight \
    load_forms load_namespaces names_and_objects nesting readme docs_pages values buffers data streams value_numbers waits \
    deadlines rollback transactions)
# How many targets of make test run side by side.
JOBS := 2
PAGES := tests/site tests/examples tests/docs --ignore tests/examples/test_crate.py
RUNTIME := js/dist/runtime.js
WHEEL := dist/.wheel

# Tests of everything that may differ between engines: deaths, entries, calls in flight, nesting, hooks, the plugin.
CORE := $(patsubst %,tests/browser/test_%.py,pyodide_fixture main_job deaths rollback entries in_flight nesting names_and_objects \
    policy callbacks plain_javascript deadlines deadline_errors)

# And what else is about the engine: values, loading, requests.
WEBKIT := $(CORE) $(patsubst %,tests/browser/test_%.py,values loading load_forms load_namespaces load_errors \
    transactions checkpoints streams service)
# Of these, what takes a minute.
WEBKIT_SHORT := $(patsubst %,tests/browser/test_%.py,main_job deaths rollback) \
    tests/browser/test_deadlines.py::test_every_loop_ends tests/browser/test_in_flight.py

# Tests of everything that may differ in a worker: deaths and stacks, calls in flight and waits, stops, loading, policies.
WORKER := $(patsubst %,tests/browser/test_%.py,main_job deaths rollback rollback_async entries in_flight nesting names_and_objects \
    policy callbacks deadlines deadline_errors deadline_recovery stop_button waits async streams values buffers large import loading \
    load_namespaces content_security_policy readme service_realms)

.PHONY: help setup demo site screenshots examples docs links test bench growth fuzz soak soak-short sequences wheel dist rust lint unit \
    tools node smoke browser browser-page browser-elsewhere older pages pages-short crate firefox firefox-core compat compat-short compat-table \
    compat-packages page-packages webkit webkit-browser webkit-short clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

setup: ## install tools, npm packages and a browser (every other target does this first)
	@python3 scripts/setup.py

demo: site ## serve the demo site and print its transcript (ONCE=1 ends after it, OPEN=1 opens your browser instead)
	$(PYTHON) -m scripts.demo

site: wheel ## build the demo site with the documentation into dist/site, for any static host
	@python3 scripts/setup.py site docs
	$(PYTHON) -m scripts.site

screenshots: site ## take the pictures of the README and of the documentation's first page
	$(PYTHON) -m scripts.screenshots

examples: wheel ## build the examples into dist/examples, for any static host
	@python3 scripts/setup.py examples
	$(PYTHON) -m scripts.examples

docs: ## build the documentation into dist/docs
	@python3 scripts/setup.py docs
	NO_MKDOCS_2_WARNING=1 .cache/docs/bin/mkdocs build --strict --site-dir dist/docs

links: docs ## check the documentation's links, also those to other servers
	$(PYTHON) -m scripts.links

# The quick checks come first, so that they fail first. There are several runs of pytest, because the browser's driver
# keeps an event loop. Two run at a time, because a page with its Pyodide takes one core. Longer runs come first.
test: ## run the checks and tests that every change must pass
	@python3 scripts/setup.py compat site examples docs webkit rust
	$(MAKE) --jobs=$(JOBS) --output-sync=target lint unit node smoke
	$(MAKE) --jobs=$(JOBS) --output-sync=target browser-page pages-short tools compat-short browser-elsewhere soak-short older firefox-core \
	    webkit-short sequences

bench: wheel compat-packages ## measure unpanic against its alternatives
	$(PYTHON) -m bench.run

growth: compat-packages ## print how much the Wasm files of fixtures and packages grow when they can be stopped
	node bench/growth.mjs

fuzz: wheel ## try mutated files, random arguments and random modules: only documented exceptions may come out
	node tests/fuzz/files.mjs 10000
	node tests/fuzz/arguments.mjs 100000
	node tests/fuzz/rewritten.mjs 10000
	node tests/fuzz/stopped.mjs 10000
	node tests/fuzz/rewriter.mjs 10000
	$(PYTHON) -m pytest tests/sequences --sequences 10000 -o faulthandler_timeout=3600

wheel: $(WHEEL) ## build the JavaScript bundles and the two wheels: unpanic, and unpanic-tools for a desktop

dist: wheel site ## build the wheels and the demo site

rust: setup ## build the Rust fixtures and the rewriter again
	$(PYTHON) rust/build.py
	$(PYTHON) rust/plain.py

lint: wheel ## check formatting, types and size budgets
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	js/node_modules/.bin/biome check --error-on-warnings .
	cd js && node_modules/.bin/tsc --project .
	@if [ -n "$${CI:-}" ] || (cargo clippy --version && cargo fmt --version) >/dev/null 2>&1; then \
	    env -u MAKEFLAGS -u MFLAGS $(PYTHON) rust/build.py --lint; \
	else \
	    echo "lint: no cargo with clippy and rustfmt here, so the Rust sources are not checked"; \
	fi
	$(PYTHON) -m scripts.sizes

unit: setup ## run the tests that need no browser
	node --test --test-reporter=dot $$(find js/test -name "*.test.js")
	$(PYTHON) -m pytest tests/unit

# Most builds of crates take minutes: `make crate`. One takes seconds (tests/tools/test_wheel.py).
tools: wheel ## test the command, and the plugin for pytest, with both wheels installed outside of the repository
	$(BROWSER_TESTS) tools tests/tools --ignore tests/tools/test_build.py

node: wheel compat-packages ## run the tests in Pyodide under Node, with the built wheel
	$(PYTHON) -m pytest tests/node

smoke: wheel ## do the same as fuzz, but for seconds
	node tests/fuzz/files.mjs 300
	node tests/fuzz/arguments.mjs 2000
	node tests/fuzz/rewritten.mjs 300
	node tests/fuzz/stopped.mjs 300
	node tests/fuzz/rewriter.mjs 300

browser: wheel ## run the tests in Chromium, with the built wheel; also those that make test leaves out
	$(BROWSER_TESTS) browser tests/browser tests/soak --long

browser-page: wheel
	$(BROWSER_TESTS) page tests/browser --realm page

browser-elsewhere: wheel
	$(BROWSER_TESTS) elsewhere --realm worker --realm shared $(WORKER)

soak-short: wheel
	$(BROWSER_TESTS) soak-short tests/soak

older: wheel
	$(BROWSER_TESTS) older --older --realm page $(OLDER_PYODIDE)

# Random sequences of calls, crashes, transactions and checkpoints; `make fuzz` makes more of them.
sequences: wheel
	$(BROWSER_TESTS) sequences tests/sequences

soak: wheel ## crash five packages 20,000 times, roll 90,000 calls back, stop 13,600 loops in each engine, and print figures
	$(PYTHON) -m pytest tests/soak --long --crashes 20000 --each-shape
	$(PYTHON) -m pytest tests/soak/test_stops.py --long --each-shape --browser firefox

pages: wheel page-packages ## build and test the demo site, the examples and the documentation
	$(BROWSER_TESTS) pages $(PAGES) --long

pages-short: wheel page-packages
	$(BROWSER_TESTS) pages $(PAGES)

crate: wheel ## test the build hook, and the page "From your crate" step by step; needs Rust, and takes minutes
	@python3 scripts/setup.py examples rust
	$(PYTHON) -m pytest -o faulthandler_timeout=1800 tests/tools tests/examples/test_crate.py --long

page-packages: setup
	@python3 scripts/setup.py site examples docs

compat: wheel compat-packages ## test packages from npm in a browser, against the table of docs/compatibility.md
	$(BROWSER_TESTS) compat tests/compat --long

# In workers, and the largest ones, only `make compat` runs them.
compat-short: wheel compat-packages
	$(BROWSER_TESTS) compat tests/compat --realm page

compat-table: wheel compat-packages ## test the same packages, and write the table of docs/compatibility.md
	$(PYTHON) -m pytest $(addprefix tests/compat/test_,packages.py rollback.py table.py) --long --write-table

compat-packages: setup
	@python3 scripts/setup.py compat

firefox: wheel ## run the browser tests in Firefox; also those that make test leaves out
	$(BROWSER_TESTS) firefox tests/browser --browser firefox --long

firefox-core: wheel
	$(BROWSER_TESTS) firefox-core --browser firefox --realm page $(CORE)

webkit: wheel webkit-browser ## run the core's browser tests in WebKit, the engine of Safari
	$(BROWSER_TESTS) webkit --browser webkit $(WEBKIT)

webkit-short: wheel webkit-browser
	$(BROWSER_TESTS) webkit-short --browser webkit --realm page $(WEBKIT_SHORT)

webkit-browser: setup
	@python3 scripts/setup.py webkit

clean: ## remove all built files
	rm -rf dist js/dist .cache .mypy_cache .ruff_cache

# Set-up is an order-only prerequisite, because it always runs and must not make the built files look old.
$(RUNTIME): $(JS_SOURCES) | setup
	cd js && node build.mjs

$(WHEEL): $(RUNTIME) $(PY_SOURCES) | setup
	rm -f dist/*.whl
	$(PYTHON) -m hatchling build -t wheel -d dist
	cd py/unpanic_tools && ../../$(PYTHON) -m hatchling build -t wheel -d ../../dist
	touch $@
