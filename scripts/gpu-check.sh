#!/usr/bin/env bash
# scripts/gpu-check.sh BUILD: on a machine with a GPU, runs every test executable of a CUDA build and then trains on the device. Works in a build folder and in an
# unpacked bundle (scripts/gpu-bundle.sh), where neither CMake nor a compiler is needed. Without a GPU this is an error, never a skip.
set -euo pipefail
build=$1
export LD_LIBRARY_PATH="$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if ! nvidia-smi -L; then
  echo "gpu-check: no GPU here (nvidia-smi finds none)" >&2
  exit 1
fi
export SHOAL_REQUIRE_GPU=1  # a test that would skip for want of a GPU fails instead
failed=0
shopt -s nullglob
for test in "$build"/bin/test_*; do
  echo "gpu-check: ${test##*/}"
  "$test" || failed=1
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$build/bin/shoal" train --data digits --hidden 32,64,128 --seeds 4 --epochs 2 --device cuda -o "$out/run" || failed=1
((failed == 0)) && echo "gpu-check: all passed" || { echo "gpu-check: FAILED" >&2; exit 1; }
