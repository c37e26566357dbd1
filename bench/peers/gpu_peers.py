#!/usr/bin/env python3
"""The workloads of scripts/gpu-bench.sh in PyTorch or JAX on a GPU: one JSON line a workload on stdout.

  python3 bench/peers/gpu_peers.py --framework torch --data DIR     (DIR with mnist/; without it: random pixels)

Each framework in the form that suits it. Models of one width stand in one array with a leading axis; widths run one after the other.
PyTorch: batched products (baddbmm), autograd, its own optimizer, the step in a CUDA graph. JAX: vmap, and a scan over the steps of an epoch
in one compiled call. Products are float32, not TF32; pixels lie normalised in the GPU's memory; every seed has batches of its own, in a new
order every epoch. The last short batch is left out, since shapes are fixed in a graph. The loss is the mean cross-entropy of the batch, as
in the engine; initial weights are uniform in +-1/sqrt(fan in), as PyTorch's. Rates are of training steps alone, after an epoch to warm up.
"""
import argparse
import datetime
import gzip
import json
import math
import statistics
import time
from pathlib import Path

import numpy as np

CLASSES, FEATURES, BATCH, REPEATS = 10, 784, 128, 3


def read_idx(folder, name):
    for path in (Path(folder) / "mnist" / f"{name}{end}" for end in ("", ".gz")):
        if path.exists():
            data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
            return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(np.frombuffer(data, ">i4", data[3], 4))
    raise SystemExit(f"no {name} in {folder}/mnist")


def load(folder, count):
    """Training and test part: (pixels [n, 784], labels [n]), and the data's name."""
    if folder:
        parts = [(read_idx(folder, p + "-images-idx3-ubyte").reshape(-1, FEATURES), read_idx(folder, p + "-labels-idx1-ubyte")) for p in ("train", "t10k")]
    else:
        draw = np.random.default_rng(1)
        parts = [(draw.integers(0, 256, (n, FEATURES), np.uint8), draw.integers(0, CLASSES, n)) for n in (60000, 10000)]
    mean, sd = parts[0][0].mean(), parts[0][0].std()
    parts = [(((x[:count] - mean) / sd).astype(np.float32), y[:count].astype(np.int64)) for x, y in parts]
    return parts, "mnist" if folder else "random"


def initial_weights(models, hidden):
    """[models, in, out] and [models, 1, out] of both layers, each seed's own."""
    arrays = []
    for fan_in, width in ((FEATURES, hidden), (hidden, CLASSES)):
        bound = 1 / math.sqrt(fan_in)
        for shape in ((models, fan_in, width), (models, 1, width)):
            arrays.append(np.random.default_rng(len(arrays)).uniform(-bound, bound, shape).astype(np.float32))
    return arrays


class Torch:
    """A population of one width."""

    def __init__(self, data, models, hidden, rule, shared, device):
        import torch

        self.torch, self.models, self.shared = torch, models, shared
        self.on_gpu = device.startswith("cuda")
        (x, y), (tx, ty) = data
        self.x, self.y, self.tx, self.ty = (torch.tensor(a, device=device) for a in (x, y, tx, ty))
        self.weights = [torch.tensor(a, device=device, requires_grad=True) for a in initial_weights(models, hidden)]
        fast = {"fused": True, "capturable": True} if self.on_gpu else {}
        self.optimizer = torch.optim.Adam(self.weights, lr=1e-3, **fast) if rule == "adam" else torch.optim.SGD(self.weights, lr=0.1, foreach=True)
        self.index = torch.zeros((1 if shared else models, BATCH), dtype=torch.int64, device=device)
        self.graph = self.capture() if self.on_gpu else None

    def logits(self, x):
        w, b, v, c = self.weights
        if x.shape[0] != self.models:
            x = x.expand(self.models, -1, -1)
        return self.torch.baddbmm(c, self.torch.relu(self.torch.baddbmm(b, x, w)), v)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        z, labels = self.logits(self.x[self.index]), self.y[self.index].expand(self.models, -1)
        self.torch.nn.functional.cross_entropy(z.reshape(-1, CLASSES), labels.reshape(-1), reduction="sum").div(BATCH).backward()
        self.optimizer.step()

    def capture(self):
        cuda, kept = self.torch.cuda, [w.detach().clone() for w in self.weights]
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(3):
                self.step()
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            self.step()
        with self.torch.no_grad():
            for w, k in zip(self.weights, kept):
                w.copy_(k)
        return graph

    def epoch(self):
        """Seconds."""
        torch, count = self.torch, len(self.x)
        self.wait()
        start = time.perf_counter()
        order = torch.rand((len(self.index), count), device=self.x.device).argsort(dim=1)
        for first in range(0, count - BATCH + 1, BATCH):
            self.index.copy_(order[:, first : first + BATCH])
            self.graph.replay() if self.graph else self.step()
        self.wait()
        return time.perf_counter() - start

    def wait(self):
        if self.on_gpu:
            self.torch.cuda.synchronize()

    def accuracy(self):
        with self.torch.no_grad():
            right = sum((self.logits(x[None]).argmax(2) == y).sum(1) for x, y in zip(self.tx.split(500), self.ty.split(500)))
            return float((right / len(self.ty)).median())


