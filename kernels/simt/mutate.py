#!/usr/bin/env python3
"""Breaks kernel sources one place at a time and asks whether the tests notice.

Each barrier (__syncthreads, __syncwarp, group.sync, bar_sync, cp_async_wait) is removed in turn, each ` < ` becomes ` <= `. For every
mutant the kernel sources concerned are compiled again, linked in front of the ones of a finished build, and run: the fast test in three
schedules, the checked and the ASan test once each. Nothing in the source tree or the build folder is changed.

    mutate.py BUILD_DIR --test test_kernels                             # kernels/cuda/*.cu and *.cuh
    mutate.py BUILD_DIR --test test_simt --sources tests/simt/samples.cu --args=--source-file=*test_samples*

--test NAME means the programs NAME_fast, NAME_checked and NAME_asan; it may be given several times. The table on stdout is Markdown.
--explained FILE names the mutants that compute the same as the original, and why: lines `file | source line | reason`. They are tried like
all others; an explanation that no survivor needs is reported, so that the file stays true.
--into FILE puts the finished table also behind the line `<!-- table -->` of a Markdown file.
Sources that no test program contains (calls of CUDA's libraries, which have no emulated form) are left out and named.
Exit status: 0 if every mutant was caught or is explained, 1 if not, 2 if the tests fail without any mutation.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BARRIER = re.compile(r"(?:\b__syncthreads|\b__syncwarp|\b\w+\.sync|(?:simt::)?\bbar_sync|(?:simt::)?\bcp_async_wait<[^>]*>)\([^;{}]*?\)(?=;)")
LESS = re.compile(r"(?<= )<(?= )")  # formatted sources: templates and includes have no space on both sides
TABLE_MARK = "<!-- table -->"
SCHEDULES = ("forward", "reverse", "random:1")


def without_comments(text):
    """The same text, comments, strings and preprocessor lines replaced by spaces."""
    pattern = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#[^\n]*"
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S | re.M)


class Mutant:
    def __init__(self, source, text, start, end, replacement):
        self.source = source
        self.line = text.count("\n", 0, start) + 1
        line_start = text.rfind("\n", 0, start) + 1
        self.context = text[line_start:text.find("\n", start)].strip()
        self.what = f"`<` to `<=` in `{self.context}`" if text[start] == "<" else f"`{text[start:end]}` removed"
        self.text = text[:start] + replacement + text[end:]


def mutants_of(source):
    text = source.read_text()
    code = without_comments(text)
    found = [(m.start(), m.end(), "(void)0") for m in BARRIER.finditer(code)]
    found += [(m.start(), m.end(), "<=") for m in LESS.finditer(code)]
    return [Mutant(source, text, *place) for place in sorted(found)]


class Program:
    """One test program: how its kernel sources are compiled and how it is linked."""

    def __init__(self, build, target, commands):
        self.build, self.target = build, target
        self.mode = target.rsplit("_", 1)[1]
        self.link = self.link_command()
        archives = {pathlib.Path(a).name for a in self.link if a.endswith(".a")}
        self.compiles = {}  # kernel source -> compile command
        for c in commands:
            arguments = shlex.split(c["command"]) if "command" in c else c["arguments"]
            wrapper = pathlib.Path(c["directory"]) / c["file"]
            output = pathlib.Path(arguments[arguments.index("-o") + 1])
            library = next((p[:-4] for p in output.parts if p.endswith(".dir")), "")
            if f"lib{library}.a" in archives and wrapper.name.endswith(".cu.cpp"):
                source = re.search(r'#include "(.*)"', wrapper.read_text()).group(1)
                self.compiles[pathlib.Path(source)] = arguments

    def link_command(self):
        if (self.build / "build.ninja").exists():
            # Ask for the file's real name: the target's name is a phony one.
            text = subprocess.run(["ninja", "-C", str(self.build), "-t", "commands", self.target], check=True,
                                  capture_output=True, text=True).stdout
            line = text.strip().splitlines()[-1]
        else:
            line = next(self.build.rglob(f"CMakeFiles/{self.target}.dir/link.txt")).read_text()
        words = shlex.split(line)
        return [w for w in words if w not in (":", "&&")]

    def sources_to_compile(self, mutated):
        """A header concerns every source, a source only itself."""
        if mutated.suffix == ".cu":
            return [mutated] if mutated in self.compiles else []
        return list(self.compiles)

    def build_mutant(self, mutant, folder):
        """The path of the mutated program; None if it does not compile, False if the program does not contain the source."""
        overlay = folder / "overlay"
        changed = overlay / mutant.source.relative_to(ROOT)
        changed.parent.mkdir(parents=True, exist_ok=True)
        changed.write_text(mutant.text)
        objects = []
        for source in self.sources_to_compile(mutant.source):
            included = changed if source == mutant.source else source
            wrapper = folder / f"{self.mode}_{source.stem}.cpp"
            wrapper.write_text(f'#include "{included}"\n')
            arguments = list(self.compiles[source])
            output = folder / f"{self.target}_{source.stem}.o"
            arguments[arguments.index("-o") + 1] = str(output)
            arguments[arguments.index("-c") + 1] = str(wrapper)
            for option in ("-MF", "-MT"):
                if option in arguments:
                    arguments[arguments.index(option) + 1] = str(output) + ".d"
            compiler = next(i for i, a in enumerate(arguments) if a.startswith("-") or a.endswith(".cpp"))
            arguments[compiler:compiler] = [f"-I{overlay}"]  # before the project's own include path
            if subprocess.run(arguments, cwd=self.build, capture_output=True).returncode != 0:
                return None
            objects.append(str(output))
        if not objects:
            return False
        program = folder / self.target
        link = list(self.link)
        at = link.index("-o")
        # Ahead of the archives: their members of the same sources are then not needed.
        link[at:at + 2] = objects + ["-o", str(program)]
        return program if subprocess.run(link, cwd=self.build, capture_output=True).returncode == 0 else None

    def runs(self):
        return [(f"{self.mode} {s}", {"SIMT_ORDER": s}) for s in SCHEDULES] if self.mode == "fast" else [(self.mode, {})]


def passes(program, arguments, environment, limit):
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", **environment}
    try:
        return subprocess.run([str(program)] + arguments, env=env, capture_output=True, timeout=limit).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def baseline(program, arguments):
    """Seconds of the slowest run of the unchanged program; None if it fails."""
    path = program.build / next(w for i, w in enumerate(program.link) if program.link[i - 1] == "-o")
    slowest = 0.0
    for _, environment in program.runs():
        start = time.monotonic()
        if not passes(path, arguments, environment, 600):
            return None
        slowest = max(slowest, time.monotonic() - start)
    return slowest


def examine(mutant, programs, arguments, limits, first_only):
    """Names of the runs that noticed."""
    noticed = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mutant."))
    try:
        for program in programs:
            path = program.build_mutant(mutant, folder)
            if path is None:
                return ["the compiler"]
            if path is False:
                continue
            for name, environment in program.runs():
                if not passes(path, arguments, environment, limits[program.target]):
                    noticed.append(name)
                    if first_only:
                        return noticed
    finally:
        shutil.rmtree(folder)
    return noticed


def read_explanations(path):
    """{(file, source line): reason}"""
    lines = path.read_text().splitlines() if path else []
    rows = [re.split(r" \| ", line, maxsplit=2) for line in lines if line and not line.startswith("#")]
    return {(file, context): reason for file, context, reason in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="a finished build")
    parser.add_argument("--test", action="append", required=True, help="a test made by shoal_kernel_test, without its mode")
    parser.add_argument("--modes", default="fast,checked,asan")
    parser.add_argument("--sources", nargs="*", type=pathlib.Path, help="default: kernels/cuda/*.cu and *.cuh")
    parser.add_argument("--explained", type=pathlib.Path, help="mutants that are equivalent to the original, and why")
    parser.add_argument("--into", type=pathlib.Path, help="Markdown file that receives the table")
    parser.add_argument("--args", default="", help="arguments for the test programs, e.g. a doctest filter")
    parser.add_argument("--first", action="store_true", help="stop at the first run that notices a mutant")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    build = options.build.resolve()
    commands = json.loads((build / "compile_commands.json").read_text())
    programs = [Program(build, f"{t}_{m}", commands) for t in options.test for m in options.modes.split(",")]
    arguments = shlex.split(options.args)
    limits = {}
    for program in programs:
        seconds = baseline(program, arguments)
        if seconds is None:
            print(f"{program.target} fails without any mutation", file=sys.stderr)
            return 2
        limits[program.target] = 10 + 10 * seconds

    folder = ROOT / "kernels" / "cuda"
    sources = [s.resolve() for s in options.sources or sorted([*folder.glob("*.cu"), *folder.glob("*.cuh")])]
    absent = [s for s in sources if not any(p.sources_to_compile(s) for p in programs)]
    for source in absent:
        print(f"{source.relative_to(ROOT)} is in none of the programs", file=sys.stderr)
    sources = [s for s in sources if s not in absent]
    mutants = [m for s in sources for m in mutants_of(s)]
    explanations = read_explanations(options.explained)
    print(f"{len(mutants)} mutants of {len(sources)} files", file=sys.stderr)

    lines = []

    def say(line):
        lines.append(line + "\n")
        print(line, flush=True)

    say("| file | line | mutation | caught by |\n| --- | --- | --- | --- |")
    caught = equivalent = 0
    used = set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = [pool.submit(examine, m, programs, arguments, limits, options.first) for m in mutants]
        for mutant, result in zip(mutants, work):
            noticed = result.result()
            file = str(mutant.source.relative_to(ROOT))
            key = (file, mutant.context)
            verdict = ", ".join(noticed) or "**nobody**"
            caught += bool(noticed)
            if not noticed and key in explanations:
                equivalent += 1
                used.add(key)
                verdict = f"equivalent: {explanations[key]}"
            what = mutant.what.replace("|", "\\|")
            say(f"| {file} | {mutant.line} | {what} | {verdict} |")
    say(f"\n{len(mutants)} mutants: {caught} caught, {equivalent} equivalent to the original, "
        f"{len(mutants) - caught - equivalent} unexplained.")
    if options.into:
        head = options.into.read_text().split(TABLE_MARK)[0]
        options.into.write_text(f"{head}{TABLE_MARK}\n\n{''.join(lines)}")
    tried = {str(s.relative_to(ROOT)) for s in sources}
    for file, context in explanations.keys() - used:
        if file in tried:
            print(f"explained, but did not survive: {file}: {context}", file=sys.stderr)
    return 0 if caught + equivalent == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
