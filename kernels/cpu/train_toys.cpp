// TrainToys on the CPU (kernels/toys.h): a network a lane, so nothing is ever added across lanes.
//
// Points are taken kPoints at a time. Forward: a neuron's weights are loaded once for them, their logits'
// differences grow in registers. Backward: for each class beyond the first, what a neuron adds to its sums S
// is a selection of the points' products d x, so there is a masked addition per sum and no multiplication.
// The sums of kPoints points begin at 0 in registers; those of kChunk points are added up before they are
// added to the total, so that errors do not walk along the points.
//
// Letters as in kernels/toys.h; kF inputs, p point of the block, c class 1 .. C - 1 (counted from 0 here).
#include "kernels/cpu/exp_floats.h"
#include "kernels/cpu/level.h"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kPoints = kLanes == 16 ? 8 : 4;  // as many as the registers hold
static_assert(kToyLanes % kLanes == 0 && kToyPointStep % kPoints == 0);
constexpr int kChunk = 1024;  // points; a multiple of kPoints

/// kLanes networks of a group, and the call's room. Vectors of the room are kLanes floats, those of the
/// group's arrays begin every kToyLanes.
struct Lanes {
  int hidden, features, others, classes, points;  // others = classes - 1
  float* parameters;
  float *slot_a, *slot_b, *slot_c;
  float* weights;    // [neuron][kF + 2]: w, b, V_1 - V_0; then [c - 1][neuron] V_c - V_0
  float* r;          // [neuron][p]
  float* margins;    // [c][p]
  float* products;   // [c][kF + 1][p] d_c x_f, at last d_c
  float* sums;       // [c][neuron][kF + 1] of a chunk, then [c] of d_c
  float* totals;     // the same of all points
  float* gradients;  // as the parameters
  long sum_count;    // vectors in sums
};

SHOAL_INLINE float* take(float*& room, long vectors) {
  float* begin = room;
  room += vectors * kLanes;
  return begin;
}

SHOAL_INLINE Lanes lanes_of(const TrainToys& op, const ToyGroup& g, int lane) {
  Lanes l{};
  l.hidden = g.hidden, l.features = op.features, l.classes = op.classes, l.others = op.classes - 1;
  l.points = op.points;
  const auto at = [&](float* base) { return base ? base + g.first + lane : nullptr; };
  l.parameters = at(op.parameters), l.slot_a = at(op.slot_a), l.slot_b = at(op.slot_b);
  l.slot_c = at(op.slot_c);
  const long products = op.features + 1;
  l.sum_count = l.others * (l.hidden * products + 1);
  float* room = op.scratch;
  l.weights = take(room, l.hidden * (products + l.others));
  l.r = take(room, static_cast<long>(l.hidden) * kPoints);
  l.margins = take(room, static_cast<long>(l.others) * kPoints);
  l.products = take(room, l.others * products * kPoints);
  l.sums = take(room, l.sum_count);
  l.totals = take(room, l.sum_count);
  l.gradients = take(room, toy_parameters(g.hidden, op.features, op.classes));
  return l;
}

/// Where the parameters of neuron i begin: w, b, V_0 .. V_{C-1}.
template <int kF>
SHOAL_INLINE const float* neuron_of(const Lanes& l, int i) {
  return l.parameters + static_cast<long>(i) * (kF + 1 + l.classes) * kToyLanes;
}
SHOAL_INLINE V parameter(const float* p, int at) { return load(p + at * kToyLanes); }

/// Weights as the forward pass reads them.
template <int kF>
SHOAL_INLINE void open_weights(const Lanes& l) {
  for (int i = 0; i < l.hidden; ++i) {
    const float* p = neuron_of<kF>(l, i);
    float* w = l.weights + static_cast<long>(i) * (kF + 2) * kLanes;
    for (int f = 0; f <= kF; ++f) store(w + f * kLanes, parameter(p, f));
    const V base = parameter(p, kF + 1);
    store(w + (kF + 1) * kLanes, parameter(p, kF + 2) - base);
    float* further = l.weights + (static_cast<long>(l.hidden) * (kF + 2) + i) * kLanes;
    for (int c = 1; c < l.others; ++c, further += static_cast<long>(l.hidden) * kLanes)
      store(further, parameter(p, kF + 2 + c) - base);
  }
}

/// Bias of the logits' difference c.
template <int kF>
SHOAL_INLINE V margin_bias(const Lanes& l, int c) {
  const float* bias = neuron_of<kF>(l, l.hidden);
  return parameter(bias, c + 1) - parameter(bias, 0);
}

