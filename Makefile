# The two commands of a newcomer. Both install what they need first; nothing is installed by hand.
PYTHON ?= python3
BOOTSTRAP = $(PYTHON) sparkle/local/bootstrap.py
BIN = .venv/bin

.PHONY: run test checks check-style check-types check-frontend check-imports check-migrations clean

run: ## everything on this machine, until Ctrl-C
	@$(BOOTSTRAP) run

test: ## every check and test, the cheap ones first
	@$(BOOTSTRAP) test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync checks
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

# Two at a time, each one's output in one piece; the longest begin first.
checks: check-style check-types check-frontend check-imports check-migrations

check-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types:
	$(BIN)/mypy

check-frontend:
	$(BOOTSTRAP) npm run check
	$(BOOTSTRAP) npm run test

check-imports:
	$(BIN)/lint-imports

check-migrations:
	SPARKLE_ENV=test $(BIN)/python -Wignore manage.py makemigrations --check --dry-run

clean: ## remove what can be made again; the data in var/ stays
	rm -rf .venv frontend/node_modules apps/console/static/console .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
