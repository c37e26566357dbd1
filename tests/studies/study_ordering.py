#!/usr/bin/env python3
"""`shoal study ordering` from the command line to its files: study_ordering.py PATH_OF_SHOAL. Standard library only."""
import json
import os

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "6,20", "--seeds", "2", "--epochs", "3",
         "--device", "cpu", "--threads", "2"]
MEASURES = ["exact", "sd", "mean", "l1-in", "l2-in", "l1-out", "l2-out", "gate-gradient", "taylor-1", "taylor-2", "fisher"]
TABLES = ["ordering.csv", "ordering-neurons.csv", "ordering-stability.csv", "ordering-pruning.csv"]


class StudyOrdering(study.Case):
    NAME, ARGUMENTS = "ordering", SMALL

    def test_ends_well_and_names_its_directory_last(self):
        self.check_ended_well("Against the exact rise", "standard deviation", "gate's gradient", "exact order", "stay within one point")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "verdict.txt", *TABLES],
                           ["ordering-proxies", "ordering-stability", "ordering-pruning"])

    def test_every_neuron_of_every_network(self):
        rows = rows_of(self.directory, "ordering-neurons.csv")
        self.assertEqual(len(rows), 2 * (6 + 20))
        for row in rows:
            value = {m: float(row[m]) for m in MEASURES}
            # The loss is convex in the factor on a neuron's output, so its tangent lies below it.
            self.assertGreaterEqual(value["exact"], value["taylor-1"] - 1e-6)
            self.assertAlmostEqual(value["gate-gradient"], abs(value["taylor-1"]), places=12)
            self.assertGreaterEqual(value["taylor-2"], value["taylor-1"])
            self.assertGreaterEqual(value["fisher"] * (1 + 1e-9), value["gate-gradient"] ** 2)
            self.assertGreaterEqual(value["l1-out"] * (1 + 1e-9), value["l2-out"])
            if value["sd"] == 0 and value["mean"] == 0:
                self.assertEqual(value["exact"], 0)

    def test_correlations_are_those_of_the_neurons(self):
        neurons = rows_of(self.directory, "ordering-neurons.csv")
        agreements = rows_of(self.directory, "ordering.csv")
        self.assertEqual([(r["width"], r["proxy"]) for r in agreements], [(w, m) for w in ("6", "20") for m in MEASURES[1:]])
        for row in agreements:
            rhos = []
            for seed in ("1", "2"):
                of = [n for n in neurons if n["width"] == row["width"] and n["seed"] == seed]
                rhos.append(spearman([float(n[row["proxy"]]) for n in of], [float(n["exact"]) for n in of]))
            self.assertAlmostEqual(float(row["spearman"]), sum(rhos) / 2, places=9)
            self.assertLessEqual(float(row["spearman_low"]), float(row["spearman_high"]))
            self.assertTrue(0 <= float(row["top_quarter"]) <= 1)

    def test_stability_goes_from_checkpoint_to_checkpoint(self):
        rows = rows_of(self.directory, "ordering-stability.csv")
        self.assertEqual({(r["from"], r["to"]) for r in rows}, {("1", "2"), ("1", "3"), ("2", "3")})
        self.assertEqual({r["measure"] for r in rows}, set(MEASURES))
        for row in rows:
            self.assertTrue(0 <= float(row["moved"]) <= 0.5 + 1e-9)
            self.assertTrue(-1 <= float(row["spearman"]) <= 1)

    def test_pruning_ends_where_the_network_is(self):
        models = rows_of(self.directory, "population.csv")
        pruned = rows_of(self.directory, "ordering-pruning.csv")
        self.assertEqual({r["order"] for r in pruned}, {*MEASURES, "random", "greedy"})
        for row in pruned:
            self.assertTrue(0 <= float(row["test_accuracy"]) <= 1)
            if row["kept"] == row["width"]:
                whole = [float(m["test_accuracy"]) for m in models if m["hidden"] == row["width"]]
                self.assertAlmostEqual(float(row["test_accuracy"]), sum(whole) / 2, places=9)

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = self.run_study(*SMALL, "--json", "--threads", "1", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        for kind, name in [("agreement", "ordering.csv"), ("movement", "ordering-stability.csv"), ("pruned", "ordering-pruning.csv")]:
            self.assertEqual(len([e for e in events if e["type"] == kind]), len(rows_of(directory, name)))
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        for name in TABLES:  # of one thread and of two
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_goes_on_after_a_kill(self):
        directory = os.path.join(self.folder, "killed")
        arguments = [*SMALL, "--epochs", "30", "--no-pruning"]
        self.kill_after_an_epoch(arguments, directory)
        resumed = self.run_study("--resume", "--threads", "2", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        whole = os.path.join(self.folder, "whole")
        self.assertEqual(self.run_study(*arguments, "-o", whole).returncode, 0)
        for name in ["ordering.csv", "ordering-neurons.csv", "ordering-stability.csv"]:
            self.assertEqual(bytes_of(directory, name), bytes_of(whole, name), name)
        self.assertFalse(os.path.exists(os.path.join(whole, "ordering-pruning.csv")))

    def test_what_it_cannot_do_is_refused(self):
        self.check_refused(SMALL, [(["--lr", "0.001,0.01"], "--lr"), (["--hidden", "5,8x8"], "8x8"), (["--hidden", "2"], "too few"),
                                   (["--loss", "squared-error"], "cross-entropy"), (["--quick", "--full"], "--full")])

    def test_a_dry_run_says_how_long_and_writes_nothing(self):
        directory = os.path.join(self.folder, "dry")
        result = self.run_study(*SMALL, "--dry-run", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.exists(directory))


def midranks(values):
    order = sorted(values)
    first = {v: order.index(v) for v in values}
    last = {v: len(order) - 1 - order[::-1].index(v) for v in values}
    return [(first[v] + last[v]) / 2 for v in values]


def spearman(x, y):
    a, b = midranks(x), midranks(y)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    ab = sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b))
    aa = sum((p - mean_a) ** 2 for p in a)
    bb = sum((q - mean_b) ** 2 for q in b)
    return ab / (aa * bb) ** 0.5


if __name__ == "__main__":
    study.main()
