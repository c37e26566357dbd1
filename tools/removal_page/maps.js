// Colour maps, heat maps over the plane, and the lines on top of them.
'use strict';
const shoalMaps = (() => {
  // Anchor values in equal steps, linear in between (that is within 3/255 of the published tables).
  // viridis, magma: matplotlib's default maps (S. van der Walt, N. Smith, CC0). redBlue: ColorBrewer's RdBu
  // (C. Brewer). darkRedBlue: equal steps of OKLab lightness away from a dark middle, hues 250-225 and 25-55.
  const anchors = {
    viridis: '440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725',
    magma: '000004 180f3e 451077 721f81 9f2f7f cd4071 f1605d fd9567 fec98d fcfdbf',
    redBlue: '053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f',
    darkRedBlue: '90d3ed 34afe1 0088c6 00619c 053e63 1d1d1d 5f271e 95391e c25b2c e08856 efbb98',
  };
  const kSteps = 256;
  function tableOf(text) {
    const colours = text.split(' ').map((c) => [0, 2, 4].map((k) => parseInt(c.slice(k, k + 2), 16)));
    const table = new Uint32Array(kSteps), bytes = new Uint8ClampedArray(table.buffer);
    for (let s = 0; s < kSteps; ++s) {
      const at = (s / (kSteps - 1)) * (colours.length - 1), k = Math.min(colours.length - 2, Math.floor(at));
      for (let c = 0; c < 3; ++c)
        bytes[4 * s + c] = Math.round(colours[k][c] + (at - k) * (colours[k + 1][c] - colours[k][c]));
      bytes[4 * s + 3] = 255;
    }
    return table;
  }
  const tables = Object.fromEntries(Object.entries(anchors).map(([name, text]) => [name, tableOf(text)]));
  const step = (v, low, high) => Math.max(0, Math.min(kSteps - 1, Math.floor(((v - low) / (high - low)) * kSteps)));
  const colourOf = (name, v, low, high) => {
    const c = tables[name][step(v, low, high)];
    return `rgb(${c & 255},${(c >> 8) & 255},${(c >> 16) & 255})`;
  };

  // A canvas as sharp as the screen; its size on the page is the style sheet's affair.
  function fit(canvas) {
    const ratio = Math.max(2, window.devicePixelRatio || 1), width = canvas.clientWidth || 120;
    const height = canvas.clientHeight || width;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    return {context, width, height};
  }

  // values [size][size], row 0 at the bottom of the plane (smallest second coordinate).
  const scratch = document.createElement('canvas');
  function paint({context, width, height}, values, size, name, low, high) {
    const image = new ImageData(size, size), pixels = new Uint32Array(image.data.buffer), table = tables[name];
    for (let row = 0; row < size; ++row)
      for (let k = 0; k < size; ++k)
        pixels[(size - 1 - row) * size + k] = table[step(values[row * size + k], low, high)];
    scratch.width = scratch.height = size;
    scratch.getContext('2d').putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = 'high';
    context.drawImage(scratch, 0, 0, width, height);
  }

  // The bar of a map: low at the left end.
  function paintBar(canvas, name) {
    canvas.width = kSteps;
    canvas.height = 1;
    const image = new ImageData(kSteps, 1);
    new Uint32Array(image.data.buffer).set(tables[name]);
    canvas.getContext('2d').putImageData(image, 0, 0);
  }

  // Where values cross `level`, as segments [x0, y0, x1, y1] in cells: marching squares, saddles cut one way.
  function contour(values, size, level) {
    const segments = [];
    for (let y = 0; y + 1 < size; ++y)
      for (let x = 0; x + 1 < size; ++x) {
        const corner = [values[y * size + x], values[y * size + x + 1], values[(y + 1) * size + x + 1], values[(y + 1) * size + x]];
        const at = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], cuts = [];
        for (let e = 0; e < 4; ++e) {
          const a = corner[e] - level, b = corner[(e + 1) % 4] - level;
          if (a > 0 === b > 0) continue;
          const t = a / (a - b), [p, q] = [at[e], at[(e + 1) % 4]];
          cuts.push(p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]));
        }
        for (let k = 0; k + 3 < cuts.length; k += 4) segments.push(cuts.slice(k, k + 4));
      }
    return segments;
  }

  // A line that shows on any colour: a wide dark one under a narrow light one.
  function strokeTwice(context, {dash = [], width = 1.5, light = '#fff', dark = 'rgba(0,0,0,.55)'} = {}) {
    context.setLineDash(dash);
    context.lineCap = 'round';
    context.strokeStyle = dark;
    context.lineWidth = width + 1.6;
    context.stroke();
    context.strokeStyle = light;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }

  // Coordinates of the plane <-> pixels of a canvas. view: [x0, y0, x1, y1].
  const placer = (view, {width, height}) => ({
    x: (v) => ((v - view[0]) / (view[2] - view[0])) * width,
    y: (v) => (1 - (v - view[1]) / (view[3] - view[1])) * height,
  });

  // Runs visit(x, y, k) over the centres of a grid's cells.
  function overGrid(view, size, visit) {
    for (let row = 0, k = 0; row < size; ++row)
      for (let column = 0; column < size; ++column, ++k)
        visit(view[0] + ((column + 0.5) / size) * (view[2] - view[0]), view[1] + ((row + 0.5) / size) * (view[3] - view[1]), k);
  }

  // A limit that is easy to read: 1, 2 or 5 times a power of ten, not below v.
  function roundUp(v) {
    if (!(v > 1e-9)) return 1e-9;
    const power = 10 ** Math.floor(Math.log10(v));
    return [1, 2, 5, 10].map((m) => m * power).find((limit) => limit >= v * (1 - 1e-9)) || 10 * power;
  }
  function quantile(values, share) {
    const sorted = Float64Array.from(values).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }

  return {colourOf, fit, paint, paintBar, contour, strokeTwice, placer, overGrid, roundUp, quantile};
})();
