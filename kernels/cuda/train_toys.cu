// TrainToys (kernels/toys.h): a warp a network, all steps in one launch. A lane has the parameters, the
// optimizer's slots and the sums of a neuron (of two in wide networks) in registers; points stand in shared
// memory.
//
// Points are taken 32 at a time. Forward: every lane has its neuron's share of 32 logits, and an exchange
// that halves their number five times leaves each lane with the whole logit of one point: 31 shuffles instead
// of 5 for each of 32. So softmax and loss cost one exponential a lane. Backward: each lane writes its
// point's products d x for all to read, and adds up those of the points that its neuron is on for.
//
// The order of sums: 32 points one by one from 0, then the total of all tiles. Letters as in kernels/toys.h;
// kF inputs (1 and 3 are filled up with zeros), j neuron of a lane, p point of the tile, c class.
#include "kernels/cuda/device.h"

namespace shoal::KERNEL_NS {
namespace {

constexpr int kWarps = 8;  // networks of a block
constexpr int kThreads = 32 * kWarps;
constexpr int kTile = 32;
constexpr int kStaged = 1024;  // points in shared memory at a time
constexpr unsigned kAll = 0xffffffffu;

/// x of a point, and d x of it with d behind, filled up with zeros.
template <int kF>
struct __align__(sizeof(float) * kF) Point {
  float x[kF];
};
template <int kF>
struct __align__(16) Products {
  float dx[(kF + 4) / 4 * 4];
};

template <int kF>
struct ToyMemory {
  Point<kF> points[kStaged];
  Products<kF> products[kWarps][kTile];
  int labels[kStaged];
};

/// The parameters of a neuron: w, b, V_0 .. V_{C-1}; two classes, or room for as many as there may be.
template <int kF, bool kTwo>
constexpr int kNumbers = kF + 1 + (kTwo ? 2 : kMaxToyClasses);
template <bool kTwo>
constexpr int kOthers = kTwo ? 1 : kMaxToyClasses - 1;  // classes beyond the first

/// A number that is learned, and its slots.
struct Learned {
  float w, a, b, top;
};

/// What a lane knows of its network.
template <int kF, bool kTwo, int kPer>
struct Lane {
  Learned neuron[kPer][kNumbers<kF, kTwo>];
  Learned output;                           // bias of class `lane`, of lanes below C
  float sums[kOthers<kTwo>][kPer][kF + 1];  // S
  float d[kOthers<kTwo>];                   // sum of d over the lane's points
  double loss;                              // sum over the lane's points
  bool bad;                                 // a logit of them was not finite
};

/// Where a number of the lane's registers stands among the parameters of its network, or -1.
template <int kF>
__device__ __forceinline__ int place_of(const TrainToys& op, int hidden, int neuron, int number) {
  if (neuron >= hidden) return -1;
  const int features = op.features, first = neuron * (features + 1 + op.classes);
  if (number < kF) return number < features ? first + number : -1;
  return number - kF <= op.classes ? first + features + (number - kF) : -1;
}

__device__ __forceinline__ Learned read(const TrainToys& op, std::int64_t first, int place, int slots) {
  if (place < 0) return {0.0f, 0.0f, 0.0f, 0.0f};
  const std::int64_t at = first + static_cast<std::int64_t>(place) * kToyLanes;
  return {op.parameters[at], slots > 0 ? op.slot_a[at] : 0.0f, slots > 1 ? op.slot_b[at] : 0.0f,
          slots > 2 ? op.slot_c[at] : 0.0f};
}

__device__ __forceinline__ void write(const TrainToys& op, std::int64_t first, int place, int slots,
                                      const Learned& l) {
  if (place < 0) return;
  const std::int64_t at = first + static_cast<std::int64_t>(place) * kToyLanes;
  op.parameters[at] = l.w;
  if (slots > 0) op.slot_a[at] = l.a;
  if (slots > 1) op.slot_b[at] = l.b;
  if (slots > 2) op.slot_c[at] = l.top;
}

/// Lane p gets the sum of all lanes' values[p], in a fixed tree.
__device__ __forceinline__ float sum_for_each(float (&values)[kTile], int lane) {
#pragma unroll
  for (int half = kTile / 2; half > 0; half /= 2) {
    const bool upper = (lane & half) != 0;
#pragma unroll
    for (int p = 0; p < half; ++p) {
      const float sent = upper ? values[p] : values[p + half], kept = upper ? values[p + half] : values[p];
      values[p] = kept + __shfl_xor_sync(kAll, sent, half);
    }
  }
  return values[0];
}

template <class T>
__device__ __forceinline__ T sum_over_lanes(T v) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) v += __shfl_xor_sync(kAll, v, distance);
  return v;
}

