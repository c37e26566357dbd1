"""Signals, checkpoints, resume: the bytes of an uninterrupted run."""
import json
import os
import signal
import subprocess
import time

import program
from program import LONG, Case, environment, record_of


class Stopping(Case):
    def start(self, *arguments):
        return subprocess.Popen([program.SHOAL, "train", *LONG, *map(str, arguments)], cwd=self.folder, env=environment(),
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
        again = subprocess.Popen([program.SHOAL, "train", "--resume", "-o", "parts", "--json"], cwd=self.folder, env=environment(),
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

    def test_killed_twice_without_a_word_about_checkpoints(self):
        """SIGKILL in the middle of an epoch: no more than that epoch is trained again, and nothing half-written stays."""
        options = ["--epochs", "24"]
        self.run_shoal("train", *LONG, *options, "-q", "-o", "whole")
        process = self.start(*options, "--json", "-o", "parts")
        for epoch in (3, 12):
            self.wait_for_epoch(process, epoch)
            time.sleep(0.1)
            process.kill()
            process.communicate()
            names = os.listdir(self.folder / "parts")
            self.assertIn("checkpoint.safetensors", names)
            self.assertTrue([n for n in names if n.startswith(".state.safetensors")], "the state that was being written")
            process = subprocess.Popen([program.SHOAL, "train", "--resume", "-o", "parts", "--json"], cwd=self.folder,
                                       env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(sorted(os.listdir(self.folder / "parts")), sorted(os.listdir(self.folder / "whole")))
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv", "metrics.jsonl"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "parts" / name).read_bytes(), name)

    def test_two_processes_cannot_share_a_directory(self):
        process = self.start("--epochs", "2000", "--json", "-o", "run")
        self.wait_for_epoch(process, 0)
        for how in ("--resume", "--force"):
            self.refused(2, "train", *LONG, "--epochs", "2000", how, "-o", "run",
                         says=f"another process \\({process.pid}\\) is at work in run")
        self.assertIsNone(process.poll(), "the first goes on")
        process.kill()
        process.communicate()
        self.assertTrue((self.folder / "run/lock").exists(), "left behind, and no obstacle")
        again = subprocess.Popen([program.SHOAL, "train", "--resume", "--json", "-o", "run"], cwd=self.folder, env=environment(),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_epoch(again, 1)
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)
        self.assertEqual(again.returncode, 130)
        self.assertFalse((self.folder / "run/lock").exists())

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
