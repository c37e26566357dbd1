// The page: its state, what changes it, and the numbers. The state is in the address behind the #: which nodes are
// off, what the nodes' maps show, the colours, the order of the chart, whether points are drawn.
'use strict';
window.shoal = (() => {
  const data = JSON.parse(document.getElementById('shoal-data').textContent);
  data.points = Float64Array.from(data.points);
  for (const layer of data.layers) layer.weight = Float64Array.from(layer.weight);
  const net = shoalCore.makeNetwork(data), n = net.nodes, {number} = shoalCharts, sets = shoalSubsets;
  const planes = shoalPlanes(net, data);
  const find = (id) => document.getElementById(id);
  const whole = new Uint8Array(n).fill(1), score = (kept) => shoalCore.score(net, data, kept);
  const grouped = (v) => v.toLocaleString('en');
  const percent = (v) => `${(100 * v).toFixed(2)} %`;
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  let kept = whole.slice(), losses = null, points = false, lit = -1, printing = false;
  const choices = {view: 'gradient', theme: 'auto', order: 'node'}, defaults = {...choices};

  // ---- the address
  function readAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    kept = whole.slice();
    for (const word of (words.get('off') || '').split(',')) if (/^\d+$/.test(word) && Number(word) < n) kept[Number(word)] = 0;
    for (const name of Object.keys(choices)) {
      const inputs = [...document.getElementsByName(name)], wanted = words.get(name);
      choices[name] = inputs.some((input) => input.value === wanted) ? wanted : defaults[name];
      for (const input of inputs) input.checked = input.value === choices[name];
    }
    points = find('show-points').checked = words.get('points') === '1';
  }
  function writeAddress() {
    const off = sets.off(kept), words = off.length ? [`off=${off.join(',')}`] : [];
    for (const [name, value] of Object.entries(choices)) if (value !== defaults[name]) words.push(`${name}=${value}`);
    if (points) words.push('points=1');
    const address = location.href.split('#')[0] + (words.length ? `#${words.join('&')}` : '');
    // Replaced, not pushed: going back leaves the page, it does not undo twenty clicks.
    if (address !== location.href) history.replaceState(null, '', address);
  }

  // ---- numbers
  const all = score(whole);
  const alone = shoalCore.flippedLosses(net, data, whole).map((loss) => loss - all.loss);
  let rows = [];  // of the removal chart and its table
  function removalRows(loss) {
    const gradient = shoalCore.gradients(net, data, kept), other = shoalCore.flippedLosses(net, data, kept);
    return Array.from(kept, (on, i) => ({node: i, on: on === 1, measured: (on ? 1 : -1) * (other[i] - loss), alone: alone[i], slope: -gradient[i]}));
  }
  const cells = (texts) => make('tr', {}, ...texts.map((textContent) => make('td', {textContent})));
  function place(subset, loss) {
    if (!losses) return '…';
    const at = sets.rank(losses, subset, loss);
    return at.exact ? grouped(at.rank) : `top ${percent(1 - at.ahead)}`;
  }
  function rankWords(loss) {
    const at = sets.rank(losses, kept, loss);
    if (!at.exact)
      return `Its loss is below that of ${percent(at.ahead)} of ${grouped(at.of)} random subsets (each node kept with probability ½); ${n} nodes have too many subsets to take all.`;
    const same = sets.rankOfSize(losses, kept), nodes = `${same.nodes} node${same.nodes === 1 ? '' : 's'}`;
    return `Rank ${grouped(at.rank)} of all ${grouped(at.of)} subsets by loss, ${at.rank === 1 ? 'the best' : `ahead of ${percent(at.ahead)}`}` +
      (same.of > 1 ? `; rank ${grouped(same.rank)} of the ${grouped(same.of)} with ${nodes}.` : `; the only one with ${nodes}.`);
  }
  function additiveWords(loss) {
    const off = sets.off(kept), sum = off.reduce((total, i) => total + alone[i], 0), rise = loss - all.loss;
    if (off.length === 0) return 'All nodes are on. Switch some off: what they cost together stands here beside the sum of what each costs alone.';
    if (off.length === 1) return `Without node ${off[0]} the loss changes by ${number(rise, true)}. Switch off another one: what they cost together stands here beside the sum of what each costs alone.`;
    const times = Math.abs(sum) > 1e-9 ? `: measured is ${shoalCharts.decimal(rise / sum).replace('-', '−')} times that` : '';
    return `Without nodes ${off.join(', ')} the loss changes by ${number(rise, true)}, measured. Removed one at a time from the whole network they cost ${number(sum, true)} in all, the additive prediction${times}.`;
  }
  function drawChart() {
    const order = choices.order === 'measured' ? rows.slice().sort((a, b) => b.measured - a.measured) : rows;
    shoalCharts.removals(find('removals'), order, lit, printing ? 640 : 0);
  }
  function drawTable() {
    const head = ['node', 'on', 'measured rise', 'alone (additive)', '−gradient'];
    find('table').replaceChildren(make('thead', {}, make('tr', {}, ...head.map((textContent) => make('th', {textContent, scope: 'col'})))),
      make('tbody', {}, ...rows.map((r) => cells([r.node, r.on ? 'yes' : 'no', number(r.measured, true), number(r.alone, true), number(r.slope, true)]))));
  }
  function csv() {
    const lines = rows.map((r) => [r.node, r.on ? 1 : 0, r.measured, r.alone, -r.slope].join(','));
    return ['node,on,measured_rise,alone_rise,gradient', ...lines, ''].join('\n');
  }
  function drawHistogram(now, reverse) {
    shoalCharts.histogram(find('histogram'), losses.sorted, [{name: 'all nodes', loss: all.loss, class: 'whole'},
      {name: 'complement', loss: reverse.loss, class: 'complement'}, {name: 'this subset', loss: now.loss, class: 'this'}], printing ? 260 : 0);
    find('histogram').setAttribute('aria-label', `Losses of ${grouped(losses.sorted.length)} subsets: this one ${number(now.loss)}, its complement ${number(reverse.loss)}, all nodes ${number(all.loss)}`);
  }
  function drawNumbers() {
    const now = score(kept), other = sets.complement(kept), reverse = score(other), on = `${sets.size(kept)} of ${n}`;
    find('count').textContent = on;
    find('mean-loss').textContent = number(now.loss);
    find('accuracy').textContent = percent(now.accuracy);
    find('comparison').replaceChildren(...[['this subset', kept, now], ['complement', other, reverse], ['all nodes', whole, all]].map(
      ([name, subset, {loss, accuracy}]) => cells([name, sets.size(subset), number(loss), percent(accuracy), place(subset, loss)])));
    find('rank-words').textContent = losses ? rankWords(now.loss) : 'The losses of all subsets are being computed …';
    if (losses) drawHistogram(now, reverse);
    find('output').setAttribute('aria-label', `Probability of ${data.classes[1]} over the plane, with ${on} nodes`);
    find('loss').setAttribute('aria-label', `Loss over the plane; mean over the data ${number(now.loss)}`);
    rows = removalRows(now.loss);
    document.querySelectorAll('.node').forEach((button, i) => {
      button.setAttribute('aria-pressed', rows[i].on);
      button.setAttribute('aria-label', `Node ${i}: ${rows[i].on ? 'removing it changes the loss by' : 'the loss without it is higher by'} ${number(rows[i].measured, true)}`);
    });
    find('additive').textContent = additiveWords(now.loss);
    drawChart();
    drawTable();
    find('status').textContent = `${on} nodes on, loss ${number(now.loss)}, accuracy ${percent(now.accuracy)}${losses ? `, rank ${place(kept, now.loss)}` : ''}`;
  }

  // ---- drawing when something has changed
  const darkScreen = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => !printing && (choices.theme === 'dark' || (choices.theme === 'auto' && darkScreen.matches));
  const state = () => ({kept, view: choices.view, dark: isDark(), points, lit});
  const viewWords = {
    gradient: 'd loss / d b: the derivative of each point’s loss by the factor b on the node’s output, the other nodes as they are. Blue: more of the node lowers the loss there.',
    change: 'Each point’s loss with the node minus its loss without it, the other nodes as they are. Blue: the node helps there.',
    adds: `What the node adds to the log odds of ${data.classes[1]} where it is on, to first order in the layers above it. Blue: towards ${data.classes[0]}.`,
  };
  function drawNow() {
    wanted = 0;
    document.documentElement.setAttribute('data-theme', isDark() ? 'dark' : 'light');
    planes.drawMaps(state());
    planes.drawNodes(state());
    find('view-words').textContent = `${viewWords[choices.view]} The number is the mean over the data.`;
    drawNumbers();
  }
  let wanted = 0;
  function draw() {
    writeAddress();
    if (!wanted) wanted = requestAnimationFrame(drawNow);
  }
  function show(subset) {
    kept = subset;
    draw();
  }
  function light(i) {
    if (lit === i) return;
    lit = i;
    planes.drawMaps(state());
    drawChart();
  }

  // ---- what a person does
  const chosen = {
    all: () => whole.slice(), none: () => new Uint8Array(n), complement: () => sets.complement(kept),
    random: () => Uint8Array.from({length: n}, () => (Math.random() < 0.5 ? 1 : 0)),
    best: () => (losses && losses.exact ? sets.best(losses, n) : kept),
    'best-size': () => (losses && losses.exact ? sets.best(losses, n, sets.size(kept)) : kept),
  };
  const keys = {a: 'all', n: 'none', c: 'complement', r: 'random', b: 'best', s: 'best-size'};
  function moveFocus(from, key) {
    const buttons = [...document.querySelectorAll('.node')], left = buttons[from].offsetLeft;
    const inColumn = (list) => list.find((b) => Math.abs(b.offsetLeft - left) < 4);
    const targets = {
      ArrowLeft: () => buttons[from - 1], ArrowRight: () => buttons[from + 1], Home: () => buttons[0], End: () => buttons[n - 1],
      ArrowUp: () => inColumn(buttons.slice(0, from).reverse()), ArrowDown: () => inColumn(buttons.slice(from + 1)),
    };
    if (!(key in targets)) return false;
    const button = targets[key]();
    if (button) button.focus();
    return true;
  }
  function makeNode(i) {
    const button = make('button', {type: 'button', className: 'node', tabIndex: i === 0 ? 0 : -1}, make('canvas', {ariaHidden: 'true'}),
      make('span', {className: 'caption'}, make('b', {textContent: i}), make('span', {})));
    button.addEventListener('click', () => show(sets.flipped(kept, i)));
    button.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (moveFocus(i, event.key)) event.preventDefault();
      else if (keys[event.key]) show(chosen[keys[event.key]]());
    });
    button.addEventListener('focus', () => {
      document.querySelectorAll('.node').forEach((b) => (b.tabIndex = b === button ? 0 : -1));
      light(i);
    });
    for (const [name, node] of [['pointerenter', i], ['pointerleave', -1], ['blur', -1]]) button.addEventListener(name, () => light(node));
    return button;
  }
  function makeNodes() {
    for (let l = 0; l + 1 < net.layers.length; ++l) {
      if (net.layers.length > 2)
        find('nodes').append(make('h3', {textContent: `Hidden layer ${l + 1}: nodes ${net.first[l]} to ${net.first[l + 1] - 1}`}));
      for (let i = net.first[l]; i < net.first[l + 1]; ++i) find('nodes').append(makeNode(i));
    }
  }
  function listen() {
    for (const button of document.querySelectorAll('[data-set]')) button.addEventListener('click', () => show(chosen[button.dataset.set]()));
    for (const name of Object.keys(choices))
      for (const input of document.getElementsByName(name))
        input.addEventListener('change', () => {
          choices[name] = input.value;
          draw();
        });
    find('show-points').addEventListener('change', (event) => {
      points = event.target.checked;
      draw();
    });
    const hint = find('readout').textContent;
    for (const id of ['output', 'loss']) {
      find(id).addEventListener('pointermove', (event) => (find('readout').textContent = planes.readOut(event, kept)));
      find(id).addEventListener('pointerleave', () => (find('readout').textContent = hint));
    }
    find('download').addEventListener('click', (event) => (event.currentTarget.href = URL.createObjectURL(new Blob([csv()], {type: 'text/csv'}))));
    addEventListener('hashchange', () => {
      readAddress();
      draw();
    });
    darkScreen.addEventListener('change', draw);
    let width = innerWidth;
    addEventListener('resize', () => {
      if (innerWidth !== width) draw();  // a phone's address bar changes the height only
      width = innerWidth;
    });
    for (const [name, on] of [['beforeprint', true], ['afterprint', false]])
      addEventListener(name, () => {
        printing = on;
        drawNow();
      });
  }

  // ---- what never changes
  function fixedTexts() {
    const sizes = [2, ...net.layers.map((layer) => layer.outputs)].join('-'), count = grouped(data.labels.length), {view} = planes;
    find('subtitle').textContent = `${sizes} network on ${count} points of ${data.data}`;
    find('output-words').textContent = `probability of ${data.classes[1]}`;
    if (net.outer > 0) find('readout').textContent = find('readout').textContent.replace('a node', 'a node of the first layer');
    find('loss-words').textContent = '−log p(true class)';
    find('method').textContent = `Everything is computed in this page, in double precision, from the weights in it. The loss is the mean cross-entropy over the ${count} points (natural logarithm). ` +
      `A node that is off has its ReLU’s output multiplied by 0; nothing is trained again. ${planes.circular ? 'Dashed: the circle. ' : ''}Thin square: where the data lie. ` +
      'White line: probability ½. A colour bar ends at the 99.5 % quantile over the data, rounded up; what lies beyond has the end’s colour.';
    find('provenance').replaceChildren(...data.provenance.flatMap(
      ([name, value]) => [make('dt', {textContent: name}), make('dd', {textContent: value})]));
    for (const element of document.querySelectorAll('.ticks')) {
      const across = element.classList.contains('x'), [low, high] = across ? [view[0], view[2]] : [view[3], view[1]];
      for (const t of [0, 0.25, 0.5, 0.75, 1]) {
        const tick = make('span', {textContent: shoalCharts.decimal(low + t * (high - low)).replace('-', '−')});
        tick.style[across ? 'left' : 'top'] = `${100 * t}%`;
        element.append(tick);
      }
    }
  }

  makeNodes();
  fixedTexts();
  listen();
  readAddress();
  drawNow();
  const progress = (share) => (find('progress').value = share);
  const ready = sets.compute(net, data, find('shoal-core').textContent, progress).then((result) => {
    losses = result;
    find('progress').hidden = true;
    for (const name of ['best', 'best-size']) document.querySelector(`[data-set="${name}"]`).disabled = !losses.exact;
    drawNumbers();
  });

  // For tests and the browser's console; a mask is a number (bit i = node i), a BigInt or an array of 0 and 1.
  const of = (mask) => sets.from(mask, n);
  return {
    nodes: n, ready, csv, show: (mask) => show(of(mask)), kept: () => Array.from(kept),
    loss: (mask) => score(of(mask)).loss,
    accuracy: (mask) => score(of(mask)).accuracy,
    logits: (mask, x, y) => net.logitsAt(x, y, of(mask)),
    gradients: (mask) => Array.from(shoalCore.gradients(net, data, of(mask))),
    rank: (mask) => sets.rank(losses, of(mask), score(of(mask)).loss),  // when `ready`
    tableLoss: (mask) => losses.table[sets.index(of(mask))],
  };
})();
