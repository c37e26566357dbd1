#!/usr/bin/env python3
"""Trains a population of toy networks with PyTorch as one batched computation, for comparison with bench_toys.

A comparison made by hand, not part of the build or of its tests. On Debian:
  apt-get install python3-torch
  /usr/bin/python3 bench/peers/pytorch_toys.py --threads 2

1024 networks 2-20-2 (ReLU, PyTorch's initial weights, mean cross-entropy, Adam) on 1000 points, all of them in every
step. Every variant trains --steps steps --repeats times after a warm-up step; its best rate counts. Variants:
  autograd         two batched products (baddbmm), cross_entropy, backward, torch.optim.Adam (foreach)
  autograd-points  the same with the points as the last dimension, where the rows are long
  by-hand          the gradients written out with batched products in buffers that are allocated once, two classes by the
                   difference of the logits, Adam written out with in-place operations
each on the whole population at once and on parts of it, one after the other, that stay in the caches. One JSON line
a variant on stdout, the best last; model_samples_per_second = networks * points * steps / seconds, by the clock and by the
time that the process had a processor (of all its threads), which other programs do not change much.
"""
import argparse
import datetime
import json
import math
import os
import platform
import sys
import time
from pathlib import Path

import torch
from torch import nn

HIDDEN, LR, BETAS, EPS = 20, 0.01, (0.9, 0.999), 1e-8


