"""`shoal gradcheck` from end to end."""
import json

from program import Case

DIGITS = ("--data", "digits", "--train-count", "300", "--test-count", "50", "--rows", "6", "--differences", "30")


class Gradcheck(Case):
    def lines(self, *arguments, code=0):
        result = self.run_shoal("gradcheck", *DIGITS, *arguments, "--json", code=code)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_every_tensor_of_every_model(self):
        for device in ("cpu", "emu"):
            for loss in ("cross-entropy", "squared-error"):
                lines = self.lines("--hidden", "12x7,20", "--device", device, "--loss", loss)
                tensors = [line for line in lines if line["type"] == "tensor"]
                self.assertEqual([t["tensor"] for t in tensors if t["model"] == tensors[0]["model"]],
                                 [f"layers.{l}.{what}" for l in range(3) for what in ("weight", "bias")])
                self.assertEqual(len(tensors), 6 + 4)
                self.assertEqual(tensors[0]["shape"], "[12, 784]")
                for t in tensors:
                    self.assertTrue(t["ok"], t)
                    self.assertGreater(t["largest"], 0)
                    self.assertGreater(t["error"], 0)  # float32 is not float64
                    self.assertGreater(t["differences"] + t["kinks"], min(t["entries"], 15) - 1)
                self.assertGreater(sum(t["differences"] for t in tensors), 50)
                self.assertEqual((lines[-1]["type"], lines[-1]["tensors"], lines[-1]["beyond"]), ("result", 10, 0))

    def test_gates_of_every_kind(self):
        learned = {"size": ["x0", "k"], "random-size": ["x0"], "liveness": ["beta"], "switch": ["beta"],
                   "hard-concrete": ["log_alpha"]}
        for device in ("cpu", "emu"):
            lines = self.lines("--hidden", "12x7", "--gate", ",".join(learned), "--gate-penalty", "0.01",
                               "--gate-slope-lr", "0.01", "--gate-spread", "0.4", "--gate-begin", "3", "--device", device)
            gates = [t for t in lines if t["type"] == "tensor" and t["tensor"].startswith("gates.")]
            self.assertEqual([t["tensor"] for t in gates],
                             [f"gates.{l}.{name}" for names in learned.values() for l in range(2) for name in names])
            for t in gates:
                self.assertTrue(t["ok"] and t["largest"] > 0 and t["error"] > 0, t)
                self.assertEqual(t["shape"], "[1]" if t["tensor"][-2:] in ("x0", ".k") else f"[{(12, 7)[int(t['tensor'][6])]}]")
            self.assertEqual(lines[-1]["beyond"], 0)

    def test_a_bound_that_floats_cannot_keep(self):
        lines = self.lines("--hidden", "12", "--bound", "1e-12", code=1)
        self.assertEqual(lines[-1]["beyond"], 4)
        text = self.run_shoal("gradcheck", *DIGITS, "--hidden", "12", "--bound", "1e-12", code=1).stdout
        self.assertRegex(text, r"layers\.0\.weight +\[12, 784\] .* beyond")
        self.assertIn("0 of 4 tensors within 1e-12", text)

    def test_what_it_refuses(self):
        self.refused(2, "gradcheck", "--rows", "0", says="--rows")
        self.refused(2, "gradcheck", "--bound", "0", says="larger than 0")
        self.refused(2, "gradcheck", "--hiden", "3", says="hidden")
        self.refused(4, "gradcheck", "--data", "nothing.npz", says="nothing.npz")