/// relu in one instruction where there is one. x86's maximum is its second operand where one is NaN, so NaN
/// stays NaN; stdx::max does not promise an order (toys_test.cpp plants a NaN).
SHOAL_INLINE V fast_relu(V z) {
#if defined(__AVX512F__)
  return __builtin_bit_cast(V, _mm512_max_ps(_mm512_setzero_ps(), __builtin_bit_cast(__m512, z)));
#elif defined(__AVX__)
  return __builtin_bit_cast(V, _mm256_max_ps(_mm256_setzero_ps(), __builtin_bit_cast(__m256, z)));
#elif defined(__SSE__)
  return __builtin_bit_cast(V, _mm_max_ps(_mm_setzero_ps(), __builtin_bit_cast(__m128, z)));
#else
  return relu(z);
#endif
}

/// r of all neurons and the margins of class 1. x: input 0 of the first point.
template <int kF>
void forward_block(const Lanes& l, const float* x, int stride) {
  V inputs[kF][kPoints], margin[kPoints];
  for (int f = 0; f < kF; ++f)
    for (int p = 0; p < kPoints; ++p) inputs[f][p] = V(x[f * static_cast<long>(stride) + p]);
  const V bias = margin_bias<kF>(l, 0);
  for (int p = 0; p < kPoints; ++p) margin[p] = bias;
  const float* w = l.weights;
  float* r = l.r;
  for (int i = 0; i < l.hidden; ++i, w += (kF + 2) * kLanes, r += kPoints * kLanes) {
    V from[kF];
    for (int f = 0; f < kF; ++f) from[f] = load(w + f * kLanes);
    const V b = load(w + kF * kLanes), v = load(w + (kF + 1) * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p) {
      V z = b;
      for (int f = 0; f < kF; ++f) z = from[f] * inputs[f][p] + z;
      z = fast_relu(z);
      store(r + p * kLanes, z);
      margin[p] = v * z + margin[p];
    }
  }
  for (int p = 0; p < kPoints; ++p) store(l.margins + p * kLanes, margin[p]);
}

/// The margins of the classes behind class 1.
template <int kF>
void further_margins(const Lanes& l) {
  const float* v = l.weights + static_cast<long>(l.hidden) * (kF + 2) * kLanes;
  for (int c = 1; c < l.others; ++c) {
    V margin[kPoints];
    const V bias = margin_bias<kF>(l, c);
    for (int p = 0; p < kPoints; ++p) margin[p] = bias;
    const float* r = l.r;
    for (int i = 0; i < l.hidden; ++i, v += kLanes, r += kPoints * kLanes)
#pragma GCC unroll 8
      for (int p = 0; p < kPoints; ++p) margin[p] = load(v) * load(r + p * kLanes) + margin[p];
    for (int p = 0; p < kPoints; ++p) store(l.margins + (c * kPoints + p) * kLanes, margin[p]);
  }
}

/// A step's loss of each lane: the sum of `linear` and of the logarithm of `product`.
struct LossSums {
  alignas(64) double linear[kLanes];
  Product product;
  V check;  // 0, or NaN where a logit was not finite
};

SHOAL_INLINE void add_to(double* sums, V values) {
  alignas(64) float x[kLanes];
  store(x, values);
  for (int j = 0; j < kLanes; ++j) sums[j] += static_cast<double>(x[j]);
}

/// What the points of a block add to the loss, and d of each. `count` of them are points.
struct Block {
  V d[kPoints], factor[kPoints], linear[kPoints];
};

SHOAL_INLINE void add_loss(LossSums& loss, Block& b, int count) {
  if (count < kPoints) {
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p)
      if (p >= count) b.factor[p] = V(1.0f), b.linear[p] = V(0.0f);
  }
  V linear = 0.0f;
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) linear += b.linear[p], loss.product.mantissa *= b.factor[p];
  add_to(loss.linear, linear);
  loss.product.take_exponent();
}

/// d_c of all points, their products with the inputs, and their sum.
template <int kF>
SHOAL_INLINE void write_products(const Lanes& l, int c, Block& b, int count, const float* x, int stride) {
  if (count < kPoints) {
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p)
      if (p >= count) b.d[p] = V(0.0f);
  }
  float* products = l.products + static_cast<long>(c) * (kF + 1) * kPoints * kLanes;
  V sum = 0.0f;
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) {
    for (int f = 0; f < kF; ++f)
      store(products + (f * kPoints + p) * kLanes, b.d[p] * V(x[f * static_cast<long>(stride) + p]));
    store(products + (kF * kPoints + p) * kLanes, b.d[p]);
    sum += b.d[p];
  }
  float* total = l.sums + (l.sum_count - l.others + c) * kLanes;
  store(total, load(total) + sum);
}

