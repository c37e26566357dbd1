#!/usr/bin/env python3
"""Fits mixtures of two gammas by EM in NumPy and by bench_mixtures, on the same samples in the same sitting.

A comparison made by hand, not part of the build or of its tests. On Debian:
  apt-get install python3-numpy python3-scipy
  /usr/bin/python3 bench/peers/numpy_em.py --bench build/release/bin/bench_mixtures

The NumPy EM is given the easier task: ONE start (the sample split at its median), where bench_mixtures tries some tens
and takes the best. It is written as one would in NumPy: logarithms of the sample once, log-densities of both
components, logaddexp, and a gamma M-step by Minka's start and three Newton steps; it stops when a step gains less than
1e-7 in log-likelihood. Twice: a sample at a time, and all samples of a batch in one array, from which those that have
converged are taken out. One JSON line a row; `reached` is the share of samples on which NumPy's log-likelihood is
within 1e-4 of bench_mixtures' (which must never be the lower one by more than that).
"""
import argparse
import json
import platform
import subprocess
import tempfile
import time

import numpy as np
from scipy.special import digamma, gammaln, polygamma

GAIN, ITERATIONS = 1e-7, 5000


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


def em(x):
    """x: [..., values]. Log-likelihoods [...]."""
    shape = x.shape[:-1]
    x = x.reshape(-1, x.shape[-1])
    log_x = np.log(x)
    low = (x <= np.median(x, axis=-1, keepdims=True)).astype(float)
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


def row(name, seconds, values, ours, batch):
    reached = np.abs(values - ours[: len(values)]) <= 1e-4
    assert np.all(ours[: len(values)] >= values - 1e-4), "bench_mixtures is below NumPy's log-likelihood"
    return {"bench": "mixtures", "program": name, "workload": f"gamma-gamma, {len(values)} samples",
            "samples_per_second": round(len(values) / seconds, 2), "batch": batch, "starts": 1,
            "reached": round(float(reached.mean()), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench_mixtures")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--single", type=int, default=40, help="samples that NumPy fits one at a time")
    parser.add_argument("--batched", type=int, default=400, help="samples that NumPy fits in batches")
    parser.add_argument("--batch", type=int, default=16, help="samples in an array")
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

        best = ours(0)
        start = time.perf_counter()
        values = np.array([em(x) for x in samples[: options.single]])
        rows.append(row("NumPy, a sample at a time", time.perf_counter() - start, values, best, 1))
        start = time.perf_counter()
        values = np.concatenate([em(samples[i : i + options.batch]) for i in range(0, options.batched, options.batch)])
        rows.append(row("NumPy, in batches", time.perf_counter() - start, values, best, options.batch))
        ours(1)
        ours(0)
    for r in rows:
        r.setdefault("program", "shoal")
        r["numpy"], r["host"] = np.__version__, platform.processor() or platform.machine()
        print(json.dumps(r))


if __name__ == "__main__":
    main()
