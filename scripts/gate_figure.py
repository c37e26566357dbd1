#!/usr/bin/env python3
"""Draws docs/figures/gate-integral.svg: relative errors of the size gate's integral in float32, as `shoal gate` computes it and by the
naive formulas, against its float64 value: gate_figure.py PATH_OF_SHOAL FOLDER. Needs gnuplot; standard library only."""
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

N = 500
SLOPES = (0.01, 0.4, 3.0)
QUANTITIES = (("s", "naive", "S"), ("ds_dx0", "naive_dx0", "dS/dx_0"), ("ds_dk", "naive_dk", "dS/dk"))
SMALLEST = 2.0**-126  # normal float32: below it the format has fewer digits
CEILING = 10.0  # NaN, infinities and errors beyond are drawn here


def as_float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def compute(shoal, rows, precision):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
        table.write("k,x0,n\n" + "".join(f"{k!r},{x0!r},{N}\n" for k, x0 in rows))
        table.flush()
        done = subprocess.run([shoal, "gate", "--csv", table.name, "--precision", precision, "--json"], check=True,
                              capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def error(value, truth):
    if value is None or truth is None:
        return CEILING
    return min(CEILING, abs(value - truth) / (abs(truth) + SMALLEST))


def main():
    shoal, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    places = [as_float32(-200.0 + 900.0 * i / 150) for i in range(151)]
    data, plots = [], []
    for column, (stable, naive, label) in enumerate(QUANTITIES):
        for row, k in enumerate(map(as_float32, SLOPES)):
            arguments = [(k, x0) for x0 in places]
            single, double = compute(shoal, arguments, "float32"), compute(shoal, arguments, "float64")
            lines = [f"# {label}, k = {k:g}: x0, error of the stable form, of the naive one"]
            lines += [f"{x0} {max(1e-9, error(s[stable], d[stable]))} {max(1e-9, error(s[naive], d[stable]))}"
                      for x0, s, d in zip(places, single, double)]
            block = len(data)
            data.append("\n".join(lines))
            axis = "set ylabel 'relative error'; set format y '10^{%T}'" if column == 0 else "unset ylabel; set format y ''"
            below = "set xlabel 'x_0 (neurons)'" if row == len(SLOPES) - 1 else "unset xlabel"
            plots.append(f"{axis}; {below}; set title '{label}, k = {SLOPES[row]:g}'\n"
                         f"plot 'gate-integral.dat' index {block} using 1:3 with points pt 7 ps 0.3 lc '#d55e00' notitle,"
                         f" '' index {block} using 1:2 with points pt 7 ps 0.3 lc '#0072b2' notitle")
    grid = [plots[column * len(SLOPES) + row] for row in range(len(SLOPES)) for column in range(len(QUANTITIES))]
    script = f"""set terminal svg size 860,680 font 'Liberation Sans,12' background '#ffffff'
set output 'gate-integral.svg'
set multiplot layout 3,3 margins 0.09,0.985,0.075,0.95 spacing 0.025,0.07
set logscale y; set yrange [5e-10:20]; set ytics 1e-9,100; set xrange [-200:700]; set xtics 200; set grid lc '#dddddd'
set label 1 'naive formulas' at graph 0.03,0.93 tc '#d55e00'
set label 2 'this program' at graph 0.03,0.83 tc '#0072b2'
""" + "\nunset label\n".join([grid[0], "\n".join(grid[1:])]) + "\nunset multiplot\n"
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "gate-integral.dat").write_text("\n\n\n".join(data) + "\n")
        (work / "gate-integral.gp").write_text(script)
        subprocess.run(["gnuplot", "gate-integral.gp"], cwd=work, check=True)
        (folder / "gate-integral.svg").write_text((work / "gate-integral.svg").read_text())


main()