/// z of a neuron.
template <int kF, int kN>
__device__ __forceinline__ float preactivation(const Learned (&n)[kN], const Point<kF>& point) {
  float z = n[kF].w;
#pragma unroll
  for (int f = 0; f < kF; ++f) z = fmaf(n[f].w, point.x[f], z);
  return z;
}

/// m_{c+1} of the lane's point without the bias, and, with c = 0, for which points of the tile its neurons
/// are on: bit p.
template <int kF, bool kTwo, int kPer>
__device__ __forceinline__ float margin_of(const Lane<kF, kTwo, kPer>& n, const Point<kF>* points, int c,
                                           unsigned (&on)[kPer], int lane) {
  float shares[kTile], v[kPer];
#pragma unroll
  for (int j = 0; j < kPer; ++j) v[j] = n.neuron[j][kF + 2 + c].w - n.neuron[j][kF + 1].w;
#pragma unroll
  for (int p = 0; p < kTile; ++p) {
    const Point<kF> point = points[p];
    shares[p] = 0.0f;
#pragma unroll
    for (int j = 0; j < kPer; ++j) {
      const float z = preactivation(n.neuron[j], point);
      if (c == 0 && z > 0.0f) on[j] |= 1u << p;
      shares[p] = fmaf(v[j], relu(z), shares[p]);
    }
  }
  return sum_for_each(shares, lane);
}

/// The lane's point: from its margins to its d, and its loss. Two classes as on the CPU: nothing cancels.
template <bool kTwo>
__device__ __forceinline__ float softmax(float (&m)[kOthers<kTwo>], int others, int label) {
  if constexpr (kTwo) {
    const float sign = label ? -1.0f : 1.0f, wrong = m[0] * sign, e = expf(-fabsf(wrong));
    m[0] = sign * ((wrong > 0.0f ? 1.0f : e) / (1.0f + e));
    return log1pf(e) + fmaxf(wrong, 0.0f);
  } else {
    float most = 0.0f, own = 0.0f;
    for (int c = 0; c < others; ++c) {
      most = fmaxf(most, m[c]);
      own = c + 1 == label ? m[c] : own;
    }
    float sum = expf(-most);
    for (int c = 0; c < others; ++c) {
      m[c] = expf(m[c] - most);
      sum += m[c];
    }
    for (int c = 0; c < others; ++c) m[c] = m[c] / sum - (c + 1 == label ? 1.0f : 0.0f);
    return logf(sum) + (most - own);
  }
}

/// 32 points, `count` of them there.
template <int kF, bool kTwo, int kPer>
__device__ __forceinline__ void add_tile(Lane<kF, kTwo, kPer>& n, const float (&bias)[kOthers<kTwo>],
                                         int others, const Point<kF>* points, int label, int count,
                                         Products<kF>* products, int lane) {
  float m[kOthers<kTwo>];
  unsigned on[kPer] = {};
  const bool there = lane < count;
  for (int c = 0; c < others; ++c) {
    m[c] = margin_of(n, points, c, on, lane) + bias[c];
    n.bad |= there && !isfinite(m[c]);
  }
  const float loss = softmax<kTwo>(m, others, label);
  if (there) n.loss += static_cast<double>(loss);
  const Point<kF> own = points[lane];
  for (int c = 0; c < others; ++c) {
    const float d = there ? m[c] : 0.0f;
    n.d[c] += d;
    Products<kF> product{};
#pragma unroll
    for (int f = 0; f < kF; ++f) product.dx[f] = d * own.x[f];
    product.dx[kF] = d;
    // Without it a lane would overwrite products of the class or tile before that slow lanes still read.
    __syncwarp();
    products[lane] = product;
    // Without it a lane would read products that their lane has not written yet.
    __syncwarp();
    float sums[kPer][kF + 1] = {};
#pragma unroll
    for (int p = 0; p < kTile; ++p) {
      const Products<kF> from = products[p];
#pragma unroll
      for (int j = 0; j < kPer; ++j)
        if (on[j] >> p & 1u) {
#pragma unroll
          for (int f = 0; f <= kF; ++f) sums[j][f] += from.dx[f];
        }
    }
#pragma unroll
    for (int j = 0; j < kPer; ++j)
#pragma unroll
      for (int f = 0; f <= kF; ++f) n.sums[c][j][f] += sums[j][f];
  }
}

