#!/usr/bin/env python3
"""Trains the engine's models with PyTorch, for comparison: accuracy over seeds, and speed.

A comparison made by hand, not part of the build or of its tests. On Debian:
  apt-get install python3-torch python3-numpy libopenblas0-pthread
  OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 bench/peers/pytorch_train.py --data DIR --dataset mnist --hidden 64

DIR holds the four IDX files of the data set, plain or .gz, or a folder of the data set's name with them. One JSON
line on stdout. The settings are the engine's defaults: 784-H-10 with ReLU, PyTorch's initial weights, mean
cross-entropy, Adam, batches of 128 in a new random order every epoch with the last short one kept, pixels
normalised by the mean and standard deviation of all training pixels. Accuracies do not depend on how busy the
machine is, rates do: model_samples_per_second is by the clock, model_samples_per_processor_second by the time
that the process had the processor (of all its threads); load_at_end says whom it shared the machine with.
"""
import argparse
import datetime
import gzip
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn


def find(folder: Path, name: str, dataset: str) -> Path:
    for base in (folder / dataset, folder):
        for suffix in ("", ".gz"):
            if (base / (name + suffix)).exists():
                return base / (name + suffix)
    sys.exit(f"no {name} or {name}.gz in {folder} or {folder / dataset}")


def read_idx(path: Path) -> np.ndarray:
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def load(folder: Path, dataset: str) -> tuple[torch.Tensor, ...]:
    parts = []
    for part in ("train", "t10k"):
        images = read_idx(find(folder, f"{part}-images-idx3-ubyte", dataset))
        labels = read_idx(find(folder, f"{part}-labels-idx1-ubyte", dataset))
        parts += [torch.tensor(images.reshape(len(images), -1), dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)]
    mean, deviation = parts[0].double().mean(), parts[0].double().std(unbiased=False)
    for i in (0, 2):
        parts[i] = ((parts[i] - mean) / deviation).float()
    return tuple(parts)


def accuracy(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return (model(x).argmax(dim=1) == labels).double().mean().item()


def train(seed: int, args: argparse.Namespace, data: tuple[torch.Tensor, ...]) -> tuple[float, float, float]:
    """Test accuracy after the last epoch, and seconds spent in training steps: of the clock and of the processor."""
    x, labels, test_x, test_labels = data
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(x.shape[1], args.hidden), nn.ReLU(), nn.Linear(args.hidden, int(labels.max()) + 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    start = time.perf_counter(), time.process_time()
    for _ in range(args.epochs):
        for batch in torch.randperm(len(x)).split(args.batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), labels[batch]).backward()
            optimizer.step()
    clock, processor = time.perf_counter() - start[0], time.process_time() - start[1]
    return accuracy(model, test_x, test_labels), clock, processor


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def spread(rates: list[float]) -> dict[str, int]:
    return {"median": round(statistics.median(rates)), "min": round(min(rates)), "max": round(max(rates))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of IDX files")
    parser.add_argument("--dataset", default="mnist", help="its name: mnist, fashion-mnist")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 .. SEEDS")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = load(args.data, args.dataset)
    accuracies, clock_rates, processor_rates = [], [], []
    samples = len(data[0]) * args.epochs
    for seed in range(1, args.seeds + 1):
        result, clock, processor = train(seed, args, data)
        accuracies.append(result)
        clock_rates.append(samples / clock)
        processor_rates.append(samples / processor)
        print(f"seed {seed}: test accuracy {result:.4f}, {clock:.1f} s", file=sys.stderr)
    row = {
        "peer": "pytorch", "version": torch.__version__, "dataset": args.dataset,
        "model": f"{data[0].shape[1]}-{args.hidden}-10", "optimizer": "adam", "lr": args.lr, "batch": args.batch,
        "epochs": args.epochs, "seeds": args.seeds,
        "test_accuracy_mean": round(statistics.mean(accuracies), 5),
        "test_accuracy_sd": round(statistics.stdev(accuracies), 5) if args.seeds > 1 else None,
        "test_accuracies": [round(a, 4) for a in accuracies],
        "model_samples_per_second": spread(clock_rates),
        "model_samples_per_processor_second": spread(processor_rates),
        "threads": args.threads, "processor": processor_name(), "cores": os.cpu_count(),
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE"), "load_at_end": round(os.getloadavg()[0], 2),
        "date": datetime.date.today().isoformat(),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
