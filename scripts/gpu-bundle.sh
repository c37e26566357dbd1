#!/usr/bin/env bash
# gpu-bundle.sh [FOLDER [BUILD]]: makes FOLDER (build/gpu-bundle) and FOLDER.tar.gz: the program, its tests and gpu-check.sh for any x86-64 Linux with an NVIDIA
# driver, where neither a compiler nor CMake nor Python is needed. BUILD is an existing build with SHOAL_PORTABLE=ON; without it one is made in build/portable.
# With SHOAL_DATA the four files of MNIST go along (11 MB); such a bundle is for one's own machines: the data are not ours to give away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build/gpu-bundle} build=${2:-}
# Left out: tests of the emulation alone, which need addr2line or a sanitizer's library, and test_curand, which needs 130 MB of cuRAND; none of them uses a GPU.
programs=(shoal compare_runs test_kernels test_kernels_cuda test_engine test_reference test_tools test_datasets test_analysis test_studies)
if [ -z "$build" ]; then
  build=build/portable
  scripts/build.sh portable "${programs[@]}"
fi
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
[ "$(cached SHOAL_PORTABLE)" = ON ] || { echo "gpu-bundle: $build was not configured with SHOAL_PORTABLE=ON" >&2; exit 1; }

rm -rf "$folder" "$folder.tar.gz"
mkdir -p "$folder"/{bin,lib,scripts,bench/peers,bench/results}
for program in "${programs[@]}"; do
  cp "$build/bin/$program" "$folder/bin/"
  strip --strip-debug "$folder/bin/$program"
done
cp scripts/gpu-check.sh scripts/gpu-bench.sh "$folder/scripts/"
cp bench/peers/gpu_peers.py "$folder/bench/peers/"

# What could not be linked statically lies beside the programs ($ORIGIN/../lib); glibc is the other machine's own.
mapfile -t libraries < <(ldd "$folder"/bin/* | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u | grep -vE '/(libc|libm|libdl|librt|libpthread|ld-linux-x86-64)\.so')
# Opened at run time, so ldd does not see it: LAPACK for PCA, and what it needs.
lapack=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | awk '$1 == "libopenblas.so.0" && !seen++ {print $NF}')
if [ -n "$lapack" ]; then
  libraries+=("$lapack")
  mapfile -t -O "${#libraries[@]}" libraries < <(ldd "$lapack" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | grep -vE '/(libc|libm|libdl|librt|libpthread|ld-linux-x86-64)\.so')
fi
for library in "${libraries[@]}"; do
  cp -L "$library" "$folder/lib/"
done
glibc=$(find "$folder/bin" "$folder/lib" -type f -exec objdump -T {} + 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)

if [ -n "${SHOAL_DATA:-}" ]; then
  mkdir -p "$folder/data/mnist"
  for part in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    if [ -e "$SHOAL_DATA/mnist/$part.gz" ]; then
      cp "$SHOAL_DATA/mnist/$part.gz" "$folder/data/mnist/"
    else
      gzip -9c "$SHOAL_DATA/mnist/$part" >"$folder/data/mnist/$part.gz"
    fi
  done
  chmod -R u+w "$folder/data"
  (($(du -sk "$folder/data" | cut -f1) < 20000)) || { echo "gpu-bundle: the data are larger than 20 MB" >&2; exit 1; }
fi

version=$("$folder/bin/shoal" --version)
cat >"$folder/README.txt" <<TEXT
$version, built to be checked on a GPU

  scripts/gpu-check.sh            tests, compute-sanitizer, training beside the CPU, benchmarks
  scripts/gpu-check.sh --help     its parts, options and exit codes
  bin/shoal info                  what this computer has
  bin/shoal train --data digits --hidden 16,64,256 --seeds 4

Needed here: x86-64 Linux with glibc ${glibc#GLIBC_} or later, bash, coreutils, sed, awk and an NVIDIA driver for CUDA $(sed -n 's/.*"cuda_compiler":"\([0-9]*\.[0-9]*\).*/\1/p' <<<"$("$folder/bin/shoal" info --json)")
or later. The GPU code is for CUDA architectures $(cached CMAKE_CUDA_ARCHITECTURES) (a number without "-real" is there as PTX
too, which newer GPUs compile when the program starts).

Not in here: compute-sanitizer (it comes with the CUDA toolkit and is looked for in PATH, \$CUDA_HOME and /usr/local/cuda; without
it the check ends with exit code 3, unless it is called with --no-sanitizer), cuBLAS (likewise, --no-cublas) and cuSOLVER (--no-cusolver).
$([ -d "$folder/data" ] && echo "data/mnist is MNIST (Y. LeCun, C. Cortes, C. Burges); it is here for the check and not to be passed on." || echo "No data: the check uses built-in digits, and MNIST where SHOAL_DATA names a folder with mnist/ in it.")

Rows of benchmarks go to bench/results/.
TEXT
rmdir --ignore-fail-on-non-empty "$folder/lib"
tar -C "$(dirname "$folder")" -czf "$folder.tar.gz" "$(basename "$folder")"
echo "gpu-bundle: $folder ($(du -sh "$folder" | cut -f1)), $folder.tar.gz ($(du -h "$folder.tar.gz" | cut -f1)); needs glibc ${glibc#GLIBC_}; libraries beside it: ${libraries[*]:-none}"
