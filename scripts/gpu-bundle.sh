#!/usr/bin/env bash
# scripts/gpu-bundle.sh BUILD ARCHIVE: packs the programs and tests of a CUDA build, with the shared libraries they need beyond the C and C++ runtime, for a machine
# that has a GPU but no compiler. There: tar xf ARCHIVE && gpu-bundle/scripts/gpu-check.sh gpu-bundle
set -euo pipefail
build=$1 archive=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/gpu-bundle"/{bin,lib,scripts}
cp "$build"/bin/* "$stage/gpu-bundle/bin/"
cp scripts/gpu-check.sh "$stage/gpu-bundle/scripts/"
# Everything a program links to that is no part of a minimal system: its libraries by the loader's own account.
ldd "$stage/gpu-bundle"/bin/* 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libcuda)\.so' |
  while read -r library; do cp -L "$library" "$stage/gpu-bundle/lib/"; done
tar -C "$stage" -czf "$archive" gpu-bundle
du -h "$archive"