/// Two classes: with s = -1 for points of class 1 and s = 1 for those of class 0, the loss is log(1 +
/// exp(s m)) and d_1 its derivative s sigma(s m): nothing cancels, d is good to a few units in the last
/// place.
template <int kF>
void two_classes(const Lanes& l, LossSums& loss, const std::int32_t* labels, const float* x, int stride,
                 int count) {
  Block b;
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) {
    const V sign = V(labels[p] ? -1.0f : 1.0f), wrong = load(l.margins + p * kLanes) * sign;
    loss.check += wrong * V(0.0f);
    const V e = exp_nonpositive(-stdx::abs(wrong)), sum = e + V(1.0f);
    V share = e;
    stdx::where(wrong > V(0.0f), share) = V(1.0f);
    b.d[p] = sign * (share / sum);
    b.factor[p] = sum;
    b.linear[p] = stdx::max(wrong, V(0.0f));
  }
  add_loss(loss, b, count);
  write_products<kF>(l, 0, b, count, x, stride);
}

/// Any number of classes: softmax over 0 and the margins.
template <int kF>
void many_classes(const Lanes& l, LossSums& loss, const std::int32_t* labels, const float* x, int stride,
                  int count) {
  const auto margin = [&](int c, int p) { return l.margins + (c * kPoints + p) * kLanes; };
  Block b;
  V sum[kPoints];
  for (int p = 0; p < kPoints; ++p) {
    V most = 0.0f;
    for (int c = 0; c < l.others; ++c) {
      const V m = load(margin(c, p));
      loss.check += m * V(0.0f);
      most = stdx::max(most, m);
    }
    b.linear[p] = labels[p] ? most - load(margin(labels[p] - 1, p)) : most;
    sum[p] = exp_nonpositive(-most);
    for (int c = 0; c < l.others; ++c) {
      const V e = exp_nonpositive(load(margin(c, p)) - most);
      store(margin(c, p), e);
      sum[p] += e;
    }
    b.factor[p] = sum[p];
  }
  add_loss(loss, b, count);
  for (int c = 0; c < l.others; ++c) {
    for (int p = 0; p < kPoints; ++p)
      b.d[p] = load(margin(c, p)) / sum[p] - V(labels[p] == c + 1 ? 1.0f : 0.0f);
    write_products<kF>(l, c, b, count, x, stride);
  }
}

/// Adds the block's products to the sums of the neurons that are on.
template <int kF>
void backward_block(const Lanes& l) {
  for (int c = 0; c < l.others; ++c) {
    const float* products = l.products + static_cast<long>(c) * (kF + 1) * kPoints * kLanes;
    V product[kF + 1][kPoints];
    for (int f = 0; f <= kF; ++f)
      for (int p = 0; p < kPoints; ++p) product[f][p] = load(products + (f * kPoints + p) * kLanes);
    const float* r = l.r;
    float* s = l.sums + static_cast<long>(c) * l.hidden * (kF + 1) * kLanes;
    for (int i = 0; i < l.hidden; ++i, r += kPoints * kLanes, s += (kF + 1) * kLanes) {
      V sum[kF + 1];
      for (int f = 0; f <= kF; ++f) sum[f] = V(0.0f);
#pragma GCC unroll 8
      for (int p = 0; p < kPoints; ++p) {
        const auto on = load(r + p * kLanes) > V(0.0f);
        for (int f = 0; f <= kF; ++f) stdx::where(on, sum[f]) += product[f][p];
      }
      for (int f = 0; f <= kF; ++f) store(s + f * kLanes, load(s + f * kLanes) + sum[f]);
    }
  }
}

SHOAL_INLINE void clear(float* to, long vectors) {
  for (long k = 0; k < vectors; ++k) store(to + k * kLanes, V(0.0f));
}

SHOAL_INLINE void end_chunk(const Lanes& l) {
  for (long k = 0; k < l.sum_count; ++k)
    store(l.totals + k * kLanes, load(l.totals + k * kLanes) + load(l.sums + k * kLanes));
  clear(l.sums, l.sum_count);
}

/// Sums over all points.
template <int kF>
void add_points(const Lanes& l, const TrainToys& op, LossSums& loss) {
  clear(l.sums, l.sum_count), clear(l.totals, l.sum_count);
  for (int first = 0; first < l.points; first += kPoints) {
    const float* x = op.inputs + first;
    const int count = smaller(kPoints, l.points - first);
    forward_block<kF>(l, x, op.point_stride);
    if (l.others == 1) {
      two_classes<kF>(l, loss, op.labels + first, x, op.point_stride, count);
    } else {
      further_margins<kF>(l);
      many_classes<kF>(l, loss, op.labels + first, x, op.point_stride, count);
    }
    backward_block<kF>(l);
    if ((first + kPoints) % kChunk == 0) end_chunk(l);
  }
  end_chunk(l);
}

