// What removing each neuron does to the loss: against forward passes without it, in double precision.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/removal.h"

namespace shoal::test {
namespace {

const RemovalSums kStart{100.0, 10.0, 20.0, 30.0, 5};  // what stood in the sums before

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// What the reference makes of the machine's own outputs and logits, and how far the machine may be from it.
///
/// A logit without the neuron is a product and a sum off by gamma(2) (|l| + |y v|); its distance to the
/// largest and the exponential's argument add as much again. The loss changes by at most twice the largest
/// error of a logit; sum, exponentials, and product of rows are a relative error of a sum, an absolute one of
/// its logarithm. p is off by the exponent's error and by the sum's; products and partial sums of four rows
/// on top.
struct Expected {
  reference::Removal value, tolerance;
};

Expected expect(const reference::Matrix& logits, const reference::Matrix& y, const reference::Layer& last,
                const std::vector<int>& labels, int neuron) {
  Expected e;
  const reference::Vector& v = last.weight[size(neuron)];
  const auto classes = v.size();
  reference::Matrix without = logits;
  e.tolerance = {kSmallest, 0, kSmallest, kSmallest, kSmallest};
  for (std::size_t b = 0; b < logits.size(); ++b) {
    const double own = y[b][size(neuron)];
    const reference::Derivatives d = reference::derivatives_of(logits[b], labels[b], own, v);
    e.value.slope += d.first, e.value.curvature += d.second, e.value.squared_slope += d.first * d.first;
    double magnitude = 0.0, largest = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      without[b][c] -= own * v[c];
      magnitude = std::max(magnitude, std::abs(logits[b][c]) + std::abs(own * v[c]));
      largest = std::max(largest, std::abs(logits[b][c]));
    }
    const double exponent = 2.0 * gamma(5.0) * magnitude;
    const reference::Matrix row{without[b]};
    const reference::LossValue loss = loss_of(reference::Loss::cross_entropy, row, {labels[b]});
    e.value.loss += loss.sum, e.value.correct += loss.correct;
    e.tolerance.loss += 2.0 * exponent + gamma(static_cast<double>(classes) + 16.0) + gamma(12.0) * loss.sum;
    // Hits may differ where the label's logit is within the errors of another one.
    double nearest = HUGE_VAL;
    for (std::size_t c = 0; c < classes; ++c)
      if (static_cast<int>(c) != labels[b])
        nearest = std::min(nearest, std::abs(without[b][c] - without[b][size(labels[b])]));
    e.tolerance.correct += nearest <= 2.0 * exponent && nearest > 0.0;

    double sum = 0.0, most = -HUGE_VAL, first = 0.0, second = 0.0;
    for (const double l : logits[b]) most = std::max(most, l);
    for (const double l : logits[b]) sum += std::exp(l - most);
    for (std::size_t c = 0; c < classes; ++c) {
      const double p = std::exp(logits[b][c] - most) / sum, w = std::abs(v[c] - v[size(labels[b])]);
      first += p * w, second += p * w * w;
    }
    const double relative = 4.0 * gamma(5.0) * largest + gamma(static_cast<double>(classes) + 24.0);
    const double slope = std::abs(own) * first * relative + kSmallest;
    e.tolerance.slope += slope;
    e.tolerance.curvature += 4.0 * own * own * second * relative + kSmallest;
    e.tolerance.squared_slope +=
        2.0 * std::abs(d.first) * slope + slope * slope + gamma(6.0) * d.first * d.first;
  }
  return e;
}

void compare(Worst& worst, const RemovalSums& r, const Expected& e, int model, int neuron) {
  const double off = static_cast<double>(std::abs(r.correct - kStart.correct - e.value.correct));
  if (!(off <= static_cast<double>(e.tolerance.correct))) worst.ratio = 1e300, worst.where = "hits";
  worst.see(r.loss - kStart.loss, e.value.loss, e.tolerance.loss + 1e-13 * kStart.loss, model, 0, 0, neuron);
  worst.see(r.slope - kStart.slope, e.value.slope, e.tolerance.slope + 1e-13 * kStart.slope, model, 1, 0,
            neuron);
  worst.see(r.curvature - kStart.curvature, e.value.curvature,
            e.tolerance.curvature + 1e-13 * kStart.curvature, model, 2, 0, neuron);
  worst.see(r.squared_slope - kStart.squared_slope, e.value.squared_slope,
            e.tolerance.squared_slope + 1e-13 * kStart.squared_slope, model, 3, 0, neuron);
}

/// How far the machine's logits may be from those of a forward pass in double precision: the errors of every
/// layer, passed on by the absolute values of the weights.
double logit_error(const reference::Model& model, const reference::Vector& input) {
  reference::Matrix x{input};
  reference::Vector error(input.size(), 0.0);
  for (const reference::Layer& layer : model.layers) {
    const int fan_in = static_cast<int>(layer.weight.size());
    const reference::Matrix magnitude = magnitude_of(x, layer);
    reference::Vector next;
    for (std::size_t n = 0; n < layer.bias.size(); ++n) {
      double off = dot_tolerance(fan_in, magnitude[0][n]);
      for (int k = 0; k < fan_in; ++k) off += 1.01 * std::abs(layer.weight[size(k)][n]) * error[size(k)];
      next.push_back(off);
    }
    reference::Matrix z = affine(x, layer);
    for (double& v : z[0]) v = std::max(0.0, v);
    if (!layer.gate.empty()) {
      z = times_gate(z, layer.gate);
      for (std::size_t n = 0; n < next.size(); ++n) next[n] *= std::abs(layer.gate[n]);
    }
    x = z, error = next;
  }
  return *std::max_element(error.begin(), error.end());
}

struct Given {
  Population population;
  std::vector<reference::Model> models;
  std::vector<reference::Samples> batches;
};

Given population_of(const PopulationSpec& spec, bool gated, double sharpness) {
  Given p{make_population(spec), {}, {}};
  p.models = random_models(p.population, 61, gated);
  p.batches = random_batches(p.population, 62);
  for (reference::Model& m : p.models)
    for (reference::Vector& row : m.layers.back().weight)
      for (double& w : row) w *= sharpness;
  return p;
}

TEST_CASE("removal: the loss, hits and derivatives without each neuron are the reference's, at odd sizes") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const bool gated : {false, true}) {
        CAPTURE(machine.name);
        CAPTURE(c.name);
        CAPTURE(gated);
        const Given given = population_of(c.spec, gated, gated ? 64.0 : 1.0);
        const Population& p = given.population;
        Rig rig(machine, p, {.gates = gated});
        set_models(rig, given.models);
        set_batches(rig, given.batches);
        rig.forward();
        const auto outputs = rig.arena.get(rig.workspace.outputs);
        rig.arena.set(rig.removals, std::vector<RemovalSums>(size(static_cast<int>(p.neurons)), kStart));
        rig.arena.set(rig.whole, std::vector<RemovalSums>(p.places.size(), kStart));
        rig.removal();
        const auto neurons = rig.arena.get(rig.removals), whole = rig.arena.get(rig.whole);
        CHECK(same_bits(outputs, rig.arena.get(rig.workspace.outputs)));
        std::vector<bool> seen(neurons.size(), false);
        Worst worst, brute;
        for (int m = 0; m < static_cast<int>(p.places.size()); ++m) {
          if (rows_of(p, m) == 0) continue;
          const reference::Model& model = given.models[size(m)];
          const auto layers = static_cast<int>(model.layers.size());
          const reference::Samples& batch = batch_of_model(p, given.batches, m);
          const reference::Matrix logits = values_of(p, outputs, m, layers - 1),
                                  y = times_gate(values_of(p, outputs, m, layers - 2),
                                                 model.layers[size(layers - 2)].gate);
          double error = 0.0;
          for (const reference::Vector& x : batch.inputs) error += 4.0 * logit_error(model, x);
          const Place& place = p.places[size(m)][size(layers - 2)];
          Expected e;
          for (int n = 0; n < place.width; ++n) {
            const auto at = size(static_cast<int>(p.slabs[size(place.slab)].neuron) + place.column + n);
            seen[at] = true;
            e = expect(logits, y, model.layers.back(), batch.labels, n);
            compare(worst, neurons[at], e, m, n);
            brute.see(neurons[at].loss - kStart.loss, loss_with_factor(model, batch, n, 0.0).sum,
                      e.tolerance.loss + error + 1e-13 * kStart.loss, m, 4, 0, n);
          }
          const reference::LossValue v = loss_of(reference::Loss::cross_entropy, logits, batch.labels);
          worst.see(whole[size(m)].loss - kStart.loss, v.sum, e.tolerance.loss + 1e-11, m, 5, 0, 0);
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK_MESSAGE(brute.ok(), brute.where, ", ", brute.ratio, " tolerances");
        for (std::size_t i = 0; i < seen.size(); ++i)
          if (!seen[i]) CHECK(std::memcmp(&neurons[i], &kStart, sizeof(kStart)) == 0);
        CHECK(rig.arena.touched() == "");
      }
}

