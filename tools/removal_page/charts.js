// The two charts, as SVG with text that stays text: losses of all subsets, and what each node is worth.
'use strict';
const shoalCharts = (() => {
  const kSpace = 'http://www.w3.org/2000/svg';
  function mark(parent, name, attributes = {}, text) {
    const element = document.createElementNS(kSpace, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }
  function clear(svg, width, height) {
    svg.replaceChildren();
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('width', width);
    svg.setAttribute('height', height);
  }

  const decimal = (v) => Number(v.toPrecision(3)).toString();
  // Numbers for people: four decimals, a true minus sign, powers of ten where four decimals would say nothing.
  function number(v, signed = false) {
    if (v === null || !Number.isFinite(v)) return '–';
    const size = Math.abs(v);
    const text = size === 0 || size >= 5e-5 ? size.toFixed(4) : size.toExponential(1).replace('e-', 'e−');
    return (v < 0 ? '−' : signed ? '+' : '') + text;
  }

  // 1, 2 and 5 times powers of ten in [low, high]; only the ones, or the powers, when those are too many.
  function logTicks(low, high, most) {
    for (const digits of [[1, 2, 5], [1, 3], [1]]) {
      const ticks = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); ++e)
        for (const d of digits) if (d * 10 ** e >= low && d * 10 ** e <= high) ticks.push(Number(`${d}e${e}`));
      if (ticks.length <= most && ticks.length > 0) return ticks;
    }
    return [low, high];
  }

  // sorted: losses, ascending. marks: [{name, loss, class}]. fixed: a width for paper; 0: as wide as there is room.
  function histogram(svg, sorted, marks, fixed) {
    const width = fixed || svg.parentElement.clientWidth || 320, height = 132, bottom = height - 34, left = 8, right = width - 8;
    clear(svg, width, height);
    const all = [sorted[0], sorted[sorted.length - 1], ...marks.map((m) => m.loss)].map((v) => Math.max(v, 1e-12));
    let low = Math.log(Math.min(...all)), high = Math.log(Math.max(...all));
    const pad = Math.max(1e-3, 0.03 * (high - low));
    [low, high] = [low - pad, high + pad];
    const x = (loss) => left + ((Math.log(Math.max(loss, 1e-12)) - low) / (high - low)) * (right - left);
    const bins = Math.max(20, Math.min(120, Math.floor((right - left) / 3))), counts = [];
    for (let k = 0, below = 0; k < bins; ++k) {
      const upTo = k === bins - 1 ? sorted.length : shoalCore.countBelow(sorted, Math.exp(low + ((k + 1) / bins) * (high - low)));
      counts.push(upTo - below);
      below = upTo;
    }
    const most = Math.max(...counts), y = (count) => bottom - (count / most) * (bottom - 8), wide = (right - left) / bins;
    const outline = counts.map((c, k) => `${k ? 'L' : 'M'}${(left + k * wide).toFixed(2)} ${y(c).toFixed(2)}h${wide.toFixed(2)}`);
    mark(svg, 'path', {class: 'area', d: `${outline.join('')}L${right} ${bottom}H${left}Z`});
    mark(svg, 'line', {class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom});
    for (const tick of logTicks(Math.exp(low), Math.exp(high), Math.floor(width / 44))) {
      mark(svg, 'line', {class: 'axis', x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4});
      if (x(tick) > 14 && x(tick) < width - 14) mark(svg, 'text', {x: x(tick), y: bottom + 16, 'text-anchor': 'middle'}, decimal(tick));
    }
    mark(svg, 'text', {x: (left + right) / 2, y: height - 3, 'text-anchor': 'middle'}, 'mean loss of a subset (log scale)');
    for (const m of marks) {
      const line = mark(svg, 'line', {class: `mark ${m.class}`, x1: x(m.loss), x2: x(m.loss), y1: 4, y2: bottom});
      mark(line, 'title', {}, `${m.name}: loss ${number(m.loss)}`);
    }
  }

  function linearTicks(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) || 10 * power, ticks = [];
    for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * step; ++k) ticks.push(k * step);
    return ticks;
  }

  // rows: [{node, on, measured, alone, slope}]: what the loss gains when the node goes: measured beside the other
  // nodes as they are now, alone from the whole network (the additive prediction), slope = -gradient (first order).
  function removals(svg, rows, highlighted, fixed) {
    const width = fixed || svg.parentElement.clientWidth || 640, step = 22, top = 10, left = 66, right = width - 14;
    const bottom = top + rows.length * step, height = bottom + 40;
    clear(svg, width, height);
    const values = rows.flatMap((r) => [r.measured, r.alone, r.slope]).filter(Number.isFinite);
    let low = Math.min(0, ...values), high = Math.max(0, ...values);
    if (!(high - low > 1e-12)) [low, high] = [-1e-6, 1e-6];
    const pad = 0.03 * (high - low), ticks = linearTicks(low - pad, high + pad, Math.max(3, Math.floor(width / 90)));
    const x = (v) => left + ((v - low + pad) / (high - low + 2 * pad)) * (right - left);
    for (const tick of ticks) {
      mark(svg, 'line', {class: tick === 0 ? 'axis' : 'grid', x1: x(tick), x2: x(tick), y1: top, y2: bottom});
      mark(svg, 'text', {x: x(tick), y: bottom + 16, 'text-anchor': 'middle'}, decimal(tick).replace('-', '−'));
    }
    mark(svg, 'text', {x: (left + right) / 2, y: height - 6, 'text-anchor': 'middle'}, 'rise of the mean loss');
    rows.forEach((row, k) => {
      const y = top + (k + 0.5) * step, group = mark(svg, 'g', {class: row.on ? 'row' : 'row off'});
      mark(group, 'title', {}, `node ${row.node}, ${row.on ? 'on' : 'off'}: measured ${number(row.measured, true)}, ` +
        `alone ${number(row.alone, true)}, by its gradient ${number(row.slope, true)}`);
      if (row.node === highlighted) mark(group, 'rect', {class: 'lit', x: 0, y: y - step / 2, width, height: step});
      mark(group, 'text', {x: left - 10, y: y + 4, 'text-anchor': 'end'}, `node ${row.node}`);
      const from = Math.min(x(0), x(row.measured)), size = Math.abs(x(row.measured) - x(0));
      mark(group, 'rect', {class: 'bar', x: from, y: y - 6, width: Math.max(size, 0.75), height: 12});
      mark(group, 'path', {class: 'alone', d: `M${x(row.alone)} ${y - 8}v16`});
      mark(group, 'circle', {class: 'slope', cx: x(row.slope), cy: y, r: 3.5});
    });
  }

  return {histogram, removals, number, decimal};
})();
