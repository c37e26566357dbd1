#!/usr/bin/env bash
# scripts/gpu-check.sh BUILD: on a computer with a GPU, runs the tests that compare the device with the reference, and trains the same population on CPU and GPU.
# Works in a build folder and in the folder that scripts/gpu-bundle.sh makes, where neither CMake nor a compiler is needed. Without a GPU this is an error, never a skip.
set -uo pipefail
build=$1
export LD_LIBRARY_PATH="$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
nvidia-smi -L || { echo "gpu-check: no GPU here (nvidia-smi finds none)" >&2; exit 1; }

failed=0
step() { echo "gpu-check: $1"; shift; "$@" || { echo "gpu-check: failed: $*" >&2; failed=1; }; }
# SHOAL_TEST_REQUIRE_CUDA: a test that would go on without a GPU fails instead.
step "kernels against the reference" env SHOAL_TEST_REQUIRE_CUDA=1 "$build/bin/test_kernels"
step "engine" "$build/bin/test_engine"
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
if [ -x "$sanitizer" ]; then
  for tool in memcheck racecheck initcheck; do
    step "compute-sanitizer $tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$build/bin/test_kernels" -tc='*forward*,*backward*,*update*,*loss*'
  done
else
  echo "gpu-check: compute-sanitizer is not here: its checks are skipped"
fi

# The same weights, the same batches: only the order of roundings differs. It may turn a few of the test images, a wrong kernel turns most of them.
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for device in cpu cuda; do
  step "train on $device" "$build/bin/shoal" train --data digits --hidden 16,64,200x40 --seeds 3 --epochs 1 --device "$device" --quiet -o "$out/$device"
done
compare() {
  awk -F, 'FNR == 1 { for (i = 1; i <= NF; ++i) column[$i] = i; next }
    FNR == NR { cpu[$column["id"]] = $column["test_accuracy"]; next }
    { d = $column["test_accuracy"] - cpu[$column["id"]]; printf "  %s  cpu %.4f  cuda %.4f\n", $column["hidden"], cpu[$column["id"]], $column["test_accuracy"]
      if (!($column["id"] in cpu) || d > 0.02 || d < -0.02) bad = 1; ++n }
    END { exit bad || n == 0 }' "$out/cpu/population.csv" "$out/cuda/population.csv"
}
step "test accuracies side by side" compare
[ "$failed" = 0 ] && echo "gpu-check: all passed"
exit "$failed"
