// Subsets of nodes as arrays of 0 and 1 (1: the node is on), and their places among all subsets.
// losses: {exact, table, sorted}: table[s] = loss of subset s, bit i of s = node i; of a sample when not exact.
'use strict';
const shoalSubsets = (() => {
  const size = (subset) => subset.reduce((sum, v) => sum + v, 0);
  const flipped = (subset, i) => subset.map((v, k) => (k === i ? 1 - v : v));
  const complement = (subset) => subset.map((v) => 1 - v);
  const index = (subset) => subset.reduce((sum, v, i) => sum + v * 2 ** i, 0);
  const off = (subset) => [...subset.keys()].filter((i) => !subset[i]);
  // From a number (bit i = node i), a BigInt or an array of 0 and 1.
  function from(mask, nodes) {
    if (typeof mask === 'object') return Uint8Array.from(mask);
    const bits = BigInt(mask);
    return Uint8Array.from({length: nodes}, (_, i) => Number((bits >> BigInt(i)) & 1n));
  }
  function bitCount(v) {
    v -= (v >> 1) & 0x55555555;
    v = (v & 0x33333333) + ((v >> 2) & 0x33333333);
    return Math.imul((v + (v >> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }

  // Rank 1 has the smallest loss; losses that are equal up to rounding share a place. ahead: the share of all other
  // subsets whose loss is larger (of a sample: not smaller).
  function rank(losses, subset, loss) {
    const {exact, table, sorted} = losses, of = sorted.length;
    if (!exact) return {exact, of, ahead: 1 - shoalCore.countBelow(sorted, loss) / of};
    const place = 1 + shoalCore.countBelow(sorted, table[index(subset)]);
    return {exact, rank: place, of, ahead: of > 1 ? (of - place) / (of - 1) : 1};
  }
  function rankOfSize(losses, subset) {
    const nodes = size(subset), {table} = losses, own = table[index(subset)], bound = own - 1e-12 * Math.abs(own);
    let below = 0, of = 0;
    for (let s = 0; s < table.length; ++s)
      if (bitCount(s) === nodes) {
        ++of;
        if (table[s] < bound) ++below;
      }
    return {rank: 1 + below, of, nodes};
  }
  // The best of all subsets, or of those with `nodes` nodes.
  function best({table}, count, nodes) {
    let at = -1;
    for (let s = 0; s < table.length; ++s)
      if ((nodes === undefined || bitCount(s) === nodes) && (at < 0 || table[s] < table[at])) at = s;
    return shoalCore.keptOf(at, count);
  }

  // Computes the losses in a worker; where a browser allows none, in slices of a few milliseconds. progress(share).
  function inSlices(net, data, progress) {
    const {exact, pieces} = shoalCore.lossesOfSubsets(net, data);
    return new Promise((resolve) => {
      (function slice() {
        const end = performance.now() + 12;
        let piece = pieces.next();
        while (!piece.done && performance.now() < end) piece = pieces.next();
        if (piece.done) return resolve({exact, table: piece.value, sorted: Float64Array.from(piece.value).sort()});
        progress(piece.value);
        setTimeout(slice, 0);
      })();
    });
  }
  function compute(net, data, source, progress) {
    return new Promise((resolve) => {
      let worker;
      const fallBack = () => {
        if (worker) worker.terminate();
        resolve(inSlices(net, data, progress));
      };
      try {
        const address = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
        worker = new Worker(address);
        worker.onmessage = ({data: message}) => {
          if (message.sorted === undefined) return progress(message.share);
          worker.terminate();
          URL.revokeObjectURL(address);
          resolve(message);
        };
        worker.onerror = fallBack;
        worker.postMessage({layers: data.layers, scale: data.scale, shift: data.shift, points: data.points, labels: data.labels});
      } catch (error) {
        fallBack();
      }
    });
  }

  return {size, flipped, complement, index, off, from, rank, rankOfSize, best, compute, inSlices};
})();
