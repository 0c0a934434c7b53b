PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ADUAN_HOME ?= var

.PHONY: setup serve test bench format browser

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# The first release is trained from the shipped sample; an existing one is served as it is.
serve: setup
	@test -s $(ADUAN_HOME)/registry/history.jsonl || \
		$(BIN)/aduan train data/labeled_sample/denpasar/complaints.csv --portal data/labeled_sample/denpasar
	$(BIN)/aduan serve

browser:
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -qq -y chromium)

test: setup browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	# Two test processes on two cores: more threads would only get in each other's way.
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m benchmarks
