# make course    run every notebook in build/, build the site from the fresh outputs (by Quarto, else a plain preview)
# make site      the site alone, in _docs/, from the committed outputs
# make test      check that notebooks and library agree, run their tests and tests/
# make bench     measure speed against fastai and torch, as ratios within one run
# make reproduce run the recorded experiments again at full size (half a day on two cores), print old against new
# make soak      what takes too long for each change: each notebook alone with the wheel; axe on every page of the site;
#                processes killed at random moments; every file of a folder damaged at hundreds of places;
#                100,000 hostile calls; the wheel with the newest fastai, fastcore and torch
# make clean     remove build/ and the virtual environment
#
# Each sets everything up by itself; a second call reuses it. A chapter that fails in `make course` is named at the end,
# and its page shows the committed outputs.
# WD_LAB_DATA names a folder with the data sets; without it they are downloaded. WD_LAB_SIZE=full runs full experiments.

PYTHON ?= python3
BIN    := .venv/bin
BUILD  := $(CURDIR)/build
export WD_LAB_CACHE ?= $(BUILD)/cache
export PYTHONWARNINGS := ignore::FutureWarning,ignore::UserWarning

.PHONY: course site soak test bench reproduce clean

.venv/ready: settings.ini setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wd_lab needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

course: .venv/ready
	$(BIN)/python tools/course.py $(BUILD)/course

site: .venv/ready
	$(BIN)/python tools/course.py --site

soak: .venv/ready site
	WD_LAB_SITE=$(CURDIR)/_docs $(BIN)/pytest tests/test_site.py
	$(BIN)/pytest -m soak tests/test_soak.py
	WD_LAB_EXAMPLES=100000 $(BIN)/pytest -s tests/test_hostile.py tests/test_hostile_data.py
	$(BIN)/python -W ignore tools/installed.py
	$(BIN)/python -W ignore tools/alone.py

# Notebooks are tested in the copy that check_sync makes, so that what they write stays there; the last line sees to it.
CHECKOUT = find nbs wd_lab tests -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' | sort | xargs cksum

# Ctrl-C ends each step within five seconds: nbdev_test alone would go on with the next notebook.
STOPPABLE = $(CURDIR)/$(BIN)/python $(CURDIR)/tools/stoppable.py

test: .venv/ready
	@echo "1 of 3: are notebooks and library in step? (half a minute)"
	$(BIN)/python tools/check_sync.py $(BUILD)/check
	$(CHECKOUT) > $(BUILD)/before
	rm -rf $(BUILD)/check/wd_lab
	@echo "2 of 3: every notebook, two at a time (eight minutes)"
	cd $(BUILD)/check && PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 $(STOPPABLE) $(CURDIR)/$(BIN)/nbdev_test --n_workers 2 --timing --do_print
	@echo "3 of 3: tests/, what a notebook cannot show"
	$(STOPPABLE) $(BIN)/pytest -v --durations=10
	@$(CHECKOUT) | diff $(BUILD)/before - || (echo "a test has written into the checkout: write to a temporary folder"; exit 1)

bench: .venv/ready
	@for script in tools/bench_*.py; do $(BIN)/python $$script || exit 1; done

reproduce: .venv/ready
	$(BIN)/python tools/reproduce.py $(BUILD)/reproduce

clean:
	rm -rf build .venv *.egg-info
