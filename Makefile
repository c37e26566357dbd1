# Shoal in a few words: every target is one command. The build itself is CMake's (CMakePresets.json).
BUILD := build/release
STUDY ?= width --quick

.DEFAULT_GOAL := help
.PHONY: help demo setup install-deps build test asan bench mutate gpu-check gpu-bundle format clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## /{sub(" .*", "", $$1); printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: setup  ## install what is missing, build, run the width study (about two minutes)
	@scripts/build.sh release shoal
	$(BUILD)/bin/shoal study $(STUDY)

setup install-deps:  ## install missing Debian packages (root or sudo)
	@scripts/setup.sh

build: setup  ## build everything (build/release)
	@scripts/build.sh release

test: setup  ## build and run every test
	@scripts/build.sh release
	ctest --test-dir $(BUILD) --output-on-failure -j2

asan: setup  ## build and run every test with address and undefined-behaviour sanitizers
	@scripts/build.sh asan
	ctest --preset asan -j2

bench: setup  ## measure: one JSON line a row (compare with bench/results/)
	@scripts/build.sh release
	@scripts/bench.sh $(BUILD)

mutate: setup  ## break the CUDA kernels one line at a time; every mutant must be caught (long)
	@scripts/build.sh release
	python3 kernels/simt/mutate.py $(BUILD) --test test_emulation --first --explained kernels/simt/equivalent_mutants.txt \
	  --into docs/kernel-mutations.md

gpu-check: setup  ## on a machine with a GPU: build the CUDA machine and run what needs it
	@scripts/build.sh cuda
	@scripts/gpu-check.sh build/cuda

gpu-bundle: setup  ## build here, check elsewhere: build/gpu-bundle.tar.gz, for a machine with a GPU
	@scripts/gpu-bundle.sh

format:  ## clang-format everything
	@git ls-files -co --exclude-standard '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -r clang-format -i

clean:  ## remove build/
	rm -rf build
