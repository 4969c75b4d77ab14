PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv/.bench-ready
PYTEST := $(BIN)/python -m pytest
BUILT := tests/test_book.py tests/test_pages.py tests/test_lab.py
UNIT := tests $(BUILT:%=--ignore=%) --dist worksteal --numprocesses
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
NB ?= $(NOTEBOOKS)
BOOK := $(BIN)/jupyter-book build . -W --keep-going -n --all --quiet
KOREAN := --config _build/ko.yml --path-output _build/ko
MESSAGES := _build/gettext/_build/gettext

# TensorFlow uses oneDNN by itself on few processors; without it a convolution takes several times as long.
export TF_ENABLE_ONEDNN_OPTS ?= 1

# Tests run at least two at a time, so each computes on half of the cores: more threads than cores are slower.
HALF = $(shell cores=$$(getconf _NPROCESSORS_ONLN) && echo $$((cores > 2 ? cores / 2 : 1)))
check test verify: export TF_NUM_INTRAOP_THREADS ?= $(HALF)
check test verify: export OMP_NUM_THREADS ?= $(HALF)

# A relative AEBOOK_DATA is meant from here; a notebook's kernel would look from its own folder.
ifneq ($(filter-out /%,$(firstword $(AEBOOK_DATA))),)
export AEBOOK_DATA := $(CURDIR)/$(AEBOOK_DATA)
endif

# Sweeps of one_model.ipynb. To tune, each kind of model gets six recipes with seed 0 (TUNE), and its best
# three with two more seeds (MORE). The sweeps of code_size and claims use the best of these three.
SWEEP := $(BIN)/python -m aebook sweep
ONE_MODEL := $(SWEEP) notebooks/one_model.ipynb --rerun
SEEDS := --set seed=0,1,2
MNIST := --set dataset=mnist
FASHION := --set dataset=fashion_mnist
BOTH := --set dataset=mnist,fashion_mnist
ADAM := --set optimizer=adam --set learning_rate
NADAM := --set optimizer=nadam --set learning_rate
EITHER := --set optimizer=adam,nadam --set learning_rate
CONV := --set model=conv
DENSE := --set model=dense
SQUARED := --set model=dense --set loss=mse
LINEAR := --set model=dense --set loss=mse --set output=linear
TUNE := --set z_dim=49 --set epochs=10 --set n_train=30000 --out runs/tuning
MORE := --set seed=1,2 $(TUNE)
CLAIMS := --set z_dim=49 $(SEEDS) --out runs/claims

.DEFAULT_GOAL := help
.PHONY: help book test check messages translate verify execute bands mutations sweep bench lab serve pdf screenshots clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) \
	  else "aebook needs Python 3.11 to 3.13, got %d.%d; name one with: make PYTHON=python3.11" % v)'
	@echo "Installing the locked environment into .venv (a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

book: $(READY) _build/ko.yml ## build the HTML from the stored outputs, in English and in Korean; warnings are errors
	@$(BOOK) > /dev/null
	@$(BOOK) $(KOREAN) > /dev/null
	@rm -rf _build/html/ko && cp -R _build/ko/_build/html _build/html/ko
	@echo "The book is ready. Open _build/html/index.html in a browser, or _build/html/ko/index.html for the Korean edition."

_build/ko.yml: _config.yml
	@mkdir -p _build && sed -e 's|language: en|language: ko|' -e 's|: tools$$|: ../tools|' $< > $@

check: $(READY) ## unit tests, what the pages print of the stored models, and whether the Korean is complete (2 minutes)
	$(if $(AEBOOK_DATA)$(REAL),@$(BIN)/python -m tools.real $(if $(REAL),--required) > /dev/null)
	$(PYTEST) $(UNIT) 3 -m "not slow"
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && \
	  $(BOOK) --path-output $$folder --builder custom --custom-builder gettext > /dev/null && \
	  $(BIN)/python -m tools.translation $$folder/_build/gettext

messages: $(READY)
	@$(BOOK) --path-output _build/gettext --builder custom --custom-builder gettext > /dev/null

translate: messages ## after a change of the English: renew the catalogues in locale/ and say what is to be translated
	@$(BIN)/sphinx-intl update --pot-dir $(MESSAGES) --locale-dir locale --language ko
	@$(BIN)/python -m tools.translation $(MESSAGES) || true # what is to be translated is no error here

test: $(READY) ## check and the slower tests, then every notebook in full against its stored outputs, then the book in a browser
	@$(MAKE) --no-print-directory check
	$(PYTEST) $(UNIT) 2 -m slow
	@if $(BIN)/python -m tools.real --ask; then $(MAKE) --no-print-directory verify; fi
	@$(MAKE) --no-print-directory book
	$(PYTEST) $(BUILT) --numprocesses 3 --dist loadgroup
	@$(BIN)/python -m tools.real

verify: $(READY) ## run notebooks in full and compare: make verify [NB=notebooks/6_2_dense.ipynb] [MACHINES=all] [SEED=1]
	$(if $(MACHINES),$(BIN)/python -m tools.machines $(MACHINES) --) $(PYTEST) --nbval $(if $(SEED),--seed $(SEED)) \
	  --numprocesses 2 --dist loadfile --no-loadscope-reorder $(NB)

