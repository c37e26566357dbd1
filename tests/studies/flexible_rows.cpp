// The flexible study's numbers on made-up results.
#include "tools/studies/flexible_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/flexible_figures.h"

using namespace shoal;

namespace {

FlexibleSpec small() {
  FlexibleSpec s;
  s.neurons = 200, s.starts = {0, 50, 100}, s.penalties = {1e-3, 1e-5}, s.fixed = {10, 40, 160},
  s.depths = {2, 3};
  return s;
}

/// x0 follows a half of its start, falls with the penalty, and is twice as large without L2.
double end_of(const ModelSpec& m, std::size_t layer) {
  const GateSpec& g = m.gates[layer];
  if (g.size_penalty == SizePenalty::start) return -100 * g.penalty;
  const double size = 20 + 0.5 * g.start - 3 * std::log10(g.penalty) - 5.0 * static_cast<double>(layer);
  return (m.optimizer.l2 > 0 ? 1 : 2) * size + static_cast<double>(m.seed % 2);
}

RunResult made_up(const std::vector<ModelSpec>& models, int epochs) {
  RunResult result;
  for (const ModelSpec& m : models) {
    ModelResult r;
    for (std::size_t l = 0; l < m.gates.size(); ++l) {
      GateResult g;
      g.kind = GateKind::size, g.size = end_of(m, l);
      g.epoch_size.assign(static_cast<std::size_t>(epochs), g.size);
      r.gates.push_back(g);
    }
    r.test_accuracy = 0.9 + 0.01 * std::log10(m.gates.empty() ? m.hidden[0] : std::max(1.0, r.gates[0].size));
    r.train_accuracy = r.test_accuracy + 0.01, r.train_loss = 0.1;
    result.models.push_back(r);
  }
  return result;
}

struct Case {
  RunSpec run;
  RunResult result;
  std::vector<FlexibleRow> rows;
};
Case made_up_case() {
  Case c;
  c.run.models = flexible_models(small(), ModelSpec{}, {1, 2});
  c.result = made_up(c.run.models, 5);
  c.rows = flexible_rows(c.run, c.result);
  return c;
}

bool says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::ranges::any_of(sentences, [&](const std::string& s) { return s.find(words) != s.npos; });
}

}  // namespace

TEST_CASE("flexible: every setting once, and gates in every layer of deep networks") {
  const Case c = made_up_case();
  // Three starts and the bug's; of two penalties from the middle one is such a start; three widths, two
  // depths.
  CHECK(c.run.models.size() == 2 * (2 * (4 + 1 + 3 + 2) + 4));
  for (const ModelSpec& m : c.run.models)
    if (!m.gates.empty()) CHECK(m.gates.size() == m.hidden.size());
}

TEST_CASE("flexible: rows of deep networks have a size a layer, which add up") {
  const Case c = made_up_case();
  const std::vector<FlexibleRow> deep = by_depth(c.rows, 1e-3);
  REQUIRE(deep.size() == 2);
  CHECK(deep[0].depth == 2);
  REQUIRE(deep[1].layer_sizes.size() == 3);
  CHECK(deep[1].layer_sizes[0].mean - deep[1].layer_sizes[2].mean == doctest::Approx(10));
  CHECK(deep[1].size.mean == doctest::Approx(deep[1].layer_sizes[0].mean + deep[1].layer_sizes[1].mean +
                                             deep[1].layer_sizes[2].mean));
  CHECK(deep[1].epoch_size.back().mean == doctest::Approx(deep[1].size.mean));
  CHECK(by_start(c.rows, 1e-5, 1e-3).size() == 4);
}

TEST_CASE("flexible: plain accuracy is linear in the logarithm of the width, and unknown outside") {
  const Case c = made_up_case();
  CHECK(fixed_accuracy(c.rows, 0.0, 40, &FlexibleRow::test_accuracy) ==
        doctest::Approx(0.9 + 0.01 * std::log10(40.0)));
  CHECK(fixed_accuracy(c.rows, 0.0, 80, &FlexibleRow::test_accuracy) ==
        doctest::Approx(0.9 + 0.01 * std::log10(80.0)));
  CHECK(std::isnan(fixed_accuracy(c.rows, 0.0, 9, &FlexibleRow::test_accuracy)));
  CHECK(std::isnan(fixed_accuracy(c.rows, 0.0, 161, &FlexibleRow::test_accuracy)));
  CHECK(best_fixed(c.rows, 0.0) == doctest::Approx(0.9 + 0.01 * std::log10(160.0)));
}

TEST_CASE("flexible: the verdict follows the numbers") {
  const Case c = made_up_case();
  const std::vector<std::string> said = flexible_verdict(small(), c.rows);
  CHECK(says(said, "\"Without L2 sizes are about twice as large\": 1.99 times"));
  CHECK(says(said, "0.50 times the start"));
  CHECK(says(said, "below 0 in 8 of 8 models"));
  CHECK(says(said, "2 layers: "));
  CHECK(says(said, "The first layer stays the largest"));
  CHECK(says(said, "A larger penalty gives a smaller layer"));
  CHECK(flexible_figures(small(), c.rows, "made up").size() == 5);
  CHECK(flexible_figures(small(), {}, "nothing").size() <= 1);
}
