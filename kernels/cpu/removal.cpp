// What each neuron of a last hidden layer is worth, on the CPU: see kernels/ops.h.
//
// The vectors' lanes are neurons: nothing is added across lanes, and no lane is spent on padding classes.
// Letters: b row, c class, t label of the row, y output of the neurons, v their outgoing weights.
#include "kernels/cpu/exp_floats.h"
#include "kernels/cpu/level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kFlushRows =
    4;  // rows whose sums are kept in floats; 65536^4 classes do not overflow a product

/// The rows of a head: class c of row b is at b * row_stride + c / 64 * panel_stride + c % 64.
struct Rows {
  const float* logits;
  float* p;  // softmax of the logits
  const std::int32_t* labels;
  long panel_stride;
  int row_stride, rows, classes;
};
SHOAL_INLINE long place(const Rows& h, int c) { return (c / kPanelWidth) * h.panel_stride + c % kPanelWidth; }

void write_softmax(const Rows& h) {
  const V lane([](auto i) { return static_cast<float>(i); });
  for (int b = 0; b < h.rows; ++b) {
    const float* l = h.logits + static_cast<long>(b) * h.row_stride;
    float* p = h.p + static_cast<long>(b) * h.row_stride;
    V most = -__builtin_huge_valf(), total = 0.0f;
    for (int c = 0; c < h.classes; c += kLanes) {
      V z = load(l + place(h, c));
      stdx::where(lane >= V(static_cast<float>(h.classes - c)), z) = V(-__builtin_huge_valf());
      most = stdx::max(most, z);
    }
    const V largest = stdx::hmax(most);
    for (int c = 0; c < h.classes; c += kLanes) {
      V e = exp_nonpositive(load(l + place(h, c)) - largest);
      stdx::where(lane >= V(static_cast<float>(h.classes - c)), e) = V(0.0f);
      store(p + place(h, c), e);
      total += e;
    }
    const V scale = 1.0f / stdx::reduce(total);
    for (int c = 0; c < h.classes; c += kLanes) store(p + place(h, c), load(p + place(h, c)) * scale);
  }
}

/// kLanes neurons.
struct Neurons {
  const float* r;  // [rows] at distance `stride`
  int stride;
  V gates;
  const float* v;  // [classes] at distance kBlockWidth
  float* moved;    // [classes][kLanes] room
};

struct LaneSums {
  alignas(64) double loss[kLanes], slope[kLanes], curvature[kLanes], squared_slope[kLanes];
  alignas(64) float hits[kLanes];  // counts up to 2^24 are exact
};

using D = stdx::native_simd<double>;
SHOAL_INLINE void flush(double* sums, V values) {
  constexpr int kHalf = static_cast<int>(D::size());
  alignas(64) float x[kLanes];
  store(x, values);
  for (int j = 0; j < kLanes; j += kHalf)
    (D(sums + j, kAligned) + D(x + j, stdx::element_aligned)).copy_to(sums + j, kAligned);
}

/// kClasses: known when compiled; 0: h.classes. Never inlined, so that a head without any neuron removed runs
/// through the same instructions as its neurons do.
template <int kClasses>
__attribute__((noinline)) void remove(const Rows& h, const Neurons& n, LaneSums& sums) {
  const int classes = kClasses ? kClasses : h.classes;
  const auto at = [&](int c) { return kClasses ? c : place(h, c); };
  Product product;
  V hits = 0.0f;
  sums = {};
  for (int first = 0; first < h.rows; first += kFlushRows) {
    V loss = 0.0f, slope = 0.0f, curvature = 0.0f, squared_slope = 0.0f;
    for (int b = first; b < smaller(first + kFlushRows, h.rows); ++b) {
      const float *l = h.logits + static_cast<long>(b) * h.row_stride,
                  *p = h.p + static_cast<long>(b) * h.row_stride;
      const int t = h.labels[b];
      const V y = load(n.r + static_cast<long>(b) * n.stride) * n.gates;
      // Two accumulators each: one chain of dependent operations would leave the processor waiting.
      V largest[2] = {V(-__builtin_huge_valf()), V(-__builtin_huge_valf())};
#pragma GCC unroll 16
      for (int c = 0; c < classes; ++c) {
        const V z = V(l[at(c)]) - y * load(n.v + c * kBlockWidth);
        store(n.moved + c * kLanes, z);
        largest[c % 2] = stdx::max(largest[c % 2], z);
      }
      const V most = stdx::max(largest[0], largest[1]);
      V sums_of_exp[2] = {V(0.0f), V(0.0f)};
#pragma GCC unroll 16
      for (int c = 0; c < classes; ++c)
        sums_of_exp[c % 2] += exp_nonpositive(load(n.moved + c * kLanes) - most);
      const V sum = sums_of_exp[0] + sums_of_exp[1];
      const V own = load(n.moved + t * kLanes);
      auto hit = own == most;
      // Where another class is as large, two exponentials are 1.
      if (stdx::any_of(hit && !(sum < V(2.0f))))
        for (int c = 0; c < t; ++c) hit = hit && load(n.moved + c * kLanes) != most;
      stdx::where(hit, hits) += V(1.0f);
      loss += (most - own) + (sum - sum);  // the second term is 0, or NaN where the sum is
      product.mantissa *= sum;

      const V own_weight = load(n.v + t * kBlockWidth);
      V d[2] = {V(0.0f), V(0.0f)}, q[2] = {V(0.0f), V(0.0f)};
#pragma GCC unroll 16
      for (int c = 0; c < classes; ++c) d[c % 2] += V(p[at(c)]) * (load(n.v + c * kBlockWidth) - own_weight);
      const V mean = d[0] + d[1];
#pragma GCC unroll 16
      for (int c = 0; c < classes; ++c) {
        const V e = (load(n.v + c * kBlockWidth) - own_weight) - mean;
        q[c % 2] += V(p[at(c)]) * (e * e);
      }
      const V s = y * mean;
      slope += s, squared_slope += s * s, curvature += (y * y) * (q[0] + q[1]);
    }
    product.take_exponent();
    flush(sums.loss, loss), flush(sums.slope, slope), flush(sums.curvature, curvature),
        flush(sums.squared_slope, squared_slope);
  }
  store(sums.hits, hits);
  alignas(64) float mantissa[kLanes];
  store(mantissa, product.mantissa);
  for (int j = 0; j < kLanes; ++j)
    sums.loss[j] += ::log(static_cast<double>(mantissa[j])) +
                    0.6931471805599453 * static_cast<double>(product.exponent[j]);
}

