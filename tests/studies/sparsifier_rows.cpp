// The sparsifier study's numbers on made-up results.
#include "tools/studies/sparsifier_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tools/studies/sparsifier_figures.h"

using namespace shoal;

namespace {

using Family = SparsifierFamily;

std::vector<ModelSpec> base(int seeds = 3, int width = 100) {
  std::vector<ModelSpec> models;
  for (int s = 1; s <= seeds; ++s) {
    ModelSpec m;
    m.hidden = {width}, m.seed = static_cast<std::uint64_t>(s);
    models.push_back(m);
  }
  return models;
}

SparsifierSpec spec() {
  return {.penalties = {0, 1e-3, 1e-2},
          .starts = {50, 100, 200},
          .fixed = {8, 32, 128},
          .start_penalties = {1e-3},
          .rates = {0.001, 0.01},
          .rival_penalties = {1e-3},
          .gate_lr = 0.001,
          .l2 = 1e-4,
          .inertia = 0.9};
}

/// A result in which the final size is `left(model)` neurons from the epoch of death on; accuracy by size.
template <class Left>
RunResult made_up(const SparsifierPlan& plan, int epochs, Left left) {
  RunResult result;
  for (const ModelSpec& m : plan.models) {
    ModelResult r;
    const double seed = static_cast<double>(m.seed);
    const int width = m.hidden.front();
    const int death = m.gates.empty() ? 0 : static_cast<int>(std::ceil(1.0 / (m.gates[0].lr * 100)));
    const double end = m.gates.empty() ? width : std::min<double>(left(m), width);
    if (!m.gates.empty()) {
      GateResult g;
      g.kind = m.gates[0].kind, g.size = end;
      g.gates.assign(static_cast<std::size_t>(width), 0.0f);
      std::fill_n(g.gates.begin(), static_cast<std::size_t>(end), 0.5f);
      for (int e = 1; e <= epochs; ++e) g.epoch_size.push_back(e >= death ? end : width);
      r.gates = {g};
    }
    r.test_accuracy = 0.9 + 0.01 * std::log10(end + 1) + 1e-4 * seed;
    r.train_accuracy = r.test_accuracy + 0.005;
    for (int e = 1; e <= epochs; ++e) {
      r.epoch_train_loss.push_back(0.1);
      r.epoch_test_accuracy.push_back(r.test_accuracy - (e == death ? 0.02 : 0.0));
    }
    result.models.push_back(r);
  }
  return result;
}

double by_lambda(const ModelSpec& m) {
  const double lambda = m.gates[0].penalty;
  const double size = lambda == 0.0 ? m.hidden[0] : lambda < 5e-3 ? 40 : 20;
  return size - (lambda > 0.0 ? static_cast<double>(m.seed % 2) : 0.0);
}

const SparsifierRow& row_with(const std::vector<SparsifierRow>& rows, Family family, double lambda,
                              int width = 100) {
  for (const SparsifierRow& row : rows)
    if (row.family == family && row.lambda == lambda && row.width == width) return row;
  REQUIRE(false);
  return rows.front();
}

bool any_says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& s) { return s.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("sparsifier: every arm has a model of each seed, and a model that two arms need is there once") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  CHECK(plan.arms.size() == 3 + 3 + 2 + 5 + 3);
  std::set<ModelId> ids;
  for (const ModelSpec& m : plan.models) ids.insert(model_id(m, {784, 10}));
  CHECK(ids.size() == plan.models.size());
  // Start 100 and rate 0.001 are the strict gates at 1e-3.
  CHECK(plan.models.size() == 3 * (plan.arms.size() - 2));
  for (const SparsifierArm& arm : plan.arms) {
    CHECK(arm.models.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      ModelSpec m = arm.model;
      m.seed = i + 1;
      CHECK(model_id(m, {784, 10}) == model_id(plan.models[arm.models[i]], {784, 10}));
    }
    validate(arm.model, {784, 10});
    CHECK((arm.gate() == nullptr) == (arm.family == Family::fixed));
  }
}

TEST_CASE("sparsifier: rows sum up seeds, curves and deaths") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  RunResult result = made_up(plan, 20, by_lambda);
  const auto rows = sparsifier_rows(plan, result, 12800);  // 100 steps an epoch
  const SparsifierRow& row = row_with(rows, Family::strict, 1e-3);
  CHECK(row.models == 3);
  CHECK(row.size.mean == doctest::Approx((39 + 40 + 39) / 3.0));
  CHECK(row.open_gate == doctest::Approx(0.5));
  CHECK(row.earliest_death == doctest::Approx(10.0));
  CHECK(row.first_deaths == std::vector<double>{10, 10, 10});
  CHECK(row.epoch_size[8] == 100.0);
  CHECK(row.epoch_size[9] == doctest::Approx(row.size.mean));
  CHECK(row.late_change.mean == 0.0);
  CHECK(settled(row) == Settled::yes);
  const SparsifierRow& none = row_with(rows, Family::strict, 0.0);
  CHECK(none.first_deaths.empty());
  CHECK(of_family(rows, Family::rates).size() == 2);
  CHECK(of_family(rows, Family::rates)[1]->first_deaths == std::vector<double>{1, 1, 1});
  result.models[plan.arms[1].models[0]].status = ModelStatus::diverged;
  CHECK(sparsifier_rows(plan, result, 12800)[1].diverged == 1);
  CHECK(sparsifier_rows(plan, result, 12800)[1].models == 2);
}

