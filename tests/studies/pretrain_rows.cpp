// The numbers of gates that begin late, on made-up results with known answers.
#include "tools/studies/pretrain_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tools/studies/pretrain_figures.h"

using namespace shoal;

namespace {

using C = GateCurve;

PretrainSpec spec_of() {
  return {.neurons = 40, .doses = {4, 0, 2, 4}, .random_doses = {4}, .gated_epochs = 8, .plain = {10, 40}};
}

/// x0 = factor(dose) (1 + ln t) + the seed's own, t epochs with the gate; accuracy by the size.
struct Made {
  PretrainSpec spec = spec_of();
  RunSpec run;
  RunResult result;

  explicit Made(double per_dose = -1.0, int seeds = 4) {
    std::vector<std::uint64_t> numbers;
    for (int s = 1; s <= seeds; ++s) numbers.push_back(static_cast<std::uint64_t>(s));
    run.models = pretrain_models(spec, {}, numbers);
    run.epochs = total_epochs(spec);
    for (const ModelSpec& m : run.models) result.models.push_back(made(m, per_dose));
  }
  ModelResult made(const ModelSpec& m, double per_dose) const {
    ModelResult r{};
    if (!m.gates.empty()) r.gates.emplace_back();
    for (int e = 1; e <= run.epochs; ++e) {
      double size = m.hidden.front();
      if (!m.gates.empty()) {
        const int dose = m.gates[0].begin, t = e - dose;
        size = t < 1 ? 0 : (10 + per_dose * dose) * (1 + std::log(t)) + 0.1 * static_cast<double>(m.seed);
        r.gates[0].epoch_size.push_back(size);
      }
      r.epoch_train_loss.push_back(1.0 / e);
      r.epoch_test_loss.push_back(0.5);
      r.epoch_test_accuracy.push_back(0.5 + 0.01 * std::log(size + 1));
    }
    return r;
  }
  std::vector<PretrainRow> rows() const { return pretrain_rows(run, result); }
};

bool any_says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& s) { return s.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("pretrain: every arm has its gate from its own epoch on, and the run lasts for the latest") {
  const Made made;
  CHECK(total_epochs(made.spec) == 12);
  CHECK(made.run.models.size() == 4 * (3 + 1 + 2));  // an epoch given twice is one arm
  std::set<ModelId> ids;
  for (const ModelSpec& m : made.run.models) {
    validate(m, {784, 10});
    ids.insert(model_id(m, {784, 10}));
    if (m.gates.empty()) continue;
    CHECK(m.gates[0].start == 0);
    CHECK(m.gates[0].lr == 1);
    CHECK(m.gates[0].penalty == 0);
    CHECK(m.optimizer.l2 == 0);
  }
  CHECK(ids.size() == made.run.models.size());
}

TEST_CASE("pretrain: an arm is read at its own end, and at the end of all") {
  const Made made;
  const auto rows = made.rows();
  REQUIRE(rows.size() == 6);
  const auto arms = arms_of(rows);
  REQUIRE(arms.size() == 3);
  CHECK(arms[1]->dose == 2);
  CHECK(arms_of(rows, GateKind::random_size).size() == 1);
  CHECK(summary_at(arms[1]->models, &C::size, 10).mean == doctest::Approx(8 * (1 + std::log(8)) + 0.25));
  CHECK(summary_at(arms[1]->models, &C::size, 12).mean == doctest::Approx(8 * (1 + std::log(10)) + 0.25));
  CHECK(values_at(arms[1]->models, &C::size, 13).empty());
  std::set<std::string> names;
  for (const auto& [name, value] : pretrain_columns(made.spec, rows, *arms[1])) {
    names.insert(name);
    if (name == "end") CHECK(value == 10);
    if (name == "size") CHECK(value == doctest::Approx(8 * (1 + std::log(8)) + 0.25));
    if (name == "size_after_first") CHECK(value == doctest::Approx(8.25));
    if (name == "size_at_total") CHECK(value == doctest::Approx(8 * (1 + std::log(10)) + 0.25));
    if (name == "train_loss") CHECK(value == doctest::Approx(0.1));
    if (name == "train_loss_at_total") CHECK(value == doctest::Approx(1.0 / 12));
    if (name == "log_factor") CHECK(value == doctest::Approx(8));
    if (name == "log_r2") CHECK(value == doctest::Approx(1));
  }
  for (const PretrainRow& row : rows)  // every row has the same columns
    for (const auto& [name, value] : pretrain_columns(made.spec, rows, row)) CHECK(names.count(name) == 1);
}

TEST_CASE("pretrain: growth over the last quarter, falls and moves") {
  Made made;
  for (std::size_t m = 0; m < 4; ++m)  // without pretraining: 1, 2, ..., 5, then a fall and a leap
    made.result.models[m].gates[0].epoch_size = {1, 2, 3, 4, 5, 3, 4, 11, 0, 0, 0, 0};
  const auto rows = made.rows();
  const Growth s = growth_of(arms_of(rows)[0]->models, 0, 8);  // epochs 6, 7, 8: 3, 4, 11
  CHECK(s.last.mean == doctest::Approx(4));
  CHECK(s.last.low == doctest::Approx(4));
  CHECK(s.falls == doctest::Approx(1.0 / 3));
  CHECK(s.largest_move == 7);
}

TEST_CASE("pretrain: accuracy when a size is first reached, and of plain networks between widths") {
  const Made made;
  const auto rows = made.rows();
  const AtSize at = at_size(*arms_of(rows)[2], 6.0 * (1 + std::log(3)) + 0.15);  // a dose of 4
  CHECK(at.epochs == std::vector<double>{4, 3, 3, 3});                           // seed 1 is below it then
  CHECK(at_size(*arms_of(rows)[2], 1e9).epochs.empty());
  const double low = 0.5 + 0.01 * std::log(11), high = 0.5 + 0.01 * std::log(41);
  CHECK(plain_accuracy(rows, 10, 5) == doctest::Approx(low));
  CHECK(plain_accuracy(rows, 20, 5) == doctest::Approx(0.5 * (low + high)));
  CHECK(std::isnan(plain_accuracy(rows, 9, 5)));
  CHECK(std::isnan(plain_accuracy(rows, 41, 5)));
}

TEST_CASE("pretrain: verdicts follow the numbers") {
  const Made smaller(-1.0), larger(1.0), equal(0.0);
  const auto verdict = [](const Made& made) { return pretrain_verdict(made.spec, made.rows(), {}); };
  CHECK(any_says(verdict(smaller), "smaller final size\": it holds"));
  CHECK(any_says(verdict(larger), "smaller final size\": no, larger"));
  CHECK(any_says(verdict(equal), "smaller final size\": not seen"));
  CHECK(any_says(verdict(equal), "at equal epochs with the gate (8): no difference is seen"));
  CHECK(any_says(verdict(smaller), "at equal epochs with the gate (8): not all"));
  CHECK(any_says(verdict(smaller), "Has x0 settled? No"));
  CHECK(any_says(verdict(smaller), "10 + 10.0 ln t after 0 (R^2 1.000"));
}

TEST_CASE("pretrain: one seed, one arm, all diverged: sentences and figures all the same") {
  const Made one(-1.0, 1);
  CHECK(!pretrain_verdict(one.spec, one.rows(), {}).empty());
  CHECK(pretrain_figures(one.spec, one.rows(), {}, "here").size() == 3);
  Made none;
  for (ModelResult& m : none.result.models) m.status = ModelStatus::diverged;
  CHECK(none.rows()[0].diverged == 4);
  CHECK(any_says(pretrain_verdict(none.spec, none.rows(), {}), "nothing to compare"));
  CHECK(pretrain_figures(none.spec, none.rows(), {}, "here").empty());
  for (const PretrainRow& row : none.rows()) CHECK(!pretrain_columns(none.spec, none.rows(), row).empty());
}
