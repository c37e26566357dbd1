#!/usr/bin/env bash
# Checks the CUDA machine on a computer with a GPU: tests, compute-sanitizer, training beside the CPU, benchmarks (docs/gpu.md).
# Runs in a source folder after a build, and in the folder that gpu-bundle.sh makes; needs bash, coreutils, sed and awk there, and an NVIDIA driver.
set -uo pipefail

usage() {
  cat <<'TEXT'
gpu-check.sh [BUILD] [options]: checks the CUDA machine on this computer's GPU.

  BUILD              folder with bin/ (default: the bundle's own, or build/cuda)
  --only PART,...    of tests, sanitizer, training, bench (default: all four)
  --no-sanitizer     go without compute-sanitizer where it is not installed
  --no-cublas        go without cuBLAS where it is not installed
  --no-cusolver      go without cuSOLVER (PCA on the GPU) where it is not installed
  --results DIR      where rows of benchmarks go (default: bench/results)
  --quick            small benchmarks, to try the script; their rows say so

SHOAL_DATA=DIR       folder with mnist/: training and benchmarks on it too

Exit codes:
  0  everything passed
  1  something failed
  2  wrong arguments
  3  all that was run passed, but something could not be run
  5  no GPU here
TEXT
}
refuse() { echo "gpu-check: $1 (--help lists what there is)" >&2; exit 2; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="" parts=tests,sanitizer,training,bench want_sanitizer=1 want_cublas=1 want_cusolver=1 results=$root/bench/results quick=""
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --only) parts=${2:-}; [ -n "$parts" ] || refuse "--only needs a list of parts"; shift ;;
    --no-sanitizer) want_sanitizer=0 ;;
    --no-cublas) want_cublas=0 ;;
    --no-cusolver) want_cusolver=0 ;;
    --results) results=${2:-}; [ -n "$results" ] || refuse "--results needs a folder"; shift ;;
    --quick) quick=--quick ;;
    -*) refuse "unknown option $1" ;;
    *) [ -z "$build" ] || refuse "more than one folder"; build=$1 ;;
  esac
  shift
done
for part in ${parts//,/ }; do
  case $part in tests | sanitizer | training | bench) ;; *) refuse "unknown part '$part'" ;; esac
done
if [ -z "$build" ]; then
  build=$root/build/cuda
  [ -x "$root/bin/shoal" ] && build=$root
fi
bin=$build/bin
[ -x "$bin/shoal" ] || refuse "there is no program $bin/shoal"
# In a bundle: LAPACK, which the programs open at run time, and what it needs.
[ "$build" = "$root" ] && [ -d "$root/lib" ] && export LD_LIBRARY_PATH=$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
[ -n "${SHOAL_DATA:-}" ] || { [ -d "$root/data/mnist" ] && export SHOAL_DATA=$root/data; }

info=$("$bin/shoal" info --json) || { echo "gpu-check: $bin/shoal does not run here" >&2; exit 1; }
json_text() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' <<<"$info"; }
if [[ $info == *'"devices":0,'* ]]; then
  echo "gpu-check: no GPU here: $(json_text reason)" >&2
  exit 5
