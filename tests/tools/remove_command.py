"""`shoal remove` from end to end: against brute force in Python's doubles, on weights and points written here."""
import json
import math
import random
import statistics
import struct
import zipfile

from program import Case, npz


def write_safetensors(path, layers, metadata=None):
    """layers: [(weight [out][in], bias [out])]; values must be floats of 32 bits."""
    header, body = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for l, (weight, bias) in enumerate(layers):
        for name, shape, values in ((f"layers.{l}.weight", [len(weight), len(weight[0])], [w for row in weight for w in row]),
                                    (f"layers.{l}.bias", [len(bias)], bias)):
            data = struct.pack(f"<{len(values)}f", *values)
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
            body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_npz(path, **arrays):
    """arrays: name = (descr, shape, bytes)."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (descr, shape, data) in arrays.items():
            header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
            header += b" " * (-(len(header) + 11) % 64) + b"\n"
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def floats(values):
    return list(struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values)))


class Network:
    """A random network with points, and what it does, all in Python."""

    def __init__(self, widths, count, seed, scale=1.0):
        draw = random.Random(seed)
        self.layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            spread = scale * math.sqrt(6 / inputs)
            self.layers.append(([floats([draw.uniform(-spread, spread) for _ in range(inputs)]) for _ in range(outputs)],
                                floats([draw.uniform(-0.3, 0.3) for _ in range(outputs)])))
        self.points = [floats([draw.uniform(-1, 1) for _ in range(widths[0])]) for _ in range(count)]
        self.labels = [draw.randrange(widths[-1]) for _ in range(count)]

    def write(self, folder, metadata=None):
        write_safetensors(folder / "w.safetensors", self.layers, metadata)
        flat = [x for point in self.points for x in point]
        write_npz(folder / "p.npz", x=("<f4", (len(self.points), len(self.points[0])), struct.pack(f"<{len(flat)}f", *flat)),
                  y=("<i4", (len(self.labels),), struct.pack(f"<{len(self.labels)}i", *self.labels)))
        return ["--weights", "w.safetensors", "--data", "p.npz"]

    def hidden(self, points):
        for weight, bias in self.layers[:-1]:
            points = [[max(0.0, b + sum(w * x for w, x in zip(row, point))) for row, b in zip(weight, bias)] for point in points]
        return points

    def table(self, points=None):
        """[(loss, hits, gradients)] of every subset of the last hidden layer."""
        weight, bias = self.layers[-1]
        outputs = self.hidden(points or self.points)
        nodes = len(weight[0])
        rows = []
        for subset in range(1 << nodes):
            loss, hits, gradients = 0.0, 0, [0.0] * nodes
            for y, label in zip(outputs, self.labels):
                z = [b + sum(w * v for i, (w, v) in enumerate(zip(row, y)) if subset >> i & 1) for row, b in zip(weight, bias)]
                e = [math.exp(v - max(z)) for v in z]
                total = sum(e)
                loss += math.log(total) + max(z) - z[label]
                hits += z.index(max(z)) == label
                for i in range(nodes):
                    gradients[i] += y[i] * sum((e[c] / total - (c == label)) * weight[c][i] for c in range(len(z)))
            rows.append((loss / len(self.labels), hits, [g / len(self.labels) for g in gradients]))
        return rows


def weights(nodes, keep):
    return [math.prod(keep if s >> i & 1 else 1 - keep for i in range(nodes)) for s in range(1 << nodes)]


def mean(values, w):
    return math.fsum(v * p for v, p in zip(values, w))


class Remove(Case):
    def lines(self, *arguments, **more):
        return self.events(self.run_shoal("remove", *arguments, "--json", **more).stdout)

    def of_type(self, lines, kind):
        return [line for line in lines if line["type"] == kind]

    def close(self, actual, expected, relative, scale=0.0):
        self.assertTrue(abs(actual - expected) <= relative * max(abs(expected), scale), (actual, expected))

    def check_exact(self, lines, table, nodes, relative):
        """Everything that brute force knows of a full table."""
        losses, logs = [row[0] for row in table], [math.log(row[0]) for row in table]
        seen = 0
        for line in self.of_type(lines, "moments"):
            values, w = losses if line["quantity"] == "loss" else logs, weights(nodes, line["keep"])
            m = mean(values, w)
            sd = math.sqrt(mean([(v - m) ** 2 for v in values], w))
            scale = max(abs(v) for v in values)
            self.close(line["mean"], m, relative, scale)
            self.close(line["sd"], sd, relative, scale)
            for share, value in line["quantiles"].items():
                below = sum(p for v, p in zip(values, w) if v < value - relative * scale)
                upto = sum(p for v, p in zip(values, w) if v <= value + relative * scale)
                self.assertLessEqual(below, float(share) + 1e-12)
                self.assertGreaterEqual(upto, float(share) - 1e-12)
            seen += 1
        self.assertEqual(seen, 8)
        half = 1 / (1 << nodes)
        for line in self.of_type(lines, "node"):
            i = line["node"]
            gradients = [row[2][i] for row in table]
            m = half * math.fsum(gradients)
            scale = max(abs(g) for g in gradients)
            self.close(line["mean_gradient"], m, relative, scale)
            self.close(line["sd_gradient"], math.sqrt(half * math.fsum((g - m) ** 2 for g in gradients)), relative, scale)
            banzhaf = shapley = 0.0
            for s in range(1 << nodes):
                if s >> i & 1:
                    continue
                change, size = losses[s | 1 << i] - losses[s], bin(s).count("1")
                banzhaf += change * 2 * half
                shapley += change * math.factorial(size) * math.factorial(nodes - 1 - size) / math.factorial(nodes)
            self.close(line["banzhaf"], banzhaf, relative, max(losses))
            self.close(line["shapley"], shapley, relative, max(losses))
        self.assertEqual(len(self.of_type(lines, "node")), nodes)
        m = half * math.fsum(logs)
        by_distance = [0.0] * (nodes + 1)
        for s in range(1 << nodes):
            for t in range(1 << nodes):
                by_distance[bin(s ^ t).count("1")] += (logs[s] - m) * (logs[t] - m)
        covariances = self.of_type(lines, "covariance")
        self.assertEqual([line["distance"] for line in covariances], list(range(nodes + 1)))
        for line in covariances:
            self.assertEqual(line["quantity"], "log_loss")
            value = by_distance[line["distance"]] * half / math.comb(nodes, line["distance"])
            self.close(line["value"], value, relative, max(v * v for v in logs))

    def test_two_classes_against_brute_force(self):
        network = Network([2, 8, 2], 60, seed=1)
        arguments, table = network.write(self.folder), network.table()
        lines = self.lines(*arguments, "--table", "t.npz")
        self.check_exact(lines, table, 8, 1e-12)
        arrays = npz(self.folder / "t.npz")
        for (loss, hits, _), actual, count in zip(table, arrays["loss"][2], arrays["hits"][2]):
            self.close(actual, loss, 1e-12)
            self.assertEqual(count, hits)
        self.assertEqual(arrays["nodes"][2], tuple(v for i in range(8) for v in (0, i)))
        first = self.of_type(lines, "network")[0]
        self.assertEqual((first["points"], first["part"], first["exact"]), (60, "all", True))
        self.close(first["loss"], table[-1][0], 1e-12)
        self.close(first["empty_accuracy"], table[0][1] / 60, 1e-12)
        self.check_exact(self.lines(*arguments, "--precision", "float32"), table, 8, 1e-5)
        self.check_exact(self.lines(*arguments, "--device", "emu"), table, 8, 1e-12)
        self.assertEqual(lines, self.lines(*arguments, "--threads", "1"))

    def test_many_classes_two_hidden_layers_and_large_weights(self):
        for widths, scale in (([3, 7, 5], 1.0), ([2, 6, 7, 3], 1.0), ([2, 7, 2], 40.0)):
            network = Network(widths, 40, seed=2, scale=scale)
            self.check_exact(self.lines(*network.write(self.folder)), network.table(), 7, 1e-11)
            self.check_exact(self.lines(*network.write(self.folder), "--precision", "float32"), network.table(), 7, 1e-5)

    def test_some_nodes_and_what_follows_from_the_table(self):
        network = Network([2, 8, 2], 50, seed=3)
        arguments, table = network.write(self.folder), network.table()
        chosen = [6, 1, 2, 3]
        lines = self.lines(*arguments, "--nodes", "6,1-3", "--keep", "0.5", "--table", "t.npz")
        actual = npz(self.folder / "t.npz")["loss"][2]
        others = 0b10110001
        for s, value in enumerate(actual):
            self.close(value, table[others | sum(1 << n for i, n in enumerate(chosen) if s >> i & 1)][0], 1e-12)
        self.assertEqual([line["neuron"] for line in self.of_type(lines, "node")], chosen)
        self.assertEqual([line["keep"] for line in self.of_type(lines, "moments")], [0.5, 0.5])
        # what must add up
        logs = [math.log(v) for v in actual]
        order = [line["variance"] for line in self.of_type(lines, "interaction")]
        self.close(math.fsum(order[1:]), statistics.pvariance(logs), 1e-10)
        self.close(sum(line["shapley"] for line in self.of_type(lines, "node")), actual[-1] - actual[0], 1e-12, 1.0)
        for line in self.of_type(lines, "size"):
            alike = [v for s, v in enumerate(actual) if bin(s).count("1") == line["size"]]
            self.close(line["lowest"], min(alike), 1e-12)
            self.close(line["highest"], max(alike), 1e-12)
            self.close(actual[line["lowest_subset"]], min(alike), 1e-12)
        change = self.of_type(lines, "change")[0]
        self.close(change["before"], mean(actual, weights(4, 0.25)), 1e-12)
        self.close(change["after"], mean(actual, weights(4, 0.75)), 1e-12)
        complement = self.of_type(lines, "complement")[0]["correlation"]
        self.close(complement, statistics.correlation(logs, logs[::-1]), 1e-10)

    def test_samples_agree_with_the_enumeration(self):
        network = Network([2, 9, 2], 40, seed=4)
        arguments = network.write(self.folder)
        exact, sampled = self.lines(*arguments), self.lines(*arguments, "--sample", "--samples", "4000", "--seed", "7")
        self.assertEqual(self.of_type(sampled, "network")[0]["exact"], False)

        def compare(kind, fields, key):
            far = count = 0
            truth = {tuple(line[k] for k in key): line for line in self.of_type(exact, kind)}
            for line in self.of_type(sampled, kind):
                for field in fields:
                    error = line[field + "_error"]
                    self.assertGreater(error, 0)
                    distance = abs(line[field] - truth[tuple(line[k] for k in key)][field]) / error
                    count += 1
                    far += distance > 3
                    self.assertLess(distance, 7, (line, field))
            self.assertLessEqual(far, 1 + count // 15)  # 20 groups: t with 19 degrees, beyond 3 with 0.7 %

        compare("moments", ["mean", "sd"], ["quantity", "keep"])
        compare("node", ["mean_gradient", "sd_gradient", "mean_log_gradient", "shapley", "banzhaf"], ["node"])
        compare("covariance", ["value"], ["distance"])
        self.assertEqual(sampled, self.lines(*arguments, "--sample", "--samples", "4000", "--seed", "7", "--threads", "1"))

    def test_nodes_of_every_layer_are_sampled(self):
        network = Network([2, 5, 4, 2], 30, seed=5)
        arguments = network.write(self.folder)
        lines = self.lines(*arguments, "--layer", "all", "--samples", "400", "--keep", "0,0.5,1")
        places = [(line["layer"], line["neuron"]) for line in self.of_type(lines, "node")]
        self.assertEqual(places, [(1, i) for i in range(5)] + [(2, i) for i in range(4)])
        ends = self.of_type(lines, "network")[0]
        moments = {(line["quantity"], line["keep"]): line for line in self.of_type(lines, "moments")}
        self.close(moments["loss", 1]["mean"], ends["loss"], 1e-6)
        self.close(moments["loss", 0]["mean"], ends["empty_loss"], 1e-6)
        self.assertLess(moments["loss", 1]["sd"], 1e-6)
        # growth paths run from no node to all: their differences add up without any error
        self.close(sum(line["shapley"] for line in self.of_type(lines, "node")), ends["loss"] - ends["empty_loss"], 1e-5, 1.0)
        first = self.lines(*arguments, "--layer", "1", "--samples", "40", "--keep", "0.5")
        self.assertEqual(len(self.of_type(first, "node")), 5)
        self.assertFalse(self.of_type(first, "network")[0]["exact"])

    def test_inputs_enter_as_the_file_says(self):
        network = Network([2, 4, 2], 30, seed=6)
        arguments = network.write(self.folder, {"scale": "2", "shift": "-0.5"})
        moved = [[2 * x - 0.5 for x in point] for point in network.points]
        self.close(self.of_type(self.lines(*arguments), "network")[0]["loss"], network.table(moved)[-1][0], 1e-12)
        self.close(self.of_type(self.lines(*arguments, "--normalize", "none"), "network")[0]["loss"], network.table()[-1][0], 1e-12)

    def test_a_trained_toy_network(self):
        self.run_shoal("train", "--data", "circle", "--hidden", "12", "--epochs", "30", "--lr", "0.01", "-o", "run", "--device", "cpu")
        self.run_shoal("export", "run", "--model", "0", "-o", "toy.safetensors")
        lines = self.lines("--weights", "toy.safetensors", "--data", "circle")
        evaluated = self.events(self.run_shoal("eval", "--weights", "toy.safetensors", "--data", "circle", "--json").stdout)[0]
        network = self.of_type(lines, "network")[0]
        self.close(network["loss"], evaluated["loss"], 1e-5)
        self.assertEqual(network["accuracy"], evaluated["accuracy"])
        self.assertEqual((network["part"], network["points"]), ("test", 1000))
        text = self.run_shoal("remove", "--weights", "toy.safetensors", "--data", "circle").stdout
        self.assertRegex(text, r"2-12-2 on circle \(test, 1,000 points\): all 4,096 subsets of 12 nodes")
        self.assertRegex(text, r"log loss +0.25 ")
        self.assertRegex(text, r"correlation of a subset's log loss with its complement's: -?\d")

    def test_what_it_refuses(self):
        network = Network([2, 5, 2], 10, seed=8)
        arguments = network.write(self.folder)
        for more, says in ((["--keep", "1.5"], "--keep: 1.5"), (["--keep", "x"], "--keep"), (["--nodes", "5"], "no node 5"),
                           (["--nodes", "1,1"], "twice"), (["--layer", "2"], "--layer: '2'"), (["--quantiles", "-1"], "--quantiles"),
                           (["--samples", "3"], "--samples"), (["--sample", "--table", "t.npz"], "--table"),
                           (["--table", "no/where.npz"], "no directory"), (["--threads", "-1"], "--threads"),
                           (["--precision", "half"], "precision"), (["--device", "gpu"], "gpu")):
            self.refused(2, "remove", *arguments, *more, says=says)
        self.refused(4, "remove", "--weights", "none.safetensors", "--data", "p.npz", says="none.safetensors")
        self.refused(4, "remove", "--weights", "w.safetensors", "--data", "none.npz", says="none.npz")
        self.refused(4, "remove", "--weights", "w.safetensors", "--data", "digits", says="classes|features|inputs")
        write_safetensors(self.folder / "flat.safetensors", network.layers[-1:])
        self.refused(4, "remove", "--weights", "flat.safetensors", "--data", "p.npz", says="no hidden layer")
        broken = [([[float("nan")] * 2] * 5, network.layers[0][1]), network.layers[1]]
        write_safetensors(self.folder / "nan.safetensors", broken)
        self.refused(4, "remove", "--weights", "nan.safetensors", "--data", "p.npz", says="nan at place 0")
        self.assertEqual({p.name for p in self.folder.iterdir()},
                         {"w.safetensors", "p.npz", "flat.safetensors", "nan.safetensors"})
