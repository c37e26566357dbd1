// The numbers of random and fixed slopes of the gate, on made-up results with known answers, and gates on or
// off by chance on a small network.
#include "tools/studies/slope_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/initialize.h"
#include "tools/studies/slope_figures.h"
#include "tools/studies/slope_onoff.h"

using namespace shoal;

namespace {

SlopeSpec spec_of() {
  SlopeSpec s;
  s.neurons = 40, s.epochs = 8, s.zones = {1, 5, 20, 10.5};
  return s;
}

/// x0 = (10 + per_zone * zone + extra if random) (1 + ln t) + the seed's own.
struct Made {
  SlopeSpec spec = spec_of();
  RunSpec run;
  RunResult result;

  Made(double per_zone, double extra, double random_loss = 0) {
    run.models = slope_models(spec, {}, {1, 2, 3, 4});
    run.epochs = spec.epochs;
    const auto arms = slope_arms(spec);
    for (std::size_t m = 0; m < run.models.size(); ++m) {
      const SlopeArm& arm = arms[m / 4];
      const bool random = arm.kind == SlopeKind::random;
      ModelResult r{};
      r.gates.emplace_back();
      for (int e = 1; e <= spec.epochs; ++e) {
        const double own = 0.1 * static_cast<double>(run.models[m].seed);
        r.gates[0].epoch_size.push_back(
            (10 + per_zone * arm.zone + (random ? extra : 0.0)) * (1 + std::log(e)) + own);
        r.epoch_train_loss.push_back(0.1 + 0.001 * own + (random ? random_loss : 0.0));
        r.epoch_test_loss.push_back(0.5 + 0.001 * own), r.epoch_test_accuracy.push_back(0.9);
      }
      result.models.push_back(r);
    }
  }
  std::vector<SlopeRow> rows() const { return slope_rows(spec, run, result); }
};

bool any_says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& s) { return s.find(words) != std::string::npos; });
}

/// A trained-looking network on a few samples; the images are its own labels' prototypes and noise.
struct Small {
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  Task task;
  OnOffNetwork network;

  Small() {
    constexpr int kFeatures = 6, kCount = 64;
    ModelSpec m;
    m.hidden = {12}, m.seed = 3;
    network = {3, 6.0, initial_weights(m, {kFeatures, 3})};
    for (float& w : network.layers[1].weight) w *= 4.0f;
    for (int i = 0; i < kCount * kFeatures; ++i)
      values.push_back(static_cast<float>((i * 37 % 19) / 9.5 - 1.0));
    for (int i = 0; i < kCount; ++i) labels.push_back(i % 3);
    task.shape = {kFeatures, 3};
    task.train = {kCount, kFeatures, nullptr, values.data(), labels.data()};
    task.test = task.train;
  }
};

/// The derivative of the expected loss over all 4096 masks: each neuron's share is its gate's slope times how
/// much lower the expected loss is with it than without.
double exact_derivative(const Small& s, double x0, double k) {
  std::vector<Layers> models;
  for (int mask = 0; mask < 4096; ++mask) {
    Layers m = s.network.layers;
    for (int o = 0; o < 3; ++o)
      for (int i = 0; i < 12; ++i)
        if (!(mask >> i & 1)) m[1].weight[static_cast<std::size_t>(12 * o + i)] = 0;
    models.push_back(std::move(m));
  }
  const auto losses = evaluate_models(models, s.task.train, 1, 0, LossKind::cross_entropy);
  double sum = 0;
  for (int i = 0; i < 12; ++i)
    for (std::size_t mask = 0; mask < 4096; ++mask) {
      double others = 1;
      for (int j = 0; j < 12; ++j) {
        const double g = 1 / (1 + std::exp(-k * (x0 - j)));
        if (j == i) others *= k * g * (1 - g) * (mask >> j & 1 ? 1 : -1);
        else others *= mask >> j & 1 ? g : 1 - g;
      }
      sum += others * losses[mask].loss;
    }
  return sum;
}

}  // namespace

