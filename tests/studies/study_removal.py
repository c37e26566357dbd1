#!/usr/bin/env python3
"""`shoal study removal` from the command line to its files: study_removal.py PATH_OF_SHOAL. Standard library only."""
import os

import study
from study import rows_of

SMALL = ["--data", "both", "--train-count", "400", "--test-count", "150", "--hidden", "7,6x6", "--epochs", "60", "--lr", "0.01",
         "--device", "cpu", "--threads", "2", "--seeds", "3"]
FIGURES = ["removal-loss", "removal-log-loss", "removal-gradient", "removal-log-gradient", "removal-on-off", "removal-nodes",
           "removal-flips", "removal-balance", "removal-ring", "removal-networks", "removal-training"]


class StudyRemoval(study.Case):
    NAME, ARGUMENTS = "removal", SMALL

    def part(self, name):
        return os.path.join(self.directory, name)

    def test_ends_well_and_says_what_it_found(self):
        self.check_ended_well("circle of radius 0.798", "circle of radius 0.893", "the mean gradient is negative", "of 6 networks",
                              "single hidden layer")

    def test_writes_its_files(self):
        for name in ["circle", "circle-published"]:
            self.check_written(["config.toml", "run.json", "state.safetensors", "population.csv", "removal.csv", "removal-claims.csv",
                                "removal-moments.csv", "removal-flips.csv", "removal-nodes.csv", "removal-sizes.csv", "removal-epochs.csv", "verdict.txt", "removal.html"],
                               FIGURES, directory=self.part(name))

    def test_numbers_belong_together(self):
        for name in ["circle", "circle-published"]:
            networks = rows_of(self.part(name), "removal.csv")
            self.assertEqual([n["hidden"] for n in networks], ["7"] * 3 + ["6x6"] * 3)
            # Shapley's values add up to the loss of all nodes less that of none.
            for n in networks:
                nodes = [r for r in rows_of(self.part(name), "removal-nodes.csv") if r["model"] == n["model"]]
                self.assertEqual(len(nodes), 7 if n["hidden"] == "7" else 6)
                self.assertAlmostEqual(sum(float(r["shapley"]) for r in nodes), float(n["loss"]) - float(n["empty_loss"]), delta=1e-9)
                sizes = [r for r in rows_of(self.part(name), "removal-sizes.csv") if r["model"] == n["model"]]
                self.assertAlmostEqual(float(sizes[-1]["mean_loss"]), float(n["loss"]), delta=1e-12)
                flips = [r for r in rows_of(self.part(name), "removal-flips.csv") if r["model"] == n["model"]]
                self.assertAlmostEqual(float(flips[0]["correlation_log_loss"]), 1, delta=1e-9)
                self.assertAlmostEqual(float(flips[-1]["correlation_log_loss"]), float(n["complement"]), delta=1e-12)
            claims = [r for r in rows_of(self.part(name), "removal-claims.csv") if r["hidden"] == "all"]
            self.assertEqual({r["networks"] for r in claims}, {"6"})

    def test_the_loss_is_the_one_that_was_evaluated(self):
        losses = {r["index"]: float(r["test_loss"]) for r in rows_of(self.part("circle"), "population.csv")}
        for n in rows_of(self.part("circle"), "removal.csv"):
            self.assertAlmostEqual(float(n["loss"]), losses[n["model"]], delta=1e-5)

    def test_networks_are_seen_while_they_train(self):
        rows = rows_of(self.part("circle"), "removal-epochs.csv")
        self.assertEqual({r["epochs"] for r in rows}, {"10", "20", "50", "60"})
        self.assertEqual(len(rows), 4 * 6)
        last = {r["model"]: r["complement"] for r in rows if r["epochs"] == "60"}
        self.assertEqual(last, {n["model"]: n["complement"] for n in rows_of(self.part("circle"), "removal.csv")})

    def test_the_same_numbers_on_one_thread(self):
        where = os.path.join(self.folder, "again")
        again = self.run_study(*SMALL, "--threads", "1", "-o", where, "--quiet")
        self.assertEqual(again.returncode, 0, again.stderr)
        for name in ["removal.csv", "removal-moments.csv", "removal-nodes.csv"]:
            self.assertEqual(study.bytes_of(self.part("circle"), name), study.bytes_of(where, "circle", name))

    def test_refusals_are_one_sentence(self):
        self.check_refused(SMALL, [(["--hidden", "25"], "too many"), (["--data", "digits"], "circle"), (["--lr", "0.1,0.2"], "one value"),
                                   (["--gate", "size"], "leave it out"), (["--loss", "squared-error"], "leave it out")])


if __name__ == "__main__":
    study.main()
