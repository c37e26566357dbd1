"""What the tests of `shoal study NAME` share: running the program, reading its tables. Standard library only."""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
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


def main():
    global SHOAL
    SHOAL = sys.argv.pop(1)
    unittest.main()