SHOAL_INLINE RemovalSums lane_of(const LaneSums& s, int j) {
  return {s.loss[j], s.slope[j], s.curvature[j], s.squared_slope[j], static_cast<std::int64_t>(s.hits[j])};
}

SHOAL_INLINE void remove_any(const Rows& h, const Neurons& n, LaneSums& sums) {
  if (h.classes == 10) remove<10>(h, n, sums);
  else remove<0>(h, n, sums);
}

/// Outgoing weights of neurons k .. k + 16 of a head's model: [class][16], 0 where there are no neurons.
void transpose_weights(const Removal& op, const Slab& s, int k, int classes, float* v) {
  for (int c = 0; c < classes; ++c) {
    const int panel = c / kPanelWidth, width = panel_width(s, panel);
    const float* w = op.parameters + panel_weights(s, panel) + c % kPanelWidth;
    for (int j = 0; j < kBlockWidth; ++j)
      v[c * kBlockWidth + j] = k + j < s.fan_in ? w[static_cast<long>(k + j) * width] : 0.0f;
  }
}

void removal_of_head(const Removal& op, const Head& head) {
  const Slab& s = op.slabs[head.slab];
  const Slab& below = op.slabs[s.input];
  const Workspace& w = op.workspace;
  const Batch& batch = batch_of(w, s);
  if (batch.rows == 0) return;
  const Rows rows{w.outputs + s.outputs,
                  w.deltas + s.outputs,
                  op.labels + batch.first,
                  static_cast<long>(panel_stride(s)),
                  row_stride(s),
                  batch.rows,
                  head.classes};
  float *v = w.scratch, *moved = v + head.classes * kBlockWidth;
  LaneSums sums;
  write_softmax(rows);
  transpose_weights(op, s, 0, head.classes, v);
  alignas(64) const float silent[kLanes] = {};
  remove_any(rows, {silent, 0, V(1.0f), v, moved}, sums);
  op.whole[head.model] = merge(op.whole[head.model], lane_of(sums, 0));
  for (int k = 0; k < s.fan_in; k += kBlockWidth) {
    const int column = s.input_column + k;
    const float* r =
        w.outputs + below.outputs + (column / kPanelWidth) * panel_stride(below) + column % kPanelWidth;
    const float* gates = op.gates ? op.gates + below.neuron + column : nullptr;
    if (k > 0) transpose_weights(op, s, k, head.classes, v);
    for (int j = 0; j < kBlockWidth; j += kLanes) {
      remove_any(rows, {r + j, row_stride(below), gates ? load(gates + j) : V(1.0f), v + j, moved}, sums);
      for (int i = 0; i < kLanes && k + j + i < s.fan_in; ++i) {
        RemovalSums& neuron = op.neurons[below.neuron + column + j + i];
        neuron = merge(neuron, lane_of(sums, i));
      }
    }
  }
}

}  // namespace

void removal(const Removal& op, void*) {
  for (int i = 0; i < op.head_count; ++i) removal_of_head(op, op.heads[i]);
}

}  // namespace shoal::SHOAL_LEVEL
