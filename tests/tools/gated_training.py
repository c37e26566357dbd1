"""`shoal train` with gates, from the command line to its files."""
import json
import math

from program import SMALL, Case, lines_of, npz, record_of, rows_of, safetensors

# About half of the gates shut within two epochs of 5 steps.
LIVE = ["--gate", "liveness", "--gate-penalty", "0.05", "--gate-lr", "0.1", "--gate-spread", "0.9"]


class Gated(Case):
    def test_files_of_a_gated_run(self):
        self.train("--hidden", "30x6,20", "--seeds", "2", "--gate", "none,liveness", *LIVE[2:], "-q", "-o", "run")
        run = self.folder / "run"
        rows = rows_of(run / "population.csv")
        self.assertEqual([r["gate"] for r in rows], ["none", "none", "liveness", "liveness"] * 2)
        curves, neurons = npz(run / "curves.npz"), npz(run / "neurons.npz")
        self.assertEqual(curves["size"][1], (2, 8))
        self.assertEqual(curves["layer_sizes"][1], (2, 8, 2))
        dead = 0
        for index, row in enumerate(rows):
            own = [i for i, m in enumerate(neurons["model"][2]) if m == index]
            gates = [neurons["gate"][2][i] for i in own]
            size = curves["size"][2][8 + index]
            if row["gate"] == "none":
                for column in ("size", "layer_sizes", "effective_parameters", "gate_penalty", "gate_start"):
                    self.assertEqual(row[column], "")
                self.assertTrue(all(map(math.isnan, gates)) and math.isnan(size))
                continue
            widths = [int(w) for w in row["hidden"].split("x")]
            layers = [neurons["layer"][2][i] for i in own]
            left = [sum(g != 0 for g, at in zip(gates, layers) if at == l) for l in range(len(widths))]
            self.assertEqual([float(s) for s in row["layer_sizes"].split("x")], left)
            self.assertEqual(float(row["size"]), sum(left))
            self.assertEqual(size, sum(left))
            self.assertEqual(list(curves["layer_sizes"][2][16 + 2 * index:][:len(left)]), left)
            fan_in, parameters = 784, 0
            for width in left + [10]:
                parameters, fan_in = parameters + (fan_in + 1) * width, width
            self.assertEqual(int(row["effective_parameters"]), parameters)
            dead += sum(widths) - sum(left)
            for i, gate in zip(own, gates):
                if gate == 0:
                    self.assertEqual((neurons["mean"][2][i], neurons["zeros"][2][i]), (0, 1))
        self.assertGreater(dead, 0)
        self.assertTrue(lines_of(run / "neurons.csv")[0].endswith(",gate"))
        metrics = [json.loads(line) for line in lines_of(run / "metrics.jsonl")]
        self.assertEqual(metrics[-1]["size"]["max"], max(float(r["size"]) for r in rows if r["size"]))

    def test_the_weights_are_the_gated_model(self):
        self.train("--hidden", "40,24x12", *LIVE, "-q", "-o", "run")
        rows = rows_of(self.folder / "run/population.csv")
        for index, row in enumerate(rows):
            out = f"compact{index}.safetensors"
            self.run_shoal("export", "run", "--model", index, "--compact", "-o", out)
            header, _, _ = safetensors(self.folder / out)
            parameters = sum(math.prod(t["shape"]) for t in header.values())
            self.assertEqual(parameters, int(row["effective_parameters"]))
            self.assertLess(parameters, int(row["parameters"]))
            for weights in (["run/state.safetensors", "--model", row["id"]], [out]):
                done = self.run_shoal("eval", "--weights", *weights, *SMALL[:6], "--json")
                result = json.loads(done.stdout)
                self.assertEqual(result["accuracy"], float(row["test_accuracy"]))
                self.assertAlmostEqual(result["loss"], float(row["test_loss"]), delta=1e-5)

    def test_every_kind_evaluates_to_what_the_run_says(self):
        self.train("--hidden", "24", "--gate", "size,random-size,liveness,switch,hard-concrete", "--gate-penalty", "1e-3",
                   "--gate-inertia", "0.9", "-q", "-o", "run")
        for index, row in enumerate(rows_of(self.folder / "run/population.csv")):
            done = self.run_shoal("eval", "--weights", "run/state.safetensors", "--model", row["id"], *SMALL[:6], "--json")
            self.assertEqual(json.loads(done.stdout)["accuracy"], float(row["test_accuracy"]), row["gate"])

    def test_neurons_that_leave_change_nothing_but_the_id(self):
        gated = ["--hidden", "40", "--seeds", "2", "--epochs", "4", *LIVE]
        for name, more in (("stay", []), ("leave", ["--remove-dead", "on"])):
            self.train(*gated, *more, "-q", "-o", name)
        # The ids differ, and with them the random streams: only the shape of things can be compared.
        stay, leave = (rows_of(self.folder / name / "population.csv") for name in ("stay", "leave"))
        self.assertEqual([r["remove_dead"] for r in stay + leave], ["", "", "on", "on"])
        shapes = [safetensors(self.folder / name / "state.safetensors")[0] for name in ("stay", "leave")]
        self.assertEqual(sorted(t["shape"] for t in shapes[0].values()), sorted(t["shape"] for t in shapes[1].values()))

    def test_threads_waves_and_the_configuration_repeat_it(self):
        options = ["--hidden", "30,70", "--gate", "size,liveness,hard-concrete", "--gate-penalty", "0,0.01", "--seeds", "2",
                   "--lr-decay", "none,cosine", "--device", "cpu"]
        self.train(*options, "-q", "-o", "one", "--threads", "1")
        self.train(*options, "-q", "-o", "waves", "--threads", "2", "--memory-limit", "4MiB")
        self.run_shoal("train", "--config", "one/config.toml", "-q", "-o", "again")
        self.assertGreater(record_of(self.folder / "waves")["population"]["waves"], 1)
        for name in ("state.safetensors", "curves.npz", "neurons.npz", "population.csv"):
            one = (self.folder / "one" / name).read_bytes()
            self.assertEqual(one, (self.folder / "waves" / name).read_bytes(), name)
            self.assertEqual(one, (self.folder / "again" / name).read_bytes(), name)

    def test_the_table_tells_gates_apart(self):
        done = self.train("--hidden", "20", "--gate", "none,liveness", "--gate-penalty", "0,0.01", "-o", "few")
        self.assertRegex(done.stdout.splitlines()[0], r"gate_penalty .*size")
        many = self.train("--hidden", "8", "--gate", "liveness", "--gate-penalty", "1e-4,1e-3,1e-2", "--seeds", "14", "-o", "many")
        groups = [line.split()[:2] for line in many.stdout.splitlines()[2:5]]
        self.assertEqual(groups, [["8", "1e-04"], ["8", "0.001"], ["8", "0.01"]])
        self.assertIn("losses and sizes are medians", many.stdout)

    def test_json(self):
        events = self.events(self.train("--hidden", "20", *LIVE, "--json", "-o", "run").stdout)
        model = next(e for e in events if e["type"] == "model")
        self.assertEqual(model["layer_sizes"], [model["size"]])
        self.assertIn("size", next(e for e in events if e["type"] == "epoch"))
        self.assertIn("size", next(e for e in events if e["type"] == "result"))

    def test_a_rate_that_decays_ends_at_rest(self):
        decay = ["--hidden", "8", "--lr-decay", "cosine", "--decay-epochs", "1", "--optimizer", "adam,momentum", "--lr", "0.01"]
        for epochs in (1, 3):  # after the decay nothing moves
            self.run_shoal("train", *SMALL[:6], "--epochs", epochs, *decay, "-q", "-o", f"e{epochs}")
        one, three = (rows_of(self.folder / f"e{e}/population.csv") for e in (1, 3))
        self.assertEqual([r["test_loss"] for r in one], [r["test_loss"] for r in three])
        self.assertEqual([r["lr_decay"] for r in one], ["cosine", "cosine"])

    def test_held_out_training_samples_are_the_test_data(self):
        self.train("--hold-out", "100", "-q", "-o", "run", "--test-count", "0")
        counts = record_of(self.folder / "run")["data"]
        self.assertEqual((counts["train"], counts["test"]), (500, 100))
        self.refused(4, "train", *SMALL, "--hold-out", "600", "--test-count", "0", says="600 of 600 training samples")
        self.refused(4, "train", *SMALL, "--hold-out", "100", says="take the place of the test data")

    def test_what_cannot_be(self):
        for arguments, says in [
                (["--gate", "mask"], "'mask' is none of none, size"), (["--gate", "sparse"], "'sparse' is none of"),
                (["--gate", "size", "--gate-layers", "2"], "no hidden layer 2"), (["--gate-penalty", "-1"], "too small"),
                (["--gate", "random-size", "--grey-zone", "9"], "1..20"),
                (["--gate", "random-size", "--grey-zone", "9..3"], "grey zone"),
                (["--gate-inertia", "2"], "too large"), (["--gate-begin", "x"], "not a whole number"),
                (["--remove-dead", "on"], "no gate closes for good")]:
            self.refused(2, "train", *SMALL, *arguments, "-q", says=says)
        self.assertEqual(list(self.folder.iterdir()), [])
