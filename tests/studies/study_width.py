#!/usr/bin/env python3
"""`shoal study width` from the command line to its files: study_width.py PATH_OF_SHOAL. Standard library only.

The numbers of width.csv are worked out again here from population.csv and neurons.csv."""
import json
import math
import os
import random
import statistics
import struct
import subprocess

import study
from study import rows_of

FIGURES = ["accuracy", "neuron-sd", "sum-of-sd", "dead", "shapiro", "accuracy-w", "neuron-sd-peak", "mixtures", "metrics"]
SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "5,12,8", "--seeds", "3",
         "--epochs", "1", "--device", "cpu", "--threads", "1"]


def run(*arguments, **more):
    return study.run("width", *arguments, **more)


class StudyWidth(study.Case):
    NAME, ARGUMENTS = "width", SMALL

    def test_ends_well_and_names_its_directory_last(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stdout.rstrip().splitlines()[-1], self.directory)

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "metrics.jsonl", "curves.npz", "population.csv", "neurons.csv", "neurons.npz",
                            "state.safetensors", "width.csv"],
                           FIGURES)
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
            for name, value in row.items():  # an empty field is null: three models of 5 sds have no mixture
                self.assertEqual(None if value == "" else float(value), event[name], name)
            self.assertEqual(event["data"], "digits")
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        metrics = {e["metric"]: e for e in events if e["type"] == "metric"}
        for row in rows_of(directory, "metrics.csv"):
            self.assertEqual(None if row["peak"] == "" else int(row["peak"]), metrics[row["metric"]]["peak"])
        with open(os.path.join(directory, "width.csv"), "rb") as again:
            with open(os.path.join(self.directory, "width.csv"), "rb") as first:
                self.assertEqual(again.read(), first.read())

    def test_without_gnuplot_it_warns_once_and_keeps_data_and_scripts(self):
        directory = os.path.join(self.folder, "no-gnuplot")
        result = run(*SMALL, "-o", directory, PATH="/nowhere")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.count("gnuplot is not installed"), 1, result.stderr)
        self.assertEqual(sorted(os.listdir(os.path.join(directory, "figures"))),
                         sorted(f"{name}.{kind}" for name in FIGURES for kind in ("dat", "gp")))

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

    def test_the_dry_run_counts_the_statistics(self):
        result = run(*SMALL, "--dry-run", "--json", "-o", os.path.join(self.folder, "nothing"))
        self.assertEqual(result.returncode, 0, result.stderr)
        event = json.loads(result.stdout.splitlines()[-1])
        parts = event["estimate"]
        self.assertAlmostEqual(event["estimated_seconds"], sum(parts.values()), delta=1e-9 * (1 + sum(parts.values())))
        self.assertGreater(parts["statistics"], 0)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nothing")))

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
        first = config("--first")
        for line in ["epochs = 5", "batch = 64", "seeds = 1"]:
            self.assertIn(line, first)
        self.assertIn("11585", first)


def idx(magic, shape, values):
    return struct.pack(f">I{len(shape)}I", magic, *shape) + bytes(values)


def write_images(folder, seed, train=400, test=100):
    """A data set in MNIST's format whose classes can be told apart by where the image is bright."""
    os.makedirs(folder)
    draw = random.Random(seed)
    for name, count in [("train", train), ("t10k", test)]:
        labels = [draw.randrange(10) for _ in range(count)]
        images = bytearray()
        for label in labels:
            image = bytearray(draw.randrange(60) for _ in range(784))
            for place in range(label * 78, label * 78 + 40):
                image[place] = draw.randrange(60, 256)
            images += image
        with open(os.path.join(folder, f"{name}-images-idx3-ubyte"), "wb") as file:
            file.write(idx(0x803, (count, 28, 28), images))
        with open(os.path.join(folder, f"{name}-labels-idx1-ubyte"), "wb") as file:
            file.write(idx(0x801, (count,), labels))


