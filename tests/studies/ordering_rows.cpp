// The ordering study's numbers on made-up networks.
#include "tools/studies/ordering_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/initialize.h"
#include "tests/engine/small_task.h"
#include "tools/studies/ordering_figures.h"

using namespace shoal;

namespace {

OrderedModel made_up(int width, std::uint64_t seed, const std::vector<std::vector<double>>& exact) {
  OrderedModel m{width, seed, 0.9, 0.3, {}, {}};
  for (const std::vector<double>& at : exact) {
    NeuronScores s;
    s.of.assign(kMeasures, at);
    s.accuracy_without.assign(at.size(), 0.5);
    m.scores.push_back(s);
  }
  return m;
}

TEST_CASE("orders are descending, equal values keep their places, NaN comes last") {
  CHECK(descending(std::vector<double>{1, NAN, 3, 3, -2}) == std::vector<int>{2, 3, 0, 4, 1});
  const std::vector<int> a{0, 1, 2, 3}, b{3, 1, 0, 2};
  CHECK(overlap(a, b, 2) == 0.5);
  CHECK(overlap(a, b, 4) == 1.0);
  CHECK(overlap(a, b, 1) == 0.0);
}

TEST_CASE("measures of weights and derivatives are what they are called") {
  const Layers layers = {{2, 2, {3, -4, 0, 1}, {0.5f, 0.5f}}, {2, 3, {1, 5, -2, 5, 2, 5}, {0, 0, 0}}};
  ModelRemoval removal{1.0, 0.5, std::vector<NeuronRemoval>(2)};
  removal.neurons[0].loss = 1.75, removal.neurons[0].slope = -0.25, removal.neurons[0].curvature = 0.5,
  removal.neurons[0].fisher = 0.125;
  removal.neurons[0].activation = merge(moments_of(1.0f), moments_of(3.0f));
  removal.neurons[1] = removal.neurons[0];
  const NeuronScores s = scores_of(layers, removal);
  const auto of = [&](Measure m) { return s.of[static_cast<std::size_t>(m)][0]; };
  CHECK(of(Measure::exact) == 0.75);
  CHECK(of(Measure::sd) == 1.0);
  CHECK(of(Measure::mean) == 2.0);
  CHECK(of(Measure::l1_in) == 7.0);
  CHECK(of(Measure::l2_in) == 5.0);
  CHECK(of(Measure::l1_out) == 5.0);
  CHECK(of(Measure::l2_out) == 3.0);
  CHECK(of(Measure::gate_gradient) == 0.25);
  CHECK(of(Measure::taylor1) == 0.25);
  CHECK(of(Measure::taylor2) == 0.5);
  CHECK(of(Measure::fisher) == 0.125);
  CHECK(s.of[static_cast<std::size_t>(Measure::l1_out)][1] == 15.0);
}

TEST_CASE("movements: an order that stays, and one that is turned round") {
  const std::vector<OrderedModel> models = {
      made_up(8, 1, {{1, 2, 3, 4, 5, 6, 7, 8}, {2, 3, 4, 5, 6, 7, 8, 9}}),
      made_up(8, 2, {{1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1}})};
  const std::vector<int> epochs{1, 4};
  const std::vector<Movement> one = movements_of({models.data(), 1}, epochs),
                              both = movements_of(models, epochs);
  REQUIRE(one.size() == kMeasures);
  CHECK(one[0].from == 1);
  CHECK(one[0].to == 4);
  CHECK(one[0].moved.mean == 0.0);
  CHECK(one[0].spearman.mean == 1.0);
  CHECK(one[0].overlap.mean == 1.0);
  CHECK(both[0].moved.mean == 0.25);  // (0 + 32 / 64) / 2
  CHECK(both[0].spearman.mean == 0.0);
  CHECK(both[0].overlap.mean == 0.5);
}

TEST_CASE("agreements: a measure that is the exact one agrees wholly") {
  const std::vector<OrderedModel> models = {made_up(8, 1, {{1, 5, 3, 4, 2, 6, 7, 8}}),
                                            made_up(8, 2, {{8, 2, 1, 4, 5, 3, 7, 6}})};
  for (const Agreement& a : agreements_of(Calculator(), models)) {
    CHECK(a.models == 2);
    CHECK(a.spearman.estimate == 1.0);
    CHECK(a.kendall.estimate == 1.0);
    CHECK(a.top_quarter == 1.0);
  }
}

TEST_CASE("pruned networks: greedy orders are orders, all kept is the network, and dead neurons go first") {
  const auto small = test::small_task(200, 80);
  std::vector<OrderedModel> models;
  for (const int width : {6, 9}) {
    OrderedModel m{width, 1, 0, 0, initial_weights(test::model({width}), small.task.shape), {}};
    for (int c = 0; c < 4; ++c)
      m.layers[1].weight[static_cast<std::size_t>(c * width + 2)] = 0.0f;  // of no use
    const auto removal = removals_of({&m.layers, 1}, small.task.train, small.task.scale, small.task.shift);
    m.scores.push_back(scores_of(m.layers, removal[0]));
    models.push_back(std::move(m));
  }
  const PruningTask task{small.task.train, small.task.test, small.task.scale, small.task.shift, {}, 150, {},
                         nullptr};
  const auto orders = greedy_orders(models, task);
  for (std::size_t m = 0; m < models.size(); ++m) {
    std::vector<int> seen = orders[m];
    std::ranges::sort(seen);
    for (int n = 0; n < models[m].width; ++n) CHECK(seen[static_cast<std::size_t>(n)] == n);
  }
  CHECK(models[0].scores[0].of[0][2] == 0.0);
  const std::vector<PrunedScore> pruned = prune(models, task);
  for (const PrunedScore& s : pruned) {
    if (s.kept != s.width) continue;
    const auto whole =
        evaluate_models(std::vector<Layers>{models[s.width == 6 ? 0 : 1].layers}, small.task.test,
                        small.task.scale, small.task.shift, LossKind::cross_entropy);
    CHECK(s.accuracy.mean == whole[0].accuracy);
    CHECK(kept_for(pruned, s.width, s.by, 0.0) == 1);
    CHECK(kept_for(pruned, s.width, s.by, 1.1) == 0);
  }
}

TEST_CASE("the verdict and the figures of made-up results hold no NaN and name what is there") {
  const std::vector<OrderedModel> models = {
      made_up(8, 1, {{1, 5, 3, 4, 2, 6, 7, 8}, {1, 5, 3, 4, 2, 6, 8, 7}}),
      made_up(8, 2, {{8, 2, 1, 4, 5, 3, 7, 6}, {8, 2, 1, 4, 5, 3, 6, 7}})};
  OrderingResults r;
  r.where = "made up", r.epochs = {1, 2}, r.widths = {8};
  r.whole = {summarize(std::vector<double>{0.9, 0.92})};
  r.agreements = agreements_of(Calculator(), models);
  r.removability = removability_of(models);
  CHECK(r.removability[0].helped == 0.0);
  CHECK(r.removability[0].first_order == 1.0);  // made up: both Taylor terms are equal
  r.movements = movements_of(models, r.epochs);
  for (int i = 0; i < kPrunings; ++i)
    for (const int kept : {1, 4, 8})
      r.pruned.push_back({8, kept, static_cast<Pruning>(i), summarize(std::vector<double>{0.5 + 0.05 * kept}),
                          summarize(std::vector<double>{1.0})});
  const std::vector<std::string> sentences = verdict(r);
  CHECK(sentences.size() == 5);
  for (const std::string& s : sentences) CHECK(s.find("nan") == std::string::npos);
  CHECK(ordering_figures({&r, 1}).size() == 3);
  CHECK(verdict({}).empty());
}

}  // namespace