/// From the sums to the gradients of all parameters.
template <int kF>
SHOAL_INLINE void write_gradients(const Lanes& l) {
  const V share = 1.0f / static_cast<float>(l.points);
  float* g = l.gradients;
  for (int i = 0; i < l.hidden; ++i, g += static_cast<long>(kF + 1 + l.classes) * kLanes) {
    const float* p = neuron_of<kF>(l, i);
    V dw[kF + 1], base = 0.0f;
    for (int f = 0; f <= kF; ++f) dw[f] = V(0.0f);
    for (int c = 0; c < l.others; ++c) {
      const float* s = l.totals + (static_cast<long>(c) * l.hidden + i) * (kF + 1) * kLanes;
      const V v = parameter(p, kF + 2 + c) - parameter(p, kF + 1);
      V dv = parameter(p, kF) * load(s + kF * kLanes);
      for (int f = 0; f < kF; ++f) dv = parameter(p, f) * load(s + f * kLanes) + dv;
      for (int f = 0; f <= kF; ++f) dw[f] = v * load(s + f * kLanes) + dw[f];
      store(g + (kF + 2 + c) * kLanes, dv * share);
      base -= dv;
    }
    for (int f = 0; f <= kF; ++f) store(g + f * kLanes, dw[f] * share);
    store(g + (kF + 1) * kLanes, base * share);
  }
  V base = 0.0f;
  for (int c = 0; c < l.others; ++c) {
    const V db = load(l.totals + (l.sum_count - l.others + c) * kLanes);
    store(g + (c + 1) * kLanes, db * share);
    base -= db;
  }
  store(g, base * share);
}

/// StepCoefficients of kLanes networks.
struct LaneCoefficients {
  V rate, momentum, gain1, gain2, root_scale, eps, l1, l2, keep;
  V active;  // 1, or 0: this lane stays as it is
  bool any_active, penalised;
};

/// `setting` and `diverged`: of the first lane.
SHOAL_INLINE LaneCoefficients coefficients_of(const UpdateSettings* settings, const int* setting,
                                              const int* diverged, std::int64_t step) {
  alignas(64) float rate[kLanes], momentum[kLanes], gain1[kLanes], gain2[kLanes], root_scale[kLanes];
  alignas(64) float eps[kLanes], l1[kLanes], l2[kLanes], keep[kLanes], active[kLanes];
  LaneCoefficients all{};
  StepCoefficients c{};
  for (int j = 0; j < kLanes; ++j) {
    const bool there = setting[j] >= 0;
    // Powers are dear, and networks of one setting usually neighbours.
    if (there && (j == 0 || setting[j] != setting[j - 1]))
      c = step_coefficients(settings[setting[j]], static_cast<double>(step), 1);
    rate[j] = c.rate, momentum[j] = c.momentum, gain1[j] = c.gain1, gain2[j] = c.gain2;
    root_scale[j] = c.root_scale, eps[j] = c.eps, l1[j] = c.l1, l2[j] = c.l2, keep[j] = c.keep;
    const bool trains = there && c.active == kTrains && diverged[j] == 0;
    active[j] = trains ? 1.0f : 0.0f;
    all.any_active |= trains;
    all.penalised |= c.l1 != 0.0f || c.l2 != 0.0f || c.keep != 1.0f;
  }
  all.rate = load(rate), all.momentum = load(momentum), all.gain1 = load(gain1), all.gain2 = load(gain2);
  all.root_scale = load(root_scale), all.eps = load(eps), all.l1 = load(l1), all.l2 = load(l2);
  all.keep = load(keep), all.active = load(active);
  return all;
}

template <UpdateRule rule, bool penalised>
void update_lanes(const Lanes& l, const LaneCoefficients& c) {
  constexpr int kSlots = slot_count(rule);
  const auto still = c.active == V(0.0f);
  const auto keep_still = [&](float* to, V value, V old) {
    stdx::where(still, value) = old;
    store(to, value);
  };
  const int count = toy_parameters(l.hidden, l.features, l.classes);
  for (int k = 0; k < count; ++k) {
    const long at = static_cast<long>(k) * kToyLanes;
    V w = load(l.parameters + at), a = 0.0f, b = 0.0f, top = 0.0f;
    if constexpr (kSlots > 0) a = load(l.slot_a + at);
    if constexpr (kSlots > 1) b = load(l.slot_b + at);
    if constexpr (kSlots > 2) top = load(l.slot_c + at);
    const V w0 = w, a0 = a, b0 = b, top0 = top;
    apply_update<rule, penalised>(w, a, b, top, load(l.gradients + static_cast<long>(k) * kLanes), c);
    keep_still(l.parameters + at, w, w0);
    if constexpr (kSlots > 0) keep_still(l.slot_a + at, a, a0);
    if constexpr (kSlots > 1) keep_still(l.slot_b + at, b, b0);
    if constexpr (kSlots > 2) keep_still(l.slot_c + at, top, top0);
  }
}

