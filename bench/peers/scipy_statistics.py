#!/usr/bin/env python3
"""The statistics of bench_statistics with scipy and NumPy, on the same data, one JSON line a row.

A comparison made by hand, not part of the build or of its tests. On Debian:
  apt-get install python3-scipy
  /usr/bin/python3 bench/peers/scipy_statistics.py [--samples 1000]

Shapiro and Wilk's test is called sample by sample, as scipy offers it: its rate does not depend on how many samples are taken.
scipy before 1.12 computes W in single precision. Rates by the clock compare on a quiet machine only; those by processor time, of one
process without threads, nearly always.
"""
import argparse
import datetime
import json
import platform
import statistics
import sys
import time

try:
    import numpy as np
    import scipy
    import scipy.stats
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed (apt-get install python3-scipy)", file=sys.stderr)
    sys.exit(77)

SAMPLE = 1024


def values(count):
    """bench_value of bench/statistics.h for 0 .. count - 1."""
    z = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    total = sum(((z >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64) for shift in (0, 16, 32, 48))
    return total * 2.0**-16 - 2.0


def row(workload, **numbers):
    print(json.dumps({"bench": "statistics", "workload": workload, "peer": f"scipy {scipy.__version__}, numpy {np.__version__}", **numbers,
                      "processor": platform.machine(), "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}),
          flush=True)


def measure(work, repeats):
    """Seconds by the clock and of the processor, medians."""
    clock, processor = [], []
    for _ in range(repeats):
        begin = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - begin[0])
        processor.append(time.process_time() - begin[1])
    return statistics.median(clock), statistics.median(processor)


def shapiro(samples, repeats):
    x = values(samples * SAMPLE).reshape(samples, SAMPLE)
    w = [scipy.stats.shapiro(s)[0] for s in x]
    clock, processor = measure(lambda: [scipy.stats.shapiro(s) for s in x], repeats)
    row(f"shapiro {samples} x {SAMPLE} float64", samples_per_second=round(samples / clock), samples_per_processor_second=round(samples / processor),
        mean_w=float(np.mean(w)), repeats=repeats)


def moments(rows, columns, repeats):
    x = np.maximum(0, values(rows * columns)).astype(np.float32).reshape(rows, columns)

    def work():
        mean = x.mean(axis=0, dtype=np.float64)
        d = x - mean
        square = d * d
        return mean, square.sum(axis=0), (square * d).sum(axis=0), (square * square).sum(axis=0), x.min(axis=0), x.max(axis=0), (x == 0).sum(axis=0)

    clock, processor = measure(work, repeats)
    row(f"column moments {rows} x {columns} float32", gb_per_second=round(x.nbytes / clock / 1e9, 3),
        gb_per_processor_second=round(x.nbytes / processor / 1e9, 3), repeats=repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1000, help="samples of the test (default 1000)")
    parser.add_argument("--rows", type=int, default=6000, help="rows of the moments' matrix of 4096 columns (default 6000)")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    shapiro(options.samples, options.repeats)
    moments(options.rows, 4096, options.repeats)


if __name__ == "__main__":
    main()
