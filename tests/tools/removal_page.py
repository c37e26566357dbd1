#!/usr/bin/env python3
"""The page of a network's subsets: removal_page.py WRITER SHOAL File|Browser.

File reads what was written; Browser opens it in Chromium, where one is installed, and holds the page's numbers against those of this file: plain Python,
a loop over points and nodes, in double precision."""
import json
import math
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import browser
from program import environment, npz

WRITER = ""  # the program write_removal_page
SHOAL = ""   # the program itself
kRadius = 0.8


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def made_up(widths, points=60, seed=1, size=1.0, bias=1.0, **more):
    """A network with random weights, and random points of [-1, 1]^2."""
    draw = random.Random(seed)
    layers = [{"inputs": k, "outputs": n, "weight": [float32(draw.gauss(0, size)) for _ in range(k * n)],
               "bias": [float32(draw.gauss(0, bias)) for _ in range(n)]} for k, n in zip(widths, widths[1:])]
    places = [float32(draw.uniform(-1, 1)) for _ in range(2 * points)]
    labels = [int(x * x + y * y < kRadius**2) for x, y in zip(places[::2], places[1::2])]
    return {"title": "A page", "data": "circle", "layers": layers, "points": places, "labels": labels, "radius": kRadius, **more}


class Network:
    """What the page should say. Factors are real numbers, so that derivatives can be taken by differences."""

    def __init__(self, page):
        self.layers, self.labels = page["layers"], page["labels"]
        self.points = list(zip(page["points"][::2], page["points"][1::2]))
        self.scale, self.shift = page.get("scale", 1.0), page.get("shift", 0.0)
        self.nodes = sum(layer["outputs"] for layer in self.layers[:-1])

    def factors(self, mask):
        return [float(mask >> i & 1) for i in range(self.nodes)]

    def logits(self, x, y, factors):
        values, first = [x * self.scale + self.shift, y * self.scale + self.shift], 0
        for l, layer in enumerate(self.layers):
            k = layer["inputs"]
            values = [math.fsum([b] + [w * v for w, v in zip(layer["weight"][k * i : k * i + k], values)]) for i, b in enumerate(layer["bias"])]
            if l + 1 < len(self.layers):
                values = [max(0.0, v) * factors[first + i] for i, v in enumerate(values)]
                first += layer["outputs"]
        return values

    def score(self, factors):
        losses, hits = [], 0
        for (x, y), label in zip(self.points, self.labels):
            z = self.logits(x, y, factors)
            high, d = max(z), abs(z[0] - z[1])
            losses.append(high + math.log1p(math.exp(-d)) - z[label])
            hits += int(z[1] > z[0]) == label
        return math.fsum(losses) / len(losses), hits / len(losses)

    def gradients(self, mask, step=1e-5):
        out = []
        for i in range(self.nodes):
            up, down = self.factors(mask), self.factors(mask)
            up[i], down[i] = up[i] + step, down[i] - step
            out.append((self.score(up)[0] - self.score(down)[0]) / (2 * step))
        return out


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="shoal-page-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, page, code=0, out="page.html"):
        (self.folder / "in.json").write_text(json.dumps(page))
        done = subprocess.run([WRITER, self.folder / "in.json", self.folder / out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        self.said = done.stdout
        return done.stderr if code else self.folder / out


class File(Case):
    def test_nothing_from_elsewhere(self):
        text = self.write(made_up([2, 8, 2])).read_text()
        self.assertEqual(set(re.findall(r"\w+://[^\s'\"`<>)]*", text)), {"http://www.w3.org/2000/svg"})  # the name of SVG elements; nothing is fetched
        self.assertEqual(set(re.findall(r"(?:src|href)=\"?([^\"\s>]*)", text)), {"data:,", "#"})
        self.assertIsNone(re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|EventSource|import\(", text))
        self.assertIn("default-src 'none'", text)
        self.assertEqual(len(re.findall("<script", text)), len(re.findall("</script>", text)))
        self.assertLess(len(text), 100_000)

    def test_the_weights_are_whole(self):
        page = made_up([2, 8, 2], provenance=[["seed", "3"], ["commit", "</script>"]], scale=0.5, shift=-0.25)
        text = self.write(page).read_text()
        data = json.loads(re.search(r'<script type="application/json" id="shoal-data">(.*?)</script>', text, re.S).group(1))
        for name in ("layers", "points", "labels", "radius", "scale", "shift", "provenance", "data"):
            self.assertEqual(data[name], page[name], name)

    def test_two_pages_of_the_same_are_the_same(self):
        page = made_up([2, 5, 2])
        self.assertEqual(self.write(page).read_bytes(), self.write(page, out="again.html").read_bytes())

    def test_a_page_that_cannot_be_leaves_nothing(self):
        says = self.write(made_up([3, 5, 2]), code=2)
        self.assertRegex(says, r"^error: .*2 inputs and 2 classes.* 3-5-2\n$")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["in.json"])
        self.assertRegex(self.write(made_up([2, 5, 2]), code=1, out="no/where.html"), "cannot open .*where.html")


class Browser(Case):
    @classmethod
    def setUpClass(cls):
        cls.window = browser.Browser(browser.find_browser(), seconds=800)
        cls.addClassCleanup(cls.window.__exit__)

    def setUp(self):
        super().setUp()
        self.window.size(1280, 900)
        self.window.prefer(prefers_color_scheme="light")

    def open(self, page, hash=""):
        self.window.open(f"file://{self.write(page)}{hash}")
        self.window.settle()

    def run_script(self, script):
        return self.window.run(script)

    def text(self, selector):
        return self.run_script(f"document.querySelector({json.dumps(selector)}).textContent")

    def switched_off(self):
        return self.run_script("[...document.querySelectorAll('.node')].flatMap((b, i) => b.getAttribute('aria-pressed') === 'false' ? [i] : [])")

    def close(self, got, expected, bound=1e-11, what=""):
        self.assertTrue(math.isfinite(got), what)
        if not abs(got - expected) <= bound * max(1.0, abs(expected)):
            self.fail(f"{what}: {got}, not {expected}")

    def compare_all(self, page, gradients=True):
        """Every subset's loss, computed two ways in the page, its accuracy and its rank; gradients and logits of some."""
        self.open(page)
        network = Network(page)
        count = 2**network.nodes
        got = self.run_script(f"Array.from({{length: {count}}}, (_, s) => [shoal.loss(s), shoal.tableLoss(s), shoal.accuracy(s), shoal.rank(s)])")
        expected = [network.score(network.factors(s)) for s in range(count)]
        losses = [loss for loss, _ in expected]
        for s, (loss, in_table, accuracy, rank) in enumerate(got):
            self.close(loss, losses[s], what=f"loss of {s}")
            self.close(in_table, losses[s], what=f"loss of {s} in the table")
            self.close(accuracy, expected[s][1], what=f"accuracy of {s}")
            self.assertEqual(rank["of"], count)
            # Nothing is as near as that but equal losses, which share a place.
            self.assertEqual(rank["rank"], 1 + sum(other < losses[s] - 1e-10 * losses[s] for other in losses), s)
        for s in (0, count - 1, 0b1011010 % count):
            for i, (a, b) in enumerate(zip(self.run_script(f"shoal.gradients({s})"), network.gradients(s) if gradients else [])):
                self.close(a, b, 1e-6, f"gradient of node {i} in {s}")
            for x, y in ((0.25, -0.5), (1.75, 1.5)):
                for a, b in zip(self.run_script(f"shoal.logits({s}, {x}, {y})"), network.logits(x, y, network.factors(s))):
                    self.close(a, b, what=f"logits of {s}")
        self.assertEqual(self.window.complaints(), [])

    def test_all_subsets_of_one_layer(self):
        self.compare_all(made_up([2, 8, 2], points=150))

    def test_the_program_agrees(self):
        """Its logits are float32: 50 roundings of numbers of the logits' size, at most, in a mean over the points."""
        for page in (made_up([2, 20, 2], points=500), made_up([2, 6, 5, 2], points=100, scale=0.5, shift=0.25)):
            self.open(page)
            program, mask = json.loads(self.said), 2 ** sum(layer["outputs"] for layer in page["layers"][:-1]) - 1
            network = Network(page)
            largest = max(abs(z) for x, y in network.points for z in network.logits(x, y, network.factors(mask)))
            self.close(self.run_script(f"shoal.loss({mask})"), program["loss"], 50 * 2**-24 * largest, "loss")
            self.close(self.run_script(f"shoal.accuracy({mask})"), program["accuracy"], 1e-9, "accuracy")

    def test_all_subsets_of_two_layers_with_scaled_inputs(self):
        self.compare_all(made_up([2, 4, 3, 2], scale=0.5, shift=0.25, inside=0))

    def test_the_command_and_its_page_agree_on_every_subset(self):
        data = ["--data", "circle", "--normalize", "none", "--radius", "0.89", "--test-count", "200"]
        for arguments in (["train", *data, "--hidden", "10", "--lr", "0.01", "--epochs", "20", "--batch", "50", "-q", "-o", "run"],
                          ["export", "run", "--model", "0", "-o", "toy.safetensors"],
                          ["remove", *data, "--part", "test", "--weights", "toy.safetensors", "--table", "subsets.npz", "--page", "toy.html"]):
            done = subprocess.run([SHOAL, *arguments], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.window.open(f"file://{self.folder}/toy.html")
        table = npz(self.folder / "subsets.npz")
        got = self.run_script("Array.from({length: 1024}, (_, s) => [shoal.tableLoss(s), shoal.loss(s), shoal.accuracy(s)])")
        for s, (in_table, loss, accuracy) in enumerate(got):
            self.close(in_table, table["loss"][2][s], 1e-11, f"table of {s}")
            self.close(loss, table["loss"][2][s], 1e-11, f"loss of {s}")
            self.close(accuracy * 200, table["hits"][2][s], 1e-9, f"hits of {s}")
        self.assertIn("200 points of circle", self.text("#subtitle"))
        self.assertEqual(self.window.complaints(), [])

    def test_all_subsets_of_three_layers(self):
        # Seed 26: every node matters, and those of the second layer fire at some points only.
        self.compare_all(made_up([2, 3, 3, 2, 2], seed=26))

    def test_all_subsets_where_products_could_overflow(self):
        self.compare_all(made_up([2, 5, 2], size=9.0))    # some logarithms take few factors
        # Some points' exponentials would be infinite. (So steep a loss has no derivative by differences.)
        self.compare_all(made_up([2, 5, 2], size=60.0), gradients=False)

    def test_all_subsets_of_small_and_of_dead_nodes(self):
        self.compare_all(made_up([2, 1, 2], points=1))
        page = made_up([2, 4, 2])
        page["layers"][0]["bias"][1], page["layers"][0]["bias"][3] = -100.0, -100.0  # never fire: their subsets share places
        self.compare_all(page)

    def test_without_a_worker(self):
        script = self.window.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.Worker")
        try:
            self.compare_all(made_up([2, 6, 2]))
            self.assertIsNone(self.run_script("window.Worker"))
        finally:
            self.window.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])

    def test_too_many_nodes_for_a_table(self):
        page = made_up([2, 30, 2], points=10)
        self.open(page)
        network, draw = Network(page), random.Random(5)
        sample = sorted(network.score(network.factors(draw.getrandbits(30)))[0] for _ in range(1000))
        mask = draw.getrandbits(30)
        loss, _ = network.score(network.factors(mask))
        rank = self.run_script(f"shoal.rank({mask})")
        self.assertFalse(rank["exact"])
        ahead = sum(other >= loss for other in sample) / len(sample)
        # Five standard errors of both samples.
        self.assertLess(abs(rank["ahead"] - ahead), 5 * 0.5 * math.sqrt(1 / len(sample) + 1 / rank["of"]))
        self.assertRegex(self.text("#rank-words"), r"random subsets .* 30 nodes")
        self.assertTrue(self.run_script("document.querySelector('[data-set=best]').disabled"))

    def test_what_is_written_beside_the_maps(self):
        page = made_up([2, 8, 2])
        self.open(page, "#off=1,3&view=adds")
        network, kept = Network(page), 0b11110101
        loss, accuracy = network.score(network.factors(kept))
        other, _ = network.score(network.factors(255 - kept))
        whole, _ = network.score(network.factors(255))
        self.assertEqual(self.switched_off(), [1, 3])
        self.assertEqual(self.text("#count"), "6 of 8")
        self.assertEqual(self.text("#mean-loss"), f"{loss:.4f}")
        self.assertEqual(self.text("#accuracy"), f"{100 * accuracy:.2f} %")
        rows = self.run_script("[...document.querySelectorAll('#comparison tr')].map((r) => [...r.children].map((c) => c.textContent))")
        self.assertEqual([r[:3] for r in rows], [["this subset", "6", f"{loss:.4f}"], ["complement", "2", f"{other:.4f}"], ["all nodes", "8", f"{whole:.4f}"]])
        losses = [network.score(network.factors(s))[0] for s in range(256)]
        self.assertEqual(rows[0][4], str(1 + sum(v < loss - 1e-12 for v in losses)))
        alone = [network.score(network.factors(255 - (1 << i)))[0] - whole for i in range(8)]
        flipped = [network.score(network.factors(kept ^ (1 << i)))[0] for i in range(8)]
        for line, gradient in zip(self.run_script("shoal.csv()").split()[1:], network.gradients(kept)):
            node, on, measured, by_itself, slope = (float(v) for v in line.split(","))
            i = int(node)
            self.assertEqual(on, kept >> i & 1)
            self.close(measured, (flipped[i] - loss) * (1 if on else -1), what=f"removal of {i}")
            self.close(by_itself, alone[i], what=f"removal of {i} alone")
            self.close(slope, gradient, 1e-6)
        said = re.search(r"changes by (\S+), measured.* cost (\S+) in all", self.text("#additive"))
        for got, expected in zip(said.groups(), (loss - whole, alone[1] + alone[3])):
            self.assertEqual(got, f"{expected:+.4f}".replace("-", "−"))
        means = self.run_script("[...document.querySelectorAll('.caption span')].map((s) => s.textContent)")
        for i, mean in enumerate(means):  # what node i adds to the difference of the logits
            layer, last = page["layers"]
            slope = last["weight"][8 + i] - last["weight"][i]
            adds = [slope * max(0.0, layer["bias"][i] + x * layer["weight"][2 * i] + y * layer["weight"][2 * i + 1]) for x, y in network.points]
            self.assertEqual(mean, f"{math.fsum(adds) / len(adds):+.4f}".replace("-", "−"))

    def test_clicks_and_keys(self):
        self.open(made_up([2, 8, 2]))
        self.assertEqual(self.switched_off(), [])
        self.window.click(".node:nth-child(4)")
        self.assertEqual((self.switched_off(), self.run_script("location.hash")), ([3], "#off=3"))
        self.assertIn("7 of 8 nodes on", self.text("#status"))
        self.window.key("ArrowRight")
        self.window.key(" ", " ")
        self.window.key("Home")
        self.window.key("Enter", "\r")
        self.assertEqual((self.switched_off(), self.run_script("location.hash")), ([0, 3, 4], "#off=0,3,4"))
        self.assertEqual(self.run_script("[...document.querySelectorAll('.node')].map((b) => b.tabIndex)"), [0] + [-1] * 7)
        self.assertNotEqual(self.run_script("getComputedStyle(document.activeElement).outlineStyle"), "none")  # the focus can be seen
        self.window.key("c", "c")
        self.assertEqual(self.switched_off(), [1, 2, 5, 6, 7])
        self.window.key("n", "n")
        self.assertEqual(self.switched_off(), list(range(8)))
        self.window.key("a", "a")
        self.assertEqual((self.switched_off(), self.run_script("location.hash")), ([], ""))
        self.window.click("[data-set=best]")
        self.assertEqual(self.run_script("shoal.rank(shoal.kept()).rank"), 1)
        self.run_script("location.hash = '#off=2,99,x&view=change&theme=dark&points=1'")
        self.window.settle()
        self.assertEqual(self.switched_off(), [2])
        self.assertEqual(self.run_script("[...document.querySelectorAll('input:checked')].map((e) => e.value).join()"), "dark,change,on,node")
        self.assertEqual(self.window.complaints(), [])

    def test_buttons_have_names(self):
        self.open(made_up([2, 8, 2]))
        unnamed = "[...document.querySelectorAll('button, input, a, summary')].filter((e) => !(e.textContent || e.ariaLabel || (e.labels && e.labels[0].textContent))).length"
        self.assertEqual(self.run_script(unnamed), 0)
        self.assertEqual(self.run_script("[...document.querySelectorAll('[role=img]')].filter((e) => !e.getAttribute('aria-label')).length"), 0)
        self.assertEqual(self.run_script("document.querySelectorAll('[role=status]').length"), 1)
        self.assertRegex(self.run_script("document.querySelector('.node').ariaLabel"), r"^Node 0: removing it changes the loss by [+−]\d\.\d{4}$")

    def test_the_colours_of_the_output(self):
        page = made_up([2, 6, 2], seed=3)
        self.open(page)
        anchors = [bytes.fromhex(c) for c in "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725".split()]
        network, seen = Network(page), 0
        for x, y in ((0.3, 0.2), (-0.4, 0.1), (1.7, -1.8), (-1.6, 1.7), (0.1, -1.9)):
            z = network.logits(x, y, [1.0] * 6)
            at = 9 / (1 + math.exp(z[0] - z[1]))
            k = min(8, int(at))
            expected = [a + (at - k) * (b - a) for a, b in zip(anchors[k], anchors[k + 1])]
            got = self.run_script("(() => { const c = document.getElementById('output');"
                                  f" return [...c.getContext('2d').getImageData(({x} + 2) / 4 * c.width, (2 - {y}) / 4 * c.height, 1, 1).data]; }})()")
            slope = max(abs(network.logits(x + h, y + h, [1.0] * 6)[c] - z[c]) for h in (0.05, -0.05) for c in (0, 1))
            if slope < 0.3:  # a pixel is an average
                seen += 1
                for a, b in zip(got, expected):
                    self.assertLess(abs(a - b), 12, (x, y, got, expected))
        self.assertGreater(seen, 2)

    def test_dark_and_light(self):
        page = made_up([2, 4, 2])
        paper = "getComputedStyle(document.body).backgroundColor"
        self.open(page)
        light = self.run_script(paper)
        self.window.prefer(prefers_color_scheme="dark")
        self.window.settle()
        dark = self.run_script(paper)
        self.assertNotEqual(light, dark)
        self.assertLess(max(int(v) for v in re.findall(r"\d+", dark)), 60)
        self.window.click("input[value=light]")
        self.assertEqual((self.run_script(paper), self.run_script("location.hash")), (light, "#theme=light"))
        self.window.prefer(prefers_color_scheme="light")
        self.open(page, "#theme=dark")
        self.assertEqual(self.run_script(paper), dark)
        self.window.prefer("print", prefers_color_scheme="light")
        self.assertEqual(self.run_script(paper), "rgb(255, 255, 255)")
        self.assertEqual(self.run_script("getComputedStyle(document.querySelector('.buttons')).display"), "none")
        self.assertTrue(self.window.call("Page.printToPDF")["data"].startswith("JVBERi"))  # "%PDF-"

    def test_nothing_moves_where_that_is_asked_for(self):
        self.window.prefer(prefers_reduced_motion="reduce")
        self.open(made_up([2, 4, 2]))
        moving = "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s' || getComputedStyle(e).animationName !== 'none').length"
        self.assertEqual(self.run_script(moving), 0)

    def test_widths(self):
        page = made_up([2, 20, 2], points=5)
        for width in (320, 390, 600, 800, 1020, 1280):
            self.window.size(width, 800, phone=width < 500)
            self.open(page, "#off=1,2,3,4,5,6,7,8,9,10,11,12&view=change")
            self.assertEqual(self.run_script("document.documentElement.scrollWidth"), width)
            clipped = "[...document.querySelectorAll('.caption, .ends, #headline dd, button, .choice span')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
            self.assertEqual(self.run_script(clipped), [], width)
            outside = ("[...document.querySelectorAll('svg text')].filter((t) => { const b = t.getBoundingClientRect(), s = t.ownerSVGElement.getBoundingClientRect();"
                       " return b.left < s.left - 1 || b.right > s.right + 1 || b.bottom > s.bottom + 1; }).map((t) => t.textContent)")
            self.assertEqual(self.run_script(outside), [], width)

    def test_points_without_a_circle(self):
        page = made_up([2, 5, 2], points=80)
        del page["radius"]
        self.compare_all(page)
        self.assertNotIn("circle", self.text("#method"))
        for view in ("gradient", "change", "adds"):
            self.window.click(f"input[value={view}]")
        self.assertEqual(self.window.complaints(), [])

    def test_offline_and_nobody_elses_script(self):
        page = made_up([2, 4, 2], title="</title><script>window.bad = 1</script><b>bold", data="</script><script>window.bad = 1</script>",
                       provenance=[["command", "<img src=x onerror='window.bad = 1'>"]])
        self.open(page)
        self.assertIsNone(self.run_script("window.bad"))
        self.assertEqual(self.text("h1"), page["title"])
        self.assertEqual(self.run_script("document.title"), page["title"])
        self.assertIn(page["data"], self.text("#subtitle"))
        self.assertEqual(self.text("#provenance dd"), page["provenance"][0][1])
        self.assertEqual({url.split(":")[0] for url in self.window.requests_of_page()} - {"file", "data", "blob"}, set())
        self.assertEqual(self.window.complaints(), [])


if __name__ == "__main__":
    WRITER, SHOAL = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
    if "Browser" in sys.argv[1:2] and not browser.find_browser():
        print("skipped: no Chromium is installed (Debian: chromium), so the page was not opened")
        sys.exit(77)
    unittest.main(verbosity=2)
