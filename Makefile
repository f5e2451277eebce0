# One word each; `make` alone explains them. Everything made lies in build/.
SHELL := /bin/bash
ARGS ?=
SUITES ?=
FUZZ_SECONDS ?= 20
# In CI a warning is an error in the very build that is tested; elsewhere only in `make check`.
WERROR ?= $(if $(CI),ON,OFF)
# Debian's own python3 has the packages of tools/packages.txt; another one on the PATH may not.
PYTHON ?= /usr/bin/python3

.PHONY: help run build test check fuzz bench clean install-run install-test
help:
	@echo 'make run      install what is missing, build, serve examples/water-tanks with simulated tanks'
	@echo 'make build    build/nilo, Release'
	@echo 'make test     everything: unit tests (Release, ASan+UBSan, TSan), fuzzers a short while, real'
	@echo '              clients, crashes, the pages. Some of it: make test SUITES="unit web"'
	@echo 'make check    format, layers, warnings, clang-tidy, headers alone, script syntax, types of web/'
	@echo 'make fuzz     every fuzzer for FUZZ_SECONDS (600): make fuzz FUZZ_SECONDS=60'
	@echo 'make bench    the figures, beside other brokers in the same run'
	@echo 'make clean    forget build/'

run: build
	build/nilo serve examples/water-tanks --open --demo $(ARGS)

build: install-run build/build.ninja
	@ninja -C build nilo

test: install-test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) NILO_WERROR=$(WERROR) $(PYTHON) tools/test.py $(SUITES)

check: install-test
	@NILO_WERROR=$(WERROR) $(PYTHON) tools/check.py

fuzz: FUZZ_SECONDS = 600
fuzz: install-test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(PYTHON) tools/test.py fuzz

bench: install-test build
	@$(PYTHON) tools/bench.py $(ARGS)

clean:
	rm -rf build

install-run:
	@tools/install.sh run

install-test:
	@tools/install.sh test

build/build.ninja:
	@cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DNILO_WERROR=$(WERROR)
