# Each target makes the environment if it is missing or older than what it is made from.
PYTHON ?= python3
ENVIRONMENT := .venv/installed
# The processes of the suite fill the cores already; more threads in each only get in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.PHONY: demo test check lock clean

demo: $(ENVIRONMENT)
	.venv/bin/quartet demo

test: $(ENVIRONMENT)
	$(ONE_THREAD) .venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(ENVIRONMENT)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

$(ENVIRONMENT): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.lock
	.venv/bin/python -m pip install --quiet --no-deps --editable .
	touch $@

# Resolves anew for every supported Python and platform; the file names no index.
lock:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv
	.venv/bin/uv pip compile pyproject.toml --extra test --extra check --extra export --extra serve --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock

clean:
	rm -rf .venv build *.egg-info
