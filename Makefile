PYTHON ?= python3
BIN := .venv/bin
# What is installed: all that builds the pages; all that a lesson needs; all but the bench; the bench, too.
SITE_READY := .venv/.site-ready
RUN_READY := .venv/.run-ready
READY := .venv/.ready
BENCH_READY := .venv/.bench-ready
INSTALL = @$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
AEBOOK := --no-deps --no-build-isolation --editable .
PYTEST := $(BIN)/python -m pytest
BUILT := tests/book/built tests/notebooks/test_lab.py
UNIT := tests aebook $(BUILT:%=--ignore=%) --dist worksteal --numprocesses
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
NB ?= $(NOTEBOOKS)
LANGUAGE := en
BOOK_READY := _build/.book-ready
BOOK := $(BIN)/python -m sphinx -c book -W --keep-going -n -E -q .

# Without its bytecode on the disk, every process that imports Keras compiles it again, for twice the time.
unexport PYTHONDONTWRITEBYTECODE

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

.DEFAULT_GOAL := help
.PHONY: help book test check messages translate words verify execute explorer stills bands mutations sweep bench lab rerun serve pdf screenshots clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) \
	  else "aebook needs Python 3.11 to 3.13, got %d.%d; name one with: make PYTHON=python3.11" % v)'
	@$(PYTHON) -m venv .venv

$(SITE_READY): requirements-site.txt | $(BIN)/python
	@echo "Installing what builds the pages into .venv (half a minute) ..."
	$(INSTALL) --require-hashes -r $<
	@touch $@

$(RUN_READY): requirements-run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the lessons need into .venv (a minute or two) ..."
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) $(AEBOOK)
	@touch $@

$(READY): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked environment into .venv (a minute or two) ..."
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) $(AEBOOK)
	@touch $(SITE_READY) $(RUN_READY) $@

book: $(SITE_READY) ## build the HTML from the stored outputs, in English and in Korean; warnings are errors
	@$(BOOK) -d _build/ko/doctrees -D language=ko _build/ko/html & korean=$$!; \
	  $(BOOK) -d _build/doctrees _build/html; english=$$?; wait $$korean && exit $$english
	@rm -rf _build/html/ko && cp -R _build/ko/html _build/html/ko
	@touch $(BOOK_READY)
	@echo "The book is ready. Open _build/html/index.html in a browser, or _build/html/ko/index.html for the Korean edition."

check: $(READY) ## lint, unit tests, what the pages print of the stored models, and whether the Korean is complete (2 minutes); SLOW=1: the slower tests, too
	$(if $(AEBOOK_DATA)$(REAL),@$(BIN)/python -m tools.real $(if $(REAL),--required) > /dev/null)
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy
	$(PYTEST) $(UNIT) 3 $(if $(SLOW),,-m "not slow")
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && \
	  $(BOOK) -b gettext $$folder/gettext && $(BIN)/python -m tools.translation $$folder/gettext

messages: $(READY)
	@$(BOOK) -b gettext _build/gettext/messages

translate: messages ## after a change of the English: renew the catalogues in locale/ and say what is to be translated
	@$(BIN)/sphinx-intl update --pot-dir _build/gettext/messages --locale-dir locale --language ko
	@$(BIN)/python -m tools.translation _build/gettext/messages || true # what is to be translated is no error here

words: $(READY) ## print how long the sentences of each page are
	@$(BIN)/python -m tools.lessons

test: $(READY) ## check and the slower tests, then every notebook in full against its stored outputs, then the book in a browser
	@$(MAKE) --no-print-directory check SLOW=1
	@if $(BIN)/python -m tools.real --ask; then $(MAKE) --no-print-directory verify; fi
	@$(MAKE) --no-print-directory book
	$(PYTEST) $(BUILT) --numprocesses 3 --dist worksteal
	@$(BIN)/python -m tools.real

