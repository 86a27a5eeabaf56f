# Everything runs in .venv, made on first use from constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# Checked as a file: a second `make compare` starts at once.
INSTALLED := .venv/.installed

# Seeded runs of every correct initializer.
RUNS ?= 200

.PHONY: compare test check bench conformance trainability schema faults scaling docs wasm
.PHONY: page page-test bench-check check-cost clean

compare: $(INSTALLED)
	$(BIN)/initlab compare

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist=worksteal --cov --cov-report=term:skip-covered

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tools that we measure beside are large, and needed by nothing else.
bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/compare_command.py
	$(BIN)/python benchmarks/engines.py
	$(BIN)/python benchmarks/against_peers.py
	$(BIN)/python benchmarks/framework_laws.py
	$(BIN)/python -m pytest benchmarks --no-header -q

# The suite over our catalog, planted faults and other frameworks: half an hour or more.
conformance: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench,test]'
	$(BIN)/python benchmarks/conformance.py --runs $(RUNS)

# Hundreds of random networks, who learns and what foretells it: docs/trainability.md.
trainability: $(INSTALLED)
	$(BIN)/python benchmarks/trainability.py

# The JSON schema of study.toml, from the models.
schema: $(INSTALLED)
	$(BIN)/python -m initlab.spec._schema

# Kill, cut off and fill up studies: docs/faults.md. Half an hour.
faults: $(INSTALLED)
	$(BIN)/python benchmarks/study_faults.py

# Workers, shard sizes and the one writer: docs/cluster.md.
scaling: $(INSTALLED)
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/memory.py

# What is computed for the documentation.
docs: $(INSTALLED)
	$(BIN)/python docs/studies/how_deep.py

# What a check costs beside a training step: docs/check-cost.md.
check-cost: $(INSTALLED)
	$(BIN)/python benchmarks/check_cost.py

# Models with and without planted faults, judged by every tool: benchmarks/check.
bench-check: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[linters]'
	PYTHONPATH=benchmarks $(BIN)/python -m check

# The kernels for the page; the linked file is committed.
wasm: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[wasm]'
	$(BIN)/python -m initlab.engine._webassembly

# The page in one file, with Node and npm; the built file is committed.
page: $(INSTALLED) page/node_modules/.package-lock.json
	$(BIN)/python page/shared.py
	cd page && npx tsc --noEmit && node build.mjs

# The page in a real browser, and its laboratory beside Python's.
page-test: $(INSTALLED) page/node_modules/.package-lock.json
	cd page && npx tsc --noEmit && node build.mjs built/page.html
	cmp page/built/page.html src/initlab/browser/page.html || { echo 'run `make page`'; exit 1; }
	cd page && node --test test/*.test.mjs
	$(BIN)/python -m pytest -q -p no:cacheprovider -c pyproject.toml page/test

page/node_modules/.package-lock.json: page/package-lock.json
	cd page && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf .venv
