# README.md lists the plain commands for people without make.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
INSTALLED := .venv/installed
BUILT := _build/built
PAGES := _config.yml _toc.yml $(shell find book chapters exercises -type f \
	-not -path '*/.ipynb_checkpoints/*' -not -name '*.json')
NBVAL := $(BIN)/python -m pytest --nbval-current-env --nbval-cell-timeout=120 \
	-n $(JOBS) --dist loadscope

.PHONY: book test run claims exercises pages lab clean help

book: $(BUILT)  ## build the book into _build/html
	@echo "The book is built. Open: $(CURDIR)/_build/html/index.html"

$(BUILT): $(INSTALLED) $(PAGES)
	@# Sphinx copies a changed style sheet only when it writes all pages.
	@test -z "$$(find book/_static -newer $@ 2>/dev/null)" || rm -rf _build/.doctrees
	@# A failed build must fail again, not pass from Sphinx's cache.
	$(BIN)/jupyter-book build . --quiet -W -n --keep-going || { \
	rm -rf _build/.doctrees; exit 1; }
	@test -f _build/html/index.html || { echo "The build left no \
	_build/html/index.html: is jupyter-book below version 2?"; exit 1; }
	@touch $@

test: $(BUILT)  ## check everything: code, exercises, every number, the book
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.derive --check
	$(BIN)/python -m tools.claims --check
	$(BIN)/python -m tools.render --check
	$(NBVAL) --nbval chapters solutions
	$(NBVAL) --no-loadscope-reorder --nbval-lax exercises tests

run: $(INSTALLED)  ## execute notebooks and store their outputs [CHAPTER=1_2]
	$(BIN)/python -m tools.run $(CHAPTER) --jobs $(JOBS)
	$(BIN)/python -m tools.derive
	$(BIN)/python -m tools.render

claims: $(INSTALLED)  ## run a chapter over ten seeds, renew its record
	@test -n "$(CHAPTER)" || { echo "Say which: make claims CHAPTER=1_1"; exit 2; }
	$(BIN)/python -m tools.claims $(CHAPTER) --jobs $(JOBS)
	@$(MAKE) --no-print-directory run CHAPTER=$(CHAPTER)

exercises: $(INSTALLED)  ## derive exercises/ from solutions/
	$(BIN)/python -m tools.derive

pages: $(INSTALLED)  ## renew what is made from records: tables, status, cards
	$(BIN)/python -m tools.render

lab: $(INSTALLED)  ## open JupyterLab on the exercises
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/exercises $(AS_ROOT)

clean:  ## remove what was built, keep the environment
	rm -rf _build

help:  ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	"This course needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name \
	another one: make PYTHON=python3.12 book" % sys.version_info[:2])'
	@test -w . || { echo "No write permission in $(CURDIR): work in a copy of \
	this folder that belongs to you."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python could not make .venv. On Debian \
	and Ubuntu: apt install python3-venv, then again."; exit 1; }
	@echo "Installing into .venv: a few minutes, once."
ifeq ($(shell uname -s),Linux)
	-@$(BIN)/pip install --quiet --no-deps --retries 0 --timeout 30 \
	--index-url https://download.pytorch.org/whl/cpu -c constraints.txt torch \
	2>/dev/null || echo "No CPU build of torch at hand: taking the default one."
endif
	@$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt || { \
	echo "The installation failed: is the network reachable? Then again: \
	make $(MAKECMDGOALS)"; exit 1; }
	@touch $@