TEST_CASE("removal: a silent neuron leaves exactly the whole model's loss and hits, and no derivatives") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Given given = population_of({9, 10, {{{20}}, {{70}}, {{5, 17}}}, {37}}, false, 20.0);
    for (reference::Model& m : given.models) m.layers[m.layers.size() - 2].bias[3] = -1e4;  // never above 0
    const Population& p = given.population;
    Rig rig(machine, p);
    set_models(rig, given.models);
    set_batches(rig, given.batches);
    rig.forward();
    rig.removal();
    rig.removal();  // sums of two batches
    rig.loss(LossKind::cross_entropy, false);
    const auto neurons = rig.arena.get(rig.removals), whole = rig.arena.get(rig.whole);
    const std::vector<double> loss = rig.arena.get(rig.loss_sums);
    for (std::size_t m = 0; m < given.models.size(); ++m) {
      const Place& place = p.places[m][p.places[m].size() - 2];
      const RemovalSums& r =
          neurons[size(static_cast<int>(p.slabs[size(place.slab)].neuron) + place.column + 3)];
      CHECK(r.loss == whole[m].loss);
      CHECK(r.correct == whole[m].correct);
      CHECK(r.slope == 0.0);
      CHECK(r.curvature == 0.0);
      CHECK(r.squared_slope == 0.0);
      CHECK(whole[m].loss == doctest::Approx(2.0 * loss[m]).epsilon(1e-6));
      CHECK(whole[m].correct == 2 * rig.arena.get(rig.correct)[m]);
      CHECK(whole[m].loss > 0.0);
    }
  }
}

