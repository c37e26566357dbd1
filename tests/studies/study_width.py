#!/usr/bin/env python3
"""`shoal study width` from the command line to its files: study_width.py PATH_OF_SHOAL. Standard library only.

The numbers of width.csv are worked out again here from population.csv and neurons.csv."""
import csv
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

SHOAL = None
SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "5,12,8", "--seeds", "3",
         "--epochs", "1", "--device", "cpu", "--threads", "1"]


def run(*arguments, path=None, cwd=None, **more_environment):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SHOAL_")}
    environment.update(more_environment)
    if path is not None:
        environment["PATH"] = path
    return subprocess.run([SHOAL, "study", "width", *arguments], capture_output=True, text=True, cwd=cwd,
                          env=environment, timeout=240)


def rows_of(directory, name):
    with open(os.path.join(directory, name), newline="") as file:
        return list(csv.DictReader(file))


class StudyWidth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="shoal-study-")
        cls.directory = os.path.join(cls.folder, "run")
        cls.result = run(*SMALL, "-o", cls.directory)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_ends_well_and_names_its_directory_last(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stdout.rstrip().splitlines()[-1], self.directory)

    def test_writes_what_train_writes_and_its_own(self):
        for name in ["config.toml", "run.json", "metrics.jsonl", "curves.npz", "population.csv", "neurons.csv", "neurons.npz",
                     "state.safetensors", "width.csv"]:
            self.assertGreater(os.path.getsize(os.path.join(self.directory, name)), 0, name)
        drawn = shutil.which("gnuplot") is not None
        for figure in ["accuracy", "neuron-sd", "sum-of-sd"]:
            for suffix in [".dat", ".gp"] + ([".svg", ".png"] if drawn else []):
                self.assertGreater(os.path.getsize(os.path.join(self.directory, "figures", figure + suffix)), 0)
        self.assertEqual([f for f in os.listdir(self.directory) if f.endswith(".tmp")], [])

    def test_a_row_a_width_in_ascending_order(self):
        rows = rows_of(self.directory, "width.csv")
        self.assertEqual([r["width"] for r in rows], ["5", "8", "12"])
        self.assertEqual([r["models"] for r in rows], ["3", "3", "3"])
        self.assertEqual([r["diverged"] for r in rows], ["0", "0", "0"])

    def test_the_numbers_are_those_of_the_models(self):
        models = rows_of(self.directory, "population.csv")
        sds = {}
        for neuron in rows_of(self.directory, "neurons.csv"):
            sds.setdefault(neuron["model"], []).append(float(neuron["sd"]))
        for row in rows_of(self.directory, "width.csv"):
            mine = [m for m in models if m["hidden"] == row["width"]]
            self.assertEqual(len(mine), 3)
            of = {name: [float(m[name]) for m in mine] for name in
                  ["train_loss", "test_loss", "train_accuracy", "test_accuracy"]}
            layers = [sds[m["index"]] for m in mine]
            of["neuron_sd_mean"] = [statistics.fmean(layer) for layer in layers]
            of["neuron_sd_sum"] = [math.fsum(layer) for layer in layers]
            of["dead"] = [float(sum(sd == 0 for sd in layer)) for layer in layers]
            self.assertTrue(all(len(layer) == int(row["width"]) for layer in layers))
            for name, values in of.items():
                mean = row[name] if name.startswith("neuron") else row[name + "_mean"]
                # both sides add a few doubles, in different orders
                self.assertAlmostEqual(float(mean), statistics.fmean(values), delta=1e-12 * (1 + max(values)))
                self.assertAlmostEqual(float(row[name + "_sd"]), statistics.stdev(values),
                                       delta=1e-9 * (1 + max(values)))

    def test_the_table_shows_them(self):
        for row in rows_of(self.directory, "width.csv"):
            cells = [line.split() for line in self.result.stdout.splitlines() if line.split()[:1] == [row["width"]]]
            self.assertEqual(len(cells), 1)
            self.assertIn("%.2f" % (100 * float(row["test_accuracy_mean"])), cells[0])
            self.assertIn("%.2f" % (100 * float(row["train_accuracy_mean"])), cells[0])
        self.assertIn("Test accuracy", self.result.stdout)

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = run(*SMALL, "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        widths = [e for e in events if e["type"] == "width"]
        rows = rows_of(directory, "width.csv")
        self.assertEqual(len(widths), len(rows))
        for event, row in zip(widths, rows):
            for name, value in row.items():
                self.assertEqual(float(value), float(event[name]), name)
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        with open(os.path.join(directory, "width.csv"), "rb") as again:
            with open(os.path.join(self.directory, "width.csv"), "rb") as first:
                self.assertEqual(again.read(), first.read())

    def test_without_gnuplot_it_warns_once_and_keeps_data_and_scripts(self):
        directory = os.path.join(self.folder, "no-gnuplot")
        result = run(*SMALL, "-o", directory, path="/nowhere")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count("gnuplot is not installed"), 1, result.stderr)
        self.assertEqual(sorted(os.listdir(os.path.join(directory, "figures"))),
                         ["accuracy.dat", "accuracy.gp", "neuron-sd.dat", "neuron-sd.gp", "sum-of-sd.dat", "sum-of-sd.gp"])

    def test_what_would_mix_experiments_is_refused(self):
        for arguments, words in [(["--lr", "0.001,0.01"], "--lr"), (["--hidden", "5,8x8"], "8x8"),
                                 (["--neurons", "none"], "after-relu"), (["--quick", "--full"], "--full")]:
            result = run(*SMALL, *arguments, "-o", os.path.join(self.folder, "refused"))
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "refused")))

    def test_without_mnist_it_takes_the_digits_and_says_so(self):
        home = os.path.join(self.folder, "home")
        os.mkdir(home)
        result = run("--dry-run", "--device", "cpu", "--train-count", "500", cwd=home, HOME=home, XDG_DATA_HOME=home)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("built-in digits", result.stderr)
        named = run("--dry-run", "--device", "cpu", "--data", "mnist", cwd=home, HOME=home, XDG_DATA_HOME=home)
        self.assertEqual(named.returncode, 4, "MNIST that was asked for by name is not replaced")

    def test_presets_are_defaults(self):
        def config(*arguments):
            result = run(*arguments, "--print-config", "--data", "digits")
            self.assertEqual(result.returncode, 0, result.stderr)
            return result.stdout
        self.assertEqual(config(), config("--quick"))
        self.assertIn("11585", config("--full"))
        self.assertIn("epochs = 30", config("--full"))
        self.assertIn("epochs = 2", config("--full", "--epochs", "2"))
        self.assertIn("epochs = 5", config())


if __name__ == "__main__":
    SHOAL = sys.argv.pop(1)
    unittest.main()
