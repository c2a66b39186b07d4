# make course    run every notebook in build/, build the site from the fresh outputs
# make test      check that notebooks and library agree, run their tests and tests/
# make bench     measure speed against fastai and torch, as ratios within one run
# make reproduce run the recorded experiments again at full size (half a day on two cores), print old against new
# make clean     remove build/ and the virtual environment
#
# The first two set everything up by themselves; a second call reuses it. Two notebooks run at a time, each on one thread.
# WD_LAB_DATA names a folder with the data sets; without it they are downloaded. WD_LAB_SIZE=full runs full experiments.

PYTHON ?= python3
BIN    := .venv/bin
BUILD  := $(CURDIR)/build
export WD_LAB_CACHE ?= $(BUILD)/cache
export PYTHONWARNINGS := ignore::FutureWarning,ignore::UserWarning

.PHONY: course test bench reproduce clean

.venv/ready: settings.ini setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "wd_lab needs Python 3.10 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

course: .venv/ready
	$(BIN)/python tools/course.py $(BUILD)/course

test: .venv/ready
	$(BIN)/python tools/check_sync.py $(BUILD)/check
	rm -rf $(BUILD)/runs && mkdir -p $(BUILD) && cp -r nbs/runs $(BUILD)/runs
	PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 WD_LAB_RUNS=$(BUILD)/runs $(BIN)/nbdev_test --n_workers 2 --timing --do_print
	$(BIN)/pytest

bench: .venv/ready
	@for script in tools/bench_*.py; do $(BIN)/python $$script || exit 1; done

reproduce: .venv/ready
	$(BIN)/python tools/reproduce.py $(BUILD)/reproduce

clean:
	rm -rf build .venv *.egg-info
