#!/usr/bin/env python3
"""The built program from end to end: end_to_end.py PATH_OF_SHOAL [unittest arguments]. Standard library only.

Data are the built-in digits in small counts, so that a run takes well under a second. With SHOAL_DATA naming a folder that holds
MNIST a run on the real files is made too. What cannot be tested here (no root, no qemu, no MNIST) is skipped and says so."""
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
import unittest

import program
from gate_command import Gate  # noqa: F401, found by unittest
from gated_training import Gated  # noqa: F401
from gradcheck_command import Gradcheck  # noqa: F401
from program import SMALL, Case, environment, lines_of, npz, record_of, rows_of, safetensors
from refusals import Refusals  # noqa: F401, found by unittest
from remove_command import Remove  # noqa: F401
from stats_end_to_end import Stats  # noqa: F401
from stopping import Stopping  # noqa: F401


class Help(Case):
    def test_version_is_quick_and_names_itself(self):
        self.assertRegex(self.run_shoal("--version").stdout, r"^shoal \d+\.\d+\.\d+ \(.*\)\n$")

    def test_every_command_has_help_with_examples_first(self):
        for command in ["", "train", "study", "study width", "eval", "export", "stats", "data", "data list", "data check",
                        "data describe", "gate", "gradcheck", "remove", "info"]:
            for flag in ("-h", "--help"):
                text = self.run_shoal(*command.split(), flag).stdout
                self.assertIn("Examples:\n  shoal ", text, command)
                self.assertLess(text.index("Examples:"), text.index("Usage:"), command)
                self.assertLessEqual(max(map(len, text.splitlines())), 100, command)

    def test_help_shows_defaults_and_exit_codes(self):
        text = self.run_shoal("train", "--help").stdout
        self.assertIn("[0.001]", text)
        self.assertIn("130, 143", text)

    def test_wrong_words_name_the_nearest(self):
        self.refused(2, "train", "--hiden", "4", says="'--hidden'")
        self.refused(2, "trian", says="'train'")
        self.refused(2, "study", "wdth", says="'width'")
        self.refused(2, "train", "--optimizer", "adma", says="did you mean 'adam'")
        self.refused(2, "train", "--set", "epoch=3", says="did you mean 'epochs'")
        self.refused(2, "train", "--set", "epochs", says="key=value")
        self.refused(2, "train", "--epochs", says="--epochs")
        self.refused(2, "train", "--color", "red", says="red")
        self.refused(2, "train", "surplus", says="surplus")
        self.refused(2, says="command is missing")
        self.refused(2, "data", says="list, check and describe")
        self.refused(2, "study", says="width")


