#!/usr/bin/env python3
"""The built program from end to end: end_to_end.py PATH_OF_SHOAL [unittest arguments]. Standard library only.

Data are the built-in digits in small counts, so that a run takes well under a second. With SHOAL_DATA naming a folder that holds
MNIST a run on the real files is made too. What cannot be tested here (no root, no qemu, no MNIST) is skipped and says so."""
import csv
import fcntl
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import zipfile
from pathlib import Path

SHOAL = ""
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


class Help(Case):
    def test_version_is_quick_and_names_itself(self):
        self.assertRegex(self.run_shoal("--version").stdout, r"^shoal \d+\.\d+\.\d+ \(.*\)\n$")

    def test_every_command_has_help_with_examples_first(self):
        for command in ["", "train", "study", "study width", "eval", "export", "data", "data list", "data check",
                        "data describe", "info"]:
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
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 60, 0, 0))
        done = subprocess.run([SHOAL, "train", *SMALL, "--hidden", "64,128", "-o", "run"], cwd=self.folder, stdout=subprocess.PIPE,
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


class Refusals(Case):
    def test_models_that_cannot_be(self):
        for hidden, says in [("0", "width 0"), ("-4", "width -4"), ("1e9", "width 1000000000"), ("1e12", "1e12"),
                             ("2x2x2x2x2", "5 hidden layers"), ("8..4", "goes down"), ("4..8x2", "several layers")]:
            self.refused(2, "train", *SMALL, "--hidden", hidden, "-q", says=says)
        self.refused(2, "train", *SMALL, "--batch", "601", "-q", says="601 is more than the 600 training samples")
        self.refused(2, "train", *SMALL, "--seeds", "0", says="at least 1")
        self.refused(2, "train", *SMALL, "--lr", "nan", says="not a number")
        self.refused(2, "train", *SMALL, "--seeds", "3000000", "--hidden", "4,8", says="combinations")
        self.refused(2, "train", *SMALL, "--seeds", "1..3000000", says="more than 100000 values")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_configurations(self):
        (self.folder / "a.toml").write_text("hiden = 4\n")
        (self.folder / "b.toml").write_text("hidden = \n")
        self.refused(2, "train", "--config", "a.toml", says="a.toml: .*did you mean 'hidden'")
        self.refused(2, "train", "--config", "b.toml", says="b.toml is not TOML: line 1")
        self.refused(2, "train", "--config", "c.toml", says="c.toml cannot be read")

    def test_data_and_devices(self):
        self.refused(4, "train", "--data", "mnsit", says="did you mean 'mnist'")
        self.refused(4, "train", "--data", "no/such.npz", says="no/such.npz")
        self.refused(4, "train", "--data", "mnist", "--data-dir", "nowhere", says="nowhere")
        self.refused(2, "train", *SMALL, "--device", "gpu", says="'gpu'")
        if json.loads(self.run_shoal("info", "--json").stdout)["cuda"]["devices"] == 0:
            self.refused(5, "train", *SMALL, "--device", "cuda", says="there is no GPU to use")
        self.refused(5, "train", *SMALL, "--memory-limit", "1kB", "-q", says="needs")

    def test_directories(self):
        self.train("-q", "-o", "run")
        before = (self.folder / "run/run.json").read_bytes()
        self.refused(2, "train", *SMALL, "-o", "run", says="run exists")
        self.assertEqual(before, (self.folder / "run/run.json").read_bytes())
        self.train("-q", "-o", "run", "--force", "--hidden", "4")
        self.assertIn("hidden = 4\n", (self.folder / "run/config.toml").read_text())
        (self.folder / "thesis").mkdir()
        (self.folder / "thesis/chapter").write_text("x")
        self.refused(2, "train", *SMALL, "-o", "thesis", "--force", says="not the directory of a run")
        self.refused(2, "train", *SMALL, "-o", "thesis", "--resume", says="not the directory of a run")
        self.assertEqual((self.folder / "thesis/chapter").read_text(), "x")
        self.refused(2, "train", *SMALL, "-o", "thesis/chapter", "--force", says="no directory")
        self.refused(1, "train", *SMALL, "-q", "-o", "thesis/chapter/below", says="cannot make the directory")
        self.refused(2, "train", *SMALL, "--resume", says="-o DIR")
        self.refused(2, "train", *SMALL, "-o", "run", "--resume", "--force", says="contradict")

    def test_a_directory_that_may_not_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.folder / "locked").mkdir(mode=0o555)
        self.refused(1, "train", *SMALL, "-q", "-o", "locked/run", says="cannot make the directory")

    def test_files_that_may_not_grow(self):
        """As a full disk: writing beyond a limit fails. Every size must end in words, never in a crash."""
        for limit in (0, 100, 2000, 30000, 150000):
            def lower():
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            out = self.folder / f"run{limit}"
            self.refused(1, "train", *SMALL, "-q", "-o", out, says=r"(?i)cannot|failed", preexec=lower)
            self.assertFalse((out / "state.safetensors").exists() and limit < 200000)
            self.assertEqual([p for p in out.iterdir() if p.name.endswith(".tmp")] if out.exists() else [], [])

    def test_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root may mount a small file system")
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("no file system may be mounted here")
        try:
            self.refused(1, "train", *SMALL, "-q", "-o", disk / "run", says="(?i)no space")
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_full_stdout(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([SHOAL, "info"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("stdout", done.stderr)


class Stopping(Case):
    def start(self, *arguments):
        return subprocess.Popen([SHOAL, "train", *LONG, *map(str, arguments)], cwd=self.folder, env=environment(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_epoch(self, process, epoch):
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "epoch" and event["epoch"] >= epoch:
                return
        self.fail("the run ended before it could be stopped: " + process.stderr.read())

    def stop_and_resume(self, number, code, *options, waves=1):
        """Stopped twice, at different places, and resumed: the bytes of an uninterrupted run."""
        options = ["--epochs", "24", *options]
        self.run_shoal("train", *LONG, *options, "-q", "-o", "whole")
        self.assertEqual(record_of(self.folder / "whole")["population"]["waves"], waves)
        process = self.start(*options, "--json", "-o", "parts")
        self.wait_for_epoch(process, 2)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("this machine is too fast for this test: the run ended before the signal")
        self.assertEqual(process.returncode, code, err)
        self.assertEqual(json.loads(out.splitlines()[-1])["exit_code"], code)
        self.assertEqual(record_of(self.folder / "parts")["status"], "stopped")
        self.assertFalse((self.folder / "parts/state.safetensors").exists())
        again = subprocess.Popen([SHOAL, "train", "--resume", "-o", "parts", "--json"], cwd=self.folder, env=environment(),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_epoch(again, 8)
        again.send_signal(number)
        again.communicate(timeout=60)
        self.assertIn(again.returncode, (code, 0))
        self.run_shoal("train", "--resume", "-o", "parts", "-q")
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv", "metrics.jsonl"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "parts" / name).read_bytes(), name)
        self.assertEqual([p.name for p in (self.folder / "parts").iterdir() if "checkpoint" in p.name], [])
        self.assertIn("finished", self.run_shoal("train", "--resume", "-o", "parts").stderr)

    def test_sigint(self):
        self.stop_and_resume(signal.SIGINT, 130)

    def test_sigterm(self):
        self.stop_and_resume(signal.SIGTERM, 143, "--optimizer", "nesterov", "--lr", "0.01")

    def test_sigusr1_in_waves(self):
        self.stop_and_resume(signal.SIGUSR1, 143, "--memory-limit", "2500kB", waves=2)

    def test_a_hard_end_after_a_checkpoint(self):
        options = ["--epochs", "24"]
        self.run_shoal("train", *LONG, *options, "-q", "-o", "whole")
        process = self.start(*options, "--checkpoint-every", "0.05", "--json", "-o", "parts")
        self.wait_for_epoch(process, 6)
        process.kill()
        process.communicate()
        self.run_shoal("train", "--resume", "-o", "parts", "-q")
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv", "metrics.jsonl"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "parts" / name).read_bytes(), name)

    def test_resume_goes_on_with_the_same_settings_only(self):
        process = self.start("--epochs", "2000", "--json", "-o", "run")
        self.wait_for_epoch(process, 1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.refused(2, "train", "--resume", "-o", "run", "--epochs", "3", says="begun with 2000")
        self.refused(2, "train", "--resume", "-o", "run", "--lr", "0.1", says="--lr")

    def test_a_second_interrupt_ends_at_once(self):
        process = self.start("--epochs", "100000", "--no-progress", "-o", "run", "--json")
        self.wait_for_epoch(process, 0)
        for _ in range(200):  # the first asks for a checkpoint; the second may come before or after it is written
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)

    def test_resume_of_nothing_starts(self):
        self.train("--resume", "-q", "-o", "run")
        self.assertTrue((self.folder / "run/state.safetensors").exists())


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
        self.assertEqual(names, ["mnist", "fashion-mnist", "digits", "circle"])
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
    SHOAL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
