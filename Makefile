# README.md lists the plain commands for people without make.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1

AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# CI, or who asks for it, builds the book with no network.
OFFLINE := $(if $(CI)$(ATTNBOOK_OFFLINE),$(BIN)/python -m tools.offline)
INSTALLED := .venv/installed
BUILT := _build/built
PAGES := _config.yml _toc.yml book chapters exercises

.PHONY: install book test test-skipped run claims exercises pages lab clean help

book: install  ## build the book into _build/html
	@# Not make's own dependencies: in people's folders lie names with spaces.
	@test -f $(BUILT) && test -z "$$(find $(PAGES) $(INSTALLED) \
	-newer $(BUILT) -not -path '*/.*' -not -name '*.json' | head -n 1)" || { \
	umask 022; \
	test -f $(BUILT) && test -z "$$(find book/_static -newer $(BUILT))" || \
	rm -rf _build/.doctrees; \
	$(OFFLINE) $(BIN)/jupyter-book build . --quiet -W -n --keep-going || { \
	rm -rf _build/.doctrees; exit 1; }; \
	test -f _build/html/index.html || { echo "The build left no \
	_build/html/index.html: is jupyter-book below version 2?"; exit 1; }; \
	touch $(BUILT); }
	@echo "The book is built. Open: $$PWD/_build/html/index.html"

test: book  ## check everything: code, exercises, every number, the book
	@$(BIN)/python -m tools.test --jobs $(JOBS)

test-skipped: install  ## run only what the last test run skipped
	@$(BIN)/python -m tools.test --jobs $(JOBS) --skipped

run: install  ## execute notebooks and store their outputs [CHAPTER=1_2]
	$(BIN)/python -m tools.run $(CHAPTER) --jobs $(JOBS)
	$(BIN)/python -m tools.derive
	$(BIN)/python -m tools.render

claims: install  ## run a chapter over ten seeds, renew its record
	@test -n "$(CHAPTER)" || { echo "Say which: make claims CHAPTER=1_1"; exit 2; }
	$(BIN)/python -m tools.claims $(CHAPTER) --jobs $(JOBS)
	@$(MAKE) --no-print-directory run CHAPTER=$(CHAPTER)

exercises: install  ## derive exercises/ from solutions/
	$(BIN)/python -m tools.derive

pages: install  ## renew what is made from records: tables, status, cards
	$(BIN)/python -m tools.render

lab: install  ## open JupyterLab on your copies of the exercises, in work/
	@$(BIN)/python -m tools.work
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/work $(AS_ROOT)

clean:  ## remove what was built, keep the environment
	rm -rf _build

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install:
	@if test -x $(BIN)/python && test -f $(INSTALLED); \
	then $(BIN)/python tools/install.py; else $(PYTHON) tools/install.py; fi