class BothDataSets(study.Case):
    BOTH = ["--data", "both", "--hidden", "9,12,16,20", "--seeds", "3", "--device", "cpu", "--threads", "1"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = os.path.join(cls.folder, "data")
        write_images(os.path.join(cls.data, "mnist"), 1)
        write_images(os.path.join(cls.data, "fashion-mnist"), 2)
        cls.whole = os.path.join(cls.folder, "whole")
        cls.result = run(*cls.BOTH, "--data-dir", cls.data, "--epochs", "60", "-o", cls.whole)

    def files(self, directory):
        return sorted(os.path.relpath(os.path.join(root, name), directory) for root, _, names in os.walk(directory)
                      for name in names)

    def test_each_has_its_directory_and_the_run_has_both(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stdout.rstrip().splitlines()[-1], self.whole)
        files = self.files(self.whole)
        for part in ["mnist", "fashion-mnist"]:
            for name in ["config.toml", "run.json", "width.csv", "state.safetensors", "verdict.txt", "figures/accuracy.dat"]:
                self.assertIn(f"{part}/{name}", files)
        for name in ["config.toml", "run.json", "width.csv", "verdict.txt", "figures/side-by-side.gp"]:
            self.assertIn(name, files)
        self.assertEqual([f for f in files if "checkpoint" in f or f.endswith((".tmp", "lock"))], [])
        rows = rows_of(self.whole, "width.csv")
        self.assertEqual([r["data"] for r in rows], ["mnist"] * 4 + ["fashion-mnist"] * 4)
        for part in ["mnist", "fashion-mnist"]:
            mine = [{k: v for k, v in r.items() if k != "data"} for r in rows if r["data"] == part]
            self.assertEqual(mine, rows_of(os.path.join(self.whole, part), "width.csv"))

    def test_each_has_its_own_scale_and_the_journals_by_name(self):
        scales = [json.load(open(os.path.join(self.whole, part, "run.json")))["data"]["scale"] for part in ["mnist", "fashion-mnist"]]
        self.assertNotEqual(scales[0], scales[1])
        directory = os.path.join(self.folder, "journal")
        result = run(*self.BOTH, "--data-dir", self.data, "--epochs", "0", "--normalize", "mnist", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        for part in ["mnist", "fashion-mnist"]:
            scale = json.load(open(os.path.join(directory, part, "run.json")))["data"]["scale"]
            self.assertAlmostEqual(scale, 1 / 255 / 0.3081, delta=1e-7)

    def test_killed_in_either_part_it_ends_in_the_same_bytes(self):
        command = study.command("width", *self.BOTH, "--data-dir", self.data, "--epochs", "60", "--json", "-o", "parts")
        for part, again in [("mnist", []), ("fashion-mnist", ["--resume"])]:
            process = subprocess.Popen([*command, *again], cwd=self.folder, env=study.environment(), stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            now = None
            for line in process.stdout:
                event = json.loads(line)
                now = event["data"] if event["type"] == "start" else now
                if event["type"] == "epoch" and now == part and event["epoch"] >= 25:
                    break
            process.kill()
            process.communicate()
        result = run("--resume", "-o", os.path.join(self.folder, "parts"))
        self.assertEqual(result.returncode, 0, result.stderr)
        parts = os.path.join(self.folder, "parts")
        self.assertEqual(self.files(parts), self.files(self.whole))
        for name in self.files(self.whole):
            if name.endswith((".csv", ".npz", ".safetensors", ".txt", ".dat", ".gp", ".jsonl")):
                with open(os.path.join(parts, name), "rb") as a, open(os.path.join(self.whole, name), "rb") as b:
                    self.assertEqual(a.read(), b.read(), name)

    def test_the_dry_run_adds_both_up(self):
        result = run(*self.BOTH, "--data-dir", self.data, "--epochs", "3", "--dry-run", "--json")
        event = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual([p["data"] for p in event["parts"]], ["mnist", "fashion-mnist"])
        self.assertAlmostEqual(event["estimated_seconds"], sum(p["estimated_seconds"] for p in event["parts"]), delta=1e-9)
        self.assertEqual(event["models"], 24)


if __name__ == "__main__":
    study.main()
