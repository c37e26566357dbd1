#!/usr/bin/env python3
"""`shoal study pca` from the command line to its files: study_pca.py PATH_OF_SHOAL. Standard library only."""
import json
import os
import signal
import subprocess

import study
from study import rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "6,40", "--epochs", "2", "--device",
         "cpu", "--threads", "2"]


def run(*arguments, **more):
    return study.run("pca", *arguments, **more)


class StudyPca(study.Case):
    NAME, ARGUMENTS = "pca", SMALL

    def test_ends_well_and_names_its_directory_last(self):
        self.check_ended_well("have rank", "straight line", "equally important", "80 % accuracy", "participation ratio")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "pca.csv", "pca-kept.csv", "pca.npz"],
                           ["pca-spectrum", "pca-reconstruction", "pca-accuracy", "pca-dimension"])

    def test_a_row_a_width_and_side(self):
        rows = rows_of(self.directory, "pca.csv")
        self.assertEqual([(r["width"], r["side"]) for r in rows],
                         [("6", "before-relu"), ("6", "after-relu"), ("40", "before-relu"), ("40", "after-relu")])
        for row in rows:
            components = int(float(row["components"]))
            self.assertEqual(components, int(row["width"]))
            self.assertLessEqual(1, float(row["participation_ratio"]))
            self.assertLessEqual(float(row["participation_ratio"]), float(row["effective_rank"]) * (1 + 1e-12))
            self.assertLessEqual(float(row["effective_rank"]), components * (1 + 1e-12))
            self.assertLess(float(row["error_left_at_half"]), float(row["journal_error_left_at_half"]))

    def test_the_curves_end_where_the_network_is(self):
        models = {m["hidden"]: m for m in rows_of(self.directory, "population.csv")}
        kept = rows_of(self.directory, "pca-kept.csv")
        self.assertEqual({r["kept"] for r in kept}, {"before-relu", "before-relu-journal", "after-relu"})
        for row in kept:
            self.assertTrue(0 <= float(row["test_accuracy"]) <= 1)
            if row["k"] == row["width"]:  # all kept: the same network but for the rounding of its weights
                self.assertAlmostEqual(float(row["test_accuracy"]), float(models[row["width"]]["test_accuracy"]), delta=0.02)

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = run(*SMALL, "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        sides = [e for e in events if e["type"] == "pca"]
        rows = rows_of(directory, "pca.csv")
        self.assertEqual(len(sides), len(rows))
        for event, row in zip(sides, rows):
            for name, value in row.items():
                if name != "side":
                    self.assertEqual(float(value), float(event[name]), name)
        self.assertEqual(len([e for e in events if e["type"] == "kept"]), len(rows_of(directory, "pca-kept.csv")))
        self.assertTrue(next(e for e in events if e["type"] == "inputs")["rank"] > 0)
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        for name in ["pca.csv", "pca-kept.csv", "pca.npz"]:
            with open(os.path.join(directory, name), "rb") as again, open(os.path.join(self.directory, name), "rb") as first:
                self.assertEqual(again.read(), first.read(), name)

    def test_the_numbers_do_not_depend_on_threads(self):
        directory = os.path.join(self.folder, "one-thread")
        self.assertEqual(run(*SMALL, "--threads", "1", "--no-accuracy", "-o", directory).returncode, 0)
        with open(os.path.join(directory, "pca.npz"), "rb") as one, open(os.path.join(self.directory, "pca.npz"), "rb") as two:
            self.assertEqual(one.read(), two.read())
        self.assertFalse(os.path.exists(os.path.join(directory, "pca-kept.csv")))

    def test_goes_on_after_a_kill(self):
        directory = os.path.join(self.folder, "killed")
        arguments = [*SMALL, "--epochs", "30", "--no-accuracy"]
        self.kill_after_an_epoch(arguments, directory)
        resumed = run("--resume", "--threads", "2", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        whole = os.path.join(self.folder, "whole")
        self.assertEqual(run(*arguments, "-o", whole).returncode, 0)
        with open(os.path.join(directory, "pca.csv"), "rb") as a, open(os.path.join(whole, "pca.csv"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_stopped_while_it_measures_it_goes_on(self):
        directory = os.path.join(self.folder, "stopped")
        arguments = [*SMALL, "--hidden", "6,700", "--epochs", "1"]
        child = subprocess.Popen(study.command("pca", *arguments, "-o", directory), env=study.environment(), text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in child.stderr:
            if "PCA of the inputs" in line:
                child.send_signal(signal.SIGINT)
                break
        child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(), 130)
        with open(os.path.join(directory, "run.json")) as file:
            self.assertEqual(json.load(file)["status"], "stopped")
        self.assertFalse(os.path.exists(os.path.join(directory, "pca.csv")))
        resumed = run("--resume", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        whole = os.path.join(self.folder, "not-stopped")
        self.assertEqual(run(*arguments, "-o", whole).returncode, 0)
        for name in ["pca.csv", "pca-kept.csv"]:
            with open(os.path.join(directory, name), "rb") as a, open(os.path.join(whole, name), "rb") as b:
                self.assertEqual(a.read(), b.read())

    def test_what_would_mix_experiments_is_refused(self):
        for arguments, words in [(["--lr", "0.001,0.01"], "--lr"), (["--hidden", "5,8x8"], "8x8"),
                                 (["--seeds", "3"], "--seeds"), (["--quick", "--full"], "--full")]:
            result = run(*SMALL, *arguments, "-o", os.path.join(self.folder, "refused"))
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "refused")))

    def test_presets_are_defaults(self):
        config = lambda *arguments: run(*arguments, "--print-config", "--data", "digits").stdout
        self.assertEqual(config(), config("--quick"))
        self.assertIn("2048", config("--full"))
        self.assertIn("epochs = 10", config("--full"))
        self.assertIn("epochs = 2", config("--full", "--epochs", "2"))

    def test_on_mnist_the_rank_of_the_inputs_is_below_the_number_of_pixels(self):
        if "SHOAL_DATA" not in os.environ:
            self.skipTest("SHOAL_DATA is not set")
        directory = os.path.join(self.folder, "mnist")
        result = run("--data", "mnist", "--train-count", "3000", "--test-count", "500", "--hidden", "16,800", "--epochs", "1",
                     "--device", "cpu", "--no-accuracy", "--json", "-o", directory, SHOAL_DATA=os.environ["SHOAL_DATA"])
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        rank = next(e for e in events if e["type"] == "inputs")["rank"]
        self.assertTrue(400 < rank < 717, rank)  # 717 pixels are not the same in all images
        wide = next(e for e in events if e["type"] == "pca" and e["width"] == 800 and e["side"] == "before-relu")
        after = next(e for e in events if e["type"] == "pca" and e["width"] == 800 and e["side"] == "after-relu")
        self.assertLessEqual(wide["components_for_99"], rank)
        self.assertGreater(after["effective_rank"], wide["effective_rank"])


if __name__ == "__main__":
    study.main()
