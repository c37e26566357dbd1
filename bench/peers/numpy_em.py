#!/usr/bin/env python3
"""Fits mixtures of two gammas by EM in NumPy and by bench_mixtures, on the same samples in the same sitting.

A comparison made by hand, not part of the build or of its tests. On Debian:
  apt-get install python3-numpy python3-scipy
  /usr/bin/python3 bench/peers/numpy_em.py --bench build/release/bin/bench_mixtures

bench_mixtures tries some tens of starts and takes the best. NumPy does so with eleven, the splits of the sample at the
same quantiles (a third of bench_mixtures' starts), and is also given an easier task: ONE start, the split at the median. It is written as one would in NumPy: logarithms of the sample once, log-densities of both
components, logaddexp, and a gamma M-step by Minka's start and three Newton steps; it stops when a step gains less than
1e-7 in log-likelihood. A sample at a time, or all samples of a batch in one array, from which those that have
converged are taken out. One JSON line a row, by the clock and by processor time (of all threads), which depends less on
who else is at work; `reached` is the share of samples on which NumPy's log-likelihood is within 1e-4 of bench_mixtures'
(which must never be the lower one by more than that).
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
from scipy.special import digamma, gammaln, polygamma

GAIN, ITERATIONS = 1e-7, 5000


QUANTILES = (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96)


def make_samples(count, length, seed):
    """Two overlapping gammas, whose shares, shapes and distance differ from sample to sample."""
    rng = np.random.default_rng(seed)
    share, ratio = rng.uniform(0.2, 0.6, (count, 1)), rng.uniform(2.0, 5.0, (count, 1))
    low = rng.gamma(rng.uniform(1.0, 3.0, (count, 1)), 0.5, (count, length))
    shape = rng.uniform(8.0, 20.0, (count, 1))
    high = rng.gamma(shape, ratio / shape, (count, length))
    return np.where(rng.random((count, length)) < share, low, high)


def m_step(share, x, log_x):
    """Shape and scale of the gamma that fits best to values with these weights; over the last axis."""
    weight = share.sum(-1)
    mean = (share * x).sum(-1) / weight
    s = np.log(mean) - (share * log_x).sum(-1) / weight
    k = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(3):
        k = 1 / (1 / k + (np.log(k) - digamma(k) - s) / (k * k * (1 / k - polygamma(1, k))))
    return weight / x.shape[-1], k, mean / k


def em(x, quantile=0.5):
    """x: [..., values]. Log-likelihoods [...]."""
    shape = x.shape[:-1]
    x = x.reshape(-1, x.shape[-1])
    log_x = np.log(x)
    low = (x <= np.quantile(x, quantile, axis=-1, keepdims=True)).astype(float)
    (w, k1, t1), (_, k2, t2) = m_step(low, x, log_x), m_step(1 - low, x, log_x)
    result, live = np.full(len(x), -np.inf), np.arange(len(x))
    before = np.full(len(x), -np.inf)
    for _ in range(ITERATIONS):
        c = lambda v: v[:, None]
        a = c(np.log(w) - gammaln(k1) - k1 * np.log(t1)) + c(k1 - 1) * log_x - x / c(t1)
        b = c(np.log1p(-w) - gammaln(k2) - k2 * np.log(t2)) + c(k2 - 1) * log_x - x / c(t2)
        total = np.logaddexp(a, b)
        value = total.sum(-1)
        result[live] = value
        going = value - before >= GAIN
        if not going.any():
            break
        if not going.all():
            x, log_x, a, total, live = x[going], log_x[going], a[going], total[going], live[going]
        before = value[going]
        share = np.exp(a - total)
        (w, k1, t1), (_, k2, t2) = m_step(share, x, log_x), m_step(1 - share, x, log_x)
    return result.reshape(shape)


def measured(name, fit, count, batch, starts, ours):
    """Fits `count` samples; a row of rates by the clock and by this process's processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    values = fit()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    assert np.all(ours[:count] >= values - 1e-4), "bench_mixtures is below NumPy's log-likelihood"
    return {"bench": "mixtures", "program": name, "workload": f"gamma-gamma, {count} samples", "batch": batch, "starts": starts,
            "samples_per_second": round(count / clock, 2), "samples_per_processor_second": round(count / processor, 2),
            "reached": round(float((np.abs(values - ours[:count]) <= 1e-4).mean()), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench_mixtures")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--single", type=int, default=40, help="samples that NumPy fits one at a time")
    parser.add_argument("--batched", type=int, default=400, help="samples that NumPy fits in batches")
    parser.add_argument("--batch", type=int, default=64, help="samples in an array")
    parser.add_argument("--rounds", type=int, default=3, help="how often both are measured, in turn")
    options = parser.parse_args()
    samples = make_samples(options.count, options.length, 1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        samples.tofile(f"{folder}/samples")

        def ours(threads):
            command = [options.bench, "--data", f"{folder}/samples", "--length", str(options.length), "--count", str(options.count),
                       "--threads", str(threads), "--likelihoods", f"{folder}/values"]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            return np.loadtxt(f"{folder}/values")

        for _ in range(options.rounds):
            best = ours(0)
            def in_batches(count, quantile):
                cuts = range(0, count, options.batch)
                return np.concatenate([em(samples[i : min(i + options.batch, count)], quantile) for i in cuts])

            rows.append(measured("NumPy, a sample at a time, 1 start", lambda: np.array([em(x) for x in samples[: options.single]]),
                                 options.single, 1, 1, best))
            rows.append(measured("NumPy, in batches, 1 start", lambda: in_batches(options.batched, 0.5), options.batched,
                                 options.batch, 1, best))
            few = max(options.batch, options.batched // 8)
            rows.append(measured(f"NumPy, in batches, {len(QUANTILES)} starts",
                                 lambda: np.max([in_batches(few, q) for q in QUANTILES], axis=0), few, options.batch,
                                 len(QUANTILES), best))
    for r in rows:
        r.setdefault("program", "shoal")
        r["numpy"], r["load"] = np.__version__, round(os.getloadavg()[0], 2)
        print(json.dumps(r))
    for unit in ("samples_per_second", "samples_per_processor_second"):
        rate = {name: statistics.median(r[unit] for r in rows if r["program"] == name) for name in {r["program"] for r in rows}}
        print(json.dumps({"bench": "mixtures", "ratio_of": unit, "medians": rate,
                          "shoal_over": {name: round(rate["shoal"] / value, 1) for name, value in rate.items() if name != "shoal"}}))


if __name__ == "__main__":
    main()
