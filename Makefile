# OnePAM. `make run` starts a demo company from nothing; `make help` lists the rest.
# Needed beforehand: python3 >= 3.11 with venv, and make. Everything else is fetched by digest into .venv and ui/node_modules.

# Python keeps what it compiled, whatever the environment says: else each of a hundred gateways in the tests compiles all.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
# Half of a test's time is waiting for other processes: twice as many workers as processors.
PYTEST_ARGS ?= -n 4

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install
LOCKED := scripts/install-locked $(BIN)/python

UI_SOURCES := $(shell test -d ui && find ui -name node_modules -prune -o -type f -print) src/onepam/evidence/verifier/verify.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Running ---------------------------------------------------------------------------------------------------------

.PHONY: run
run: $(STAMPS)/runtime $(STAMPS)/package $(STAMPS)/ui ## Start the platform with a demo company on loopback
	@exec $(BIN)/onepam demo

.PHONY: ui
ui: $(STAMPS)/ui ## Build the console's scripts and styles

.PHONY: wheel
wheel: $(STAMPS)/package $(STAMPS)/ui ## Build the wheel, the console's built assets inside, into dist/
	@rm -rf build
	$(BIN)/python -m pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation --wheel-dir dist .

# --- Checking --------------------------------------------------------------------------------------------------------

.PHONY: test-parts
test-parts: system-packages $(STAMPS)/dev $(STAMPS)/package $(STAMPS)/ui $(STAMPS)/oidc-provider

# Of the pure floors each test runs once, measured as it does.
PURE := $(addprefix tests/,kernel domain ledger recording)
TEST_PURE = $(BIN)/python -m pytest $(PYTEST_ARGS) --cov --cov-report=term $(PURE)

.PHONY: test
test: test-parts ## Install what the tests need, and run them all; those of the pure floors must reach every branch there
	@ended=0; $(TEST_PURE) || ended=$$?; \
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not conformance" $(addprefix --ignore=,$(PURE)) || ended=$$?; exit $$ended

.PHONY: conformance
conformance: test-parts ## Foreign programs and suites against the product (CONFORMANCE_ARGS="-k keycloak" for a part of them)
	scripts/install-conformance $(VENV)
	$(BIN)/python -m pytest -m conformance $(CONFORMANCE_ARGS)

.PHONY: conformance-slice
conformance-slice: test-parts ## Those of them that need nothing large: other SSH clients, programs and drivers of PostgreSQL and MariaDB
	scripts/conformance/install-slice-drivers $(VENV)
	$(BIN)/python -m pytest -n 2 -m conformance tests/conformance/test_ssh_clients.py \
		tests/conformance/databases/test_programs.py tests/conformance/databases/test_mysql_programs.py

.PHONY: static
static: lint types imports sizes ## Lint and format, strict types, import contracts, sizes (all of them: make -k static)

.PHONY: lint types imports sizes
lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMPS)/dev $(STAMPS)/package
	$(BIN)/mypy

imports: $(STAMPS)/dev $(STAMPS)/package
	$(BIN)/lint-imports

sizes: $(STAMPS)/dev
	$(BIN)/python scripts/check_sizes.py

.PHONY: check
check: static test ## Everything that must hold before a commit: static, tests, every branch of the pure floors

.PHONY: coverage
coverage: $(STAMPS)/dev $(STAMPS)/package ## Every branch of the pure floors, by their own tests
	$(TEST_PURE)

.PHONY: mutation
mutation: test-parts ## Alter the rules one piece at a time: does a test tell? (MUTATION_ARGS="--changed 20 --most 60" for a part)
	$(BIN)/python scripts/mutate.py $(or $(MUTATION_ARGS),--all)

.PHONY: generated
generated: test-parts ## Write what is made from the code: forms of events, lists in docs/, the API's description, verify.py, vectors, digests
	@for each in forms events_doc controls_doc notices_doc entry_points_doc attacks_doc claims_doc verifier vectors format_doc conformance_doc; do $(BIN)/python scripts/$$each.py; done
	@$(BIN)/python -m onepam.api.openapi docs/api/openapi.json
	@$(MAKE) --no-print-directory ui
	@$(BIN)/python scripts/verifier_page.py

.PHONY: bench
bench: system-packages $(STAMPS)/dev $(STAMPS)/package ## Measure against the goals, and write docs/benchmarks.md (BENCH_ARGS="verify ledger" for a part of it)
	scripts/install-bench
	$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: screenshots
screenshots: system-packages $(STAMPS)/dev $(STAMPS)/package $(STAMPS)/ui ## Take the pictures of the documentation
	$(BIN)/python scripts/screenshots.py

# --- Keeping ---------------------------------------------------------------------------------------------------------

.PHONY: lock
lock: $(STAMPS)/dev $(STAMPS)/package $(STAMPS)/ui ## Remake the hashed locks, NOTICE and sbom.cdx.json (LOCK_ARGS=--upgrade for the newest allowed versions)
	scripts/lock $(LOCK_ARGS)

.PHONY: clean
clean: ## Remove what was built and fetched; data of a demo stays
	rm -rf $(VENV) ui/node_modules tests/oidc_provider/node_modules src/onepam/console/static/built src/onepam/evidence/verifier/verify.html build dist htmlcov .coverage
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache src/*.egg-info

# --- Steps: each stamp says "done for these inputs", so a second run starts at once ------------------------------------

.PHONY: system-packages
system-packages:
	@scripts/install-test-packages

$(STAMPS)/venv:
	@scripts/create-venv $(PYTHON) $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: locks/runtime.lock scripts/install-locked | $(STAMPS)/venv
	@echo "Installing the runtime libraries ..."
	@$(LOCKED) locks/runtime.lock
	@touch $@

$(STAMPS)/dev: locks/dev.lock scripts/install-locked | $(STAMPS)/venv
	@echo "Installing the libraries and the test tools ..."
	@$(LOCKED) locks/dev.lock
	@touch $@

$(STAMPS)/package: pyproject.toml locks/build.lock | $(STAMPS)/venv
	@$(LOCKED) locks/build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/ui: $(UI_SOURCES) | $(STAMPS)/venv
	@scripts/build-ui $(VENV)
	@touch $@

OIDC_PROVIDER := $(addprefix tests/oidc_provider/,package.json package-lock.json .npmrc)
$(STAMPS)/oidc-provider: $(OIDC_PROVIDER) scripts/node.sh scripts/install-oidc-provider | $(STAMPS)/venv
	@scripts/install-oidc-provider $(VENV)
	@touch $@
