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
constexpr std::array<std::string_view, 5> kRules{"sgd", "momentum", "nesterov", "adam", "adamax"};
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
  const auto below_one = [](std::string_view name, double value) {
    require(value >= 0.0 && value < 1.0, fmt::format("{} is {}: it must lie in [0, 1)", name, value));
  };
  below_one("momentum", o.momentum);
  below_one("beta1", o.beta1);
  below_one("beta2", o.beta2);
  require(std::isfinite(o.eps) && static_cast<float>(o.eps) > 0.0f,
          fmt::format("eps is {}: it must be larger than 0 (padding weights would become 0/0)", o.eps));
}

}  // namespace

ModelId model_id(const ModelSpec& m, TaskShape shape) {
  const OptimizerSpec& o = m.optimizer;
  const auto bits = [](double x) {
    return std::bit_cast<std::uint64_t>(x + 0.0);
  };  // -0 and 0 are one setting
  std::uint64_t layers = hash_words({m.hidden.size()});
  for (const int width : m.hidden) layers = hash_words({layers, static_cast<std::uint64_t>(width)});
  return hash_words({layers, m.seed, static_cast<std::uint64_t>(m.init), static_cast<std::uint64_t>(m.batch),
                     static_cast<std::uint64_t>(shape.features), static_cast<std::uint64_t>(shape.classes),
                     static_cast<std::uint64_t>(o.rule), bits(o.lr), bits(o.momentum), bits(o.beta1),
                     bits(o.beta2), bits(o.eps), bits(o.l1), bits(o.l2), bits(o.weight_decay)});
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
Init parse_init(std::string_view text) { return parse<Init>("init", text, kInits); }
OrderKind parse_order(std::string_view text) { return parse<OrderKind>("order", text, kOrders); }
LossKind parse_loss(std::string_view text) { return parse<LossKind>("loss", text, kLosses); }
std::span<const std::string_view> init_names() { return kInits; }
std::span<const std::string_view> order_names() { return kOrders; }

}  // namespace shoal
