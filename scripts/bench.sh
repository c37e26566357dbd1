#!/usr/bin/env bash
# scripts/bench.sh BUILD: runs every benchmark of a build, one JSON line a row on stdout. A benchmark is an executable named bench_<what>.
set -euo pipefail
build=$1
shopt -s nullglob
found=("$build"/bin/bench_*)
((${#found[@]})) || { echo "bench: no benchmarks in $build/bin" >&2; exit 1; }
for program in "${found[@]}"; do
  echo "bench: ${program##*/}" >&2
  "$program"
done
