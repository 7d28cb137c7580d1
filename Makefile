# Two commands matter: `make demo` and `make test`. Both create what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types imports kernels collected pytest explore proto proto-check proto-baseline node clean

# The stamps depend on pyproject.toml only: sources are installed in place.
$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit("Fulcrum needs Python 3.11 to 3.13, this is " + sys.version.split()[0]) if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@echo "installing into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the development tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/fulcrum plan examples/fleet.yaml --out plan.json

# On two cores: types are checked and tests compiled while the kernels compile, which many tests and the servers
# they start would else do at once, each for itself.
test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory -j2 lint types kernels imports collected
	@$(MAKE) --no-print-directory pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

kernels: $(VENV)/.installed
	$(BIN)/fulcrum warmup

# Leaves the rewritten assertions of all tests in the cache, for both test processes; they tell of what is wrong.
collected: $(VENV)/.installed-dev
	@$(BIN)/pytest --collect-only -q > /dev/null || true

pytest: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2

# The tests once more, with examples nobody has drawn before: what it finds becomes a test or an issue.
explore: $(VENV)/.installed-dev
	FULCRUM_EXPLORE=1 $(BIN)/pytest -n 2

proto: $(VENV)/.installed-dev
	$(BIN)/python -m planner.service.generate

# What some tests take from npm: a gRPC client nobody here wrote, buf, helm, a browser driver. Without it they skip.
node: tests/node/node_modules/.installed

tests/node/node_modules/.installed: tests/node/package.json tests/node/package-lock.json
	npm install --prefix tests/node --no-progress
	@touch $@

proto-check: $(VENV)/.installed-dev node
	$(BIN)/pytest tests/planner/service/test_contract_buf.py tests/planner/service/test_generate.py

# Moves what `proto-check` holds the contract against: only in a commit that says why.
proto-baseline: node
	cd proto && ../tests/node/node_modules/@bufbuild/buf/bin/buf build --exclude-source-info -o baseline.binpb

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