execute: $(READY) ## run notebooks in full and store the outputs and models: make execute [NB=...] [STORED=1: no training, the stored models]
	@$(BIN)/python -m tools.execute $(if $(STORED),--stored) $(NB)

bands: $(READY) ## measure how far outputs move with seeds and processors (hours); goes on where it stopped
	@$(BIN)/python -m tools.bands

mutations: $(READY) ## break the book in every known way, and print which check catches it
	@$(BIN)/python -m tools.mutations

sweep: $(READY) ## make the tables in results/ again (two hours); goes on where it stopped
	$(ONE_MODEL) --set model=dense,conv $(BOTH) $(EITHER)=0.001,0.003,0.01 $(TUNE)
	$(ONE_MODEL) $(SQUARED) --set output=sigmoid,linear $(BOTH) $(EITHER)=0.001,0.003,0.01 $(TUNE)
	$(ONE_MODEL) $(CONV) $(MNIST) $(ADAM)=0.001,0.003 $(MORE)
	$(ONE_MODEL) $(CONV) $(FASHION) $(ADAM)=0.003,0.01 $(MORE)
	$(ONE_MODEL) $(CONV) $(BOTH) $(NADAM)=0.01 $(MORE)
	$(ONE_MODEL) $(DENSE) --set loss=binary_crossentropy,mse $(BOTH) $(EITHER)=0.003 $(MORE)
	$(ONE_MODEL) $(DENSE) --set loss=binary_crossentropy,mse $(BOTH) $(NADAM)=0.01 $(MORE)
	$(ONE_MODEL) $(LINEAR) $(BOTH) $(NADAM)=0.001,0.003 $(MORE)
	$(ONE_MODEL) $(LINEAR) $(BOTH) $(ADAM)=0.001 $(MORE)
	$(ONE_MODEL) --set model=pca --set z_dim=2,4,8,16,32,49,98,196 --out runs/code_size
	$(ONE_MODEL) $(DENSE) $(NADAM)=0.003 --set z_dim=2,4,8,16,32,49,98,196 $(SEEDS) --out runs/code_size
	$(ONE_MODEL) $(CONV) $(ADAM)=0.003 --set z_dim=49,98 $(SEEDS) --out runs/code_size
	$(ONE_MODEL) $(FASHION) --set model=pca --set z_dim=49,98 --out runs/claims
	$(ONE_MODEL) $(FASHION) $(DENSE) $(NADAM)=0.003 --set z_dim=49,98 --set epochs=20,40 $(SEEDS) --out runs/claims
	$(ONE_MODEL) $(FASHION) $(CONV) $(NADAM)=0.01 --set z_dim=49,98 $(SEEDS) --out runs/claims
	$(ONE_MODEL) $(FASHION) $(CONV) $(NADAM)=0.01 --set z_dim=49 --set seed=3 --out runs/claims # seed 1 collapses
	$(ONE_MODEL) $(BOTH) --set model=pca --set z_dim=49 --set n_train=600,6000 --out runs/claims
	$(ONE_MODEL) $(BOTH) $(DENSE) $(NADAM)=0.003 --set n_train=600 --set epochs=2000 $(CLAIMS)
	$(ONE_MODEL) $(BOTH) $(DENSE) $(NADAM)=0.003 --set n_train=6000 --set epochs=200 $(CLAIMS)
	$(ONE_MODEL) $(BOTH) $(SQUARED) $(NADAM)=0.003 $(CLAIMS)
	$(ONE_MODEL) $(MNIST) $(LINEAR) $(NADAM)=0.003 $(CLAIMS)
	$(ONE_MODEL) $(FASHION) $(LINEAR) $(NADAM)=0.001 $(CLAIMS)
	$(SWEEP) notebooks/uses.ipynb --rerun $(SEEDS) --out runs/uses
	$(SWEEP) notebooks/6_1_principle.ipynb --rerun $(SEEDS) --out runs/principle
	rm -rf runs/one_worker runs/two_workers # these two are timed, so each is run in one go
	$(SWEEP) notebooks/6_2_dense.ipynb --set seed=0,1,2,3,4,5,6,7 --workers 1 --out runs/one_worker
	$(SWEEP) notebooks/6_2_dense.ipynb --set seed=0,1,2,3,4,5,6,7 --workers 2 --out runs/two_workers
	@for name in tuning code_size claims uses principle one_worker two_workers; do \
	  cp runs/$$name/runs.csv results/$$name.csv; done

$(BENCH_READY): requirements-bench.txt $(READY)
	@echo "Installing PyTorch and JAX into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

bench: $(if $(PAGES),book,$(BENCH_READY)) ## time the trainings side by side, into results/bench.json; QUICK=1: a tenth of the data; PAGES=1: how soon the pages are seen
	@$(BIN)/python -m $(if $(PAGES),tools.page_times,aebook bench $(if $(QUICK),--quick))

lab: $(READY) ## open the first chapter in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=. notebooks/6_1_principle.ipynb

serve: book ## build the HTML and look at it as a server would show it
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html

pdf: $(READY) _build/ko.yml ## print each edition as one PDF; needs Chromium
	@$(BIN)/python -m tools.browser pdf

screenshots: book ## pictures of every page, for a phone and a desktop, light and dark; needs Chromium
	@$(BIN)/python -m tools.browser screenshots

clean: ## remove what the other verbs made: the built book and the environment
	rm -rf _build .venv .pytest_cache aebook.egg-info
