"""Whatever cannot be done ends in one sentence and the documented code."""
import json
import os
import resource
import subprocess

import program
from program import SMALL, Case, environment


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
            done = subprocess.run([program.SHOAL, "info"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("stdout", done.stderr)
