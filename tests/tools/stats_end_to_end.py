"""shoal stats from end to end: files of every kind, judged by Python's own arithmetic. Found by end_to_end.py."""
import gzip
import io
import json
import math
import random
import statistics
import struct
import subprocess
import zipfile
from fractions import Fraction

import program
from program import Case

CODES = {"<f8": "d", "<f4": "f", "<i8": "q", "|u1": "B", "<u2": "H"}


def npy(shape, values, code="<f8", fortran=False):
    """An .npy file; `values` in the order in which they lie."""
    header = f"{{'descr': '{code}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}{CODES[code]}", *values)


def npz(**arrays):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return memory.getvalue()


def moments(values):
    """Exact rational sums; the last roots and quotients are rounded."""
    n, mean = len(values), statistics.mean([Fraction(v) for v in values])
    m2, m3, m4 = (sum((Fraction(v) - mean) ** k for v in values) for k in (2, 3, 4))
    return {"n": n, "mean": float(mean), "variance": float(m2 / (n - 1)), "sd": math.sqrt(m2 / (n - 1)),
            "population_sd": math.sqrt(m2 / n), "min": min(values), "max": max(values), "zeros": values.count(0),
            "skewness": math.sqrt(n) * float(m3) / float(m2) ** 1.5, "kurtosis": float(n * m4 / m2**2) - 3}


def signs(values):
    return [(a > b) - (a < b) for i, a in enumerate(values) for b in values[:i]]


def kendall(x, y):
    a, b = signs(x), signs(y)
    return sum(p * q for p, q in zip(a, b)) / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))


def spearman(x, y):
    def ranks(v):
        return [sum(b < a for b in v) + 0.5 * sum(b == a for b in v) for a in v]

    a, b = ranks(x), ranks(y)
    a, b = [v - statistics.fmean(a) for v in a], [v - statistics.fmean(b) for v in b]
    return sum(p * q for p, q in zip(a, b)) / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))


