"""`shoal gate` from end to end."""
import json
import math

from program import Case

SPEC = ("--x0", "250", "--k", "0.4", "--n", "500")


class Gate(Case):
    def one(self, *arguments):
        return json.loads(self.run_shoal("gate", *arguments, "--json").stdout)

    def test_the_numbers(self):
        got = self.one("--x0", "120.25", "--k", "0.05", "--n", "500")
        k, x0, n = 0.05, 120.25, 500

        def integral(x0, k):
            return (math.log1p(math.exp(k * x0)) - math.log1p(math.exp(k * (x0 - n)))) / k

        def gates(x0, k):
            return sum(1 / (1 + math.exp(-k * (x0 - i))) for i in range(n))

        step = 1e-4
        for value, by_x0, by_k, f in (("s", "ds_dx0", "ds_dk", integral), ("sum", "dsum_dx0", "dsum_dk", gates)):
            self.assertAlmostEqual(got[value], f(x0, k), delta=1e-11)
            self.assertAlmostEqual(got[by_x0], (f(x0 + step, k) - f(x0 - step, k)) / (2 * step), delta=1e-8)
            slope = (f(x0, k + 1e-6) - f(x0, k - 1e-6)) / 2e-6
            self.assertAlmostEqual(got[by_k], slope, delta=1e-6 * abs(slope))
        self.assertAlmostEqual(got["naive"], got["s"], delta=1e-11)

    def test_where_the_naive_formula_fails(self):
        got = self.one("--x0", "250", "--k", "1", "--n", "500", "--precision", "float32")
        self.assertEqual((got["s"], got["ds_dx0"], got["naive"]), (250, 1, None))
        text = self.run_shoal("gate", "--x0", "250", "--k", "1", "--n", "500", "--precision", "float32").stdout
        self.assertRegex(text, r"integral S +250 +1 +0\n")
        self.assertIn("inf", text)

    def test_float32_has_nine_digits(self):
        got = self.one("--x0", "0.1", "--k", "0.3", "--n", "7", "--precision", "float32")
        for name in ("s", "ds_dx0", "ds_dk", "sum"):
            self.assertLessEqual(len(repr(abs(got[name])).replace(".", "").lstrip("0")), 9, name)

    def test_every_row_of_a_table(self):
        (self.folder / "gates.csv").write_text("name,n,x0,k\na,500,250,0.4\nb,10,-3,0\nc,1000000,1e6,-1e6\n")
        rows = [json.loads(line) for line in self.run_shoal("gate", "--csv", "gates.csv", "--json").stdout.splitlines()]
        self.assertEqual([row["n"] for row in rows], [500, 10, 1000000])
        self.assertEqual(rows[0], self.one(*SPEC))
        self.assertEqual(rows[1]["s"], 5)
        self.assertEqual(rows[1]["ds_dk"], -10 * 16 / 8)
        self.assertTrue(0 <= rows[2]["s"] < 1e-5)
        lines = self.run_shoal("gate", "--csv", "gates.csv").stdout.splitlines()
        self.assertEqual(lines[0].split(",")[:4], ["k", "x0", "n", "s"])
        self.assertEqual(float(lines[1].split(",")[3]), rows[0]["s"])

    def test_what_it_refuses(self):
        self.refused(2, "gate", says="--csv FILE")
        self.refused(2, "gate", "--x0", "1", says="--k")
        self.refused(2, "gate", "--x0", "1", "--k", "1", "--n", "0", says="from 1 to")
        self.refused(2, "gate", "--x0", "1", "--k", "1", "--n", "2.5", says="number of neurons")
        self.refused(2, "gate", "--x0", "nan", "--k", "1", "--n", "5", says="finite")
        self.refused(2, "gate", *SPEC, "--precision", "float16", says="float16")
        self.refused(4, "gate", "--csv", "absent.csv", says="absent.csv")
        (self.folder / "short.csv").write_text("k,x0\n1,2\n")
        self.refused(4, "gate", "--csv", "short.csv", says="n")
