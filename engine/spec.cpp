#include "engine/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "engine/hash.h"

namespace shoal {
namespace {

constexpr int kMaxWidth = 1 << 20;
constexpr int kMaxLayers = 4;
constexpr int kMaxBatch = 1 << 20;

// Tables in the order of the enumerations.
constexpr std::array<std::string_view, 8> kInits{"torch",         "kaiming-normal", "kaiming-uniform",
                                                 "xavier-normal", "xavier-uniform", "orthogonal",
                                                 "ones",          "zeros"};
constexpr std::array<std::string_view, 3> kOrders{"seed", "model", "shared"};
constexpr std::array<std::string_view, kUpdateRules> kRules{"sgd",  "momentum", "nesterov",
                                                            "adam", "adamax",   "amsgrad"};
constexpr std::array<std::string_view, 3> kDecays{"none", "cosine", "linear"};
constexpr std::array<std::string_view, 7> kGates{"none",     "mask",   "size",         "random-size",
                                                 "liveness", "switch", "hard-concrete"};
constexpr std::array<std::string_view, 3> kSizePenalties{"integral", "sum", "x0"};
constexpr std::array<std::string_view, 2> kLosses{"cross-entropy", "squared-error"};

/// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row.back();
}

template <class Enum, std::size_t n>
Enum parse(std::string_view what, std::string_view text, const std::array<std::string_view, n>& names) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](auto a, auto b) { return distance(a, text) < distance(b, text); });
  throw SpecError(fmt::format("there is no {} '{}'; did you mean '{}'? (known: {})", what, text, *nearest,
                              fmt::join(names, ", ")));
}

void require(bool holds, const std::string& sentence) {
  if (!holds) throw SpecError(sentence);
}

void validate_optimizer(const OptimizerSpec& o) {
  const auto at_least_zero = [](std::string_view name, double value) {
    require(std::isfinite(value) && value >= 0.0,
            fmt::format("{} is {}: it must be a finite number, 0 or larger", name, value));
  };
  at_least_zero("lr", o.lr);
  at_least_zero("l1", o.l1);
  at_least_zero("l2", o.l2);
  at_least_zero("weight-decay", o.weight_decay);
  at_least_zero("group-lasso", o.group_lasso);
  const auto below_one = [](std::string_view name, double value) {
    require(value >= 0.0 && value < 1.0, fmt::format("{} is {}: it must lie in [0, 1)", name, value));
  };
  below_one("momentum", o.momentum);
  below_one("beta1", o.beta1);
  below_one("beta2", o.beta2);
  require(o.lr_decay == LrDecay::none || o.decay_epochs >= 1,
          fmt::format("a learning rate that goes down to 0 in {} epochs: 1 or more are possible",
                      o.decay_epochs));
  require(std::isfinite(o.eps) && static_cast<float>(o.eps) > 0.0f,
          fmt::format("eps is {}: it must be larger than 0 (padding weights would become 0/0)", o.eps));
}

void validate_gate(const GateSpec& g, int width) {
  const auto number = [](std::string_view name, double value, double low, double high) {
    require(value >= low && value <= high,
            fmt::format("gate {} is {}: it must be a number from {} to {}", name, value, low, high));
  };
  constexpr double kMost = 1e6;
  number("penalty", g.penalty, 0, kMost);
  number("lr", g.lr, 0, kMost);
  require(g.begin >= 0, fmt::format("gates that begin in epoch {}: 0 or later is possible", g.begin));
  if (g.kind != GateKind::mask) number("start", g.start, -kMost, kMost);
  if (has_size(g.kind)) {
    number("slope", g.slope, -kMost, kMost);
    number("slope-lr", g.slope_lr, 0, kMost);
  } else {
    number("spread", g.spread, 0, kMost);
  }
  constexpr double kLeastZone = 1e-5;  // a slope of 919,000
  if (g.kind == GateKind::random_size)
    require(g.zone_low >= kLeastZone && g.zone_low <= g.zone_high && g.zone_high <= kMost,
            fmt::format("a grey zone of {} to {} neurons: the bounds must lie between {} and {}, the smaller "
                        "one first",
                        g.zone_low, g.zone_high, kLeastZone, kMost));
  if (g.kind == GateKind::liveness_switch && !(g.inertia < 0)) {
    number("inertia", g.inertia, 0, 1);
    number("threshold", g.threshold, 0, kMost);
  }
  if (g.kind == GateKind::mask) {
    require(g.mask.size() == static_cast<std::size_t>(width),
            fmt::format("a mask of {} factors for a layer of {} neurons", g.mask.size(), width));
    for (const float factor : g.mask)
      require(std::isfinite(factor), "a mask with a factor that is not finite");
  }
}

/// Hash of everything that decides what a gate does.
std::uint64_t hash_of(const GateSpec& g) {
  if (g.kind == GateKind::none) return 0;  // whatever else it says
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x + 0.0); };
  std::uint64_t h =
      hash_words({static_cast<std::uint64_t>(g.kind), static_cast<std::uint64_t>(g.size_penalty),
                  bits(g.penalty), bits(g.start), bits(g.spread), bits(g.slope), bits(g.zone_low),
                  bits(g.zone_high), bits(g.lr), bits(g.slope_lr), bits(g.inertia), bits(g.threshold),
                  static_cast<std::uint64_t>(g.begin), g.mask.size()});
  for (const float factor : g.mask) h = hash_words({h, bits(factor)});
  return h;
}

}  // namespace