TEST_CASE("slope: zones and slopes, and every arm once") {
  CHECK(slope_of_zone(10.5) == doctest::Approx(0.87526));
  CHECK(zone_of_slope(0.4) == doctest::Approx(22.9756));
  // At the ends of the zone the gate is 99 % and 1 %.
  CHECK(1 / (1 + std::exp(-slope_of_zone(7) * 3.5)) == doctest::Approx(0.99));
  const auto arms = slope_arms(spec_of());
  REQUIRE(arms.size() == 7);  // the zone of 10.5 is there already
  CHECK(arms[0].zone == 10.5);
  CHECK(arms[0].slope == doctest::Approx(9.19024 * std::log(20.0) / 19));  // the mean of 9.19 / w
  CHECK(arms[2].slope == arms[0].slope);
  CHECK(arms[2].zone == doctest::Approx(6.342).epsilon(1e-3));
  const Made made(0, 0);
  std::set<ModelId> ids;
  for (const ModelSpec& m : made.run.models) {
    validate(m, {784, 10});
    ids.insert(model_id(m, {784, 10}));
  }
  CHECK(ids.size() == 7 * 4);
  CHECK(made.run.models[0].gates[0].kind == GateKind::random_size);
  CHECK(made.run.models[4].gates[0].slope == doctest::Approx(0.87526));
}

TEST_CASE("slope: what is the zone and what the randomness") {
  const Made zone(-0.2, 0), random(0, 3), both(-0.2, 3), none(0, 0);
  const auto verdict = [](const Made& m) { return slope_verdict(m.spec, m.rows(), {}, {}); };
  CHECK(any_says(verdict(zone), "with the same mean zone, no difference is seen"));
  CHECK(any_says(verdict(zone), "zone of 23, yes"));
  CHECK(any_says(verdict(zone), "wider zones end smaller"));
  CHECK(any_says(verdict(random), "with the same mean zone, yes"));
  CHECK(any_says(verdict(random), "no trend is seen"));
  CHECK(any_says(verdict(both), "with the same mean zone, yes"));
  CHECK(any_says(verdict(none), "zone of 23, no difference is seen"));
  CHECK(any_says(verdict(none), "training loss no difference is seen"));
  CHECK(any_says(verdict(Made(0, 0, 0.01)), "training loss yes"));
  // Sizes are linear in the zone, so their mean over 1 .. 20 is the size at 10.5.
  CHECK(mixed_size(zone.spec, zone.rows(), 8) ==
        doctest::Approx((10 - 0.2 * 10.5) * (1 + std::log(8)) + 0.25));
  const auto rows = both.rows();
  const MeanInterval gap = gap_at(rows[0].models, 8, rows[1].models, 8, &GateCurve::size);
  CHECK(gap.mean == doctest::Approx(3 * (1 + std::log(8))));
}

TEST_CASE("slope: fits of the growth") {
  const Made made(0, 0);
  const Growth g = growth_of(made.rows()[1].models, 0, 8);
  CHECK(g.log.slope == doctest::Approx(10));
  CHECK(g.log.r2 == doctest::Approx(1));
  CHECK(std::abs(g.exponent) <= 0.011);
  CHECK(at_log(g, 20) == doctest::Approx(10.25 + 10 * std::log(20)));
  CHECK(forecast_of(made.rows()[1], 8).log == doctest::Approx(forecast_of(made.rows()[1], 8).measured));
  std::vector<GateCurve> power(1), saturating(1);
  for (int e = 1; e <= 12; ++e) {
    power[0].size.push_back(3 + 2 * std::sqrt(e));
    saturating[0].size.push_back(5 + 50 * (1 - std::exp(-e / 3.0)));
  }
  const Growth p = growth_of(power, 0, 12), s = growth_of(saturating, 0, 12);
  CHECK(p.exponent == doctest::Approx(0.5));
  CHECK(at_power(p, 100) == doctest::Approx(23));
  CHECK(s.tau == doctest::Approx(3).epsilon(0.03));
  CHECK(at_saturating(s, 1000) == doctest::Approx(55).epsilon(0.02));
  CHECK(std::isnan(growth_of(power, 0, 3).log.r2));
}

