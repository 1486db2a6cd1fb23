# The two commands of a newcomer. Both install what they need first; nothing is installed by hand.
PYTHON ?= python3
BOOTSTRAP = $(PYTHON) sparkle/local/bootstrap.py
BIN = .venv/bin

.PHONY: run test clean

run: ## everything on this machine, until Ctrl-C
	@$(BOOTSTRAP) run

test: ## every check and test, the cheap ones first
	@$(BOOTSTRAP) test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	SPARKLE_ENV=test $(BIN)/python -Wignore manage.py makemigrations --check --dry-run
	$(BOOTSTRAP) npm run check
	$(BOOTSTRAP) npm run test
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

clean: ## remove what can be made again; the data in var/ stays
	rm -rf .venv frontend/node_modules apps/console/static/console .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
