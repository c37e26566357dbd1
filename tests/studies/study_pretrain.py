#!/usr/bin/env python3
"""`shoal study pretrain` from the command line to its files: study_pretrain.py PATH_OF_SHOAL. Standard library only."""
import json
import os
import statistics

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "24", "--epochs", "6", "--pretrain", "0,2,4",
         "--pretrain-random", "0,2", "--plain", "8,24", "--seeds", "2", "--device", "cpu", "--threads", "2"]
TABLES = ["pretrain.csv", "pretrain-epochs.csv", "pretrain-cut.csv", "verdict.txt"]
FIGURES = ["pretrain-size", "pretrain-dose", "pretrain-accuracy", "pretrain-cut"]


class StudyPretrain(study.Case):
    NAME, ARGUMENTS = "pretrain", SMALL

    def test_ends_well_and_answers(self):
        self.check_ended_well("smaller final size", "Has x0 settled?", "at equal epochs with the gate", "at equal epochs in all", "At equal size",
                              "The moment the gate begins", "random slope")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "curves.npz", "population.csv", "state.safetensors", *TABLES],
                           FIGURES)

    def test_every_arm_is_read_at_its_own_end(self):
        rows = rows_of(self.directory, "pretrain.csv")
        epochs = rows_of(self.directory, "pretrain-epochs.csv")
        self.assertEqual([(r["kind"], r["pretraining"]) for r in rows],
                         [("size", "0"), ("size", "2"), ("size", "4"), ("random-size", "0"), ("random-size", "2"), ("plain", ""),
                          ("plain", "")])
        self.assertEqual(len(epochs), 10 * len(rows))
        for row in rows:
            mine = [e for e in epochs if all(e[k] == row[k] for k in ["kind", "pretraining", "width"])]
            end = 10 if row["kind"] == "plain" else int(row["pretraining"]) + 6
            self.assertEqual(row["end"], str(end))
            for epoch, suffix in [(end, ""), (10, "_at_total")]:
                for value in ["test_accuracy", "test_loss", "train_loss"]:
                    self.assertEqual(row[value + suffix], mine[epoch - 1][value], (row, value))
            if row["kind"] == "plain":
                continue
            self.assertEqual(row["size"], mine[end - 1]["size"])
            self.assertEqual(row["size_at_total"], mine[9]["size"])
            before = int(row["pretraining"])
            self.assertTrue(all(e["size"] == "0" for e in mine[:before]))
            self.assertGreater(float(mine[before]["size"]), 0)

    def test_sizes_at_the_end_are_those_of_the_models(self):
        models = rows_of(self.directory, "population.csv")
        epochs = [e for e in rows_of(self.directory, "pretrain-epochs.csv") if e["epoch"] == "10"]
        self.assertEqual(len(models), 2 * len(epochs))
        for i, row in enumerate(epochs):
            accuracies = [float(m["test_accuracy"]) for m in models[2 * i:2 * i + 2]]
            self.assertAlmostEqual(float(row["test_accuracy"]), statistics.mean(accuracies), places=12)

    def test_the_cut_networks_are_those_of_the_arms(self):
        """Trained again alone, without a gate, they have the bits that they had in the crowd."""
        epochs = rows_of(self.directory, "pretrain-epochs.csv")
        cuts = rows_of(self.directory, "pretrain-cut.csv")
        self.assertEqual({c["pretraining"] for c in cuts}, {"2", "4"})
        for dose in ["2", "4"]:
            mine = [c for c in cuts if c["pretraining"] == dose]
            before = next(e for e in epochs if e["kind"] == "size" and e["pretraining"] == dose and e["epoch"] == dose)
            self.assertEqual(mine[-1]["x0"], "")
            self.assertEqual(mine[-1]["test_accuracy"], before["test_accuracy"])
            self.assertLess(float(mine[0]["test_accuracy"]), float(mine[-1]["test_accuracy"]))

    def test_json_is_json_alone_and_the_same_numbers_with_one_thread(self):
        directory = os.path.join(self.folder, "json")
        result = self.run_study(*SMALL, "--threads", "1", "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(sum(e["type"] == "pretrain" for e in events), 7)
        self.assertEqual(sum(e["type"] == "verdict" for e in events), 1)
        for name in TABLES:
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_what_would_mix_experiments_is_refused(self):
        self.check_refused(SMALL, [(["--lr", "0.001,0.01"], "--lr"), (["--gate", "size"], "--gate"), (["--hidden", "8x8"], "8x8"),
                                   (["--pretrain=-1"], "too small"), (["--gate-begin", "2"], "--gate-begin"),
                                   (["--evaluate", "last"], "--evaluate"), (["--quick", "--full"], "--full")])

    def test_one_arm_and_one_seed(self):
        result = self.run_study(*SMALL, "--pretrain", "1", "--pretrain-random", "1", "--seeds", "1", "--epochs", "1", "-o",
                                os.path.join(self.folder, "one"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("nothing to compare", result.stdout)
        self.assertNotIn("nan", result.stdout)

    def test_a_dry_run_says_how_long_and_writes_nothing(self):
        result = self.run_study(*SMALL, "--dry-run", "--json", "-o", os.path.join(self.folder, "dry"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout.splitlines()[-1])["models"], 14)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "dry")))


if __name__ == "__main__":
    study.main()