TEST_CASE("sparsifier: a size that still falls has not settled, and one seed cannot tell") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  RunResult result = made_up(plan, 20, by_lambda);
  for (ModelResult& m : result.models)
    if (!m.gates.empty())
      for (std::size_t e = 0; e < 20; ++e) m.gates[0].epoch_size[e] = 100.0 - static_cast<double>(e);
  for (ModelResult& m : result.models)
    if (!m.gates.empty()) m.gates[0].size = 81.0;
  const auto rows = sparsifier_rows(plan, result, 12800);
  const SparsifierRow& row = row_with(rows, Family::strict, 1e-2);
  CHECK(row.late_change.mean == doctest::Approx(81.0 / 86.0 - 1.0));
  CHECK(settled(row) == Settled::no);
  CHECK(any_says(sparsifier_verdict(rows, 20), "have not all settled"));
  const SparsifierPlan one = sparsifier_plan(base(1), spec());
  CHECK(settled(sparsifier_rows(one, made_up(one, 20, by_lambda), 12800)[1]) == Settled::unknown);
}

TEST_CASE("sparsifier: plain networks between the widths that were trained") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  const auto rows = sparsifier_rows(plan, made_up(plan, 4, by_lambda), 12800);
  const double at8 = row_with(rows, Family::fixed, 0, 8).test_accuracy.mean,
               at32 = row_with(rows, Family::fixed, 0, 32).test_accuracy.mean;
  CHECK(accuracy_of_fixed(rows, 8) == doctest::Approx(at8));
  CHECK(accuracy_of_fixed(rows, 16) == doctest::Approx(0.5 * (at8 + at32)));
  CHECK(std::isnan(accuracy_of_fixed(rows, 7)));
  CHECK(std::isnan(accuracy_of_fixed(rows, 129)));
}

TEST_CASE("sparsifier: the exponent of the start is found") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  const auto follows = [](const ModelSpec& m) { return std::floor(4 * std::sqrt(m.hidden[0])); };
  const auto rows = sparsifier_rows(plan, made_up(plan, 4, follows), 12800);
  const MeanInterval e = start_exponent(rows, 1e-3);
  CHECK(e.mean == doctest::Approx(0.5).epsilon(0.03));
  CHECK(e.low < e.mean);
  CHECK(any_says(sparsifier_verdict(rows, 4), "Does the starting size influence the final size?\" Yes"));
  const auto constant = sparsifier_rows(plan, made_up(plan, 4, by_lambda), 12800);
  CHECK(any_says(sparsifier_verdict(constant, 4), "Not that these seeds could show"));
}

TEST_CASE("sparsifier: the verdict follows the numbers") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  const auto rows = sparsifier_rows(plan, made_up(plan, 20, by_lambda), 12800);
  const auto sentences = sparsifier_verdict(rows, 20);
  CHECK(any_says(sentences, "generalise better than no penalty\": not beyond"));  // smaller is worse here
  CHECK(any_says(sentences, "No neuron dies before that"));
  CHECK(any_says(sentences, "The dip in accuracy is neurons dying\": yes"));
  CHECK(any_says(sentences, "The sizes have settled"));
  const auto good = [](const ModelSpec& m) { return m.gates[0].penalty > 0.0 ? 90.0 : 30.0; };
  CHECK(any_says(sparsifier_verdict(sparsifier_rows(plan, made_up(plan, 20, good), 12800), 20),
                 "generalise better than no penalty\": yes"));
  const auto larger =
      sparsifier_rows(plan, made_up(plan, 20, [](const ModelSpec& m) { return by_lambda(m) + 5; }), 12800);
  CHECK(size_comparison("A", rows, "B", larger).find("yes, always") != std::string::npos);
  CHECK(size_comparison("B", larger, "A", rows).find("\": no.") != std::string::npos);
}

TEST_CASE("sparsifier: figures of whatever there is") {
  const SparsifierPlan plan = sparsifier_plan(base(), spec());
  const auto rows = sparsifier_rows(plan, made_up(plan, 20, by_lambda), 12800);
  CHECK(sparsifier_figures(rows, "here").size() == 4);
  CHECK(sparsifier_figures({}, "here").empty());
  for (const Figure& f : sparsifier_figures(rows, "here")) {
    CHECK(!figure_script(f).empty());
    for (const Panel& p : f.panels)
      for (const Series& s : p.series) CHECK(s.x.size() == s.y.size());
  }
  SparsifierSpec least = spec();
  least.penalties = {0}, least.starts = {}, least.rates = {}, least.rival_penalties = {}, least.fixed = {};
  const SparsifierPlan small = sparsifier_plan(base(1), least);
  const auto few = sparsifier_rows(small, made_up(small, 2, by_lambda), 12800);
  CHECK(sparsifier_figures(few, "here").empty());
  CHECK(sparsifier_verdict(few, 2).empty());
}