template <int kF>
__device__ void stage(ToyMemory<kF>& m, const TrainToys& op, int first) {
  for (int p = threadIdx.x; p < kStaged; p += kThreads) {
    const int at = first + p;
    const bool there = at < op.points;
    Point<kF> point;
#pragma unroll
    for (int f = 0; f < kF; ++f)
      point.x[f] =
          there && f < op.features ? op.inputs[f * static_cast<std::int64_t>(op.point_stride) + at] : 0.0f;
    m.points[p] = point;
    m.labels[p] = there ? op.labels[at] : 0;
  }
}

__device__ __forceinline__ void step_number(Learned& l, float g, const StepCoefficients& c, int rule) {
  const bool penalised = c.l1 != 0.0f || c.l2 != 0.0f || c.keep != 1.0f;
  const auto apply = [&]<UpdateRule kRule>() {
    if (penalised) apply_update<kRule, true>(l.w, l.a, l.b, l.top, g, c);
    else apply_update<kRule, false>(l.w, l.a, l.b, l.top, g, c);
  };
  switch (static_cast<UpdateRule>(rule)) {
    case UpdateRule::sgd: return apply.template operator()<UpdateRule::sgd>();
    case UpdateRule::momentum: return apply.template operator()<UpdateRule::momentum>();
    case UpdateRule::nesterov: return apply.template operator()<UpdateRule::nesterov>();
    case UpdateRule::adam: return apply.template operator()<UpdateRule::adam>();
    case UpdateRule::adamax: return apply.template operator()<UpdateRule::adamax>();
    case UpdateRule::amsgrad: return apply.template operator()<UpdateRule::amsgrad>();
  }
}

/// From the sums to the gradients, and the update rule on every number.
template <int kF, bool kTwo, int kPer>
__device__ __forceinline__ void update(Lane<kF, kTwo, kPer>& n, int others, float share,
                                       const StepCoefficients& c, int rule, int lane) {
#pragma unroll
  for (int j = 0; j < kPer; ++j) {
    Learned(&number)[kNumbers<kF, kTwo>] = n.neuron[j];
    float dw[kF + 1] = {}, dv[kOthers<kTwo>], base = 0.0f;
    for (int k = 0; k < others; ++k) {
      const float(&s)[kF + 1] = n.sums[k][j];
      const float v = number[kF + 2 + k].w - number[kF + 1].w;
      dv[k] = number[kF].w * s[kF];
#pragma unroll
      for (int f = 0; f < kF; ++f) dv[k] = fmaf(number[f].w, s[f], dv[k]);
#pragma unroll
      for (int f = 0; f <= kF; ++f) dw[f] = fmaf(v, s[f], dw[f]);
      base -= dv[k];
    }
#pragma unroll
    for (int f = 0; f <= kF; ++f) step_number(number[f], dw[f] * share, c, rule);
    step_number(number[kF + 1], base * share, c, rule);
    for (int k = 0; k < others; ++k) step_number(number[kF + 2 + k], dv[k] * share, c, rule);
  }
  float base = 0.0f, own = 0.0f;
  for (int k = 0; k < others; ++k) {
    const float db = sum_over_lanes(n.d[k]);
    base -= db;
    own = lane == k + 1 ? db : own;
  }
  if (lane <= others) step_number(n.output, (lane == 0 ? base : own) * share, c, rule);
}

/// A warp's network.
struct Toy {
  int place;  // in the arrays of [groups][16]
  int hidden, rule, slots;
  std::int64_t first;  // its parameters: op.parameters + first, + 16, ...
  bool there;
};

__device__ __forceinline__ Toy toy_of(const TrainToys& op) {
  Toy t{};
  t.place = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / 32;
  const ToyGroup& g = op.groups[t.place / kToyLanes];
  t.hidden = g.hidden, t.rule = g.rule, t.first = g.first + t.place % kToyLanes;
  t.slots = slot_count(static_cast<UpdateRule>(g.rule));
  t.there = op.setting[t.place] >= 0;
  return t;
}

