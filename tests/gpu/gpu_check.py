#!/usr/bin/env python3
"""scripts/gpu-check.sh and what it uses, on computers without a GPU. Standard library only.

The script runs against a pretended build: a `shoal` that says it has a GPU and trains on the CPU, test programs and a compute-sanitizer that only
note how they were called. So its verdicts, its exit codes and the rows of its benchmarks are tested, and nothing of CUDA."""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SETTINGS = None
PROGRAM = """#!/bin/sh
if [ "$1" = info ]; then
  "{shoal}" "$@" | sed 's/"devices":[0-9]*,"names":\\[[^]]*\\],"reason":"[^"]*"/"devices":1,"names":["Pretended GPU, 1.0 GiB, sm_00, driver 0.0"],"reason":""/'
  exit
fi
case "$*" in *" --device cuda "*) pretended=1 ;; esac
for word; do
  shift
  [ "$word" = cuda ] && word=cpu
  [ "$word" = cublas ] && word=own
  [ "$pretended$word" = "1{wrong}" ] && word={instead}
  set -- "$@" "$word"
done
exec "{shoal}" "$@"
"""
NOTE = """#!/bin/sh
echo "$SHOAL_TEST_REQUIRE_CUDA $SHOAL_TEST_MACHINES $*" >>"{notes}"
exit {code}
"""


def environment(**more):
    return {**{k: v for k, v in os.environ.items() if not k.startswith("SHOAL_")}, "NO_COLOR": "", **more}


def run(*command, **more):
    return subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=240, env=environment(**more))


def cuda_of(program):
    return json.loads(run(program, "info", "--json").stdout)["cuda"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="shoal-gpu-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def train(self, name, *arguments):
        done = run(SETTINGS.shoal, "train", "--data", "digits", "--train-count", "300", "--test-count", "64", "--batch", "50", "--epochs", "2", "--device", "cpu",
                   "--quiet", *arguments, "-o", self.folder / name)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return self.folder / name


class Compare(Case):
    SHAPES = ("--hidden", "16,70x5", "--seeds", "2", "--optimizer", "sgd,adam", "--eps", "1e-3")

    def again(self, directory, name, *arguments):
        """The run in `directory` with other settings."""
        done = run(SETTINGS.shoal, "train", "--config", directory / "config.toml", "--quiet", *arguments, "-o", self.folder / name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / name

    def compare(self, code, *arguments, says):
        done = run(SETTINGS.compare, *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, says)

    def test_the_emulated_kernels_beside_the_cpu(self):
        a = self.train("cpu", *self.SHAPES)
        self.compare(0, a, self.again(a, "emu", "--device", "emu"), "--median", "1e-5", "--each", "0.1", says="8 models, 0 beyond the bounds")
        self.compare(0, a, a, "--median", "1e-30", "--each", "1e-30", says="0 beyond")

    def test_another_learning_rate_is_found(self):
        """A slip of a percent in one rule, which a look at accuracies would miss."""
        a = self.train("a", "--hidden", "16", "--seeds", "2", "--lr", "0.01")
        b = self.train("b", "--hidden", "16", "--seeds", "2", "--lr", "0.0101")
        (b / "population.csv").write_text((a / "population.csv").read_text())  # the models' identities differ: as if they did not
        self.compare(1, a, b, says="TOO FAR: train_loss of the models 16 adam batch 50, epoch 1")

    def test_runs_that_are_no_pair(self):
        a = self.train("a", "--hidden", "16")
        self.compare(1, a, self.train("b", "--hidden", "17"), says="not the same model")
        self.compare(1, a, self.train("c", "--hidden", "16,17"), says="different numbers of models")
        self.compare(1, a, self.again(a, "fewer", "--epochs", "1"), says="different shapes")

    def test_what_is_not_finite_never_passes(self):
        a = self.train("a", "--hidden", "16", "--lr", "1e30", "--optimizer", "sgd")
        self.compare(1, a, a, says="diverged")
        text = (a / "population.csv").read_text()
        (a / "population.csv").write_text(re.sub(r"diverged,\d+", "ok,", text))
        self.compare(1, a, a, says="TOO FAR")

    def test_what_cannot_be_read(self):
        a = self.train("a", "--hidden", "16")
        self.compare(2, a, self.folder / "nothing", says="cannot be read")
        self.compare(2, a, says="usage")
        self.compare(2, a, a, "--each", "x", says="usage")
        (a / "curves.npz").write_bytes(b"PK")
        self.compare(2, a, a, says="curves.npz")


class WithoutCuda(Case):
    """The program of a build without nvcc."""

    def test_it_says_what_it_lacks(self):
        cuda = cuda_of(SETTINGS.without_cuda)
        self.assertEqual((cuda["devices"], cuda["runtime"]), (0, ""))
        self.assertIn("this build has no CUDA", cuda["reason"])
        self.assertIn("this build has no CUDA", run(SETTINGS.without_cuda, "info").stdout)

    def test_a_gpu_that_is_asked_for_is_an_error(self):
        for device in ("cuda", "cuda:1"):
            done = run(SETTINGS.without_cuda, "train", "--data", "digits", "--train-count", "64", "--device", device, "-o", self.folder / "run")
            self.assertEqual(done.returncode, 5)
            self.assertEqual([line for line in done.stderr.splitlines() if "this build has no CUDA" in line], done.stderr.splitlines())
            self.assertFalse((self.folder / "run").exists())

    def test_the_command_line_is_the_same(self):
        for command in ([], ["train"], ["eval"], ["study", "width"], ["info"]):
            self.assertEqual(run(SETTINGS.without_cuda, *command, "--help").stdout, run(SETTINGS.shoal, *command, "--help").stdout)

    def test_the_kernels_run_all_the_same(self):
        for device in ("auto", "emu"):
            done = run(SETTINGS.without_cuda, "train", "--data", "digits", "--train-count", "64", "--test-count", "16", "--batch", "16", "--epochs", "1", "--hidden", "8",
                       "--device", device, "-q", "-o", self.folder / device)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.folder / "auto/run.json").read_text())["machine"]["device"], "cpu")