TEST_CASE("slope: changes of x0 and their signs") {
  Made made(0, 0);
  for (std::size_t m = 4; m < 8; ++m)
    made.result.models[m].gates[0].epoch_size = {5, 8, 9, 9, m == 4 ? 12.0 : 7.0, 9, 10, 11};
  const Changes c = changes_of(made.rows()[1]);
  CHECK(c.mean[0] == 5);
  CHECK(c.mean[4] == doctest::Approx((3 - 3 * 2) / 4.0));
  CHECK(c.falls[4] == 3);
  CHECK(c.falls[5] == 1);
  CHECK(c.first_fall == 5);
}

TEST_CASE("slope: models that diverged are counted, and none left is said") {
  Made made(0, 0);
  made.result.models[5].status = ModelStatus::diverged;
  CHECK(made.rows()[1].diverged == 1);
  CHECK(made.rows()[1].models.size() == 3);
  made.result.models[6].gates[0].epoch_size.back() = -0.1;
  CHECK(made.rows()[1].closed == 1);
  CHECK(made.rows()[1].models.size() == 2);
  CHECK(any_says(slope_verdict(made.spec, made.rows(), {}, {}), "(1 of 3 have closed)"));
  for (ModelResult& r : made.result.models) r.status = ModelStatus::diverged;
  CHECK(any_says(slope_verdict(made.spec, made.rows(), {}, {}), "nothing to compare"));
  CHECK(slope_figures(made.spec, made.rows(), {}, "here").empty());
  for (const SlopeRow& row : made.rows()) CHECK(!slope_columns(made.spec, row).empty());
}

TEST_CASE("slope: the gradient by x0 is the slope of the loss by x0") {
  const Small s;
  const double k = 0.9, h = 0.02;
  const auto loss = [&](double x0) {
    const Layers folded = fold_size_gate(s.network.layers, x0, k);
    return evaluate_models({&folded, 1}, s.task.train, 1, 0, LossKind::cross_entropy)[0].loss;
  };
  for (const double x0 : {1.0, 6.0, 11.0}) {
    const double slope = (loss(x0 + h) - loss(x0 - h)) / (2 * h);
    const auto found = gradients_by_x0({s.network.layers}, {x0}, k, s.task.train, 1, 0, {});
    REQUIRE(found.size() == 1);
    // Losses of floats: 1e-7 over 2h; the difference quotient's own error is of the order of h^2.
    CHECK(std::abs(found[0] - slope) < 1e-5 + 1e-3 * std::abs(slope));
  }
}

TEST_CASE("slope: gates on or off by chance") {
  const Small s;
  std::int64_t on = 0;
  for (std::int64_t d = 0; d < 2000; ++d) {
    const auto neurons = on_neurons(3.0, 1.0, 12, 7, d);
    CHECK(std::ranges::is_sorted(neurons));
    on += std::ranges::count(neurons, 4);
    // More x0 switches neurons on and none off.
    const auto more = on_neurons(3.5, 1.0, 12, 7, d);
    CHECK(std::ranges::includes(more, neurons));
  }
  CHECK(static_cast<double>(on) / 2000 == doctest::Approx(1 / (1 + std::exp(1.0))).epsilon(0.12));
  const auto rows = on_off_rows({s.network}, {s.task, {}, 2.0, 2000, 64});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].x0 == 6);
  CHECK(rows[1].x0 == 3);
  for (const OnOffRow& r : rows) {
    REQUIRE(r.quotients.size() == 4);
    // A neuron switches with probability 2 h k g (1 - g); all together nearly 2 h.
    for (const Quotient& q : r.quotients)
      if (q.h < 0.5) CHECK(q.zeros == doctest::Approx(std::pow(1 - 2 * q.h / 12, 12)).epsilon(0.03));
    const double exact = exact_derivative(s, r.x0, 2.0);
    CHECK(std::abs(r.score - exact) < 4 * r.score_error);
    CHECK(std::abs(exact) > 8 * r.score_error);  // so that a wrong factor is seen
    CHECK(std::abs(r.quotients[2].mean - exact) < 4 * r.quotients[2].standard_error);
    CHECK(r.score_sd < r.plain_sd);
  }
  CHECK(!slope_figures(spec_of(), {}, rows, "here").empty());
  const auto words = slope_verdict(spec_of(), {}, {}, rows);
  CHECK(any_says(words, "the gradient is always zero"));
  CHECK(any_says(words, "draws for a standard error of a tenth"));
}