class Stats(Case):
    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def objects(self, *arguments, code=0):
        done = self.run_shoal("stats", *arguments, "--json", code=code)
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        for thing in objects:
            self.assertEqual(list(thing)[:2], ["type", "schema"])
        return objects

    def columns(self, *arguments, **more):
        return [o for o in self.objects(*arguments, **more) if o["type"] == "column"]

    def check_moments(self, found, values):
        for key, expected in moments(values).items():
            if isinstance(expected, int) or key in ("min", "max"):
                self.assertEqual(found[key], expected, key)
            else:
                self.assertLessEqual(abs(found[key] - expected), 1e-12 * max(1, abs(expected)), key)

    def test_columns_of_a_csv_have_their_moments(self):
        draws = random.Random(1)
        table = [[draws.gauss(3, 2), draws.choice([0.0, -1.5, 2.25]), 10**6 + draws.random()] for _ in range(500)]
        text = 'a,"b, in cm",c\r\n' + "".join(",".join(map(repr, row)) + "\r\n" for row in table)
        for name, content in (("t.csv", text.encode()), ("t.csv.gz", gzip.compress(text.encode()))):
            found = self.columns(self.put(name, content))
            self.assertEqual([c["name"] for c in found], ["a", "b, in cm", "c"])
            for column, values in zip(found, zip(*table)):
                self.check_moments(column, values)
        self.assertEqual(self.columns("t.csv", "--moments", "--threads", "1"), found)

    def test_numbers_come_back_to_the_last_bit(self):
        draws = random.Random(2)
        values = [struct.unpack("<d", struct.pack("<Q", draws.getrandbits(64)))[0] for _ in range(300)]
        values = [v for v in values if math.isfinite(v)] + [5e-324, 0.1, 1 / 3, -1e-5, 123456789012345678.0]
        table = self.put("bits.npy", npy((1, len(values)), values))
        self.assertEqual([c["mean"] for c in self.columns(table)], values)
        self.assertEqual([(c["min"], c["max"]) for c in self.columns(table)], [(v, v) for v in values])

    def test_arrays_in_both_orders_and_of_any_type(self):
        rows = [[1, 2, 30], [4, 0, 60]]
        by_row, by_column = sum(rows, []), [v for column in zip(*rows) for v in column]
        for code in CODES:
            for name, data in (("c.npy", npy((2, 3), by_row, code)), ("f.npy", npy((2, 3), by_column, code, True)),
                               ("c.npy.gz", gzip.compress(npy((2, 3), by_row, code)))):
                found = self.columns(self.put(name, data))
                self.assertEqual([c["name"] for c in found], ["0", "1", "2"])
                for column, values in zip(found, zip(*rows)):
                    self.assertEqual((column["mean"], column["min"], column["max"]), (sum(values) / 2, min(values), max(values)))
        (one,) = self.columns(self.put("line.npy", npy((6,), by_row, "<f4")))
        self.assertEqual(one["name"], "line")
        self.check_moments(one, by_row)

    def test_an_npz_of_several_arrays_needs_a_name(self):
        self.put("a.npz", npz(acts=npy((2, 2), [1, 2, 3, 4], "<f4"), loss=npy((3,), [1, 2, 4]), cube=npy((1, 1, 1), [0])))
        self.assertEqual([c["mean"] for c in self.columns("a.npz", "--array", "acts")], [2, 3])
        (loss,) = self.columns("a.npz", "--array", "loss")
        self.assertEqual(loss["name"], "loss")
        self.refused(2, "stats", "a.npz", says="holds 3 arrays: choose one with --array NAME; there are acts, loss, cube")
        self.refused(2, "stats", "a.npz", "--array", "los", says="did you mean 'loss'")
        self.refused(4, "stats", "a.npz", "--array", "cube", says=r"its shape is \(1, 1, 1\)")
        self.put("b.npz", npz(only=npy((2,), [1, 2])))
        self.assertEqual([c["name"] for c in self.columns("b.npz")], ["only"])

    def test_a_pipe_is_a_table_too(self):
        for content in ("x\n1\n4\n", npy((2,), [1, 4]), gzip.compress(npy((2,), [1, 4]))):
            done = subprocess.run([program.SHOAL, "stats", "/dev/stdin", "--json"], input=content if isinstance(content, bytes)
                                  else content.encode(), stdout=subprocess.PIPE, check=True, env=program.environment())
            self.assertEqual(json.loads(done.stdout)["mean"], 2.5)

    def test_columns_are_chosen_by_name_and_number(self):
        self.put("t.csv", "id,a,b,c\nx,1,2,3\ny,4,5,7\n")
        for wanted, names in ((["--column", "b"], "b"), (["--column", "c,a"], "ca"), (["--column", "1..3"], "abc"),
                              (["--column", "3", "--column", "a"], "ca")):
            self.assertEqual("".join(c["name"] for c in self.columns("t.csv", *wanted)), names)
        self.refused(2, "stats", "t.csv", "--column", "aa", says="no column 'aa'.*it has id, a, b, c")
        self.refused(2, "stats", "t.csv", "--column", "4", says="4 columns, numbered from 0")
        self.refused(2, "stats", "t.csv", "--array", "x", says="--array names an array of an .npz")
        self.refused(4, "stats", "t.csv", says="line 2: id holds 'x', which is no number")

    def test_rank_correlations(self):
        draws = random.Random(3)
        x = [draws.randrange(12) for _ in range(150)]
        y = [v + draws.randrange(9) for v in x]
        self.put("t.csv", "x,y,z\n" + "".join(f"{a},{b},1\n" for a, b in zip(x, y)))
        (found,) = self.objects("t.csv", "--rank", "--column", "x,y")
        self.assertEqual((found["type"], found["x"], found["y"], found["n"]), ("rank", "x", "y", 150))
        self.assertLessEqual(abs(found["spearman"] - spearman(x, y)), 1e-12)
        self.assertLessEqual(abs(found["kendall_tau_b"] - kendall(x, y)), 1e-12)
        self.assertLess(found["kendall_p"], 1e-6)
        self.assertEqual([o["type"] for o in self.objects("t.csv", "--rank", "--moments", "--column", "x,y")],
                         ["column", "column", "rank"])
        self.refused(2, "stats", "t.csv", "--rank", says="compares two columns, and 3 are chosen")
        done = self.run_shoal("stats", "t.csv", "--rank", "--column", "x,z", "--json", code=4)
        self.assertIn("all values of z are equal", done.stderr)
        self.assertIsNone(json.loads(done.stdout.splitlines()[0])["spearman"])

    def test_shapiro_wilk(self):
        self.put("t.csv", "x,y,flat\n" + "".join(f"{v},{v * v * v},1\n" for v in range(1, 21)))
        x, y, flat, *warnings = self.objects("t.csv", "--shapiro")
        # shapiro.test of R 4.2.2
        for column, w, p in ((x, 0.960375183106435, 0.551371743040082), (y, 0.83668022189106739, 0.00321423218918154)):
            self.assertLessEqual(abs(column["shapiro"]["w"] - w), 1e-12)
            self.assertLessEqual(abs(column["shapiro"]["p"] / p - 1), 1e-10)
        self.assertEqual((flat["shapiro"]["w"], flat["shapiro"]["p"]), (None, None))
        self.assertIn("equal", flat["shapiro"]["note"])
        self.assertTrue(any("Shapiro-Wilk, column flat" in w["message"] for w in warnings))
        self.objects("t.csv", "--shapiro", "--column", "flat", code=4)
        (two, _) = self.objects(self.put("two.csv", "x\n1\n2\n"), "--shapiro", code=4)
        self.assertEqual((two["mean"], two["shapiro"]["w"]), (1.5, None))

    def test_mixtures_are_scored_by_their_own_density(self):
        draws = random.Random(6)
        values = [draws.expovariate(2) if draws.random() < 0.4 else abs(draws.gauss(5, 0.7)) for _ in range(400)]
        self.put("t.csv", "x\n" + "".join(f"{v!r}\n" for v in values))
        normal = statistics.NormalDist

        def gamma(x, shape, scale):
            return math.exp((shape - 1) * math.log(x) - x / scale - math.lgamma(shape) - shape * math.log(scale))

        densities = {
            "exp-normal": lambda x, scale, mean, sd: (math.exp(-x / scale) / scale, normal(mean, sd).pdf(x)),
            "gamma-gamma": lambda x, shape1, scale1, shape2, scale2: (gamma(x, shape1, scale1), gamma(x, shape2, scale2)),
            "normal-normal": lambda x, mean1, sd1, mean2, sd2: (normal(mean1, sd1).pdf(x), normal(mean2, sd2).pdf(x)),
        }
        for kind, components in densities.items():
            (column,) = self.columns("t.csv", "--mixture", kind)
            fit = column["mixture"]
            self.assertEqual((fit["kind"], fit["status"], fit["converged"], fit["n"]), (kind, "ok", True, 400))
            score = 0
            for x in values:
                first, second = components(x, **fit["parameters"])
                score += math.log(fit["weight"] * first + (1 - fit["weight"]) * second)
            self.assertLessEqual(abs(score - fit["loglik"]), 1e-9 * abs(score))
            free = len(fit["parameters"]) + 1
            self.assertAlmostEqual(fit["aic"], 2 * free - 2 * score, places=6)
            self.assertAlmostEqual(fit["bic"], free * math.log(400) - 2 * score, places=6)
            self.assertTrue(abs(fit["weight"] - 0.4) < 0.1, kind)
        self.assertIn("BIC", self.run_shoal("stats", "t.csv", "--mixture", "gamma-gamma").stdout)
        self.refused(2, "stats", "t.csv", "--mixture", "gama-gama", says="did you mean 'gamma-gamma'")
        self.put("few.csv", "x\n1\n2\n")
        column, _ = self.objects("few.csv", "--mixture", "normal-normal", code=4)
        self.assertEqual((column["mean"], column["mixture"]["weight"], column["mixture"]["status"]), (1.5, None, "too-few"))
        self.put("zeros.csv", "x\n" + "0\n1\n" * 7)
        column, *_ = self.objects("zeros.csv", "--mixture", "exp-normal", code=4)
        self.assertIn("7 exact zeros are left out", column["mixture"]["note"])

    def test_principal_components_of_two_columns(self):
        draws = random.Random(7)
        rows = [(draws.gauss(1, 2), draws.gauss(-3, 1)) for _ in range(100)]
        rows = [(a, b + 0.5 * a) for a, b in rows]
        a, b = zip(*rows)
        va, vb, cov = statistics.variance(a), statistics.variance(b), statistics.covariance(a, b)
        root = math.hypot((va - vb) / 2, cov)
        variances = [(va + vb) / 2 + root, (va + vb) / 2 - root]
        self.put("c.npy", npy((100, 2), [v for row in rows for v in row]))
        self.put("f.npy", npy((100, 2), [*a, *b], fortran=True))
        self.put("t.csv", "id,a,b\n" + "".join(f"n{i},{x!r},{y!r}\n" for i, (x, y) in enumerate(rows)))
        for asked in (["c.npy"], ["f.npy"], ["t.csv", "--column", "a,b"]):
            (found,) = self.objects(*asked, "--pca")
            self.assertEqual((found["type"], found["n"], found["variables"]), ("pca", 100, 2))
            total = sum(variances)
            for k in range(2):
                self.assertLessEqual(abs(found["explained_variance"][k] - variances[k]), 1e-13 * total)
                self.assertLessEqual(abs(found["explained_variance_ratio"][k] - variances[k] / total), 1e-13)
            for k, left in enumerate((total, variances[1], 0)):
                self.assertLessEqual(abs(found["reconstruction_mse"][k] - 0.99 * left), 1e-13 * total)
            far = statistics.fmean(math.hypot(x - statistics.fmean(a), y - statistics.fmean(b)) for x, y in rows)
            self.assertLessEqual(abs(found["reconstruction_error"][0] - far), 1e-12)
            self.assertEqual(len(found["reconstruction_error"]), 3)
        self.assertEqual([o["type"] for o in self.objects("c.npy", "--pca", "--moments")], ["column", "column", "pca"])
        self.assertIn("effective rank", self.run_shoal("stats", "c.npy", "--pca").stdout)
        self.refused(4, "stats", self.put("nan.npy", npy((2, 2), [1, 2, 3, float("nan")])), "--pca",
                     says=r"row 1 \(from 0\) of column 1 is nan; principal components need finite")
        self.refused(4, "stats", self.put("one.csv", "a,b\n1,2\n"), "--pca", says="one.csv")
        (flat, _) = self.objects(self.put("flat.csv", "a,b\n1,2\n1,2\n"), "--pca", code=4)
        self.assertEqual(flat["explained_variance_ratio"], [None, None])

    def test_quantiles_and_bootstrap_intervals(self):
        draws = random.Random(4)
        values = [draws.expovariate(1) for _ in range(101)]
        self.put("t.csv", "x,y\n" + "".join(f"{v!r},{v * v - draws.random()!r}\n" for v in values))
        asked = ["t.csv", "--quantiles", "0.25,0.5", "--bootstrap", "500", "--level", "0.9", "--rank"]
        found = self.objects(*asked, "--threads", "1")
        self.assertEqual(found, self.objects(*asked, "--threads", "3"))
        self.assertNotEqual(found, self.objects(*asked, "--seed", "2"))
        self.assertEqual(found[0]["quantiles"], {"0.25": sorted(values)[25], "0.5": sorted(values)[50]})
        boot = found[0]["bootstrap"]
        self.assertEqual((boot["replicates"], boot["level"], boot["seed"]), (500, 0.9, 1))
        for interval in ("percentile", "bca"):
            low, high = boot["mean"][interval]
            self.assertTrue(low < found[0]["mean"] < high)
            # twice 1.645 standard errors wide, give or take the noise of 500 replicates
            self.assertTrue(0.7 < (high - low) / (3.29 * found[0]["sd"] / math.sqrt(101)) < 1.4)
            low, high = found[2]["bootstrap"]["kendall_tau_b"][interval]
            self.assertTrue(low < found[2]["kendall_tau_b"] < high)
        self.refused(2, "stats", "t.csv", "--bootstrap", "9", "--level", "95", says="did you mean 0.95")
        self.refused(2, "stats", "t.csv", "--quantiles", "0.5,2", says="2 is not between 0 and 1")
        self.refused(2, "stats", "t.csv", "--bootstrap", "0", says="--bootstrap")

    def test_what_has_no_answer_is_null_with_a_note(self):
        self.put("t.csv", "flat,x\n3,1\n3,2\n3,4\n")
        flat, x, warning = self.objects("t.csv")
        self.assertEqual((flat["variance"], flat["skewness"]), (0, None))
        self.assertIn("all values are equal", flat["note"])
        self.assertNotIn("note", x)
        self.assertEqual(warning["type"], "warning")
        (one, _) = self.objects(self.put("one.csv", "x\n5\n"))
        self.assertEqual((one["n"], one["mean"], one["variance"], one["sd"]), (1, 5, None, None))
        nan, inf = float("nan"), float("inf")
        self.put("holes.npy", npy((3, 3), [1, 1, 1, nan, 2, inf, nan, 3, 3]))
        a, b, c, _ = self.objects("holes.npy", "--quantiles", "0.5", "--bootstrap", "10")
        self.assertEqual((a["mean"], a["quantiles"]["0.5"], a["bootstrap"]["mean"]), (None, None, None))
        self.assertIn("2 of 3 values are not finite, the first in row 1 (from 0)", a["note"])
        self.assertEqual(b["mean"], 2)
        self.assertIsNone(c["mean"])
        self.objects("holes.npy", "--column", "0", code=4)

    def test_people_get_a_table(self):
        self.put("t.csv", "loss,time\n0.5,100\n0.25,200\n0.125,400\n")
        done = self.run_shoal("stats", "t.csv")
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^column +n +mean +sd +min +max +zeros +skewness +kurtosis$")
        self.assertRegex(lines[2], r"^loss +3 +0.291667 +0.190941 +0.125 +0.5 +0 ")
        self.assertEqual(len(lines), 4)
        self.assertEqual(done.stderr, "")
        self.assertIn("Kendall's tau-b", self.run_shoal("stats", "t.csv", "--rank", "--bootstrap", "9").stdout)

    def test_files_of_a_run_are_tables(self):
        self.train("--hidden", "4", "-o", "run")
        found = self.columns("run/population.csv", "--column", "parameters,test_accuracy")
        self.assertEqual((found[0]["n"], found[0]["mean"]), (1, 3190))
        (sd,) = self.columns("run/neurons.npz", "--array", "sd")
        self.assertEqual(sd["n"], 4)

    def test_the_emulated_device_agrees(self):
        draws = random.Random(5)
        self.put("t.npy", npy((200, 3), [draws.gauss(draws.choice([0, 5]), 1) for _ in range(600)]))
        asked = ["t.npy", "--shapiro", "--mixture", "normal-normal", "--pca"]
        for cpu, emu in zip(self.objects(*asked), self.objects(*asked, "--device", "emu")):
            self.same_numbers(cpu, emu)

    def same_numbers(self, a, b):
        """The same but for roundings; iterations of a fit may differ."""
        if isinstance(a, dict):
            self.assertEqual(list(a), list(b))
            for key in a:
                if key != "iterations":
                    self.same_numbers(a[key], b[key])
        elif isinstance(a, list):
            self.assertEqual(len(a), len(b))
            for x, y in zip(a, b):
                self.same_numbers(x, y)
        elif isinstance(a, float):
            self.assertLessEqual(abs(a - b), 1e-6 * max(1, abs(a)))
        else:
            self.assertEqual(a, b)

    def test_files_that_cannot_be_read(self):
        good = npz(x=npy((2, 2), [1, 2, 3, 4]))
        bad = bytearray(good)
        bad[50] ^= 0xFF  # in the deflated bytes
        self.refused(4, "stats", "missing.csv", says="missing.csv: no such file")
        for name, content, says in (
            ("empty.csv", "", "is empty"), ("head.csv", "a,b\n", "has a header and no rows"),
            ("cut.npz", good[: len(good) // 2], "cut off"), ("bad.npz", bytes(bad), "is damaged"),
            ("cut.npy", npy((9,), [0] * 9)[:-3], "does not have"), ("none.npy", npy((0, 4), []), "holds no values"),
            ("deep.npy", npy((1, 1, 1, 1), [0]), r"its shape is \(1, 1, 1, 1\)"), ("text.csv", "a,b\n1,2\n3,x\n", "line 3: b holds 'x'"),
            ("hole.csv", "a,b\n1,\n", "line 2: b holds '', a missing value"), ("wide.csv", "a,b\n1,2,3\n", "line 2: has 3 fields"),
            ("nan.csv", "a\nnan\n", "line 2: a holds 'nan'|has a header and no rows"), ("zero.bin", b"\0\1\2", "no known kind"),
            ("quote.csv", 'a\n"1\n', "never closed"),
        ):
            self.put(name, content)
            self.refused(4, "stats", name, says=says)
        self.refused(4, "stats", self.folder, says="is a folder")
        self.refused(2, "stats", says="file")
        self.refused(2, "stats", "text.csv", "--moment", says="--moments")
        self.refused(2, "stats", "text.csv", "--device", "gpu", says="there are auto, cpu")


