// What is drawn over the plane: output and loss in large, one map a node.
// state: {kept, view, dark, points, lit}: the subset, what the nodes' maps show, the colours, whether points are shown,
// and the node under the pointer or with the focus (-1: none).
'use strict';
function shoalPlanes(net, data) {
  const n = net.nodes, box = data.box, count = data.labels.length, circular = data.radius !== null;
  const kMain = 220, kSmall = 80;  // cells a side
  // A view has the centre of the data's square and is `times` as wide.
  const around = (times) => [0, 1, 2, 3].map((k) => (box[k % 2] + box[k % 2 + 2]) / 2 + (times * (box[k] - box[(k + 2) % 4])) / 2);
  const view = around(2), near = around(1.3);
  const find = (id) => document.getElementById(id);
  const labelAt = (x, y) => (x * x + y * y < data.radius ** 2 ? data.inside : 1 - data.inside);
  const pointLoss = (d, label) => shoalCore.softplus(label ? -d : d);

  function bar(canvas, name, ends) {
    shoalMaps.paintBar(canvas, name);
    canvas.nextElementSibling.replaceChildren(...ends.map((text) => Object.assign(document.createElement('span'), {textContent: text})));
  }

  // ---- lines and points over a map
  // style: {square, circle}: arguments of strokeTwice.
  function outlines(surface, window, style) {
    const {context} = surface, at = shoalMaps.placer(window, surface);
    context.beginPath();
    context.rect(at.x(box[0]), at.y(box[3]), at.x(box[2]) - at.x(box[0]), at.y(box[1]) - at.y(box[3]));
    shoalMaps.strokeTwice(context, style.square);
    if (!circular) return;
    context.beginPath();
    context.ellipse(at.x(0), at.y(0), at.x(data.radius) - at.x(0), at.y(0) - at.y(data.radius), 0, 0, 2 * Math.PI);
    shoalMaps.strokeTwice(context, style.circle);
  }
  const onOutput = {square: {width: 1, light: 'rgba(255,255,255,.8)', dark: 'rgba(0,0,0,.4)'}, circle: {width: 1.4, dash: [5, 4]}};
  const onLoss = {square: {width: 1, light: 'rgba(255,255,255,.6)', dark: 'transparent'}, circle: {width: 0.8, light: 'rgba(255,255,255,.75)', dark: 'transparent', dash: [2, 4]}};
  function onNode(dark) {
    const line = {light: dark ? 'rgba(255,255,255,.75)' : 'rgba(40,44,50,.7)', dark: 'transparent'};
    return {square: {...line, width: 0.6}, circle: {...line, width: 0.9}};
  }
  // The line at which a node of the first layer begins to fire.
  function kink(surface, lit) {
    const layer = net.layers[0];
    if (lit < 0 || lit >= layer.outputs) return;
    const [u, v] = [layer.weight[2 * lit] * net.scale, layer.weight[2 * lit + 1] * net.scale], size = u * u + v * v;
    if (!(size > 0)) return;
    const c = layer.bias[lit] + net.shift * (layer.weight[2 * lit] + layer.weight[2 * lit + 1]);
    const middle = [(view[0] + view[2]) / 2, (view[1] + view[3]) / 2], off = (u * middle[0] + v * middle[1] + c) / size;
    const foot = [middle[0] - off * u, middle[1] - off * v], far = 2 * Math.hypot(view[2] - view[0], view[3] - view[1]) / Math.sqrt(size);
    const {context} = surface, at = shoalMaps.placer(view, surface);
    context.beginPath();
    context.moveTo(at.x(foot[0] + far * v), at.y(foot[1] - far * u));
    context.lineTo(at.x(foot[0] - far * v), at.y(foot[1] + far * u));
    shoalMaps.strokeTwice(context, {dash: [2, 4], width: 2, light: '#ff7ad9'});
  }
  function dots(surface, window, colourOf, radius) {
    const {context} = surface, at = shoalMaps.placer(window, surface);
    for (let j = 0; j < count; ++j) {
      context.beginPath();
      context.arc(at.x(data.points[2 * j]), at.y(data.points[2 * j + 1]), radius, 0, 2 * Math.PI);
      context.fillStyle = colourOf(j);
      context.fill();
    }
  }
  function dataPoints(surface, differences) {
    dots(surface, view, (j) => (data.labels[j] ? 'rgba(0,0,0,.75)' : 'rgba(255,255,255,.8)'), 1.3);
    const {context} = surface, at = shoalMaps.placer(view, surface);
    for (let j = 0; j < count; ++j) {
      if (differences[j] > 0 === (data.labels[j] === 1)) continue;
      context.beginPath();
      context.arc(at.x(data.points[2 * j]), at.y(data.points[2 * j + 1]), 4, 0, 2 * Math.PI);
      shoalMaps.strokeTwice(context, {width: 1.3, light: '#ff5a4f', dark: 'rgba(255,255,255,.7)'});
    }
  }
  // Where there is no circle, labels are known at the points only: they are drawn instead of a plane.
  function pointMap(surface, window, colourOf, radius) {
    surface.context.fillStyle = getComputedStyle(document.body).getPropertyValue('--fill');
    surface.context.fillRect(0, 0, surface.width, surface.height);
    dots(surface, window, colourOf, radius);
  }

  // ---- the two large maps
  function drawOutput({kept, points, lit}, differences) {
    const d = new Float64Array(kMain * kMain), surface = shoalMaps.fit(find('output')), {context, width, height} = surface;
    shoalMaps.overGrid(view, kMain, (x, y, k) => (d[k] = net.difference(x, y, kept)));
    shoalMaps.paint(surface, d.map(shoalCore.sigmoid), kMain, 'viridis', 0, 1);
    const at = (v, size) => ((v + 0.5) / kMain) * size;
    context.beginPath();
    for (const [x0, y0, x1, y1] of shoalMaps.contour(d, kMain, 0)) {
      context.moveTo(at(x0, width), height - at(y0, height));
      context.lineTo(at(x1, width), height - at(y1, height));
    }
    shoalMaps.strokeTwice(context, {width: 2});
    outlines(surface, view, onOutput);
    if (points) dataPoints(surface, differences);
    kink(surface, lit);
    bar(find('output-bar'), 'viridis', [`0: certainly ${data.classes[0]}`, '½', `1: certainly ${data.classes[1]}`]);
    return d;
  }
  function drawLoss({lit, dark}, d, differences) {
    const surface = shoalMaps.fit(find('loss')), loss = new Float64Array(kMain * kMain), inSquare = [];
    const own = Array.from(data.labels, (label, j) => pointLoss(differences[j], label));
    if (circular)
      shoalMaps.overGrid(view, kMain, (x, y, k) => {
        loss[k] = pointLoss(d[k], labelAt(x, y));
        if (x > box[0] && x < box[2] && y > box[1] && y < box[3]) inSquare.push(loss[k]);
      });
    const most = shoalMaps.roundUp(shoalMaps.quantile(circular ? inSquare : own, 0.995));
    if (circular) shoalMaps.paint(surface, loss, kMain, 'magma', 0, most);
    else pointMap(surface, view, (j) => shoalMaps.colourOf('magma', own[j], 0, most), 2.6);
    outlines(surface, view, circular ? onLoss : onNode(dark));
    kink(surface, lit);
    bar(find('loss-bar'), 'magma', ['0', shoalCharts.decimal(most / 2), `≥ ${shoalCharts.decimal(most)} nats`]);
  }
  function drawMaps(state) {
    const differences = Float64Array.from(data.labels, (_, j) => net.difference(data.points[2 * j], data.points[2 * j + 1], state.kept));
    drawLoss(state, drawOutput(state, differences), differences);
  }

  // ---- the nodes' maps
  const units = {gradient: 'd loss / d b', change: 'nats', adds: 'log odds'};
  const slopes = new Float64Array(n);
  // The chosen quantity of every node at one point, into out[i].
  function quantities({kept, view: what}, x, y, label, out) {
    const d = net.difference(x, y, kept);
    if (what === 'change') {
      const loss = pointLoss(d, label);
      net.flips(x, y, kept, d, out);
      for (let i = 0; i < n; ++i) out[i] = (kept[i] ? 1 : -1) * (loss - pointLoss(out[i], label));
      return;
    }
    net.slopes(kept, slopes);
    const factor = what === 'adds' ? 1 : shoalCore.sigmoid(d) - label;
    for (let i = 0; i < n; ++i) out[i] = factor * slopes[i];
  }
  function drawNodes(state) {
    const one = new Float64Array(n), atPoints = Array.from({length: n}, () => new Float64Array(count));
    for (let j = 0; j < count; ++j) {
      quantities(state, data.points[2 * j], data.points[2 * j + 1], data.labels[j], one);
      for (let i = 0; i < n; ++i) atPoints[i][j] = one[i];
    }
    const sizes = new Float64Array(n * count);
    atPoints.forEach((values, i) => values.forEach((v, j) => (sizes[i * count + j] = Math.abs(v))));
    const limit = shoalMaps.roundUp(shoalMaps.quantile(sizes, 0.995)), overPlane = circular || state.view === 'adds';
    const grids = Array.from({length: n}, () => new Float64Array(overPlane ? kSmall * kSmall : 0));
    if (overPlane)
      shoalMaps.overGrid(near, kSmall, (x, y, k) => {
        quantities(state, x, y, circular ? labelAt(x, y) : 0, one);
        for (let i = 0; i < n; ++i) grids[i][k] = one[i];
      });
    const name = state.dark ? 'darkRedBlue' : 'redBlue', style = onNode(state.dark);
    document.querySelectorAll('.node').forEach((button, i) => {
      const surface = shoalMaps.fit(button.querySelector('canvas'));
      if (overPlane) shoalMaps.paint(surface, grids[i], kSmall, name, -limit, limit);
      else pointMap(surface, near, (j) => shoalMaps.colourOf(name, atPoints[i][j], -limit, limit), 1.2);
      outlines(surface, near, style);
      const mean = atPoints[i].reduce((sum, v) => sum + v, 0) / count;
      button.querySelector('.caption span').textContent = shoalCharts.number(mean, true);
    });
    const end = shoalCharts.decimal(limit);
    bar(find('node-bar'), name, [`≤ −${end}`, `0 (${units[state.view]})`, `≥ ${end}`]);
  }

  // The network at a point of a map's canvas, in words.
  function readOut(event, kept) {
    const area = event.target.getBoundingClientRect(), {number} = shoalCharts;
    const x = view[0] + ((event.clientX - area.left) / area.width) * (view[2] - view[0]);
    const y = view[3] - ((event.clientY - area.top) / area.height) * (view[3] - view[1]);
    const d = net.difference(x, y, kept), coordinate = (v) => shoalCharts.decimal(v).replace('-', '−');
    return `at (${coordinate(x)}, ${coordinate(y)}): probability of ${data.classes[1]} ${number(shoalCore.sigmoid(d))}, log odds ${number(d, true)}` +
      (circular ? `, loss ${number(pointLoss(d, labelAt(x, y)))}` : '');
  }

  return {view, circular, drawMaps, drawNodes, readOut};
}
