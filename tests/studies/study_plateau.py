#!/usr/bin/env python3
"""`shoal study plateau` from the command line to its files: study_plateau.py PATH_OF_SHOAL. Standard library only."""
import os

import study
from study import rows_of

SMALL = ["--data", "digits", "--train-count", "900", "--test-count", "300", "--hidden", "160", "--epochs", "6", "--device", "cpu",
         "--threads", "2", "--batch", "16", "--seeds", "2", "--starts", "1,20", "--coupled", "1e-3", "--decoupled", "1e-3"]


class StudyPlateau(study.Case):
    NAME, ARGUMENTS = "plateau", SMALL

    def test_ends_well_and_says_what_it_found(self):
        self.check_ended_well("With L2 outgoing weights beyond the gate are zero", "keep their initial level", "L2 causes the plateau")
        with open(os.path.join(self.directory, "verdict.txt")) as file:
            self.assertIn("Adam divides the gradient", file.read())

    def test_writes_its_files(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "population.csv", "plateau.csv", "plateau-neurons.csv"],
                           ["plateau-weights", "plateau-weights-20", "plateau-growth"])

    def test_idle_weights_go_where_theory_says(self):
        rows = {(r["decay"], r["start"]): r for r in rows_of(self.directory, "plateau.csv")}
        self.assertEqual(len(rows), 6)
        # 342 steps of Adam at 0.001 are more than the 0.11 of the largest initial weight: L2 has taken all of
        # them to 0. Beside Adam it takes 0.001 * 0.001 of a weight a step, and nothing touches them without.
        for start in ["1", "20"]:
            self.assertLess(float(rows["coupled", start]["outgoing_far"]), 0.01)
            self.assertAlmostEqual(float(rows["none", start]["outgoing_far"]), 1, delta=0.05)
            self.assertAlmostEqual(float(rows["decoupled", start]["outgoing_far"]), 1, delta=0.05)
        self.assertEqual(len(rows_of(self.directory, "plateau-neurons.csv")), 6 * 160)

    def test_the_same_numbers_again(self):
        where = os.path.join(self.folder, "again")
        again = self.run_study(*SMALL, "-o", where, "--quiet")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(rows_of(self.directory, "plateau.csv"), rows_of(where, "plateau.csv"))

    def test_refusals_are_one_sentence(self):
        self.check_refused(SMALL, [(["--hidden", "20x10"], "single hidden layers"), (["--lr", "0.1,0.2"], "one value"),
                                   (["--l2", "0.1"], "leave it out"), (["--coupled", "0"], "too small"),
                                   (["--gate", "size"], "leave it out")])


if __name__ == "__main__":
    study.main()
