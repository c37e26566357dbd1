#!/usr/bin/env python3
"""`shoal study slope` from the command line to its files: study_slope.py PATH_OF_SHOAL. Standard library only."""
import json
import math
import os

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "40", "--epochs", "8", "--zones", "1,20",
         "--draws", "64", "--seeds", "2", "--device", "cpu", "--threads", "2"]
ARMS = ["random", "mean-zone", "mean-slope", "journal", "zone", "zone"]
TABLES = ["slope.csv", "slope-epochs.csv", "slope-gradients.csv", "slope-onoff.csv", "verdict.txt"]
FIGURES = ["slope-size", "slope-zone", "slope-change", "slope-onoff"]


class StudySlope(study.Case):
    NAME, ARGUMENTS = "slope", SMALL

    def test_ends_well_and_answers(self):
        self.check_ended_well("with the same mean zone", "with the same mean k", "higher loss", "Growth looks logarithmic",
                              "The change of x0", "The gradient by x0", "the gradient is always zero", "score function",
                              "What it costs", "hard-concrete")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "curves.npz", "population.csv", "state.safetensors", *TABLES],
                           FIGURES)

    def test_slopes_match_zones(self):
        rows = rows_of(self.directory, "slope.csv")
        self.assertEqual([r["arm"] for r in rows], ARMS)
        for row in rows[1:]:
            self.assertAlmostEqual(float(row["zone"]) * float(row["slope"]), 2 * math.log(99), places=9)
        self.assertEqual([float(r["zone"]) for r in rows[:2]], [10.5, 10.5])
        self.assertEqual(float(rows[2]["slope"]), float(rows[0]["slope"]))
        self.assertEqual(float(rows[3]["slope"]), 0.4)

    def test_sizes_are_those_of_the_epochs_and_of_the_models(self):
        epochs = rows_of(self.directory, "slope-epochs.csv")
        self.assertEqual(len(epochs), 8 * len(ARMS))
        models = rows_of(self.directory, "population.csv")
        for i, row in enumerate(rows_of(self.directory, "slope.csv")):
            mine = epochs[8 * i:8 * i + 8]
            self.assertEqual(row["size"], mine[7]["size"])
            self.assertEqual(row["size_half"], mine[3]["size"])
            if float(row["models"]) > 0:
                self.assertAlmostEqual(sum(float(e["change"]) for e in mine), float(row["size"]), places=9)
            sizes = [float(m["size"]) for m in models[2 * i:2 * i + 2]]
            opened = [x for x in sizes if x >= 0]
            self.assertEqual(int(float(row["closed"])), len(sizes) - len(opened))
            if opened:
                self.assertAlmostEqual(float(row["size"]), sum(opened) / len(opened), places=4)

    def test_gates_on_or_off(self):
        rows = rows_of(self.directory, "slope-onoff.csv")
        self.assertEqual([(r["seed"], r["x0"] == r["trained_x0"]) for r in rows],
                         [("1", True), ("2", True), ("1", False), ("2", False)])
        for row in rows:
            self.assertGreater(float(row["zeros_0.001"]), 0.9)
            self.assertGreater(float(row["zeros_0.001"]), float(row["zeros_0.1"]))
            self.assertGreater(float(row["zeros_0.1"]), float(row["zeros_1"]))
            self.assertGreater(float(row["score_sd_without_baseline"]), float(row["score_sd"]))
        half = rows[2:]  # at half of x0 every neuron that comes lowers the loss
        for row in half:
            self.assertLess(float(row["quotient_1"]), 0)
            self.assertLess(float(row["gate_gradient"]), 0)

    def test_gradients_of_a_few_epochs(self):
        rows = rows_of(self.directory, "slope-gradients.csv")
        self.assertEqual([(r["arm"], r["epoch"]) for r in rows],
                         [(arm, epoch) for epoch in ["1", "2", "4", "8"] for arm in ["random", "mean-zone"]])
        for row in rows:
            self.assertLess(float(row["gradient"]), 0)

    def test_json_is_json_alone_and_the_same_numbers_with_one_thread(self):
        directory = os.path.join(self.folder, "json")
        result = self.run_study(*SMALL, "--threads", "1", "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        for kind, count in [("slope", len(ARMS)), ("gradient", 8), ("onoff", 4), ("verdict", 1)]:
            self.assertEqual(sum(e["type"] == kind for e in events), count, kind)
        for name in TABLES:
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_what_would_mix_experiments_is_refused(self):
        self.check_refused(SMALL, [(["--lr", "0.001,0.01"], "--lr"), (["--gate", "size"], "--gate"), (["--hidden", "8x8"], "8x8"),
                                   (["--zones", "0"], "too small"), (["--grey-zone", "2..3"], "--grey-zone"),
                                   (["--draws", "1"], "too small"), (["--epochs", "3"], "4 or more"),
                                   (["--loss", "squared-error"], "cross-entropy"), (["--quick", "--full"], "--full")])

    def test_goes_on_after_a_kill(self):
        """The unfolded weights of the networks whose gates are on or off are handed over again."""
        directory, whole = os.path.join(self.folder, "killed"), os.path.join(self.folder, "whole")
        arguments = [*SMALL, "--epochs", "30", "--threads", "1"]
        self.kill_after_an_epoch(arguments, directory)
        resumed = self.run_study("--resume", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual(self.run_study(*arguments, "-o", whole).returncode, 0)
        for name in TABLES:
            self.assertEqual(bytes_of(directory, name), bytes_of(whole, name), name)

    def test_one_seed_and_few_epochs(self):
        result = self.run_study(*SMALL, "--seeds", "1", "--epochs", "4", "-o", os.path.join(self.folder, "one"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("nan", result.stdout)
        self.assertIn("not known", result.stdout)

    def test_a_dry_run_says_how_long_and_writes_nothing(self):
        result = self.run_study(*SMALL, "--dry-run", "--json", "-o", os.path.join(self.folder, "dry"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout.splitlines()[-1])["models"], 12)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "dry")))


if __name__ == "__main__":
    study.main()
