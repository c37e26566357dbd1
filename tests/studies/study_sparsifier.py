#!/usr/bin/env python3
"""`shoal study sparsifier` from the command line to its files: study_sparsifier.py PATH_OF_SHOAL. Standard library only."""
import json
import os

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "200", "--hidden", "40", "--epochs", "6", "--seeds", "2",
         "--gate-lr", "0.05", "--gate-penalty", "0,0.01,0.03", "--starts", "20,40", "--start-penalty", "0.03", "--rates",
         "0.05,0.1", "--rival-penalty", "0.03", "--fixed", "4,40", "--device", "cpu", "--threads", "2"]


def run(*arguments, **more):
    return study.run("sparsifier", *arguments, **more)


class StudySparsifier(study.Case):
    NAME, ARGUMENTS = "sparsifier", SMALL

    def test_ends_well_and_names_its_directory_last(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stdout.rstrip().splitlines()[-1], self.directory)
        self.assertNotIn("combinations describe", self.result.stderr)
        for words in ["What is left", "generalise better than no penalty", "When neurons die", "settled", "starting size",
                      "plain network of the same size", "no minimum"]:
            self.assertIn(words, self.result.stdout)

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "population.csv", "sparsifier.csv",
                            "sparsifier-epochs.csv", "verdict.txt"],
                           [f"sparsifier-{figure}" for figure in ["lambda", "training", "frontier", "starts"]])

    def test_rows_are_means_of_the_population(self):
        rows = rows_of(self.directory, "sparsifier.csv")
        families = [r["family"] for r in rows]
        self.assertEqual(families, ["strict"] * 3 + ["starts"] * 2 + ["rates"] * 2 + ["switch", "smallify", "strict-l2",
                                                                                      "switch-l2", "hard-concrete"] + ["fixed"] * 2)
        models = rows_of(self.directory, "population.csv")
        kinds = {"strict": "liveness", "starts": "liveness", "rates": "liveness", "strict-l2": "liveness", "switch": "switch",
                 "smallify": "switch", "switch-l2": "switch", "hard-concrete": "hard-concrete", "fixed": "none"}
        for row in rows:
            own = [m for m in models if m["gate"] == kinds[row["family"]] and m["hidden"] == row["start"] and
                   float(m["l2"]) == float(row["l2"]) and (m["gate_inertia"] != "") == (row["family"] == "smallify") and
                   (m["gate"] == "none" or (m["gate_penalty"], m["gate_lr"]) == (row["lambda"], row["gate_lr"]))]
            self.assertEqual(len(own), 2, row)
            self.assertAlmostEqual(float(row["test_accuracy"]), sum(float(m["test_accuracy"]) for m in own) / 2)
            if row["family"] != "fixed":
                self.assertAlmostEqual(float(row["size"]), sum(float(m["size"]) for m in own) / 2)
        strict = {float(r["lambda"]): float(r["size"]) for r in rows if r["family"] == "strict"}
        self.assertEqual(strict[0], 40)
        self.assertLess(strict[0.03], 40)

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = run(*SMALL, "--threads", "1", "--json", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        found = [e for e in events if e["type"] == "sparsifier"]
        self.assertEqual(len(found), len(rows_of(directory, "sparsifier.csv")))
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        for name in ["sparsifier.csv", "sparsifier-epochs.csv", "population.csv", "verdict.txt"]:
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_goes_on_after_a_kill(self):
        directory = os.path.join(self.folder, "killed")
        self.kill_after_an_epoch(SMALL, directory)
        resumed = run("--resume", "-o", directory)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        for name in ["sparsifier.csv", "sparsifier-epochs.csv", "state.safetensors"]:
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_what_would_mix_experiments_is_refused(self):
        self.check_refused(SMALL, [(["--lr", "0.001,0.01"], "--lr"), (["--hidden", "5,8"], "--hidden"),
                                   (["--hidden", "8x8"], "single hidden layers"), (["--gate", "size"], "--gate itself"),
                                   (["--gate-lr", "0"], "do not learn"), (["--gate-lr", "auto"], "needs a number"),
                                   (["--remove-dead", "on"], "--remove-dead"), (["--starts", "1"], "--starts"),
                                   (["--quick", "--full"], "--full")])

    def test_presets(self):
        config = lambda *arguments: run(*arguments, "--print-config", "--data", "digits").stdout
        self.assertIn("epochs = 8\n", config("--quick"))
        self.assertIn("epochs = 20\n", config())
        self.assertIn("epochs = 60\n", config("--full"))
        self.assertIn("10000", config("--full"))
        self.assertIn("epochs = 3\n", config("--full", "--epochs", "3"))

    def test_both_data_sets_are_compared(self):
        if "SHOAL_DATA" not in os.environ:
            self.skipTest("SHOAL_DATA is not set")
        directory = os.path.join(self.folder, "both")
        result = run(*SMALL, "--data", "both", "--epochs", "2", "--gate-lr", "0.2", "--starts", "40", "--rates", "0.2", "-o", directory,
                     SHOAL_DATA=os.environ["SHOAL_DATA"])
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(os.path.join(directory, "verdict.txt")) as file:
            self.assertIn("FashionMNIST needs more neurons than MNIST", file.read())
        for name in ["mnist", "fashion-mnist"]:
            self.assertTrue(os.path.exists(os.path.join(directory, name, "sparsifier.csv")))


if __name__ == "__main__":
    study.main()
