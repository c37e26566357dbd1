"""What the end-to-end tests share: running the built program, reading the files that it writes."""
import csv
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

SHOAL = ""  # the program's path; end_to_end.py sets it
SMALL = ["--data", "digits", "--train-count", "600", "--test-count", "200", "--epochs", "2"]
# Long enough to be interrupted on any machine: about a minute of one core.
LONG = ["--data", "digits", "--train-count", "4000", "--test-count", "200", "--hidden", "16,64", "--seeds", "4", "--device", "cpu"]


def environment(**more):
    """This process's variables without settings of ours, which would change what is tested."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SHOAL_") or k in ("SHOAL_DATA", "SHOAL_CPU_LEVEL")}
    return {**kept, "NO_COLOR": "", **more}


def npz(path):
    """Arrays of an .npz as {name: (dtype, shape, values)}; enough of the format for what the program writes."""
    codes = {"<f8": "d", "<f4": "f", "<i8": "q", "<i4": "i"}
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            data = archive.read(name)
            assert data[:6] == b"\x93NUMPY", name
            length = struct.unpack("<H", data[8:10])[0]
            header = eval(data[10 : 10 + length].decode(), {"__builtins__": {}})  # a dict literal, as numpy writes it
            body = data[10 + length :]
            code = codes[header["descr"]]
            values = struct.unpack(f"<{len(body) // struct.calcsize(code)}{code}", body)
            arrays[name.removesuffix(".npy")] = (header["descr"], header["shape"], values)
    return arrays


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def record_of(directory):
    return json.loads((Path(directory) / "run.json").read_text())


def lines_of(path):
    return Path(path).read_text().splitlines()


def safetensors(path):
    """The header of a safetensors file, and a function that gives a tensor's bytes."""
    data = Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    return header, metadata, lambda name: body[slice(*header[name]["data_offsets"])]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="shoal-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_shoal(self, *arguments, code=0, env=None, prefix=(), preexec=None):
        done = subprocess.run([*prefix, SHOAL, *map(str, arguments)], cwd=self.folder, env=env or environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, preexec_fn=preexec)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def train(self, *arguments, **more):
        return self.run_shoal("train", *SMALL, *arguments, **more)

    def refused(self, code, *arguments, says, **more):
        """Ends with this code, one sentence that matches `says`, and nothing on stdout."""
        done = self.run_shoal(*arguments, code=code, **more)
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], says)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("terminate called", done.stderr)

    def events(self, text):
        objects = [json.loads(line, parse_constant=self.fail) for line in text.splitlines()]
        for item in objects:
            self.assertEqual(list(item)[:2], ["type", "schema"])
            self.assertEqual(item["schema"], 1)
        return objects
