#!/usr/bin/env python3
"""`shoal study conjecture` from the command line to its files: study_conjecture.py PATH_OF_SHOAL. Standard library only."""
import json
import os
import statistics

import study
from study import rows_of

SMALL = ["--data", "digits", "--train-count", "800", "--test-count", "300", "--hidden", "10,20,40", "--seeds", "3",
         "--epochs", "3", "--device", "cpu", "--threads", "1", "--metric", "dead"]
OF_WEIGHTS = ["weights_w", "weights_in", "weights_out"]


def run(*arguments):
    return study.run("conjecture", *arguments)


class StudyConjecture(study.Case):
    NAME, ARGUMENTS = "conjecture", [*SMALL, "--json"]

    def rows(self, data):
        return [r for r in rows_of(os.path.join(self.directory, "conjecture.csv")) if r["data"] == data]

    def test_it_ends_well_with_its_files(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        for name in ["conjecture.csv", "verdict.txt", "population.csv", "state.safetensors", "figures/conjecture.dat",
                     "figures/conjecture.gp", "figures/conjecture-sd.dat"]:
            self.assertGreater(os.path.getsize(os.path.join(self.directory, name)), 0, name)

    def test_on_its_own_labels_a_network_is_always_right(self):
        for noise in ["uniform", "pixels"]:
            self.assertEqual([float(r["accuracy"]) for r in self.rows(noise)], [1.0] * 3)
        self.assertTrue(all(float(r["accuracy"]) < 1 for r in self.rows("real")))

    def test_functions_of_the_weights_are_the_same_on_all_data(self):
        real = self.rows("real")
        for noise in ["uniform", "pixels"]:
            for a, b in zip(real, self.rows(noise)):
                for name in OF_WEIGHTS:
                    self.assertEqual(a[name], b[name])
                self.assertNotEqual(a["neuron_sd"], b["neuron_sd"])

    def test_the_real_data_give_what_the_run_itself_measured(self):
        models = rows_of(os.path.join(self.directory, "population.csv"))
        neurons = rows_of(os.path.join(self.directory, "neurons.csv"))
        sums = {}
        for n in neurons:
            sums[n["model"]] = sums.get(n["model"], 0) + float(n["sd"])
        mine = {round(float(m["train_accuracy"]), 9): sums[m["index"]] for m in models}
        for row in self.rows("real"):
            self.assertIn(round(float(row["accuracy"]), 9), mine)
            # the same moments, merged in another order
            self.assertAlmostEqual(float(row["neuron_sd_sum"]) / mine[round(float(row["accuracy"]), 9)], 1, delta=1e-6)

    def test_answers_follow_from_the_differences(self):
        events = [json.loads(line) for line in self.result.stdout.splitlines()]
        metrics = {e["metric"]: e for e in events if e["type"] == "metric"}
        for noise in ["uniform", "pixels"]:
            for name, event in metrics.items():
                pairs = [(r[name], n[name]) for r, n in zip(self.rows("real"), self.rows(noise))]
                answer = event[noise]["answer"]
                if any("" in pair for pair in pairs):
                    self.assertEqual(answer, "unknown", name)
                    continue
                differences = [float(b) - float(a) for a, b in pairs]
                mean, error = statistics.fmean(differences), statistics.stdev(differences) / 3 ** 0.5
                tells = abs(mean) > 3 * error and (min(differences) > 0 or max(differences) < 0)
                self.assertEqual(answer, "tells" if tells else "cannot", name)
        for name in OF_WEIGHTS[1:]:
            self.assertEqual(metrics[name]["pixels"]["answer"], "cannot")
        sentences = next(e for e in events if e["type"] == "verdict")["sentences"]
        self.assertTrue(any("labelled by the network itself" in s for s in sentences))

    def test_noise_is_a_function_of_its_seed(self):
        values = {}
        for seed in ["1", "1", "2"]:
            directory = os.path.join(self.folder, "seed")
            result = run(*SMALL, "--noise", "pixels", "--noise-count", "500", "--noise-seed", seed, "--force", "-q", "-o", directory)
            self.assertEqual(result.returncode, 0, result.stderr)
            with open(os.path.join(directory, "conjecture.csv")) as file:
                values.setdefault(seed, set()).add(file.read())
        self.assertEqual(len(values["1"]), 1)
        self.assertNotEqual(values["1"], values["2"])

    def test_the_dry_run_counts_what_comes_after_the_training(self):
        result = run(*SMALL, "--dry-run", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        event = json.loads(result.stdout.splitlines()[-1])
        self.assertGreater(event["estimate"]["statistics"], 0)
        self.assertAlmostEqual(event["estimated_seconds"], sum(event["estimate"].values()), delta=1e-9)

    def test_what_makes_no_sense_is_refused(self):
        for arguments, words in [(["--noise", "loud"], "uniform"), (["--metric", "x"], "dead"), (["--hidden", "8x8"], "8x8"),
                                 (["--noise-count", "-1"], "noise-count")]:
            result = run(*SMALL, *arguments, "-o", os.path.join(self.folder, "refused"))
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)


if __name__ == "__main__":
    study.main()
