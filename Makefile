PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
NB ?= $(NOTEBOOKS)

# A relative AEBOOK_DATA is meant from here; a notebook's kernel would look from its own folder.
ifneq ($(filter-out /%,$(firstword $(AEBOOK_DATA))),)
export AEBOOK_DATA := $(CURDIR)/$(AEBOOK_DATA)
endif

SWEEP := $(BIN)/python -m aebook sweep
CODE_SIZES := 2,4,8,16,32,49,64,98,196

.DEFAULT_GOAL := help
.PHONY: help book test check verify execute sweep lab clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) \
	  else "aebook needs Python 3.11 to 3.13, got %d.%d; name one with: make PYTHON=python3.11" % v)'
	@echo "Installing the locked environment into .venv (a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

book: $(READY) ## build the HTML from the stored outputs; warnings are errors
	@$(BIN)/jupyter-book build -W --keep-going -n --all --quiet .
	@echo "The book is ready. Open _build/html/index.html in a browser."

check: $(READY) ## unit tests, and every notebook with small parameters (minutes)
	$(PYTEST) tests --ignore=tests/test_book.py --numprocesses 2 --dist worksteal

test: check ## check, then every notebook in full against its stored outputs, then the book
	$(PYTEST) --nbval $(NOTEBOOKS)
	@$(MAKE) --no-print-directory book
	$(PYTEST) tests/test_book.py

verify: $(READY) ## run notebooks in full and compare: make verify NB=notebooks/6_2_dense.ipynb
	$(PYTEST) --nbval --require-real-data $(NB)

execute: $(READY) ## run notebooks in full and store the outputs: make execute [NB=...]
	@$(BIN)/python -m aebook execute $(NB)

sweep: $(READY) ## make the tables in results/ again (about an hour); goes on where it stopped
	$(SWEEP) notebooks/one_model.ipynb --set model=pca --set z_dim=$(CODE_SIZES) --out runs/code_size --rerun
	$(SWEEP) notebooks/one_model.ipynb --set model=dense --set z_dim=$(CODE_SIZES) --set seed=0,1,2,3,4 --out runs/code_size --rerun
	$(SWEEP) notebooks/one_model.ipynb --set model=conv --set z_dim=49,98,196 --set seed=0,1,2 --out runs/code_size --rerun
	rm -rf runs/one_worker runs/two_workers # these two are timed, so each is run in one go
	$(SWEEP) notebooks/6_2_dense.ipynb --set seed=0,1,2,3,4,5,6,7 --workers 1 --out runs/one_worker
	$(SWEEP) notebooks/6_2_dense.ipynb --set seed=0,1,2,3,4,5,6,7 --workers 2 --out runs/two_workers
	@for name in code_size one_worker two_workers; do cp runs/$$name/runs.csv results/$$name.csv; done

lab: $(READY) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

clean: ## remove what the other verbs made: the built book and the environment
	rm -rf _build .venv .pytest_cache aebook.egg-info
