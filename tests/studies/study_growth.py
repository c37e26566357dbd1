#!/usr/bin/env python3
"""`shoal study growth` from the command line to its files: study_growth.py PATH_OF_SHOAL. Standard library only."""
import json
import os
import signal
import subprocess
import time

import study
from study import bytes_of, rows_of

SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "300", "--hidden", "16", "--start", "4", "--widest", "32",
         "--epochs", "6", "--seeds", "2", "--moments", "1,3", "--horizon", "2", "--device", "cpu", "--threads", "2"]
TABLES = ["growth.csv", "growth-curves.csv", "growth-moments.csv", "growth-gains.csv", "growth-signals.csv"]
GROWING = ["silent-early", "split-early", "silent-even", "split-even", "twin-even", "fresh-even", "silent-late", "split-late"]


def phases_of(directory):
    """When each phase's result was written, by name."""
    folder = os.path.join(directory, "phases")
    if not os.path.isdir(folder):
        return {}
    return {f: os.stat(os.path.join(folder, f)).st_mtime_ns for f in os.listdir(folder) if f.endswith(".json")}


class StudyGrowth(study.Case):
    NAME, ARGUMENTS = "growth", SMALL

    def test_ends_well_and_names_its_directory_last(self):
        self.check_ended_well("Is growing ever better", "Is splitting better", "Start large and shrink", "A size gate that starts at 4",
                              "When to add", "gradient at the edge")

    def test_writes_what_train_writes_and_its_own(self):
        self.check_written(["config.toml", "run.json", "state.safetensors", "verdict.txt", *TABLES],
                           ["growth-arms", "growth-curves", "growth-when"])

    def test_all_arms_cost_the_same(self):
        rows = {row["arm"]: row for row in rows_of(self.directory, "growth.csv")}
        expected = ["fixed-16", "fixed-4", "fixed-32", "gate-1", "gate-0.1", *(f"grow-{g}" for g in GROWING)]
        expected += [f"{arm}-{when}" for arm in ("restart", "shrink") for when in ("early", "even", "late")]
        self.assertEqual(sorted(rows), sorted(expected))
        for arm, row in rows.items():
            self.assertEqual(row["models"], "2")
            if arm.startswith("gate"):
                self.assertLessEqual(float(row["cost"]), 96)
            else:
                self.assertEqual(float(row["cost"]), 96)
                self.assertEqual(float(row["size"]), float(row["to"]))
        self.assertEqual(float(rows["fixed-16"]["test_accuracy_against_fixed"]), 0)

    def test_the_yardstick_is_the_population(self):
        fixed = rows_of(self.directory, "growth.csv")[0]
        models = rows_of(self.directory, "population.csv")
        for column in ["test_accuracy", "test_loss", "train_loss"]:
            self.assertAlmostEqual(float(fixed[column]), sum(float(m[column]) for m in models) / 2, places=12)

    def test_curves_end_with_the_arms_numbers(self):
        rows = {row["arm"]: row for row in rows_of(self.directory, "growth.csv")}
        last = {}
        for row in rows_of(self.directory, "growth-curves.csv"):
            self.assertGreater(float(row["cost"]), float(last[row["arm"]]["cost"]) if row["arm"] in last else 0)
            last[row["arm"]] = row
        for arm, row in rows.items():
            if not arm.startswith("gate"):  # whose seeds end after different epochs
                self.assertAlmostEqual(float(last[arm]["test_loss"]), float(row["test_loss"]), places=12)

    def test_moments_and_gains(self):
        moments = rows_of(self.directory, "growth-moments.csv")
        self.assertEqual([(m["width"], m["epoch"], m["seed"], m["horizon"]) for m in moments],
                         [(w, e, s, h) for w in ("4", "8") for e in ("1", "3") for s in ("1", "2") for h in ("1", "2")])
        for m in moments:
            self.assertGreater(float(m["silent"]), 0)
        for gain in rows_of(self.directory, "growth-gains.csv"):
            of = [float(m["train_gain"]) for m in moments if all(m[k] == gain[k] for k in ("width", "epoch", "horizon"))]
            self.assertAlmostEqual(float(gain["train_gain"]), sum(of) / 2, places=12)
            self.assertLessEqual(float(gain["train_gain_low"]), float(gain["train_gain_high"]))
        signals = rows_of(self.directory, "growth-signals.csv")
        self.assertEqual({s["signal"] for s in signals}, {"silent", "gate", "gate-size", "loss", "epoch"})
        self.assertEqual({s["width"] for s in signals}, {"all", "within", "4", "8"})

    def test_json_is_json_alone_and_the_same_numbers(self):
        directory = os.path.join(self.folder, "json")
        result = self.run_study(*SMALL, "--json", "--threads", "1", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        for kind, name in [("arm", "growth.csv"), ("gain", "growth-gains.csv"),
                           ("signal", "growth-signals.csv")]:
            self.assertEqual(len([e for e in events if e["type"] == kind]), len(rows_of(directory, name)))
        self.assertTrue(next(e for e in events if e["type"] == "verdict")["sentences"])
        for name in TABLES:  # of one thread and of two
            self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_goes_on_after_a_kill_without_the_phases_that_are_done(self):
        for stop in (signal.SIGKILL, signal.SIGTERM):
            directory = os.path.join(self.folder, f"stopped-{stop}")
            child = subprocess.Popen(study.command("growth", *SMALL, "-o", directory), env=study.environment(),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(4000):
                if len(phases_of(directory)) > 5 or child.poll() is not None:
                    break
                time.sleep(0.002)
            child.send_signal(stop)
            child.wait()
            before = phases_of(directory)
            resumed = self.run_study("--resume", "--threads", "2", "-o", directory)
            self.assertEqual(resumed.returncode, 0, resumed.stderr)
            after = phases_of(directory)
            self.assertGreater(len(after), 20)
            for name, when in before.items():
                self.assertEqual(after[name], when, name)
            for name in TABLES:
                self.assertEqual(bytes_of(directory, name), bytes_of(self.directory, name), name)

    def test_what_it_cannot_do_is_refused(self):
        self.check_refused(SMALL, [(["--lr", "0.001,0.01"], "--lr"), (["--hidden", "5x8"], "5x8"), (["--start", "5"], "--start"),
                                   (["--start", "16"], "--start"), (["--widest", "48"], "--widest"), (["--epochs", "1"], "too little"),
                                   (["--loss", "squared-error"], "cross-entropy"), (["--gate", "size"], "--gate"),
                                   (["--quick", "--full"], "--full")])

    def test_networks_that_diverge_are_counted_and_nothing_grows_from_them(self):
        directory = os.path.join(self.folder, "diverged")
        result = self.run_study(*SMALL, "--optimizer", "sgd", "--lr", "1e30", "-o", directory)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("nothing to compare with", result.stdout)
        for row in rows_of(directory, "growth.csv"):
            self.assertEqual((row["models"], row["diverged"]), ("0", "2"), row["arm"])

    def test_a_dry_run_says_how_long_and_writes_nothing(self):
        directory = os.path.join(self.folder, "dry")
        result = self.run_study(*SMALL, "--dry-run", "-o", directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.exists(directory))


if __name__ == "__main__":
    study.main()