class Train(Case):
    def test_a_run_leaves_its_files(self):
        done = self.train("--hidden", "4,8x3", "--seeds", "2", "-o", "run")
        self.assertEqual(done.stdout.splitlines()[-1], "run")
        self.assertNotIn("\r", done.stderr)
        run = self.folder / "run"
        self.assertEqual(sorted(p.name for p in run.iterdir()),
                         ["config.toml", "curves.npz", "metrics.jsonl", "neurons.csv", "neurons.npz", "population.csv",
                          "run.json", "state.safetensors"])
        rows = rows_of(run / "population.csv")
        self.assertEqual([(r["hidden"], r["seed"]) for r in rows], [("4", "1"), ("4", "2"), ("8x3", "1"), ("8x3", "2")])
        self.assertEqual([r["parameters"] for r in rows], ["3190", "3190", "6347", "6347"])
        curves = npz(run / "curves.npz")
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            kind, shape, values = curves[name]
            self.assertEqual((kind, shape), ("<f8", (2, 4)))
            if name.startswith("test"):  # after the last epoch the curve is the final figure
                self.assertEqual([repr(v) for v in values[4:]], [repr(float(r[name])) for r in rows])
        neurons = npz(run / "neurons.npz")
        self.assertEqual(neurons["model"][2], (0,) * 4 + (1,) * 4 + (2,) * 11 + (3,) * 11)
        self.assertEqual(neurons["layer"][2][8:19], (0,) * 8 + (1,) * 3)
        self.assertEqual(set(neurons["count"][2]), {600})
        self.assertEqual(len(lines_of(run / "neurons.csv")), 1 + 30)
        metrics = [json.loads(line) for line in lines_of(run / "metrics.jsonl")]
        self.assertEqual([m["epoch"] for m in metrics], [0, 1])
        record = record_of(run)
        self.assertEqual((record["status"], record["exit_code"]), ("finished", 0))
        self.assertEqual(record["arguments"][1], "train")
        header, metadata, _ = safetensors(run / "state.safetensors")
        self.assertEqual(header[rows[2]["id"] + ".layers.1.weight"]["shape"], [3, 8])
        self.assertEqual(len(header), 2 * 4 + 2 * 6)
        self.assertEqual(metadata["data"], "digits")

    def test_the_resolved_configuration_repeats_the_run(self):
        self.train("--hidden", "4..16", "--lr", "1e-3,1e-2", "--seeds", "3,8", "--optimizer", "adamw,nesterov", "-o", "a")
        self.run_shoal("train", "--config", "a/config.toml", "-o", "b")
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv", "metrics.jsonl", "config.toml"):
            self.assertEqual((self.folder / "a" / name).read_bytes(), (self.folder / "b" / name).read_bytes(), name)

    def test_threads_and_waves_do_not_change_a_bit(self):
        options = ["--hidden", "4,16,70", "--seeds", "3", "--device", "cpu"]
        self.train(*options, "--threads", "1", "-o", "one")
        self.train(*options, "--threads", "3", "-o", "three")
        self.train(*options, "--memory-limit", "2MiB", "-o", "waves")
        self.assertGreater(record_of(self.folder / "waves")["population"]["waves"], 1)
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv"):
            one = (self.folder / "one" / name).read_bytes()
            self.assertEqual(one, (self.folder / "three" / name).read_bytes(), name)
            self.assertEqual(one, (self.folder / "waves" / name).read_bytes(), name)

    def test_precedence_of_file_environment_and_flags(self):
        (self.folder / "c.toml").write_text("epochs = 3\nlr = 0.5\nbatch = 32\n")
        done = self.run_shoal("train", "--config", "c.toml", "--batch", "16", "--set", "l1=0.1", "--print-config",
                              env=environment(SHOAL_LR="0.25", SHOAL_BATCH="64"))
        for line in ("epochs = 3", "lr = 0.25", "batch = 16", "l1 = 0.1", "momentum = 0.9"):
            self.assertIn(line + "\n", done.stdout)
        done = self.run_shoal("train", "--print-config", env=environment(SHOAL_EPOCH="3"))
        self.assertIn("SHOAL_EPOCH", done.stderr)

    def test_json_lines_are_all_there_is_on_stdout(self):
        # A learning rate of 1e30 leaves the numbers, so there are NaNs to write as null.
        done = self.train("--hidden", "4", "--lr", "1e-3,1e30", "--optimizer", "sgd", "--json", "-o", "run", code=3)
        events = self.events(done.stdout)
        kinds = [e["type"] for e in events if e["type"] != "progress"]
        self.assertEqual(kinds, ["start", "epoch", "epoch", "model", "model", "result", "end"])
        models = [e for e in events if e["type"] == "model"]
        self.assertEqual([m["status"] for m in models], ["ok", "diverged"])
        self.assertIsNone(models[1]["test_loss"])
        self.assertEqual(events[-1]["exit_code"], 3)
        self.assertEqual(events[-1]["directory"], "run")
        done = self.run_shoal("train", "--data", "digits", "--hidden", "0", "--json", code=2)
        self.assertEqual(self.events(done.stdout)[-1]["exit_code"], 2)

    def test_quiet_says_the_directory_and_nothing_else(self):
        done = self.train("-q", "-o", "run")
        self.assertEqual((done.stdout, done.stderr), ("run\n", ""))

    def test_a_log_file_has_what_was_said(self):
        self.train("-q", "--log-file", "log.txt", "-o", "run")
        self.assertRegex((self.folder / "log.txt").read_text(), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 1 model, ")

    def test_a_directory_without_a_name_is_made_under_runs(self):
        done = self.train("-q", "--name", "mine")
        self.assertRegex(done.stdout, r"^runs/\d{8}-\d{6}-mine\n$")

    def test_a_dry_run_writes_nothing(self):
        done = self.train("--hidden", "4..64", "--seeds", "2", "--dry-run", "-o", "run")
        self.assertIn("an estimate", done.stdout)
        self.assertIn("10", done.stdout)
        self.assertEqual(list(self.folder.iterdir()), [])
        result = self.events(self.train("--dry-run", "--json").stdout)[-1]
        self.assertEqual((result["type"], result["dry_run"], result["parameters"]), ("result", True, 50890))
        self.assertGreater(result["estimated_seconds"], 0)

    def test_models_that_several_combinations_describe_are_trained_once(self):
        done = self.train("--hidden", "4", "--optimizer", "sgd,adam", "--momentum", "0.5,0.9", "-o", "run")
        self.assertIn("4 combinations describe 2 different models", done.stderr)
        self.assertEqual(len(lines_of(self.folder / "run/population.csv")), 3)

    def test_a_terminal_has_one_line_redrawn(self):
        try:
            ours, theirs = pty.openpty()
        except OSError as error:  # a bare chroot has no /dev/pts
            self.skipTest(f"no terminal to be had: {error}")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 60, 0, 0))
        done = subprocess.run([program.SHOAL, "train", *SMALL, "--hidden", "64,128", "-o", "run"], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=theirs, env=environment(TERM="xterm"))
        os.close(theirs)
        text = b""
        while chunk := self.read_or_end(ours):
            text += chunk
        os.close(ours)
        self.assertEqual(done.returncode, 0)
        drawn = [part for part in text.decode().split("\r") if part.startswith("2 models  epoch")]
        self.assertGreater(len(drawn), 0)
        for part in drawn:  # never wider than the terminal, which would leave lines behind
            self.assertLess(len(part.removesuffix("\033[K")), 60)
        self.assertTrue(text.decode().rstrip("\n").endswith("\r\033[K"))

    @staticmethod
    def read_or_end(descriptor):
        try:
            return os.read(descriptor, 65536)
        except OSError:  # Linux reports the end of a terminal as an error
            return b""

    def test_colour_is_asked_for(self):
        self.assertIn("\033[1m", self.train("--color", "always", "-o", "a").stdout)
        self.assertNotIn("\033", self.train("--color", "never", "-o", "b").stdout)
        self.assertNotIn("\033", self.train("-o", "c").stdout)