class Check(Case):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "build/bin"
        self.bin.mkdir(parents=True)
        self.notes = self.folder / "notes"
        self.program("shoal", PROGRAM.format(shoal=SETTINGS.shoal, wrong="-", instead="-"))
        self.program("test_kernels", NOTE.format(notes=self.notes, code=0))
        os.symlink(SETTINGS.compare, self.bin / "compare_runs")

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def sanitizer(self, code):
        self.program("compute-sanitizer", NOTE.format(notes=self.notes, code=code))

    def check(self, code, *arguments, says, build=None):
        """The script's exit code, and what it says somewhere."""
        done = run(SETTINGS.scripts + "/gpu-check.sh", build or self.folder / "build", *arguments, TMPDIR=str(self.folder),
                   PATH=f"{self.bin}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, says)
        return done

    def test_without_a_gpu(self):
        if cuda_of(SETTINGS.shoal)["devices"]:
            self.skipTest("there is a GPU here")
        done = self.check(5, says="no GPU here: ", build=Path(SETTINGS.shoal).parent.parent)
        self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1))

    def test_wrong_arguments(self):
        self.check(2, "--onyl", says="unknown option --onyl")
        self.check(2, "--only", "test", says="unknown part 'test'")
        self.check(2, says="there is no program", build=self.folder)
        self.check(0, "--help", says="Exit codes")

    def test_tests_that_pass_and_one_that_fails(self):
        self.check(0, "--only", "tests", says=r"Pretended GPU(.|\n)*1 passed, 0 failed, 0 not run \(of: tests\)")
        self.assertEqual(self.notes.read_text().split(), ["1"])  # a missing GPU would have failed
        self.program("test_more", "#!/bin/sh\necho what went wrong\nexit 1\n")
        self.check(1, "--only", "tests", says=r"what went wrong(.|\n)*1 passed, 1 failed(.|\n)*failed   test_more")

    def test_every_tool_of_the_sanitizer(self):
        self.sanitizer(0)
        self.check(0, "--only", "sanitizer", says="8 passed, 0 failed, 0 not run")
        notes = self.notes.read_text().splitlines()
        for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
            self.assertEqual(sum(f"--tool {tool} --error-exitcode 9" in n for n in notes), 2)
        self.assertEqual(sum(n.startswith(" cuda --tool") and n.endswith("test_kernels") for n in notes), 4)
        self.sanitizer(9)
        self.check(1, "--only", "sanitizer", says="0 passed, 8 failed")

    def test_a_sanitizer_that_is_not_there_is_no_success(self):
        if shutil.which("compute-sanitizer") or glob.glob("/usr/local/cuda*/*/compute-sanitizer"):
            self.skipTest("there is one here")
        self.check(3, "--only", "sanitizer", says="NOT RUN compute-sanitizer")
        self.check(0, "--only", "sanitizer", "--no-sanitizer", says="without compute-sanitizer")

    def test_training_side_by_side(self):
        done = self.check(0, "--only", "training", says="test_loss      epoch 3: largest 0.0e")
        self.assertEqual(done.stdout.count("the same bytes"), 4)
        self.assertIn("ok      losses with --gemm cublas", done.stdout)

    def test_a_gpu_that_computes_something_else(self):
        self.program("shoal", PROGRAM.format(shoal=SETTINGS.shoal, wrong="1e-3", instead="2e-3"))
        self.check(1, "--only", "training", says="FAILED  losses on the GPU beside the CPU's")

    def test_benchmarks_are_rows(self):
        results = self.folder / "results"
        self.check(0, "--only", "bench", "--quick", "--results", results, says="rows in .*/gpu-pretended-gpu-")
        (file,) = results.iterdir()
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        ours = [r for r in rows if r["program"] == "shoal"]
        self.assertEqual([r["gemm"] for r in ours], ["own"] * 3 + ["cublas"] * 3 + ["own"] * 3)
        for row in ours:
            self.assertEqual((row["gpu"], row["quick"], row["repeats"]), ("Pretended GPU", True, 3))
            self.assertTrue(0 < row["lowest"] <= row["model_samples_per_second"] <= row["highest"])
            self.assertTrue(row["models"] > 0 and row["gflops"] > 0 and row["train_seconds"] > 0 and 0.15 <= row["test_accuracy"] <= 1)
            self.assertTrue(row["commit"] and re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("shoal", "without-cuda", "compare", "scripts"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    SETTINGS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
