#!/usr/bin/env python3
"""`shoal study adam` from the command line to its files: study_adam.py PATH_OF_SHOAL. Standard library only.

The numbers of adam.csv are worked out again here from curves.npz, population.csv and adam-epochs.csv."""
import json
import os
import statistics
import subprocess

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "300", "--test-count", "100", "--hidden", "12", "--epochs", "80", "--lr", "0.02",
         "--seeds", "3", "--device", "cpu", "--threads", "2"]
FIGURES = ["adam-loss", "adam-jumps", "adam-room"]
TABLES = ["adam.csv", "adam-epochs.csv", "verdict.txt"]


class StudyAdam(study.Case):
    NAME, ARGUMENTS = "adam", SMALL

    def test_ends_well_and_answers(self):
        self.check_ended_well("Is Adam noisy at very low loss?", "Is it eps?", "Is it beta2", "AMSGrad")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "curves.npz", "population.csv", "state.safetensors", *TABLES],
                           FIGURES)

    def test_the_numbers_are_those_of_the_models(self):
        models = rows_of(self.directory, "population.csv")
        rows = rows_of(self.directory, "adam.csv")
        epochs = rows_of(self.directory, "adam-epochs.csv")
        self.assertEqual(len(models), 3 * len(rows))
        self.assertEqual(len(epochs), 80 * len(rows))
        for i, row in enumerate(rows):
            mine = models[i::len(rows)]
            self.assertEqual(row["models"], "3")
            for m in mine:
                self.assertEqual(float(m["lr"]), float(row["lr"]))
                self.assertEqual(m["beta2"], row["beta2"])
                self.assertEqual(m["eps"], row["eps"])
            losses = [float(m["train_loss"]) for m in mine]
            self.assertEqual(float(row["loss_min"]), min(losses))
            self.assertEqual(float(row["loss_median"]), statistics.median(losses))
            self.assertEqual(float(row["loss_max"]), max(losses))
            last = [e for e in epochs if e["variant"] == row["variant"]][-1]
            self.assertEqual(last["loss_max"], row["loss_max"])
            self.assertLessEqual(int(float(row["jumps"])), int(float(row["low_epochs"])))

    def test_amsgrad_has_nothing_to_forget(self):
        for row in rows_of(self.directory, "adam.csv"):
            if row["variant"].startswith("amsgrad") and row["room_otherwise"]:
                # Its divisor falls with the correction for the beginning alone.
                self.assertLess(float(row["room_otherwise"]), 40)

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = self.run_study(*SMALL, "--threads", "1", "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        variants = [e for e in events if e["type"] == "variant"]
        rows = rows_of(directory, "adam.csv")
        self.assertEqual([e["variant"] for e in variants], [r["variant"] for r in rows])
        for event, row in zip(variants, rows):
            for name, value in row.items():
                if name not in ("variant", "hidden"):
                    self.assertEqual(None if value == "" else float(value), event[name], name)
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        for name in TABLES:  # on another number of threads
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_goes_on_after_a_kill(self):
        directory = os.path.join(self.folder, "killed")
        command = study.command("adam", *SMALL, "--checkpoint-every", "0.01", "--json", "-o", directory)
        process = subprocess.Popen(command, env=study.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "epoch" and event["epoch"] >= 30:
                break
        process.kill()
        process.communicate()
        resumed = self.run_study("--resume", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        for name in [*TABLES, "population.csv", "state.safetensors", "curves.npz"]:
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_what_would_mix_experiments_is_refused(self):
        self.check_refused(SMALL, [(["--optimizer", "sgd"], "--optimizer"), (["--eps", "1e-3"], "--eps"), (["--beta2", "0.9"], "--beta2"),
                                   (["--lr", "0.001,0.01"], "--lr"), (["--quick", "--full"], "--full")])

    def test_the_dry_run_counts_all_variants_and_the_looks_at_the_training_set(self):
        result = self.run_study(*SMALL, "--dry-run", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        event = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual(event["models"], 3 * len(rows_of(self.directory, "adam.csv")))
        self.assertGreater(event["estimate"]["evaluation"], 0)

    def test_presets_are_defaults(self):
        config = lambda *arguments: self.run_study(*arguments, "--print-config", "--data", "digits").stdout
        self.assertEqual(config(), config("--quick"))
        self.assertIn("epochs = 100", config("--full"))
        self.assertIn("epochs = 2", config("--full", "--epochs", "2"))


if __name__ == "__main__":
    study.main()