class Models(Case):
    def test_evaluation_and_export_agree_with_the_run(self):
        self.train("--hidden", "8,6x5", "--seeds", "2", "-q", "-o", "run")
        rows = rows_of(self.folder / "run/population.csv")
        for index, row in enumerate(rows):
            out = f"model{index}.safetensors"
            self.run_shoal("export", "run", "--model", index if index % 2 else row["id"][:10], "-o", out)
            header, metadata, tensor = safetensors(self.folder / out)
            self.assertEqual(metadata["model"], row["id"])
            depth = row["hidden"].count("x") + 2
            self.assertEqual(sorted(header), sorted(f"layers.{i}.{k}" for i in range(depth) for k in ("bias", "weight")))
            state = safetensors(self.folder / "run/state.safetensors")
            for name in header:
                self.assertEqual(tensor(name), state[2](f"{row['id']}.{name}"))
            for arguments in (["--weights", out], ["--weights", "run/state.safetensors", "--model", row["id"]]):
                done = self.run_shoal("eval", *arguments, "--data", "digits", "--train-count", 600, "--test-count", 200,
                                      "--json", "--logits", "logits.npy")
                result = self.events(done.stdout)[-1]
                # float32 sums of 784 products in another order: a few 1e-6 of the loss.
                self.assertTrue(abs(result["loss"] - float(row["test_loss"])) <= 1e-5 * (1 + float(row["test_loss"])))
                self.assertEqual(result["accuracy"], float(row["test_accuracy"]))
            self.assertEqual((self.folder / "logits.npy").stat().st_size, 128 + 200 * 10 * 4)

    def test_models_that_are_not_there(self):
        self.train("--seeds", "2", "-q", "-o", "run")
        state = "run/state.safetensors"
        self.refused(2, "export", "run", "--model", "7", "-o", "x", says="index from 0 to 1")
        self.refused(2, "export", "nowhere", "--model", "0", "-o", "x", says="no directory")
        self.refused(4, "export", self.folder, "--model", "0", "-o", "x", says="no state.safetensors")
        self.refused(2, "export", "run", "--model", "0", "-o", "run/run.json", says="exists")
        self.refused(1, "export", "run", "--model", "0", "-o", "no/where/x", says="cannot")
        self.refused(2, "eval", "--weights", state, "--data", "digits", says="holds 2 models")
        self.refused(4, "eval", "--weights", "x.safetensors", "--data", "digits", says="x.safetensors")
        self.refused(4, "eval", "--weights", "run/run.json", "--data", "digits", says="run.json")
        self.refused(4, "eval", "--weights", state, "--model", "0", "--data", "circle", says="features|inputs")


