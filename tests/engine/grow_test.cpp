// Grown models: what stays of the function, where the new weights come from, and that copies part.
#include "engine/grow.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/initialize.h"
#include "engine/safetensors.h"
#include "tests/engine/small_task.h"

namespace shoal::test {
namespace {

ModelSpec widened(ModelSpec m, int width) {
  m.hidden.back() = width;
  m.seed += 1000;
  return m;
}

/// A model that has been trained a little.
Layers trained(const ModelSpec& m, const Task& task) {
  RunSpec spec;
  spec.models = {m}, spec.epochs = 3;
  return train(spec, task).weights[0];
}

/// Weights of the next layer times what they read, in sizes: what a sum of products can be off by, in
/// roundings.
double largest_sum(const Layers& layers, const Task& task) {
  const std::vector<float> hidden =
      outputs_of({layers.data(), layers.size() - 1}, LastLayer::relu, task.test, task.scale, task.shift);
  const LayerWeights& out = layers.back();
  const auto inputs = static_cast<std::size_t>(out.inputs);
  double largest = 0;
  for (std::size_t b = 0; b < static_cast<std::size_t>(task.test.count); ++b)
    for (std::size_t c = 0; c < static_cast<std::size_t>(out.outputs); ++c) {
      double sum = std::abs(static_cast<double>(out.bias[c]));
      for (std::size_t n = 0; n < inputs; ++n)
        sum += std::abs(static_cast<double>(out.weight[c * inputs + n]) *
                        static_cast<double>(hidden[b * inputs + n]));
      largest = std::max(largest, sum);
    }
  return largest;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(std::isfinite(b[i]));
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

TEST_CASE("grow: silent neurons change no bit of the function, copies no more than rounding, fresh ones do") {
  const auto data = small_task();
  const Task& t = data.task;
  for (const ModelSpec& m : {model({7}), model({16}), model({20, 9})})
    for (const int more : {1, 5, m.hidden.back()}) {
      CAPTURE(m.hidden.back());
      CAPTURE(more);
      const Layers before = trained(m, t);
      const std::vector<float> logits_before = logits(before, t.test, t.scale, t.shift);
      const int width = m.hidden.back() + more;
      const auto off = [&](Growth how) {
        const Layers after = grow(before, widened(m, width), t.shape, how);
        CHECK(after[after.size() - 2].outputs == width);
        CHECK(after.back().inputs == width);
        return largest_difference(logits_before, logits(after, t.test, t.scale, t.shift));
      };
      // Both sums of at most `width` products and a bias, and two shares that were rounded.
      const double rounding = (2.0 * width + 4) * 0x1p-24 * largest_sum(before, t);
      CHECK(off(Growth::silent) == 0.0);
      CHECK(off(Growth::split) <= rounding);
      CHECK(off(Growth::twin) <= rounding);
      CHECK(off(Growth::fresh) > 100 * rounding);
    }
}

TEST_CASE("grow: new weights are those of a fresh model of the new size, or shares of old ones") {
  const auto data = small_task();
  const ModelSpec m = model({20, 6}), to = widened(m, 10);
  const Layers before = initial_weights(m, data.task.shape), drawn = initial_weights(to, data.task.shape);
  for (const Growth how : {Growth::silent, Growth::split, Growth::twin, Growth::fresh}) {
    CAPTURE(name_of(how));
    const Layers after = grow(before, to, data.task.shape, how);
    CHECK(same_bits({after[0]}, {before[0]}));
    for (std::size_t n = 0; n < 10; ++n) {
      const bool copied = how == Growth::split || how == Growth::twin;
      const LayerWeights& from = n < 6 || copied ? before[1] : drawn[1];
      const std::size_t row = n >= 6 && copied ? n - 6 : n;
      for (std::size_t k = 0; k < 20; ++k) REQUIRE(after[1].weight[n * 20 + k] == from.weight[row * 20 + k]);
      CHECK(after[1].bias[n] == from.bias[row]);
    }
    std::vector<float> ratios;
    for (std::size_t c = 0; c < 4; ++c)
      for (std::size_t n = 0; n < 10; ++n) {
        const float v = after[2].weight[c * 10 + n];
        const auto old = [&](std::size_t i) { return before[2].weight[c * 6 + i]; };
        if (how == Growth::silent) REQUIRE(v == (n < 6 ? old(n) : 0.0f));
        else if (how == Growth::fresh) REQUIRE(v == (n < 6 ? old(n) : drawn[2].weight[c * 10 + n]));
        else if (n >= 6) {
          REQUIRE(std::abs(v + after[2].weight[c * 10 + n - 6] - old(n - 6)) <=
                  0x1p-23f * std::abs(old(n - 6)));
          ratios.push_back(v / old(n - 6));
          CHECK(ratios.back() >= 0.2499f);
          CHECK(ratios.back() <= 0.7501f);
        } else if (n >= 4) REQUIRE(v == old(n));
      }
    if (ratios.empty()) continue;
    const float across = std::abs(ratios[0] - ratios[4]), along = std::abs(ratios[0] - ratios[1]);
    CHECK((across > 1e-3f) == (how == Growth::split));  // another class, the same neuron
    CHECK(along > 1e-3f);                               // another neuron
  }
}

/// How far the incoming weights of the two of each pair are apart, as a share of their size.
double apart(const Layers& layers, std::size_t pairs) {
  const LayerWeights& hidden = layers[0];
  const auto inputs = static_cast<std::size_t>(hidden.inputs);
  double between = 0, size = 0;
  for (std::size_t i = 0; i < pairs * inputs; ++i) {
    const double a = hidden.weight[i], b = hidden.weight[i + pairs * inputs];
    between += (a - b) * (a - b), size += a * a;
  }
  return std::sqrt(between / size);
}

TEST_CASE("grow: copies part, under Adam more slowly where a neuron has one ratio") {
  const auto data = small_task();
  const auto parted = [&](Growth how, UpdateRule rule, int epochs) {
    const ModelSpec m = model({12}, 1, rule), to = widened(m, 24);
    const Layers grown = grow(trained(m, data.task), to, data.task.shape, how);
    CHECK(apart(grown, 12) == 0.0);
    RunSpec spec;
    spec.models = {to}, spec.epochs = epochs;
    RunHooks hooks;
    hooks.start_weights = [&](std::int64_t) { return grown; };
    return apart(train(spec, data.task, hooks).weights[0], 12);
  };
  MESSAGE("Adam, one epoch: split " << parted(Growth::split, UpdateRule::adam, 1) << ", twin "
                                    << parted(Growth::twin, UpdateRule::adam, 1) << "; ten epochs "
                                    << parted(Growth::split, UpdateRule::adam, 10) << " and "
                                    << parted(Growth::twin, UpdateRule::adam, 10));
  CHECK(parted(Growth::split, UpdateRule::adam, 1) > 2 * parted(Growth::twin, UpdateRule::adam, 1));
  CHECK(parted(Growth::split, UpdateRule::adam, 10) > 0.05);
  CHECK(parted(Growth::split, UpdateRule::sgd, 10) > 0.01);
  CHECK(parted(Growth::twin, UpdateRule::sgd, 10) > 0.01);
}

TEST_CASE("grow: sizes that do not fit are refused") {
  const auto data = small_task();
  const TaskShape shape = data.task.shape;
  const ModelSpec m = model({8, 6});
  const Layers layers = initial_weights(m, shape);
  const auto refused = [&](std::vector<int> hidden, Growth how) {
    CHECK_THROWS_AS(grow(layers, model(std::move(hidden)), shape, how), WeightsError);
  };
  refused({8}, Growth::silent);
  refused({8, 6, 6}, Growth::silent);
  refused({9, 12}, Growth::silent);
  refused({8, 5}, Growth::fresh);
  refused({8, 13}, Growth::split);
  refused({8, 13}, Growth::twin);
  CHECK(grow(layers, model({8, 13}), shape, Growth::silent)[1].outputs == 13);
  CHECK(same_bits(grow(layers, m, shape, Growth::split), layers));
}

}  // namespace
}  // namespace shoal::test
