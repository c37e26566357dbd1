#!/usr/bin/env python3
"""Registers, shared memory and spills of every kernel of this folder, as ptxas reports them, against resources.csv.

Fails when a kernel spills, or needs other resources than the committed table says. Numbers depend on the compiler: when nvcc is not the one
the table was made with, only spills count. `--write` makes the table anew. Needs no GPU.
"""
import argparse
import csv
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "resources.csv"
ARCHITECTURES = ("sm_75", "sm_80", "sm_90")
COLUMNS = ("kernel", "arch", "registers", "shared_bytes", "spill_store_bytes", "spill_load_bytes")


def kernel_name(mangled):
    """The part of a mangled name that ends in _kernel: names of this folder do. Its length stands before it, behind a hash that may end in digits."""
    for digits, name in re.findall(r"(\d+)([a-z][a-z_]*_kernel)", mangled):
        if digits.endswith(str(len(name))):
            return name
    return None


def parse(report, arch):
    rows, name, spills = [], None, (0, 0)
    for line in report.splitlines():
        if match := re.search(r"Compiling entry function '(\S+)'", line):
            name = kernel_name(match.group(1)) if "shoal" in match.group(1)[:12] else None
        elif match := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spills = tuple(map(int, match.groups()))
        elif (match := re.search(r"Used (\d+) registers", line)) and name:
            shared = re.search(r"(\d+) bytes smem", line)
            rows.append((name, arch, int(match.group(1)), int(shared.group(1)) if shared else 0, *spills))
            name = None
    return rows


def measure(nvcc, source, arch):
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, "-cubin", "-std=c++20", "-O3", "-lineinfo", f"-arch={arch}", "-Xptxas=-v", f"-I{HERE.parent.parent}",
                   "-o", f"{folder}/out.cubin", str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return parse(done.stdout + done.stderr, arch)


def compiler_version(nvcc):
    return re.search(r"V(\d+\.\d+\.\d+)", subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout).group(1)


def read_table():
    with open(TABLE, newline="") as file:
        version = file.readline().strip().removeprefix("# nvcc ")
        rows = [tuple(row[:2]) + tuple(map(int, row[2:])) for row in list(csv.reader(file))[1:]]
    return version, rows


def write_table(version, rows):
    with open(TABLE, "w", newline="") as file:
        file.write(f"# nvcc {version}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def complaints(rows, version):
    for row in rows:
        if row[4] or row[5]:
            yield f"{row[0]} spills on {row[1]}: {row[4]} bytes stored, {row[5]} loaded"
    known_version, known = read_table()
    if sorted(r[:2] for r in known) != sorted(r[:2] for r in rows):
        yield "resources.csv does not list the kernels of this folder: run resources.py --write"
    elif known_version != version:
        print(f"resources.csv is of nvcc {known_version}, this is {version}: only spills are checked")
    else:
        for now, before in zip(sorted(rows), sorted(known)):
            if now != before:
                yield f"changed (run resources.py --write if intended):\n  was {before}\n  is  {now}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--write", action="store_true", help="make resources.csv anew")
    options = parser.parse_args()
    jobs = [(source, arch) for source in sorted(HERE.glob("*.cu")) for arch in ARCHITECTURES]
    with ThreadPoolExecutor(2) as pool:
        rows = [row for part in pool.map(lambda job: measure(options.nvcc, *job), jobs) for row in part]
    rows.sort()
    for row in rows:
        print("{:28} {:6} {:4} registers {:6} B shared {:3} B spilled".format(*row[:4], row[4] + row[5]))
    version = compiler_version(options.nvcc)
    if options.write:
        return write_table(version, rows)
    problems = list(complaints(rows, version))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
