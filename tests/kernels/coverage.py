#!/usr/bin/env python3
"""Line coverage of the CUDA kernels by the tests of the emulation.

Runs a test program whose kernels were compiled with --coverage, asks gcov for the counts, and prints the share of executed
lines per file of kernels/cuda and the lines that never ran. Exit status 1 when a file is below the goal.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys


def counts_of(gcda: pathlib.Path) -> dict:
    """gcov's report of one object file, as JSON."""
    command = ["gcov", "--json-format", "--stdout", gcda.name]
    result = subprocess.run(command, cwd=gcda.parent, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def collect(objects: pathlib.Path) -> dict[str, dict[int, int]]:
    """File name -> line -> executions, over all objects and instantiations."""
    lines: dict[str, dict[int, int]] = collections.defaultdict(dict)
    data = sorted(objects.rglob("*.gcda"))
    if not data:
        sys.exit(f"no counts under {objects}: were the kernels compiled with --coverage?")
    for gcda in data:
        for file in counts_of(gcda)["files"]:
            if "/kernels/cuda/" not in file["file"]:
                continue
            known = lines[pathlib.Path(file["file"]).name]
            for line in file["lines"]:
                number = line["line_number"]
                known[number] = known.get(number, 0) + line["count"]
    return lines


def ranges(numbers: list[int]) -> str:
    """12, 13, 14, 20 -> "12-14, 20"."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", type=pathlib.Path, required=True, help="the test program")
    parser.add_argument("--objects", type=pathlib.Path, required=True, help="folder of its instrumented object files")
    parser.add_argument("--goal", type=float, default=95.0, help="percent that every file must reach (default 95)")
    args = parser.parse_args()

    for old in args.objects.rglob("*.gcda"):
        old.unlink()
    run = subprocess.run([args.test], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(run.stdout + run.stderr)
    below = False
    for name, counts in sorted(collect(args.objects).items()):
        missed = sorted(n for n, count in counts.items() if count == 0)
        percent = 100.0 * (len(counts) - len(missed)) / len(counts)
        below |= not percent >= args.goal
        note = f"   never ran: {ranges(missed)}" if missed else ""
        print(f"{percent:6.1f} %  {len(counts):4d} lines  {name}{note}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
