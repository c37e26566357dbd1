#!/usr/bin/env python3
"""`shoal study size-only` from the command line to its files: study_size_only.py PATH_OF_SHOAL. Standard library only."""
import os

import study
from study import rows_of

SMALL = ["--data", "digits", "--train-count", "900", "--test-count", "300", "--hidden", "32", "--trained", "3", "--epochs", "8",
         "--device", "cpu", "--threads", "2", "--batch", "16", "--seeds", "2", "--starts", "0,32", "--penalties", "1e-1,1e-4",
         "--plain", "4,16,32"]


class StudySizeOnly(study.Case):
    NAME, ARGUMENTS = "size-only", SMALL

    def test_ends_well_and_says_what_it_found(self):
        self.check_ended_well("depend on the start", "come to rest", "Local minima", "half of the neurons", "Sorted by the rise taken anew", "worth while")

    def test_writes_its_files(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "size-only.csv", "size-only-landscape.csv", "verdict.txt"],
                           ["size-only-landscape", "size-only-epochs", "size-only-frontier"])

    def test_rows(self):
        rows = rows_of(self.directory, "size-only.csv")
        kinds = [r["training"] for r in rows]
        self.assertEqual([kinds.count(k) for k in ["frozen", "together", "plain", "sorted"]], [4, 2, 3, 2])
        size = {(r["training"], float(r["start"]), float(r["penalty"])): float(r["size"]) for r in rows if r["start"]}
        self.assertLess(size["frozen", 16.0, 1e-1], size["frozen", 16.0, 1e-4])
        cut = rows_of(self.directory, "size-only-landscape.csv")
        self.assertEqual(len(cut), 3 * 33)
        # Cut nowhere, a network is itself, whatever the order, but for the last neuron's gate, which is open by 0.73.
        whole = [float(r["test_accuracy"]) for r in cut if r["x0"] == "32"]
        self.assertEqual(len(whole), 3)
        self.assertLess(max(whole) - min(whole), 0.05)

    def test_weights_at_rest_do_not_move(self):
        """A network whose weights rest ends with those it had when its gate began: that of a shorter run."""
        shorter = os.path.join(self.folder, "shorter")
        arguments = [a if a != "8" else "4" for a in SMALL]
        result = self.run_study(*arguments, "-o", shorter, "--quiet")
        self.assertEqual(result.returncode, 0, result.stderr)
        same = [[r for r in rows_of(d, "size-only-landscape.csv")] for d in (self.directory, shorter)]
        self.assertEqual(*same)

    def test_refusals_are_one_sentence(self):
        self.check_refused(SMALL, [(["--hidden", "20x10"], "single hidden layers"), (["--trained", "8"], "less than --epochs"),
                                   (["--loss", "mse"], "cross-entropy"), (["--weights-rest", "2"], "leave it out")])


if __name__ == "__main__":
    study.main()