/// Settings that came later are hashed behind the others, and only where they are used, so that models keep
/// their ids.
ModelId model_id(const ModelSpec& m, TaskShape shape) {
  if (m.id != 0) return m.id;
  const OptimizerSpec& o = m.optimizer;
  const auto bits = [](double x) {
    return std::bit_cast<std::uint64_t>(x + 0.0);
  };  // -0 and 0 are one setting
  std::uint64_t layers = hash_words({m.hidden.size()});
  for (const int width : m.hidden) layers = hash_words({layers, static_cast<std::uint64_t>(width)});
  ModelId id =
      hash_words({layers, m.seed, static_cast<std::uint64_t>(m.init), static_cast<std::uint64_t>(m.batch),
                  static_cast<std::uint64_t>(shape.features), static_cast<std::uint64_t>(shape.classes),
                  static_cast<std::uint64_t>(o.rule), bits(o.lr), bits(o.momentum), bits(o.beta1),
                  bits(o.beta2), bits(o.eps), bits(o.l1), bits(o.l2), bits(o.weight_decay)});
  if (o.lr_decay != LrDecay::none)
    id = hash_words({id, static_cast<std::uint64_t>(o.lr_decay), static_cast<std::uint64_t>(o.decay_epochs)});
  const bool has_gates =
      std::any_of(m.gates.begin(), m.gates.end(), [](const GateSpec& g) { return g.kind != GateKind::none; });
  if (!has_gates && m.weights_rest < 0 && !m.remove_dead && o.group_lasso == 0.0) return id;
  std::uint64_t gates = hash_words(
      {static_cast<std::uint64_t>(m.weights_rest + 1), m.hidden.size(), m.remove_dead, bits(o.group_lasso)});
  if (has_gates)
    for (const GateSpec& g : m.gates) gates = hash_words({gates, hash_of(g)});
  return hash_words({id, gates});
}

std::string to_string(ModelId id) { return fmt::format("{:016x}", id); }

void validate(const ModelSpec& m, TaskShape shape) {
  require(shape.features >= 1 && shape.features <= kMaxWidth,
          fmt::format("data with {} features: 1 to {} are possible", shape.features, kMaxWidth));
  require(shape.classes >= 1 && shape.classes <= kMaxWidth,
          fmt::format("data with {} classes: 1 to {} are possible", shape.classes, kMaxWidth));
  require(!m.hidden.empty() && m.hidden.size() <= kMaxLayers,
          fmt::format("a model with {} hidden layers: 1 to {} are possible", m.hidden.size(), kMaxLayers));
  for (const int width : m.hidden)
    require(width >= 1 && width <= kMaxWidth,
            fmt::format("a hidden layer of width {}: 1 to {} are possible", width, kMaxWidth));
  require(m.batch >= 1 && m.batch <= kMaxBatch,
          fmt::format("batch {}: 1 to {} are possible", m.batch, kMaxBatch));
  validate_optimizer(m.optimizer);
  require(
      m.gates.empty() || m.gates.size() == m.hidden.size(),
      fmt::format("gates for {} layers of a model with {} hidden layers", m.gates.size(), m.hidden.size()));
  for (std::size_t l = 0; l < m.gates.size(); ++l)
    if (m.gates[l].kind != GateKind::none) validate_gate(m.gates[l], m.hidden[l]);
  const auto closes = [](const GateSpec& g) {
    return g.kind == GateKind::liveness || (g.kind == GateKind::liveness_switch && g.inertia >= 0);
  };
  require(!m.remove_dead || std::any_of(m.gates.begin(), m.gates.end(), closes),
          "dead neurons are to be removed, but no gate closes for good: that do liveness, and switch with an "
          "inertia");
  require(m.weights_rest >= -1, fmt::format("weights that rest from epoch {}", m.weights_rest));
}

std::int64_t parameter_count(const ModelSpec& m, TaskShape shape) {
  std::int64_t count = 0, fan_in = shape.features;
  for (const int width : m.hidden) count += (fan_in + 1) * width, fan_in = width;
  return count + (fan_in + 1) * shape.classes;
}

std::string_view name_of(Init i) { return kInits[static_cast<std::size_t>(i)]; }
std::string_view name_of(OrderKind k) { return kOrders[static_cast<std::size_t>(k)]; }
std::string_view name_of(UpdateRule r) { return kRules[static_cast<std::size_t>(r)]; }
std::string_view name_of(LossKind k) { return kLosses[static_cast<std::size_t>(k)]; }
std::string_view name_of(LrDecay d) { return kDecays[static_cast<std::size_t>(d)]; }
std::string_view name_of(GateKind k) { return kGates[static_cast<std::size_t>(k)]; }
std::string_view name_of(SizePenalty p) { return kSizePenalties[static_cast<std::size_t>(p)]; }
LrDecay parse_lr_decay(std::string_view text) { return parse<LrDecay>("lr decay", text, kDecays); }
GateKind parse_gate(std::string_view text) { return parse<GateKind>("gate", text, kGates); }
SizePenalty parse_size_penalty(std::string_view text) {
  return parse<SizePenalty>("size penalty", text, kSizePenalties);
}
std::span<const std::string_view> lr_decay_names() { return kDecays; }
std::span<const std::string_view> gate_names() { return kGates; }
std::span<const std::string_view> size_penalty_names() { return kSizePenalties; }
Init parse_init(std::string_view text) { return parse<Init>("init", text, kInits); }
OrderKind parse_order(std::string_view text) { return parse<OrderKind>("order", text, kOrders); }
LossKind parse_loss(std::string_view text) { return parse<LossKind>("loss", text, kLosses); }
std::span<const std::string_view> init_names() { return kInits; }
std::span<const std::string_view> order_names() { return kOrders; }

}  // namespace shoal
