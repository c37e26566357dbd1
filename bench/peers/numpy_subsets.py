#!/usr/bin/env python3
"""All subsets of 20 nodes on 10,000 points as NumPy does them: masks times contributions, one matrix product for many subsets, and the
loss of its results. The network and the points are those of bench_subsets. Only a part of the subsets is computed and the time
extrapolated, which is said in the row.

    numpy_subsets.py [subsets, 8192] >> bench/results/cpu-subsets.jsonl"""
import datetime
import json
import platform
import sys
import time

import numpy as np

NODES, POINTS = 20, 10000


def bench_values(first, count):
    """bench_value of bench/statistics.h."""
    z = (np.arange(first, first + count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    words = [(z >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48)]
    return sum(w.astype(np.float64) for w in words) / 65536 - 2


def main():
    subsets = int(sys.argv[1]) if len(sys.argv) > 1 else 8192
    direction = 3 * bench_values(0, 3 * NODES).reshape(NODES, 3)
    weights = 2 * bench_values(1000, 2 * NODES).reshape(NODES, 2)
    points = bench_values(2000, 2 * POINTS).reshape(POINTS, 2)
    outputs = np.maximum(0, points @ direction[:, :2].T + direction[:, 2])
    sign = np.where((points**2).sum(1) < 0.6366197723675814, 1.0, -1.0)
    for dtype in (np.float32, np.float64):
        contributions = ((outputs * (weights[:, 0] - weights[:, 1])).T * sign).astype(dtype)
        base = (0.2 * sign).astype(dtype)
        for what in ("hits", "loss"):
            times = []
            for _ in range(3):
                begin = time.perf_counter()
                for first in range(0, subsets, 1024):
                    masks = ((np.arange(first, first + 1024)[:, None] >> np.arange(NODES)) & 1).astype(dtype)
                    excess = masks @ contributions + base
                    result = (excess < 0).sum(1) if what == "hits" else np.logaddexp(0, excess).mean(1)
                times.append(time.perf_counter() - begin)
            assert np.isfinite(result).all()
            seconds = sorted(times)[1] * 2**NODES / subsets
            print(json.dumps({"bench": "subsets", "peer": f"numpy {np.__version__}", "workload": f"{what}, 2^{NODES} subsets x {POINTS} points, 2 classes",
                              "precision": np.dtype(dtype).name, "seconds": round(seconds, 3), "extrapolated_from": subsets, "repeats": 3,
                              "processor": platform.machine(), "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}), flush=True)


main()
