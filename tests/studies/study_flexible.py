#!/usr/bin/env python3
"""`shoal study flexible` from the command line to its files: study_flexible.py PATH_OF_SHOAL. Standard library only."""
import json
import os

import study
from study import rows_of

SMALL = ["--data", "digits", "--train-count", "900", "--test-count", "300", "--hidden", "24", "--epochs", "6", "--device", "cpu",
         "--threads", "2", "--batch", "32", "--seeds", "2", "--starts", "4,20", "--penalties", "1e-1,1e-4", "--plain", "4,24", "--layers", "2"]


class StudyFlexible(study.Case):
    NAME, ARGUMENTS = "flexible", SMALL

    def test_ends_well_and_says_what_it_found(self):
        self.check_ended_well("The same size from any start", "October 2017", "no lower bound", "NaN or infinite in float32",
                              "Against plain networks", "A gate in every layer")
        with open(os.path.join(self.directory, "verdict.txt")) as file:
            self.assertIn("no lower bound", file.read())

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "population.csv", "flexible.csv"],
                           ["flexible-start", "flexible-penalty", "flexible-frontier", "flexible-epochs", "flexible-layers"])

    def test_a_row_a_setting(self):
        rows = rows_of(self.directory, "flexible.csv")
        kinds = [r["kind"] for r in rows]
        # Two starts and the bug's, two penalties, twice; two plain widths, twice; four penalties on x0.
        self.assertEqual((kinds.count("gated"), kinds.count("fixed"), kinds.count("gated-x0"), kinds.count("gated-deep")), (10, 4, 4, 2))
        for row in rows:
            sizes = [float(row[f"size_layer_{i}"]) for i in range(1, 5) if row[f"size_layer_{i}"]]
            self.assertEqual(len(sizes), 2 if row["kind"] == "gated-deep" else 0)
            if sizes:
                self.assertAlmostEqual(sum(sizes), float(row["size"]), places=9)
        for row in rows:
            self.assertEqual(row["models"], "2")
            self.assertTrue(0 <= float(row["test_accuracy"]) <= 1)
        models = rows_of(self.directory, "population.csv")
        self.assertEqual(len(models), 2 * len(rows))

    def test_sizes_go_where_theory_says(self):
        rows = [r for r in rows_of(self.directory, "flexible.csv") if r["l2"] == "0"]
        gated = {(float(r["start"]), float(r["penalty"])): float(r["size"]) for r in rows if r["kind"] == "gated"}
        self.assertLess(gated[12.0, 1e-1], gated[12.0, 1e-4])
        self.assertLess(gated[4.0, 1e-5], gated[20.0, 1e-5])
        unbounded = {float(r["penalty"]): float(r["size"]) for r in rows if r["kind"] == "gated-x0"}
        # Nothing but the penalty moves x0 of a closed layer: it falls by the learning rate, 1, a step of Adam.
        self.assertLess(unbounded[1.0], -50)
        self.assertLess(unbounded[1.0], unbounded[1e-3])

    def test_the_same_numbers_again_and_from_its_configuration(self):
        again = self.run_study(*SMALL, "--json", "-o", os.path.join(self.folder, "again"))
        self.assertEqual(again.returncode, 0, again.stderr)
        events = [json.loads(line) for line in again.stdout.splitlines()]
        self.assertEqual(sum(e["type"] == "flexible" for e in events), 20)
        config = os.path.join(self.folder, "again", "config.toml")
        third = self.run_study("--config", config, "-o", os.path.join(self.folder, "third"), "--quiet")
        self.assertEqual(third.returncode, 0, third.stderr)
        for other in ["again", "third"]:
            self.assertEqual(rows_of(self.directory, "flexible.csv"), rows_of(self.folder, other, "flexible.csv"))

    def test_refusals_are_one_sentence(self):
        self.check_refused(SMALL, [(["--hidden", "20x10"], "single hidden layers"), (["--lr", "0.1,0.2"], "one value"),
                                   (["--l2", "0"], "larger than 0"), (["--starts", "2e7"], "too large"),
                                   (["--plain", "0"], "too small"), (["--layers", "1"], "too small")])

    def test_an_estimate_without_a_trace(self):
        r = self.run_study(*SMALL, "--dry-run", "-o", os.path.join(self.folder, "dry"))
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertIn("40", r.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "dry")))


if __name__ == "__main__":
    study.main()
