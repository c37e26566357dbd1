#!/usr/bin/env bash
# scripts/build.sh PRESET [TARGET...]: configures a preset of CMakePresets.json and builds it, quietly while all goes well.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
dir=build/$preset
mkdir -p "$dir"
options=()
# A compiler cache is used where there is one; a first build takes minutes, a second from a cache seconds.
command -v ccache >/dev/null && options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
if ! cmake --preset "$preset" "${options[@]}" >"$dir/configure.log" 2>&1; then
  cat "$dir/configure.log" >&2
  exit 1
fi
grep -h 'CUDA machine' "$dir/configure.log" | sed 's/^-- /build: /' >&2 || true
cmake --build "$dir" ${1:+--target "$@"}