template <UpdateRule rule>
SHOAL_INLINE void update_rule(const Lanes& l, const LaneCoefficients& c) {
  if (c.penalised) update_lanes<rule, true>(l, c);
  else update_lanes<rule, false>(l, c);
}

void update_any(const Lanes& l, const LaneCoefficients& c, int rule) {
  switch (static_cast<UpdateRule>(rule)) {
    case UpdateRule::sgd: return update_rule<UpdateRule::sgd>(l, c);
    case UpdateRule::momentum: return update_rule<UpdateRule::momentum>(l, c);
    case UpdateRule::nesterov: return update_rule<UpdateRule::nesterov>(l, c);
    case UpdateRule::adam: return update_rule<UpdateRule::adam>(l, c);
    case UpdateRule::adamax: return update_rule<UpdateRule::adamax>(l, c);
    case UpdateRule::amsgrad: return update_rule<UpdateRule::amsgrad>(l, c);
  }
}

/// Marks the lanes whose logits are not finite any more, and writes the losses where they are wanted.
void finish_loss(const LossSums& loss, int points, std::int64_t step, int* diverged, double* losses) {
  alignas(64) float check[kLanes], mantissa[kLanes];
  alignas(64) int exponent[kLanes];
  store(check, loss.check), store(mantissa, loss.product.mantissa);
  loss.product.exponent.copy_to(exponent, stdx::element_aligned);
  for (int j = 0; j < kLanes; ++j)
    if (!(check[j] == 0.0f) && diverged[j] == 0) diverged[j] = static_cast<int>(step);
  if (!losses) return;
  for (int j = 0; j < kLanes; ++j)
    losses[j] =
        diverged[j]
            ? __builtin_nan("")
            : (loss.linear[j] + ::log(static_cast<double>(mantissa[j])) + 0.6931471805599453 * exponent[j]) /
                  points;
}

/// Where the losses of a step are recorded, or null.
SHOAL_INLINE double* losses_of(const TrainToys& op, int group, int lane, std::int64_t step) {
  if ((step - 1) % op.loss_every != 0) return nullptr;
  const std::int64_t record = (step - 1) / op.loss_every;
  return op.losses + (static_cast<std::int64_t>(group) * op.records + record) * kToyLanes + lane;
}

SHOAL_INLINE bool any_trains(const int* setting, const int* diverged) {
  for (int j = 0; j < kLanes; ++j)
    if (setting[j] >= 0 && diverged[j] == 0) return true;
  return false;
}

template <int kF>
void train_lanes(const TrainToys& op, int group, int lane) {
  const ToyGroup& g = op.groups[group];
  const Lanes l = lanes_of(op, g, lane);
  const int* setting = op.setting + group * kToyLanes + lane;
  int* diverged = op.diverged + group * kToyLanes + lane;
  for (std::int64_t step = op.first_step; step < op.first_step + op.steps; ++step) {
    double* losses = losses_of(op, group, lane, step);
    LossSums loss{};
    loss.check = V(0.0f);
    const bool trains = any_trains(setting, diverged);
    if (trains) {
      open_weights<kF>(l);
      add_points<kF>(l, op, loss);
    }
    finish_loss(loss, l.points, step, diverged, losses);
    if (!trains) continue;
    const LaneCoefficients c = coefficients_of(op.settings, setting, diverged, step);
    if (!c.any_active) continue;
    write_gradients<kF>(l);
    update_any(l, c, g.rule);
  }
}

}  // namespace

void train_toys(const TrainToys& op, void*) {
  for (int g = 0; g < op.group_count; ++g)
    for (int lane = 0; lane < kToyLanes; lane += kLanes) switch (op.features) {
        case 1: train_lanes<1>(op, g, lane); break;
        case 2: train_lanes<2>(op, g, lane); break;
        case 3: train_lanes<3>(op, g, lane); break;
        default: train_lanes<4>(op, g, lane); break;
      }
}

}  // namespace shoal::SHOAL_LEVEL