class Data(Case):
    def test_lists_and_descriptions(self):
        self.assertIn("digits", self.run_shoal("data", "list").stdout)
        names = [e["name"] for e in self.events(self.run_shoal("data", "list", "--json").stdout)]
        self.assertEqual(names, ["mnist", "fashion-mnist", "digits", "circle", "circle-published"])
        described = self.events(self.run_shoal("data", "describe", "circle", "--json").stdout)[0]
        self.assertEqual(sum(described["train"]["class_counts"]), described["train"]["count"])
        self.assertIn("training", self.run_shoal("data", "check", "digits", "--train-count", "10", "--test-count", "5").stdout)
        self.refused(4, "data", "check", "nothing.npz", says="nothing.npz")

    def test_info(self):
        info = self.events(self.run_shoal("info", "--json").stdout)[0]
        self.assertEqual(info["program"], "shoal")
        self.assertIn("level", self.run_shoal("info").stdout)

    def test_a_file_of_ones_own(self):
        with open(self.folder / "own.csv", "w") as out:
            out.write("a,b,label\n")
            for i in range(140):
                out.write(f"{i % 7},{(i * i) % 11},{int(i % 7 > 3)}\n")
        self.run_shoal("train", "--data", "own.csv", "--batch", "16", "--hidden", "8", "-q", "-o", "run")
        sums = record_of(self.folder / "run")["data"]["checksums"]
        self.assertEqual([s["file"] for s in sums], ["own.csv"])
        # The configuration finds the file from anywhere.
        (self.folder / "elsewhere").mkdir()
        self.run_shoal("train", "--config", self.folder / "run/config.toml", "-q", "-o", self.folder / "elsewhere/run")

    def test_mnist(self):
        if not os.environ.get("SHOAL_DATA"):
            self.skipTest("SHOAL_DATA names no folder with MNIST")
        done = self.run_shoal("train", "--data", "mnist", "--hidden", "32", "--epochs", "1", "--json", "-o", "run")
        result = [e for e in self.events(done.stdout) if e["type"] == "result"][0]
        # One epoch of 784-32-10 with Adam: 92 to 94 % in any framework.
        self.assertGreater(result["test_accuracy"]["median"], 0.90)
        self.assertEqual(len(record_of(self.folder / "run")["data"]["checksums"]), 4)


class OldProcessors(Case):
    """Instructions that a processor lacks end a program at once: run it as processors without AVX, and without AVX-512."""

    def run_as(self, processor, level):
        qemu = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
        if not qemu:
            self.skipTest("qemu-user is not installed")
        if os.uname().machine != "x86_64":
            self.skipTest("not an x86-64 build")
        prefix = (qemu, "-cpu", processor)
        self.run_shoal("train", "--data", "digits", "--train-count", "64", "--test-count", "16", "--epochs", "1", "--batch", "16",
                       "--hidden", "4,17x3", "--optimizer", "sgd,adam", "--threads", "1", "-q", "-o", "run", prefix=prefix)
        self.assertEqual(record_of(self.folder / "run")["machine"]["cpu_level"], level)

    def test_nehalem(self):
        self.run_as("Nehalem", "v2")

    def test_haswell(self):
        self.run_as("Haswell", "v3")


if __name__ == "__main__":
    program.SHOAL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
