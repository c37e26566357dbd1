// The network and the losses of its subsets. Nothing here knows the page: the same text runs in a worker.
//
// kept[i] is 1 or 0: the factor on the ReLU's output of hidden node i; nodes are numbered layer by layer from the
// first. d = logit 1 - logit 0, y = label, loss of a point = softplus(y ? -d : d), all in double precision.
'use strict';
const shoalCore = (() => {
  const softplus = (v) => (v > 0 ? v + Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v)));
  const sigmoid = (v) => (v >= 0 ? 1 / (1 + Math.exp(-v)) : Math.exp(v) / (1 + Math.exp(v)));

  // layers: [{inputs, outputs, weight [outputs][inputs] flat, bias [outputs]}], the last one gives two logits.
  function makeNetwork({layers, scale, shift}) {
    const first = [0];  // first[l]: number of the first node of hidden layer l
    for (const layer of layers.slice(0, -1)) first.push(first[first.length - 1] + layer.outputs);
    const nodes = first[first.length - 1], last = layers.length - 1, top = layers[last];
    const outer = first[last - 1];  // nodes of the layers below the last hidden one
    const slope = Float64Array.from({length: top.inputs}, (_, i) => top.weight[top.inputs + i] - top.weight[i]);
    const base = top.bias[1] - top.bias[0];  // d = base + sum of slope_i kept_i r_i over the last hidden layer
    const r = new Float64Array(nodes), back = new Float64Array(nodes);
    const inputs = new Float64Array(2);
    let logits = [0, 0];

    // Outputs r of all nodes before their factors. upTo: hidden layers to compute.
    function activate(x, y, kept, upTo = last) {
      inputs[0] = scale * x + shift;
      inputs[1] = scale * y + shift;
      for (let l = 0; l < upTo; ++l) {
        const {inputs: width, outputs, weight, bias} = layers[l];
        for (let i = 0; i < outputs; ++i) {
          let z = bias[i];
          if (l === 0) z += inputs[0] * weight[2 * i] + inputs[1] * weight[2 * i + 1];
          else
            for (let k = 0, from = first[l - 1]; k < width; ++k)
              if (kept[from + k]) z += weight[i * width + k] * r[from + k];
          r[first[l] + i] = z > 0 ? z : 0;
        }
      }
      return r;
    }
    function difference(x, y, kept) {
      activate(x, y, kept);
      let d = base;
      for (let i = outer; i < nodes; ++i)
        if (kept[i]) d += slope[i - outer] * r[i];
      return d;
    }
    function logitsAt(x, y, kept) {
      activate(x, y, kept);
      logits = [top.bias[0], top.bias[1]];
      for (let c = 0; c < 2; ++c)
        for (let i = outer; i < nodes; ++i)
          if (kept[i]) logits[c] += top.weight[c * top.inputs + i - outer] * r[i];
      return logits;
    }
    // After difference(): d(d)/d b_i of every node at that point, by back propagation.
    function slopes(kept, out) {
      for (let i = outer; i < nodes; ++i) out[i] = slope[i - outer] * r[i];
      for (let i = outer; i < nodes; ++i) back[i] = r[i] > 0 && kept[i] ? slope[i - outer] : 0;
      for (let l = last - 1; l > 0; --l) {
        const {inputs: width, outputs, weight} = layers[l], from = first[l - 1];
        for (let k = 0; k < width; ++k) {
          let sum = 0;
          for (let i = 0; i < outputs; ++i) sum += back[first[l] + i] * weight[i * width + k];
          out[from + k] = sum * r[from + k];
          back[from + k] = r[from + k] > 0 && kept[from + k] ? sum : 0;
        }
      }
      return out;
    }
    // After difference() gave d there: d with node i flipped, for every i.
    function flips(x, y, kept, d, out) {
      for (let i = outer; i < nodes; ++i) out[i] = d + (kept[i] ? -slope[i - outer] : slope[i - outer]) * r[i];
      const changed = kept.slice();
      for (let i = 0; i < outer; ++i) {
        changed[i] = 1 - kept[i];
        out[i] = difference(x, y, changed);
        changed[i] = kept[i];
      }
      return out;
    }
    return {layers, first, nodes, outer, slope, base, scale, shift, activate, difference, logitsAt, slopes, flips};
  }

  // Means over the points. A label is hit when its logit is the first largest: a tie is class 0.
  function score(net, data, kept) {
    const {points, labels} = data;
    let loss = 0, hits = 0;
    for (let j = 0; j < labels.length; ++j) {
      const d = net.difference(points[2 * j], points[2 * j + 1], kept);
      loss += softplus(labels[j] ? -d : d);
      hits += (d > 0) === (labels[j] === 1) ? 1 : 0;
    }
    return {loss: loss / labels.length, accuracy: hits / labels.length};
  }

  // d loss / d b_i, mean over the points: (p - y) d(d)/d b_i.
  function gradients(net, data, kept) {
    const {points, labels} = data, sum = new Float64Array(net.nodes), one = new Float64Array(net.nodes);
    for (let j = 0; j < labels.length; ++j) {
      const residual = sigmoid(net.difference(points[2 * j], points[2 * j + 1], kept)) - labels[j];
      net.slopes(kept, one);
      for (let i = 0; i < net.nodes; ++i) sum[i] += residual * one[i];
    }
    return sum.map((v) => v / labels.length);
  }

  // Mean loss with node i flipped, for every i.
  function flippedLosses(net, data, kept) {
    const {points, labels} = data, sum = new Float64Array(net.nodes), one = new Float64Array(net.nodes);
    for (let j = 0; j < labels.length; ++j) {
      const x = points[2 * j], y = points[2 * j + 1];
      net.flips(x, y, kept, net.difference(x, y, kept), one);
      for (let i = 0; i < net.nodes; ++i) sum[i] += softplus(labels[j] ? -one[i] : one[i]);
    }
    return sum.map((v) => v / labels.length);
  }

  const keptOf = (index, nodes) => Uint8Array.from({length: nodes}, (_, i) => Math.floor(index / 2 ** i) % 2);

  // ---- The table: loss of every subset ----------------------------------------------------------------------
  // The last hidden layer's nodes are cut into halves a and b. With m = (y ? -1 : 1) d = m_a + m_b, the sum of
  // losses is sum log(1 + exp(m_a) exp(m_b)) = log prod (1 + E_a E_b): two small tables of exponentials, one
  // multiplication and addition a point, and a logarithm for as many factors as cannot overflow.
  const kBlock = 64;  // points at a time, so that both tables stay in the cache
  const kLogLargest = 690;

  // exp(sum of m_i over the set bits of a), [2^count][kBlock]; base added. Also the largest |sum|.
  function halfTable(rows, count, base) {
    const sums = new Float64Array(kBlock << count);
    sums.set(base);
    for (let i = 0; i < count; ++i)
      for (let a = 0; a < 1 << i; ++a)
        for (let j = 0; j < kBlock; ++j)
          sums[((a | (1 << i)) * kBlock) + j] = sums[a * kBlock + j] + rows[i][j];
    let largest = 0;
    for (const v of sums) largest = Math.max(largest, Math.abs(v));
    return {sums, largest};
  }

  // sum over j < used of log(1 + E[j] F[j]); `factors` of them are multiplied before a logarithm is taken.
  function logProducts(E, e, F, f, used, factors) {
    let sum = 0, j = 0;
    while (j < used) {
      const end = Math.min(used, j + factors);
      let p0 = 1, p1 = 1, p2 = 1, p3 = 1;
      for (; j + 4 <= end; j += 4) {
        p0 *= 1 + E[e + j] * F[f + j];
        p1 *= 1 + E[e + j + 1] * F[f + j + 1];
        p2 *= 1 + E[e + j + 2] * F[f + j + 2];
        p3 *= 1 + E[e + j + 3] * F[f + j + 3];
      }
      for (; j < end; ++j) p0 *= 1 + E[e + j] * F[f + j];
      sum += Math.log(p0 * p1 * (p2 * p3));
    }
    return sum;
  }
  function softpluses(A, a, B, b, used) {  // for margins whose exponentials could overflow
    let sum = 0;
    for (let j = 0; j < used; ++j) sum += softplus(A[a + j] + B[b + j]);
    return sum;
  }

  // All 2^n mean losses, table[s], bit i of s = node i kept; piece by piece: yields the share that is done.
  function* tableOfLosses(net, data) {
    const {points, labels} = data, own = net.nodes - net.outer, low = own >> 1, high = own - low;
    const table = new Float64Array(2 ** net.nodes), outers = 2 ** net.outer;
    const blocks = Math.ceil(labels.length / kBlock), pieces = outers * blocks * 2 ** high;
    let done = 0;
    for (let outer = 0; outer < outers; ++outer) {
      const kept = keptOf(outer, net.nodes);
      for (let block = 0; block < blocks; ++block) {
        const start = block * kBlock, used = Math.min(kBlock, labels.length - start);
        const rows = Array.from({length: own}, () => new Float64Array(kBlock)), base = new Float64Array(kBlock);
        for (let j = 0; j < used; ++j) {
          const sign = labels[start + j] ? -1 : 1;
          const r = net.activate(points[2 * (start + j)], points[2 * (start + j) + 1], kept);
          base[j] = sign * net.base;
          for (let i = 0; i < own; ++i) rows[i][j] = sign * net.slope[i] * r[net.outer + i];
        }
        const A = halfTable(rows.slice(0, low), low, new Float64Array(kBlock));
        const B = halfTable(rows.slice(low), high, base);
        const safe = A.largest < 300 && B.largest < 300;
        const factors = safe ? Math.floor(kLogLargest / softplus(A.largest + B.largest)) : 0;
        const E = safe ? A.sums.map(Math.exp) : A.sums, F = safe ? B.sums.map(Math.exp) : B.sums;
        for (let b = 0; b < 1 << high; ++b) {
          for (let a = 0; a < 1 << low; ++a)
            table[outer + outers * (a + b * 2 ** low)] += factors
              ? logProducts(E, a * kBlock, F, b * kBlock, used, factors) / labels.length
              : softpluses(E, a * kBlock, F, b * kBlock, used) / labels.length;
          yield ++done / pieces;
        }
      }
    }
    return table;
  }

  // Losses of `count` subsets drawn with keep probability 1/2, for networks with too many nodes for a table.
  function* sampleOfLosses(net, data, count) {
    const losses = new Float64Array(count);
    let state = 0x9e3779b9;  // a fixed seed: the page says the same whenever it is opened
    const random = () => {   // mulberry32
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (t ^ (t >>> 14)) >>> 31;
    };
    for (let k = 0; k < count; ++k) {
      losses[k] = score(net, data, Uint8Array.from({length: net.nodes}, random)).loss;
      yield (k + 1) / count;
    }
    return losses;
  }

  // Exact up to 22 nodes and a minute or so of work; otherwise a sample.
  const kMostNodes = 22, kMostWork = 2e10, kSampleWork = 1e9, kLargestSample = 65536;
  function lossesOfSubsets(net, data) {
    const exact = net.nodes <= kMostNodes && 2 ** net.nodes * data.labels.length <= kMostWork;
    const work = data.labels.length * net.nodes;
    const count = exact ? 2 ** net.nodes : Math.max(1000, Math.min(kLargestSample, Math.floor(kSampleWork / work)));
    return {exact, count, pieces: exact ? tableOfLosses(net, data) : sampleOfLosses(net, data, count)};
  }

  // How many of the sorted losses are smaller than this one; equal up to rounding is not smaller.
  function countBelow(sorted, loss) {
    const bound = loss - 1e-12 * Math.abs(loss);
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {softplus, sigmoid, makeNetwork, score, gradients, flippedLosses, keptOf, lossesOfSubsets, countBelow};
})();

// In a worker: one message in (the page's data), shares of progress out, then the losses and their sorted copy.
if (typeof document === 'undefined')
  onmessage = ({data}) => {
    const {exact, pieces} = shoalCore.lossesOfSubsets(shoalCore.makeNetwork(data), data);
    let piece = pieces.next(), said = Date.now();
    for (; !piece.done; piece = pieces.next())
      if (Date.now() - said > 100) {
        said = Date.now();
        postMessage({share: piece.value});
      }
    const table = piece.value, sorted = Float64Array.from(table).sort();
    postMessage({exact, table, sorted}, [table.buffer, sorted.buffer]);
  };
