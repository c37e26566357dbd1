#!/usr/bin/env bash
# scripts/gpu-bundle.sh BUILD FOLDER: makes a folder with the program and the tests that need a GPU, and the shared libraries they use beyond the C and C++ runtime, for
# any x86-64 Linux with an NVIDIA driver. There: FOLDER/scripts/gpu-check.sh FOLDER
set -euo pipefail
build=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"/{bin,lib,scripts}
for program in shoal test_kernels test_engine; do
  cp "$build/bin/$program" "$folder/bin/"
  strip --strip-debug "$folder/bin/$program"
done
cp scripts/gpu-check.sh "$folder/scripts/"
ldd "$folder"/bin/* | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libcuda)\.so' |
  while read -r library; do cp -L "$library" "$folder/lib/"; done
du -sh "$folder"
