"""What the tests of `shoal study NAME` share: running the program, reading its tables. Standard library only."""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SHOAL = ""  # the program's path; main() sets it


def environment(**more):
    """This process's variables without settings of ours, which would change what is tested."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("SHOAL_")}, **more}


def command(name, *arguments):
    return [SHOAL, "study", name, *arguments]


def run(name, *arguments, cwd=None, **more):
    """The study's output and exit code; `more`: variables of its environment."""
    return subprocess.run(command(name, *arguments), capture_output=True, text=True, cwd=cwd, env=environment(**more),
                          timeout=600)


def rows_of(*path):
    with open(os.path.join(*path), newline="") as file:
        return list(csv.DictReader(file))


def bytes_of(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


class Case(unittest.TestCase):
    """A folder for the class. With ARGUMENTS, study NAME has run with them into `directory` before the tests."""
    NAME = ""
    ARGUMENTS = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="shoal-study-")
        cls.directory = os.path.join(cls.folder, "run")
        if cls.ARGUMENTS is not None:
            cls.result = cls.run_study(*cls.ARGUMENTS, "-o", cls.directory)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_study(cls, *arguments, **more):
        return run(cls.NAME, *arguments, **more)

    def kill_after_an_epoch(self, arguments, directory):
        """Begins the study in `directory` and kills it when the first epoch has been written down, or when it has ended."""
        child = subprocess.Popen(command(self.NAME, *arguments, "--checkpoint-every", "0.01", "-o", directory), env=environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        metrics = os.path.join(directory, "metrics.jsonl")
        for _ in range(2000):
            if os.path.exists(metrics) and os.path.getsize(metrics) > 0 or child.poll() is not None:
                break
            time.sleep(0.005)
        child.kill()
        child.wait()

    def check_ended_well(self, *words):
        """The study ended with its directory as the last line, and said these words before it."""
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stdout.rstrip().splitlines()[-1], self.directory)
        for said in words:
            self.assertIn(said, self.result.stdout)

    def check_written(self, names, figures=(), directory=None):
        """These files are there and hold something, the figures drawn where there is gnuplot; nothing temporary is left."""
        directory = directory or self.directory
        suffixes = [".dat", ".gp"] + ([".svg", ".png"] if shutil.which("gnuplot") else [])
        for name in [*names, *(os.path.join("figures", figure + suffix) for figure in figures for suffix in suffixes)]:
            self.assertGreater(os.path.getsize(os.path.join(directory, name)), 0, name)
        left = [f for _, _, files in os.walk(directory) for f in files if f.endswith(".tmp") or "checkpoint" in f]
        self.assertEqual(left, [])

    def check_refused(self, base, cases):
        """Each of the cases, (arguments behind `base`, words), is refused in one sentence with these words, before anything is written."""
        where = os.path.join(self.folder, "refused")
        for arguments, words in cases:
            result = self.run_study(*base, *arguments, "-o", where)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)
            self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
            self.assertFalse(os.path.exists(where), arguments)


def main():
    global SHOAL
    SHOAL = sys.argv.pop(1)
    unittest.main()