template <int kF, bool kTwo, int kPer, class Visit>
__device__ __forceinline__ void for_each_number(Lane<kF, kTwo, kPer>& n, const TrainToys& op, const Toy& t,
                                                int lane, Visit visit) {
#pragma unroll
  for (int j = 0; j < kPer; ++j)
#pragma unroll
    for (int k = 0; k < kNumbers<kF, kTwo>; ++k)
      visit(n.neuron[j][k], place_of<kF>(op, t.hidden, lane + 32 * j, k));
  visit(n.output, lane < op.classes ? t.hidden * (op.features + 1 + op.classes) + lane : -1);
}

// One block an SM is enough: left to itself, ptxas would rather spill than have fewer.
template <int kF, bool kTwo, int kPer>
__global__ void __launch_bounds__(kThreads, 1) train_toys_kernel(TrainToys op) {
  __shared__ __align__(16) ToyMemory<kF> memory;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int others = kTwo ? 1 : op.classes - 1;
  const float share = 1.0f / static_cast<float>(op.points);
  const Toy t = toy_of(op);
  Lane<kF, kTwo, kPer> n{};
  for_each_number(n, op, t, lane, [&](Learned& l, int place) { l = read(op, t.first, place, t.slots); });
  int diverged = op.diverged[t.place];
  const bool staged_once = op.points <= kStaged;
  for (std::int64_t step = op.first_step; step < op.first_step + op.steps; ++step) {
    const bool trains = t.there && diverged == 0;
    float bias[kOthers<kTwo>];
    for (int c = 0; c < others; ++c) {
      n.d[c] = 0.0f;
      bias[c] = __shfl_sync(kAll, n.output.w, c + 1) - __shfl_sync(kAll, n.output.w, 0);
#pragma unroll
      for (int j = 0; j < kPer; ++j)
#pragma unroll
        for (int f = 0; f <= kF; ++f) n.sums[c][j][f] = 0.0f;
    }
    n.loss = 0.0, n.bad = false;
    for (int first = 0; first < op.points; first += kStaged) {
      if (!staged_once || step == op.first_step) {
        // Without it fast warps would overwrite points that slow ones still read.
        __syncthreads();
        stage(memory, op, first);
        // Without it a warp would read points that another has not staged yet.
        __syncthreads();
      }
      if (!trains) continue;
      for (int tile = 0; tile < kStaged && first + tile < op.points; tile += kTile)
        add_tile(n, bias, others, memory.points + tile, memory.labels[tile + lane], op.points - first - tile,
                 memory.products[warp], lane);
    }
    if (trains && __any_sync(kAll, n.bad)) diverged = static_cast<int>(step);
    if ((step - 1) % op.loss_every == 0) {
      const double loss = sum_over_lanes(n.loss) / op.points;
      const std::int64_t record =
          static_cast<std::int64_t>(t.place / kToyLanes) * op.records + (step - 1) / op.loss_every;
      if (lane == 0)
        op.losses[record * kToyLanes + t.place % kToyLanes] = diverged ? __builtin_nan("") : loss;
    }
    if (!trains || diverged != 0) continue;
    const StepCoefficients c =
        step_coefficients(op.settings[op.setting[t.place]], static_cast<double>(step), 1);
    if (c.active == kTrains) update(n, others, share, c, t.rule, lane);
  }
  if (!t.there) return;
  for_each_number(n, op, t, lane, [&](Learned& l, int place) { write(op, t.first, place, t.slots, l); });
  if (lane == 0) op.diverged[t.place] = diverged;
}

template <int kF, bool kTwo>
void launch_toys(const TrainToys& op, void* stream) {
  const dim3 grid(blocks_for(static_cast<std::int64_t>(op.group_count) * kToyLanes, kWarps));
  const auto launch = [&](auto kernel) {
    check(simt::launch(grid, dim3(kThreads), 0, stream_of(stream), kernel, op), "train_toys");
  };
  if (op.hidden <= 32) launch(train_toys_kernel<kF, kTwo, 1>);
  else launch(train_toys_kernel<kF, kTwo, 2>);
}

}  // namespace

void train_toys(const TrainToys& op, void* stream) {
  if (op.group_count == 0 || op.steps == 0) return;
  const bool two = op.classes == 2;
  if (op.features <= 2) two ? launch_toys<2, true>(op, stream) : launch_toys<2, false>(op, stream);
  else two ? launch_toys<4, true>(op, stream) : launch_toys<4, false>(op, stream);
}

}  // namespace shoal::KERNEL_NS