def circle(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.rand(count, 2) * 2 - 1
    return x, (x.square().sum(dim=1) < 2 / math.pi).long()


def initial(networks: int) -> list[torch.Tensor]:
    """w1 [n][2][h], b1 [n][1][h], w2 [n][h][2], b2 [n][1][2]"""
    torch.manual_seed(2)
    a, b = 1 / math.sqrt(2), 1 / math.sqrt(HIDDEN)
    return [(torch.rand(networks, *shape) * 2 - 1) * bound
            for shape, bound in (((2, HIDDEN), a), ((1, HIDDEN), a), ((HIDDEN, 2), b), ((1, 2), b))]


class Autograd:
    def __init__(self, parameters: list[torch.Tensor], x: torch.Tensor, labels: torch.Tensor):
        self.p = [nn.Parameter(p.clone()) for p in parameters]
        n = len(self.p[0])
        self.x = x.expand(n, *x.shape)
        self.labels = labels.repeat(n)
        self.optimizer = torch.optim.Adam(self.p, lr=LR, betas=BETAS, eps=EPS, foreach=True)

    def step(self) -> torch.Tensor:
        w1, b1, w2, b2 = self.p
        self.optimizer.zero_grad(set_to_none=True)
        logits = torch.baddbmm(b2, torch.relu(torch.baddbmm(b1, self.x, w1)), w2)
        loss = nn.functional.cross_entropy(logits.view(-1, 2), self.labels, reduction="sum") / self.x.shape[1]
        loss.backward()
        self.optimizer.step()
        return loss.detach() / len(w1)


class AutogradPoints(Autograd):
    def __init__(self, parameters: list[torch.Tensor], x: torch.Tensor, labels: torch.Tensor):
        super().__init__([p.transpose(1, 2).contiguous() for p in parameters], x, labels)
        self.x = x.T.contiguous().expand(len(self.p[0]), 2, len(x))
        self.labels = labels.expand(len(self.p[0]), len(x))

    def step(self) -> torch.Tensor:
        w1, b1, w2, b2 = self.p
        self.optimizer.zero_grad(set_to_none=True)
        logits = torch.baddbmm(b2, w2, torch.relu(torch.baddbmm(b1, w1, self.x)))
        loss = nn.functional.cross_entropy(logits, self.labels, reduction="sum") / self.x.shape[2]
        loss.backward()
        self.optimizer.step()
        return loss.detach() / len(w1)


class ByHand:
    def __init__(self, parameters: list[torch.Tensor], x: torch.Tensor, labels: torch.Tensor):
        self.p = [p.transpose(1, 2).contiguous() for p in parameters]  # w1 [n][h][2], b1 [n][h][1], w2 [n][2][h]
        n, points = len(self.p[0]), len(x)
        self.x = x.T.contiguous().expand(n, 2, points)
        self.sign = (1 - 2 * labels.float()).expand(n, 1, points)
        self.z = torch.empty(n, HIDDEN, points)
        self.dz = torch.empty(n, HIDDEN, points)
        self.m = torch.empty(n, 1, points)
        self.a = [torch.zeros_like(p) for p in self.p]
        self.b = [torch.zeros_like(p) for p in self.p]
        self.t = 0

    def gradients(self) -> tuple[torch.Tensor, list[torch.Tensor]]:
        w1, b1, w2, b2 = self.p
        points = self.x.shape[2]
        torch.baddbmm(b1, w1, self.x, out=self.z).relu_()
        v = w2[:, 1:] - w2[:, :1]
        torch.baddbmm(b2[:, 1:] - b2[:, :1], v, self.z, out=self.m)
        self.m.mul_(self.sign)
        loss = nn.functional.softplus(self.m).mean()
        d = torch.sigmoid(self.m).mul_(self.sign).div_(points)
        dv = torch.bmm(d, self.z.transpose(1, 2))
        torch.bmm(v.transpose(1, 2), d, out=self.dz)
        self.dz.mul_(self.z > 0)
        db = d.sum(dim=2, keepdim=True)
        return loss, [torch.bmm(self.dz, self.x.transpose(1, 2)), self.dz.sum(dim=2, keepdim=True),
                      torch.cat((-dv, dv), dim=1), torch.cat((-db, db), dim=1)]

    def step(self) -> torch.Tensor:
        loss, gradients = self.gradients()
        self.t += 1
        for p, g, a, b in zip(self.p, gradients, self.a, self.b):
            a.mul_(BETAS[0]).add_(g, alpha=1 - BETAS[0])
            b.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
            p.addcdiv_(a, b.sqrt().div_(math.sqrt(1 - BETAS[1] ** self.t)).add_(EPS), value=-LR / (1 - BETAS[0] ** self.t))
        return loss


VARIANTS = {"autograd": Autograd, "autograd-points": AutogradPoints, "by-hand": ByHand}


def check(x: torch.Tensor, labels: torch.Tensor) -> None:
    """All variants walk the same way, and they learn."""
    ends = []
    for variant in VARIANTS.values():
        trainer = variant(initial(8), x, labels)
        losses = [trainer.step().item() for _ in range(200)]
        ends.append(losses[-1])
        if not (losses[-1] < 0.5 * losses[0]):
            sys.exit(f"{variant.__name__} does not learn: {losses[0]} to {losses[-1]}")
    if not (max(ends) - min(ends) < 1e-3 * ends[0]):
        sys.exit(f"the variants differ: {ends}")


def rate_of(variant: type, part: int, args: argparse.Namespace, x: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    # Parts have the same cost; so many as a repeat needs to be long enough are trained.
    parts = max(1, min(args.networks // part, args.networks_timed // part))
    best = [0.0, 0.0]
    trainer = variant(initial(part), x, labels)
    trainer.step()
    for _ in range(args.repeats):
        start = time.perf_counter(), time.process_time()
        for _ in range(parts):
            for _ in range(args.steps):
                trainer.step()
        end = time.perf_counter(), time.process_time()
        samples = parts * part * len(x) * args.steps
        best = [max(b, samples / (e - s)) for b, e, s in zip(best, end, start)]
    return best[0], best[1]


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=1024)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=5, help="steps of a repeat; every step costs the same")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--networks-timed", type=int, default=256, help="of small parts, so many networks are timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parts", default="1024,128,32,8,2", help="networks that are trained as one computation")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    x, labels = circle(args.points)
    check(x, labels)
    rows = []
    for name, variant in VARIANTS.items():
        for part in (int(p) for p in args.parts.split(",")):
            if part > args.networks:
                continue
            clock, processor = rate_of(variant, part, args, x, labels)
            rows.append({
                "peer": "pytorch", "version": torch.__version__, "bench": "toys", "workload": f"{args.networks} x 2-{HIDDEN}-2 adam",
                "variant": name, "networks_at_once": part, "points": args.points, "steps_timed": args.steps,
                "model_samples_per_second": float(f"{clock:.4g}"), "model_samples_per_processor_second": float(f"{processor:.4g}"),
                "best_of": args.repeats,
                "threads": args.threads, "processor": processor_name(), "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE"),
                "load": round(os.getloadavg()[0], 1), "date": datetime.date.today().isoformat(),
            })
            print(json.dumps(rows[-1]), flush=True)
    best = max(rows, key=lambda row: row["model_samples_per_processor_second"])
    print(json.dumps({**best, "best_of_variants": len(rows)}))


if __name__ == "__main__":
    main()