class Jax:
    def __init__(self, data, models, hidden, rule, shared, device):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_default_matmul_precision", "highest")
        self.jax, self.jnp = jax, jnp
        (x, y), (self.tx, self.ty) = data
        x, y, count = jnp.asarray(x), jnp.asarray(y, jnp.int32), len(x)
        self.x = x
        one = lambda w, x: jax.nn.relu(x @ w[0] + w[1]) @ w[2] + w[3]
        self.predict = jax.jit(jax.vmap(one, in_axes=(0, None)))
        self.key = jax.random.key(1)

        def loss(w, x, y):
            return -jnp.take_along_axis(jax.nn.log_softmax(one(w, x)), y[:, None], 1).mean()

        gradients = jax.vmap(jax.grad(loss), in_axes=(0, None, None) if shared else (0, 0, 0))

        def step(state, index):
            w, m, v, t = state
            g, t = gradients(w, x[index], y[index]), t + 1
            if rule == "sgd":
                return ([a - 0.1 * d for a, d in zip(w, g)], m, v, t), None
            m = [0.9 * a + 0.1 * d for a, d in zip(m, g)]
            v = [0.999 * a + 0.001 * d * d for a, d in zip(v, g)]
            rate, root = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
            return ([a - rate * b / (jnp.sqrt(c) / root + 1e-8) for a, b, c in zip(w, m, v)], m, v, t), None

        def epoch(state, key):
            order = jax.random.uniform(key, (1 if shared else models, count)).argsort(1)[:, : count // BATCH * BATCH]
            batches = order.reshape(len(order), -1, BATCH).swapaxes(0, 1)
            return jax.lax.scan(step, state, batches[:, 0] if shared else batches)[0]

        self.run = jax.jit(epoch, donate_argnums=0)
        w = [jnp.asarray(a) for a in initial_weights(models, hidden)]
        w = [a[:, 0] if a.shape[1] == 1 and i % 2 else a for i, a in enumerate(w)]  # biases [models, out]
        self.state = (w, [a * 0 for a in w], [a * 0 for a in w], jnp.float32(0))

    def epoch(self):
        self.key, key = self.jax.random.split(self.key)
        start = time.perf_counter()
        self.state = self.jax.block_until_ready(self.run(self.state, key))
        return time.perf_counter() - start

    def accuracy(self):
        right = sum((self.predict(self.state[0], self.tx[i : i + 500]).argmax(2) == self.ty[i : i + 500]).sum(1) for i in range(0, len(self.ty), 500))
        return float(self.jnp.median(right / len(self.ty)))


def measure(kind, data, widths, models, rule, shared, device):
    """Median, least and largest rate over REPEATS epochs of all widths (each after one epoch to warm up), and the widest models' accuracy."""
    seconds, accuracy = [0.0] * REPEATS, None
    for hidden in widths:
        population = kind(data, models, hidden, rule, shared, device)
        population.epoch()
        for r in range(REPEATS):
            seconds[r] += population.epoch()
        accuracy = population.accuracy()
        del population
    samples = len(widths) * models * (len(data[0][0]) // BATCH * BATCH)
    rates = sorted(samples / s for s in seconds)
    return statistics.median(rates), rates[0], rates[-1], accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=["torch", "jax"], required=True)
    parser.add_argument("--device", default="cuda", help="of PyTorch: cuda or cpu (to try the script); JAX takes what it finds")
    parser.add_argument("--data", help="folder with mnist/; without it: random pixels")
    parser.add_argument("--crowd", type=int, default=1024)
    parser.add_argument("--wide", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=11)
    parser.add_argument("--widest", type=int, default=4096)
    parser.add_argument("--count", type=int, help="of training samples (default: all)")
    args = parser.parse_args()
    module = __import__(args.framework)
    kind = {"torch": Torch, "jax": Jax}[args.framework]
    gpu = module.cuda.get_device_name() if args.framework == "torch" and args.device == "cuda" else "none"
    if args.framework == "jax":
        gpu = module.devices()[0].device_kind
    data, name = load(args.data, args.count)
    study = [1 << e for e in range(2, args.widest.bit_length())]
    for workload, widths, models, rule, shared in (
        (f"{args.crowd} x 784-64-10 sgd", [64], args.crowd, "sgd", False),
        (f"{args.crowd} x 784-64-10 adam", [64], args.crowd, "adam", False),
        (f"{args.wide} x 784-1024-10 adam", [1024], args.wide, "adam", False),
        (f"{args.crowd} x 784-64-10 adam, shared batches", [64], args.crowd, "adam", True),
        (f"widths 4..{args.widest} x {args.seeds} seeds adam", study, args.seeds, "adam", False),
        ("1 x 784-64-10 adam", [64], 1, "adam", False),
    ):
        rate, lowest, highest, accuracy = measure(kind, data, widths, models, rule, shared, args.device)
        print(json.dumps({
            "bench": "gpu_train", "workload": workload, "data": name, **({"quick": True} if args.count else {}),
            "program": {"torch": "pytorch", "jax": "jax"}[args.framework], "version": module.__version__, "order": "shared" if shared else "seed",
            "models": len(widths) * models, "model_samples_per_second": round(rate), "lowest": round(lowest), "highest": round(highest),
            "repeats": REPEATS, "test_accuracy": round(accuracy, 4), "gpu": gpu, "date": datetime.date.today().isoformat(),
        }), flush=True)


if __name__ == "__main__":
    main()
