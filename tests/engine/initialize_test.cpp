#include "engine/initialize.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/engine/small_task.h"

namespace shoal {
namespace {

using test::model;

std::vector<LayerWeights> weights_of(Init init, std::vector<int> hidden, std::uint64_t seed = 1) {
  ModelSpec m = model(std::move(hidden), seed);
  m.init = init;
  return initial_weights(m, {100, 10});
}

struct Spread {
  double mean, sd, largest;
};
Spread spread(const std::vector<float>& v) {
  double sum = 0, squares = 0, largest = 0;
  for (const float x : v)
    sum += x, squares += static_cast<double>(x) * x,
        largest = std::max(largest, std::abs(static_cast<double>(x)));
  const double n = static_cast<double>(v.size());
  return {sum / n, std::sqrt(squares / n - sum / n * sum / n), largest};
}

/// Five standard errors of a mean, and of an sd of a distribution with kurtosis <= 3.
double mean_tolerance(double sd, double n) { return 5 * sd / std::sqrt(n); }
double sd_tolerance(double sd, double n) { return 5 * sd / std::sqrt(2 * n); }

TEST_CASE("spreads of the inits are those of their papers") {
  const double in = 100, out = 200, n = in * out, gain = std::sqrt(2.0);
  const struct {
    Init init;
    double sd, bound;
  } cases[]{{Init::torch, 1 / std::sqrt(3 * in), 1 / std::sqrt(in)},
            {Init::kaiming_normal, gain / std::sqrt(in), INFINITY},
            {Init::kaiming_uniform, gain / std::sqrt(in), gain * std::sqrt(3 / in)},
            {Init::xavier_normal, gain * std::sqrt(2 / (in + out)), INFINITY},
            {Init::xavier_uniform, gain * std::sqrt(2 / (in + out)), gain * std::sqrt(6 / (in + out))}};
  for (const auto& c : cases) {
    INFO(std::string(name_of(c.init)));
    const Spread s = spread(weights_of(c.init, {200})[0].weight);
    CHECK(std::abs(s.mean) <= mean_tolerance(c.sd, n));
    CHECK(std::abs(s.sd - c.sd) <= sd_tolerance(c.sd, n));
    CHECK(s.largest <= c.bound * (1 + 1e-6));
  }
}

TEST_CASE("only torch draws biases") {
  CHECK(spread(weights_of(Init::torch, {200})[0].bias).sd > 0.03);
  for (const Init init :
       {Init::kaiming_normal, Init::xavier_uniform, Init::orthogonal, Init::ones, Init::zeros})
    for (const LayerWeights& l : weights_of(init, {20}))
      for (const float b : l.bias) CHECK(b == 0.0f);
}

TEST_CASE("orthogonal layers are orthogonal, tall or wide, with gain sqrt(2) before a ReLU") {
  for (const int width : {30, 100, 150}) {
    const auto layers = weights_of(Init::orthogonal, {width});
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const auto rows = static_cast<std::size_t>(layers[l].outputs),
                 columns = static_cast<std::size_t>(layers[l].inputs);
      const bool tall = rows > columns;
      const std::size_t count = tall ? columns : rows, length = tall ? rows : columns;
      const auto entry = [&](std::size_t v, std::size_t k) {
        return static_cast<double>(layers[l].weight[tall ? k * columns + v : v * columns + k]);
      };
      const double gain = l + 1 < layers.size() ? 2.0 : 1.0;
      double worst = 0;
      for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = 0; b <= a; ++b) {
          double product = 0;
          for (std::size_t k = 0; k < length; ++k) product += entry(a, k) * entry(b, k);
          const double error = std::abs(product - (a == b ? gain : 0.0));
          if (!(error <= worst)) worst = error;
        }
      CHECK(worst <=
            1e-6);  // entries are rounded to float: about 2^-24 times the gain, summed with random signs
    }
  }
}

TEST_CASE("ones and zeros are what they say") {
  const auto ones = weights_of(Init::ones, {5}), zeros = weights_of(Init::zeros, {5});
  for (const float w : ones[0].weight) CHECK(w == 1.0f);
  for (const float w : zeros[0].weight) CHECK(w == 0.0f);
}

TEST_CASE("weights depend on the seed and on the model, not on the epochs or the crowd") {
  CHECK(test::same_bits(weights_of(Init::torch, {20}), weights_of(Init::torch, {20})));
  CHECK(!test::same_bits(weights_of(Init::torch, {20}), weights_of(Init::torch, {20}, 2)));
  CHECK(weights_of(Init::torch, {20})[0].weight[0] != weights_of(Init::torch, {21})[0].weight[0]);
}

TEST_CASE("identity of a model: every field counts, and the values are part of the results") {
  const TaskShape shape{784, 10};
  const ModelSpec base = model({64});
  CHECK(to_string(model_id(base, shape)).size() == 16);
  std::vector<ModelId> ids{model_id(base, shape), model_id(base, {783, 10}), model_id(base, {784, 11})};
  const auto changed = [&](auto change) {
    ModelSpec m = base;
    change(m);
    ids.push_back(model_id(m, shape));
  };
  changed([](ModelSpec& m) { m.hidden = {65}; });
  changed([](ModelSpec& m) { m.hidden = {64, 64}; });
  changed([](ModelSpec& m) { m.seed = 2; });
  changed([](ModelSpec& m) { m.init = Init::ones; });
  changed([](ModelSpec& m) { m.batch = 64; });
  changed([](ModelSpec& m) { m.optimizer.rule = UpdateRule::sgd; });
  changed([](ModelSpec& m) { m.optimizer.lr = 2e-3; });
  changed([](ModelSpec& m) { m.optimizer.momentum = 0.5; });
  changed([](ModelSpec& m) { m.optimizer.beta1 = 0.5; });
  changed([](ModelSpec& m) { m.optimizer.beta2 = 0.5; });
  changed([](ModelSpec& m) { m.optimizer.eps = 1e-7; });
  changed([](ModelSpec& m) { m.optimizer.l1 = 1e-7; });
  changed([](ModelSpec& m) { m.optimizer.l2 = 1e-7; });
  changed([](ModelSpec& m) { m.optimizer.weight_decay = 1e-7; });
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("initial weights are part of the results: these bits may not change unnoticed") {
  ModelSpec m = model({3}, 42);
  const auto layers = initial_weights(m, {4, 2});
  CHECK(to_string(model_id(m, {4, 2})) == "b65ed87b93be4df4");
  CHECK(layers[0].weight[0] == 0x1.a9f8ep-4f);
  CHECK(layers[0].weight[11] == 0x1.cf5b6p-3f);
  CHECK(layers[1].bias[1] == -0x1.d63774p-2f);
}

TEST_CASE("put and get are inverse") {
  const std::vector<ModelSpec> models{model({5}), model({70, 33}), model({16}), model({63})};
  const TaskShape shape{13, 3};
  const Layout layout = make_layout(models, shape, OrderKind::seed);
  std::vector<float> parameters(static_cast<std::size_t>(layout.parameters));
  for (std::size_t m = 0; m < models.size(); ++m)
    put_weights(layout, static_cast<std::int64_t>(m), initial_weights(models[m], shape), parameters.data());
  for (std::size_t m = 0; m < models.size(); ++m)
    CHECK(test::same_bits(get_weights(layout, static_cast<std::int64_t>(m), parameters.data()),
                          initial_weights(models[m], shape)));
}

}  // namespace
}  // namespace shoal
