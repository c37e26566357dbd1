// Loss and its gradient on the CPU: see kernels/ops.h.
#include "kernels/cpu/level.h"
#include "kernels/cpu/simd.h"

namespace shoal::SHOAL_LEVEL {
namespace {

using Ints = stdx::rebind_simd_t<int, V>;

/// exp(x) for x <= 0, to about 1 unit in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, with ln 2 in two
/// parts (Cody & Waite), a polynomial of degree 6 in r (the series of exp, economised; coefficients of
/// Cephes' expf), and 2^n by its exponent bits. Below -87 the result is 0; NaN stays NaN.
SHOAL_INLINE V exp_nonpositive(V x) {
  const auto tiny = x < V(-87.0f);
  V y = x;
  stdx::where(tiny, y) = V(0.0f);
  const V n = stdx::floor(y * V(1.44269504088896341f) + V(0.5f));
  V r = y - n * V(0.693359375f);
  r = r - n * V(-2.12194440e-4f);
  V p = V(1.9875691500e-4f);
  p = p * r + V(1.3981999507e-3f);
  p = p * r + V(8.3334519073e-3f);
  p = p * r + V(4.1665795894e-2f);
  p = p * r + V(1.6666665459e-1f);
  p = p * r + V(5.0000001201e-1f);
  const V square = r * r;
  p = p * square + r;
  p = p + V(1.0f);
  const Ints exponent = (stdx::static_simd_cast<Ints>(n) + 127) << 23;
  V result = p * __builtin_bit_cast(V, exponent);
  stdx::where(tiny, result) = V(0.0f);
  return result;
}

/// The logits of one row and what stands around them. Columns are read panel by panel.
struct Row {
  const float* logits;
  float* deltas;
  long panel_stride;
  int classes;
};
SHOAL_INLINE long place(const Row& r, int c) { return (c / kPanelWidth) * r.panel_stride + c % kPanelWidth; }

/// Logits c .. c + kLanes of a row, -infinity where there are no classes any more.
SHOAL_INLINE V classes_from(const Row& r, int c) {
  const V lane([](auto i) { return static_cast<float>(i); });
  V z = load(r.logits + place(r, c));
  stdx::where(lane >= V(static_cast<float>(r.classes - c)), z) = V(-__builtin_huge_valf());
  return z;
}

SHOAL_INLINE float largest_logit(const Row& r) {
  V most = classes_from(r, 0);
  for (int c = kLanes; c < r.classes; c += kLanes) most = stdx::max(most, classes_from(r, c));
  return stdx::hmax(most);
}

/// First class with the largest logit; 0 where NaN leaves none.
SHOAL_INLINE int first_largest(const Row& r, float largest) {
  for (int c = 0; c < r.classes; c += kLanes) {
    const auto found = classes_from(r, c) == V(largest);
    if (stdx::any_of(found)) return c + stdx::find_first_set(found);
  }
  return 0;
}

/// One row of softmax cross-entropy: returns the loss; writes (p - t) / rows where deltas are wanted.
float cross_entropy_row(const Row& r, int label, float rows, float largest) {
  V total = 0.0f;
  for (int c = 0; c < r.classes; c += kLanes) {
    const V e = exp_nonpositive(classes_from(r, c) - V(largest));
    total += e;
    if (r.deltas) store(r.deltas + place(r, c), e);
  }
  const float sum = stdx::reduce(total);
  if (r.deltas) {
    const V scale = 1.0f / (sum * rows);
    const V lane([](auto i) { return static_cast<float>(i); });
    for (int c = 0; c < r.classes; c += kLanes) {
      V target = 0.0f;
      stdx::where(lane == V(static_cast<float>(label - c)), target) = V(1.0f / rows);
      store(r.deltas + place(r, c), load(r.deltas + place(r, c)) * scale - target);
    }
  }
  return ::logf(sum) + largest - r.logits[place(r, label)];
}

float squared_error_row(const Row& r, int label, float rows) {
  float sum = 0.0f;
  for (int c = 0; c < r.classes; ++c) {
    const float error = r.logits[place(r, c)] - (c == label ? 1.0f : 0.0f);
    sum += error * error;
    if (r.deltas) r.deltas[place(r, c)] = error / rows;
  }
  return 0.5f * sum;
}

void clear_padding(const Slab& s, float* deltas, int rows, int classes) {
  for (int row = 0; row < rows; ++row)
    for (int c = classes; c < s.columns; ++c)
      deltas[(c / kPanelWidth) * panel_stride(s) + row * row_stride(s) + c % kPanelWidth] = 0.0f;
}

void loss_of_head(const Loss& op, const Head& head) {
  const Slab& s = op.slabs[head.slab];
  const Workspace& w = op.workspace;
  const Batch& batch = batch_of(w, s);
  if (batch.rows == 0 || op.frozen[head.model]) return;
  const long offset = s.outputs;
  double loss = 0.0;
  std::int64_t correct = 0;
  for (int b = 0; b < batch.rows; ++b) {
    const std::int64_t place_in_order = batch.first + b,
                       sample = op.order ? op.order[place_in_order] : place_in_order;
    const int label = op.labels[sample];
    const long row = offset + static_cast<long>(b) * row_stride(s);
    const Row r{w.outputs + row, op.write_deltas ? w.deltas + row : nullptr,
                static_cast<long>(panel_stride(s)), head.classes};
    const float largest = largest_logit(r);
    const int best = first_largest(r, largest);
    const float rows = static_cast<float>(batch.rows);
    loss += op.kind == LossKind::cross_entropy ? cross_entropy_row(r, label, rows, largest)
                                               : squared_error_row(r, label, rows);
    correct += best == label;
  }
  if (op.write_deltas) clear_padding(s, w.deltas + offset, batch.rows, head.classes);
  if (op.write_deltas && !__builtin_isfinite(loss)) {
    op.frozen[head.model] = 1;
    if (op.coefficients) op.coefficients[head.model].active = 0;
    return;
  }
  op.loss[head.model] += loss;
  op.correct[head.model] += correct;
}

}  // namespace

void loss(const Loss& op, void*) {
  for (int i = 0; i < op.head_count; ++i) loss_of_head(op, op.heads[i]);
}

}  // namespace shoal::SHOAL_LEVEL