fi
echo "gpu-check: $(sed -n 's/.*"names":\["\([^"]*\)".*/\1/p' <<<"$info"), shoal $(json_text version) ($(json_text commit))"

work=$(mktemp -d)
passed=0 failed=() left_out=() log=""
# step NAME COMMAND...: what it says goes to a file; of a failure the end is shown.
step() {
  local name=$1 began=$SECONDS code=0
  log=$work/$((passed + ${#failed[@]} + 1)).log
  shift
  "$@" >"$log" 2>&1 || code=$?
  if ((code == 0)); then
    passed=$((passed + 1))
    printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
    return 0
  fi
  failed+=("$name")
  printf 'FAILED  %s (exit code %d, %d s), the whole of it in %s:\n' "$name" "$code" $((SECONDS - began)) "$log"
  tail -n 25 "$log" | sed 's/^/        /'
  return 1
}
not_run() { left_out+=("$1: $2"); printf 'NOT RUN %s: %s\n' "$1" "$2"; }
asked() { [[ ,$parts, == *,$1,* ]]; }

# What opens a library of the toolkit. Both set `why` where there is none.
try_cublas() {
  why=$("$bin/shoal" train --data digits --train-count 64 --test-count 16 --batch 16 --epochs 1 --device cuda --gemm cublas -q -o "$work/probe" --force 2>&1 >/dev/null)
}
try_cusolver() {
  printf 'a,b\n1,2\n2,1\n3,5\n' >"$work/probe.csv"
  why=$("$bin/shoal" stats "$work/probe.csv" --pca --device cuda --json 2>&1 >/dev/null)
}
# find_library TRY: from the loader's path, a toolkit, or Python packages (whose folders hold one library each, and need each other).
find_library() {
  local folder outside=${LD_LIBRARY_PATH:-} why_first packages
  "$1" && return 0
  why_first=$why
  packages=$(python3 -c 'import glob, sys
print(":".join(f for p in sys.path for f in glob.glob(p + "/nvidia/*/lib")))' 2>/dev/null)
  for folder in ${CUDA_HOME:+"$CUDA_HOME/lib64"} /usr/local/cuda*/lib64 ${packages:+"$packages"}; do
    compgen -G "${folder%%:*}/lib*.so.*" >/dev/null || continue
    export LD_LIBRARY_PATH=${outside:+$outside:}$folder
    "$1" && return 0
  done
  export LD_LIBRARY_PATH=$outside
  why=$why_first
  return 1
}
cublas=0 why=""
if ((want_cublas)) && { asked training || asked bench; }; then
  if find_library try_cublas; then cublas=1; else not_run "training with cuBLAS" "${why#error: } (--no-cublas goes without it)"; fi
fi

if asked tests; then
  if ((want_cusolver)) && ! find_library try_cusolver; then not_run "PCA on the GPU" "${why#error: } (--no-cusolver goes without it)"; fi
  for program in "$bin"/test_*; do
    # SHOAL_TEST_REQUIRE_CUDA: kernel tests that would go on without the GPU fail instead.
    step "${program##*/}" env SHOAL_TEST_REQUIRE_CUDA=1 "$program"
  done
fi

find_sanitizer() {
  local candidate
  for candidate in "$(command -v compute-sanitizer)" ${CUDA_HOME:+"$CUDA_HOME/bin/compute-sanitizer"} "$build/bin/compute-sanitizer" \
    /usr/local/cuda/bin/compute-sanitizer /usr/local/cuda*/bin/compute-sanitizer /usr/local/cuda*/compute-sanitizer/compute-sanitizer; do
    [ -x "$candidate" ] && { echo "$candidate"; return; }
  done
  return 1
}
# The kernels alone, in all the odd shapes of their tests; then a whole run, whose arrays are allocated one by one: there initcheck and memcheck see more.
if asked sanitizer; then
  if sanitizer=$(find_sanitizer); then
    for tool in memcheck racecheck initcheck synccheck; do
      checked=("$sanitizer" --tool "$tool" --error-exitcode 9)
      step "compute-sanitizer $tool, kernel tests" env SHOAL_TEST_MACHINES=cuda "${checked[@]}" "$bin/test_kernels"
      step "compute-sanitizer $tool, training" "${checked[@]}" "$bin/shoal" train --data digits --train-count 300 --test-count 70 --hidden 5,64,130x17 \
        --optimizer sgd,adam --batch 32 --epochs 2 --device cuda --quiet -o "$work/sanitizer-$tool"
    done
  elif ((want_sanitizer)); then
    not_run "compute-sanitizer" "it is not on this computer (it comes with the CUDA toolkit; --no-sanitizer goes without it)"
  else
    echo "        without compute-sanitizer, as asked"
  fi
fi

# Seeds, shapes on both sides of a panel's width, every rule, a short last batch. With a large eps, Adam does not divide rounding errors by rounding errors.
rules=sgd,momentum,nesterov,adam,adamw,adamax,amsgrad shapes=16,64,200x40
models=(--hidden "$shapes" --seeds 3 --optimizer "$rules" --eps 1e-3 --batch 100)
small=(--data digits --train-count 2048 --test-count 512 "${models[@]}" --lr 0.01)
train() { "$bin/shoal" train --device "$2" --quiet -o "$work/$1" "${@:3}" >/dev/null; }
same_files() {
  local name
  for name in "${@:3}"; do cmp "$work/$1/$name" "$work/$2/$name" || return 1; done
}
begin_alike() { train begin-cpu cpu "$@" --epochs 0 && train begin-cuda cuda "$@" --epochs 0 && same_files begin-cpu begin-cuda state.safetensors; }
# side_by_side REFERENCE NAME MEDIAN EACH ARGUMENTS...: trains NAME on the GPU and compares it with the CPU's run.
side_by_side() { train "$2" cuda "${@:5}" && "$bin/compare_runs" "$work/$1" "$work/$2" --median "$3" --each "$4"; }
one_crowd_one_model() {
  train alone cuda --data digits --train-count 2048 --test-count 512 --hidden 64 --seeds 2, --optimizer adam --eps 1e-3 --lr 0.01 --batch 100 --epochs 3 || return 1
  local id
  id=$(sed -n 2p "$work/alone/population.csv" | cut -d, -f2)
  for run in cuda alone; do "$bin/shoal" export "$work/$run" --model "$id" -o "$work/$run.model" || return 1; done
  cmp "$work/cuda.model" "$work/alone.model"
}
again_alike() { train "$@" && same_files cuda "$1" state.safetensors curves.npz; }
in_waves() { again_alike "$@" && ! grep -q '"waves": 1,' "$work/$1/run.json"; }
if asked training; then
  step "initial weights on CPU and GPU: the same bytes" begin_alike "${small[@]}"
  step "training on the CPU" train cpu cpu "${small[@]}" --epochs 3
  step "losses on the GPU beside the CPU's, epoch by epoch" side_by_side cpu cuda 1e-5 0.1 "${small[@]}" --epochs 3 && cat "$log"
  step "the same run again: the same bytes" again_alike again cuda "${small[@]}" --epochs 3
  step "the same run in waves: the same bytes" in_waves waves cuda "${small[@]}" --epochs 3 --memory-limit 12MB
  step "a model of the crowd alone: the same bytes" one_crowd_one_model
  if ((cublas)); then
    step "losses with --gemm cublas beside the CPU's" side_by_side cpu cublas 1e-5 0.1 "${small[@]}" --epochs 3 --gemm cublas
  fi
  if [ -n "${SHOAL_DATA:-}" ]; then
    real=(--data mnist "${models[@]}" --lr 0.001 --epochs 2)
    [ -n "$quick" ] && real+=(--train-count 4000 --test-count 1000)
    step "MNIST on the CPU" train mnist-cpu cpu "${real[@]}"
    step "losses on MNIST beside the CPU's" side_by_side mnist-cpu mnist-cuda 0.01 0.05 "${real[@]}" && cat "$log"
  else
    echo "        training on the built-in digits only: SHOAL_DATA names no folder with mnist/"
  fi
fi

if asked bench; then
  options=(--results "$results")
  [ -n "$quick" ] && options+=("$quick")
  ((cublas)) && options+=(--cublas)
  step "benchmarks" "$root/scripts/gpu-bench.sh" "$build" "${options[@]}" && cat "$log"
fi

echo
printf 'gpu-check: %d passed, %d failed, %d not run' "$passed" "${#failed[@]}" "${#left_out[@]}"
[ "$parts" = tests,sanitizer,training,bench ] || printf ' (of: %s)' "$parts"
echo
((${#failed[@]})) && printf '  failed   %s\n' "${failed[@]}"
((${#left_out[@]})) && printf '  not run  %s\n' "${left_out[@]}"
if ((${#failed[@]})); then
  echo "gpu-check: all output is in $work"
  exit 1
fi
rm -rf "$work"
((${#left_out[@]} == 0)) || exit 3
