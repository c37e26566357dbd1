#!/usr/bin/env bash
# gpu-bench.sh BUILD [--results DIR] [--cublas] [--quick]: rates of whole training runs on this computer's GPU, one JSON line a row, to
# DIR/gpu-<name>-<date>.jsonl. Each workload is trained three times after a short run that starts the device; the row has the median. A population that
# did not learn is no result. Peers (bench/peers/gpu_peers.py) where python3 has PyTorch or JAX with a GPU.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$1 results=$root/bench/results cublas=0 quick=0 epochs_of_study=3 least_accuracy=0.85
shift
while (($#)); do
  case $1 in
    --results) results=$2; shift ;;
    --cublas) cublas=1 ;;
    --quick) quick=1 ;;
    *) echo "gpu-bench: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
shoal=$build/bin/shoal
info=$("$shoal" info --json)
text() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' <<<"$info"; }
gpu=$(sed -n 's/.*"names":\["\([^",]*\).*/\1/p' <<<"$info")
[ -n "$gpu" ] || { echo "gpu-bench: no GPU here: $(text reason)" >&2; exit 5; }
driver=$(nvidia-smi --id=0 --query-gpu=driver_version --format=csv,noheader 2>/dev/null || sed -n 's/.*Kernel Module[^0-9]*\([0-9.]*\).*/\1/p' /proc/driver/nvidia/version 2>/dev/null) || true
date=$(date -u +%Y-%m-%d)
mkdir -p "$results"
file=$results/gpu-$(tr 'A-Z ' 'a-z-' <<<"$gpu" | tr -cd 'a-z0-9-')-$date.jsonl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

data=digits
[ -n "${SHOAL_DATA:-}" ] && data=mnist
common=(--data "$data" --device cuda --evaluate last --neurons none --json --force -o "$work/run")
crowd=1024 seeds=11 wide=16 peers=()
[ -n "${SHOAL_DATA:-}" ] && peers+=(--data "$SHOAL_DATA")
if ((quick)); then
  common+=(--train-count 2000 --test-count 500)
  peers+=(--count 2000)
  crowd=32 seeds=2 wide=2 epochs_of_study=1 least_accuracy=0.15
fi

# number NAME: of the event "result"; of a metric its median.
number() { sed -n '/"type":"result"/s/.*"'"$1"'":\({[^}]*"median":\)\{0,1\}\([-+0-9.e]*\).*/\2/p' "$work/events"; }
# measure NAME GEMM ORDER ARGUMENTS...
measure() {
  local name=$1 gemm=$2 order=$3
  shift 3
  : >"$work/rates"
  for _ in 1 2 3; do
    "$shoal" train "${common[@]}" --gemm "$gemm" --order "$order" "$@" >"$work/events" 2>"$work/said" || { cat "$work/said" >&2; return 1; }
    echo "$(number model_samples_per_second) $(number train_seconds) $(number flops_per_second) $(number test_accuracy) $(number models)" >>"$work/rates"
  done
  sort -g "$work/rates" | awk -v name="$name" -v gemm="$gemm" -v order="$order" -v data="$data" -v gpu="$gpu" -v driver="${driver:-unknown}" -v cuda="$(text runtime)" \
    -v commit="$(text commit)" -v date="$date" -v quick="$quick" -v least="$least_accuracy" '
    { rate[NR] = $1; seconds[NR] = $2; flops[NR] = $3; if (!($4 >= least)) bad = $4; accuracy = $4; models = $5 }
    END {
      if (NR != 3) exit 1
      if (bad != "") { print "gpu-bench: " name " reached a test accuracy of only " bad ": not a result" > "/dev/stderr"; exit 1 }
      printf "{\"bench\":\"gpu_train\",\"workload\":\"%s\",\"data\":\"%s\",%s\"program\":\"shoal\",\"gemm\":\"%s\",\"order\":\"%s\",\"models\":%d,", name, data, quick + 0 ? "\"quick\":true," : "", gemm, order, models
      printf "\"model_samples_per_second\":%.0f,\"lowest\":%.0f,\"highest\":%.0f,\"repeats\":%d,\"train_seconds\":%.4f,\"gflops\":%.1f,\"test_accuracy\":%.4f,", rate[2], rate[1], rate[3], NR, seconds[2], flops[2] / 1e9, accuracy
      printf "\"gpu\":\"%s\",\"driver\":\"%s\",\"cuda\":\"%s\",\"commit\":\"%s\",\"date\":\"%s\"}\n", gpu, driver, cuda, commit, date
    }' | tee -a "$file"
}

"$shoal" train "${common[@]}" --hidden 64 --epochs 1 --train-count 1024 --quiet >/dev/null 2>&1 || true
gemms=(own)
((cublas)) && gemms+=(cublas)
for gemm in "${gemms[@]}"; do
  measure "$crowd x 784-64-10 sgd" "$gemm" seed --hidden 64 --seeds "$crowd" --optimizer sgd --lr 0.1 --epochs 1
  measure "$crowd x 784-64-10 adam" "$gemm" seed --hidden 64 --seeds "$crowd" --epochs 1
  measure "$wide x 784-1024-10 adam" "$gemm" seed --hidden 1024 --seeds "$wide" --epochs 1
done
measure "$crowd x 784-64-10 adam, shared batches" own shared --hidden 64 --seeds "$crowd" --epochs 1
measure "widths 4..4096 x $seeds seeds adam" own seed --hidden 4..4096 --seeds "$seeds" --epochs "$epochs_of_study"
measure "1 x 784-64-10 adam" own seed --hidden 64 --epochs "$epochs_of_study"

for peer in torch jax; do
  probe='import torch; assert torch.cuda.is_available()'
  [ "$peer" = jax ] && probe='import jax; assert jax.default_backend() == "gpu"'
  if ! python3 -c "$probe" >/dev/null 2>&1; then
    echo "peer $peer: skipped, python3 here has none that sees a GPU"
    continue
  fi
  python3 "$root/bench/peers/gpu_peers.py" --framework "$peer" --crowd "$crowd" --seeds "$seeds" --wide "$wide" "${peers[@]}" |
    tee -a "$file" || echo "peer $peer: failed"
done
echo "rows in $file"