verify: $(READY) ## run notebooks in full and compare: make verify [NB=notebooks/6_2_dense.ipynb] [MACHINES=all] [SEED=1]
	$(if $(MACHINES),$(BIN)/python -m tools.machines $(MACHINES) --) $(PYTEST) --nbval $(if $(SEED),--seed $(SEED)) \
	  --numprocesses 2 --dist loadfile --no-loadscope-reorder $(NB)

execute: $(READY) ## run notebooks in full and store the outputs and models: make execute [NB=...] [STORED=1: no training, the stored models]
	@$(BIN)/python -m tools.execute $(if $(STORED),--stored) $(NB)

explorer: $(READY) ## export the stored models and a sample of MNIST for the pages to touch, into book/explorer
	@$(BIN)/python -m tools.explorer

stills: $(READY) book ## take the still figures of what can be touched, for paper and for pages without scripts; needs Chromium
	@$(BIN)/python -m tools.stills

bands: $(READY) ## measure how far outputs move with seeds and processors (hours); goes on where it stopped
	@$(BIN)/python -m tools.bands

mutations: $(READY) ## break the book in every known way, and print which check catches it
	@$(BIN)/python -m tools.mutations

sweep: $(RUN_READY) ## make the tables in results/ again, as experiments.yml names them (five hours on two cores); goes on where it stopped
	$(BIN)/python -m aebook sweep experiments.yml

$(BENCH_READY): requirements-bench.txt $(READY)
	@echo "Installing PyTorch and JAX into .venv ..."
	$(INSTALL) -r $<
	@touch $@

bench: $(if $(PAGES),$(READY) book,$(if $(LESSONS),$(READY),$(BENCH_READY))) ## time the trainings side by side, into results/bench.json; QUICK=1: a tenth of the data; LESSONS=1: the lessons, into results/lessons.json; PAGES=1: how soon the pages are seen, and how quick the explorer is
	@$(BIN)/python -m $(if $(PAGES),tools.page_times,$(if $(LESSONS),tools.lesson_times,aebook bench $(if $(QUICK),--quick)))

# All that the pages are made of.
$(BOOK_READY): $(NOTEBOOKS) $(wildcard *.md _*.yml *.bib static/*.* static/*/*.* results/lessons.json)
$(BOOK_READY): $(wildcard book/*.py book/templates/*.* book/templates/*/*.* book/static/*.* book/explorer/*.*)
$(BOOK_READY): $(wildcard aebook/language.py aebook/explorer/*.* aebook/ko.po)
$(BOOK_READY): $(wildcard locale/ko/figures/*.json locale/ko/LC_MESSAGES/*.po locale/ko/LC_MESSAGES/*/*.po)
	@$(MAKE) --no-print-directory book

lab: $(RUN_READY) $(if $(AUTHOR),,$(BOOK_READY)) ## open the chapters in JupyterLab, in a folder of your own: make lab [LANGUAGE=ko] [AUTHOR=1: the sources]
	@$(if $(AUTHOR),,$(BIN)/python -m book.lab $(LANGUAGE))
	$(BIN)/jupyter lab $(if $(AUTHOR),--notebook-dir=. notebooks,--notebook-dir=lab-$(LANGUAGE) lab-$(LANGUAGE))/6_1_principle.ipynb

rerun: $(RUN_READY) $(BOOK_READY) ## run a chapter with settings of your own, and make a page of it: make rerun NB=notebooks/6_2_dense.ipynb SET="z_dim=8 epochs=1" [LANGUAGE=ko]; without SET: a page of what papermill has run
	@$(BIN)/python -m book.rerun $(LANGUAGE) $(NB) $(SET)

serve: book ## build the HTML and look at it as a server would show it
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html

pdf: $(READY) ## print each edition as one PDF; needs Chromium
	@$(BIN)/python -m tools.pdf

screenshots: $(READY) book ## pictures of every page, for a phone and a desktop, light and dark; needs Chromium
	@$(BIN)/python -m tools.screenshots

clean: ## remove what the other verbs made: the built book and the environment
	rm -rf _build .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis aebook.egg-info