TEST_CASE("removal: of equal logits the first counts, and NaN stays NaN in its own model") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Population p = make_population({1, 3, {{{1}}, {{2}}}, {6}});
    Rig rig(machine, p);
    rig.arena.set(rig.labels, std::vector<std::int32_t>{0, 1, 2, 0, 1, 2});
    // Outputs and weights are 0, all logits the same; but those of model 1 hold a NaN in row 2.
    rig.arena.set(rig.workspace.outputs, fill_outputs(p, [&](int m, int l, int b, int n) {
                    return m == 1 && l == 1 && b == 2 && n == 0 ? std::nanf("") : 0.0f;
                  }));
    rig.removal();
    const auto neurons = rig.arena.get(rig.removals);
    const auto at = [&](int m) {
      const Place& place = p.places[size(m)][0];
      return neurons[size(static_cast<int>(p.slabs[size(place.slab)].neuron) + place.column)];
    };
    CHECK(at(0).correct == 2);
    CHECK(at(0).loss == doctest::Approx(6.0 * std::log(3.0)).epsilon(1e-6));
    CHECK(std::isnan(at(1).loss));
    CHECK(at(1).correct <= 2);
  }
}

TEST_CASE("removal: the same bits alone and in a crowd, and under every schedule of the emulation") {
  const ModelShape own{{37}};
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const auto sums = [&](std::vector<ModelShape> shapes, std::size_t me, int schedule) {
      const Schedule s(machine, schedule);
      const Population p = make_population({6, 10, std::move(shapes), {21}});
      std::vector<reference::Model> models = random_models(p, 70, false);
      models[me] = reference::make_model({6, 37, 10}, 5);
      Rig rig(machine, p);
      set_models(rig, models);
      set_batches(rig, random_batches(p, 71));
      rig.forward();
      rig.removal();
      const Place& place = p.places[me][0];
      const auto first = p.slabs[size(place.slab)].neuron + place.column;
      auto neurons = rig.arena.get(rig.removals);
      std::vector<RemovalSums> result(neurons.begin() + first, neurons.begin() + first + 37);
      result.push_back(rig.arena.get(rig.whole)[me]);
      return result;
    };
    const auto alone = sums({own}, 0, 0);
    const auto same = [&](const std::vector<RemovalSums>& other) {
      return std::memcmp(alone.data(), other.data(), alone.size() * sizeof(RemovalSums)) == 0;
    };
    CHECK(same(sums({{{9}}, own, {{130}}}, 1, 0)));
    CHECK(same(sums({{{64}}, {{3, 4}}, own}, 2, 1)));
    for (int schedule = 1; schedule < (machine.is_emulated ? kSchedules : 1); ++schedule)
      CHECK(same(sums({own}, 0, schedule)));
  }
}

}  // namespace
}  // namespace shoal::test
