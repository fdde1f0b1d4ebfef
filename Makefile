# Everything goes through .venv/bin/python with relative paths: console scripts break where a path is long or has spaces.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev browser-libs chromium run test lint format bench faults load lock openapi access attacks doctor services-stop clean
export PYTHONUTF8 := 1

PY := .venv/bin/python
BOOTSTRAP := tradingarena/localstack/bootstrap.py
# The first Python on the way that is of a version we know.
FIND_PYTHON := for p in "$$PYTHON" python3.13 python3.12 python3.11 python3 python; do \
	  [ -n "$$p" ] && "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; p=; done; \
	[ -n "$$p" ] || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found. Debian, Ubuntu: apt-get install python3 python3-venv." >&2; exit 1; };

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Create .venv and install what running needs
	@$(FIND_PYTHON) "$$p" $(BOOTSTRAP) setup

setup-dev: ## Create .venv and install what tests and lint need too
	@$(FIND_PYTHON) "$$p" $(BOOTSTRAP) setup-dev

browser-libs: ## Fetch the browser libraries at their locked versions
	@$(FIND_PYTHON) "$$p" $(BOOTSTRAP) browser-libs

chromium: setup-dev
	@$(PY) $(BOOTSTRAP) chromium

run: setup browser-libs ## Start everything and print the address (PORT=8000, ARGS="--no-bots -v 2")
	@exec $(PY) manage.py up $(ARGS)

test: setup-dev browser-libs chromium ## Run all tests (ARGS="-k orders")
	@exec $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup-dev ## Check style, levels, types, templates, migrations, locks and the API schema
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PY) -m mypy
	$(PY) -m djlint --quiet --lint templates
	$(PY) -m tradingarena.localstack.freshness

format: setup-dev ## Rewrite code in the house style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: setup-dev browser-libs ## Measure what the README claims (ARGS=fanout for one)
	@for name in $${ARGS:-engine fills orders ledger betting chat leaderboards fanout}; do echo "== $$name"; $(PY) -m "bench.$$name" || exit 1; done

faults: setup-dev browser-libs ## Break every part under load and count what was lost (ARGS="--only Redis")
	@$(PY) -m bench.faults $(ARGS)

load: setup-dev browser-libs ## Put more and more load on an arena until something gives way (ARGS="--split")
	@$(PY) -m bench.load $(ARGS)

lock: setup-dev ## Resolve pyproject.toml into uv.lock and both requirements files
	$(PY) -m uv lock
	$(PY) -m uv export -q --no-dev --no-emit-project -o requirements.txt
	$(PY) -m uv export -q --no-emit-project -o requirements-dev.txt

openapi: setup ## Write docs/openapi.yaml and docs/api/errors.md from the source
	@$(PY) manage.py document_api

access: setup-dev ## Write docs/reports/access.md and attacks.md from the tables that tests hold the program against
	@$(PY) -m tradingarena.tests.attacks.report

attacks: setup-dev browser-libs chromium ## Run every test that docs/reports/attacks.md names
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $$($(PY) -m tradingarena.tests.attacks.report --tests)

doctor: setup ## Check the configuration and every dependency, say what to fix
	@$(PY) manage.py doctor

services-stop: setup ## Stop embedded PostgreSQL and Redis that were left running
	@$(PY) manage.py services stop

clean: ## Remove .venv, data, libraries and caches
	@$(FIND_PYTHON) "$$p" $(BOOTSTRAP) clean
