// The numbers of the study of training only the size, on made-up results and made-up networks.
#include "tools/studies/size_only_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/gate_curves.h"
#include "tools/studies/size_only_figures.h"

using namespace shoal;

namespace {

SizeOnlySpec small() {
  return {.neurons = 40,
          .trained = 2,
          .starts = {0, 20, 40},
          .penalties = {1e-2, 1e-3},
          .start_penalty = 1e-3,
          .plain = {4, 8, 16, 32}};
}

/// A size by training, lambda and start; a layer that is cut loses accuracy, one that is trained does not.
ModelResult made_up(const ModelSpec& m, int epochs) {
  ModelResult r;
  double size = m.hidden[0];
  if (!m.gates.empty()) {
    const GateSpec& g = m.gates[0];
    size = (g.penalty > 5e-3 ? 6 : 10) + 0.5 * g.start + static_cast<double>(m.seed % 2);
    GateResult gate;
    gate.kind = g.kind, gate.size = size;
    for (int e = 1; e <= epochs; ++e) gate.epoch_size.push_back(e <= g.begin ? g.start : size);
    r.gates = {gate};
  }
  r.test_accuracy = m.weights_rest >= 0 ? 0.5 + 0.01 * size : 0.9 + 0.002 * size;
  r.test_accuracy += 1e-4 * static_cast<double>(m.seed);
  r.train_accuracy = r.test_accuracy, r.train_loss = 1 - r.test_accuracy;
  return r;
}

struct Case {
  RunSpec run;
  RunResult result;
  std::vector<SizeOnlyRow> rows;
};
Case made_up_case() {
  Case c;
  c.run.models = size_only_models(small(), ModelSpec{}, {1, 2, 3, 4});
  for (const ModelSpec& m : c.run.models) c.result.models.push_back(made_up(m, 6));
  c.rows = size_only_rows(small(), c.run, c.result);
  return c;
}

bool says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::ranges::any_of(sentences, [&](const std::string& s) { return s.find(words) != s.npos; });
}

/// Two classes, told apart by the sign of the only feature. Neurons 0 and 3 tell it, the others are constant.
struct Toy {
  std::vector<float> values{-2, -1, 1, 2};
  std::vector<std::int32_t> labels{0, 0, 1, 1};
  Task task;
  Layers network{{1, 4, {1, 0, 0, -1}, {0, 0, 0, 0}}, {4, 2, {-4, 0, 0, 4, 4, 0, 0, -4}, {0, 0}}};
  Toy() {
    task.shape = {1, 2};
    task.train = {.count = 4, .features = 1, .values = values.data(), .labels = labels.data()};
    task.test = task.train;
  }
};

}  // namespace

TEST_CASE("size-only: weights rest when the gate begins, and every setting is there once") {
  const std::vector<ModelSpec> models = size_only_models(small(), ModelSpec{}, {1});
  CHECK(models.size() == 3 + 1 + 2 + 4);  // the lambda of the starts, from the middle, is among these
  for (const ModelSpec& m : models) {
    if (m.gates.empty()) continue;
    CHECK(m.gates[0].begin == 2);
    CHECK((m.weights_rest == 2 || m.weights_rest == -1));
  }
}

TEST_CASE("size-only: rows count epochs from the gate's beginning") {
  const Case c = made_up_case();
  const auto starts = by_start(small(), c.rows);
  REQUIRE(starts.size() == 3);
  CHECK(starts[1]->start == 20);
  CHECK(starts[1]->size.mean == doctest::Approx(20.5));
  CHECK(starts[1]->epoch_size.size() == 4);
  CHECK(starts[1]->late.mean == 0.0);
  const auto frozen = by_penalty(small(), c.rows, SizeTraining::frozen);
  REQUIRE(frozen.size() == 2);
  CHECK(frozen[0]->penalty == 1e-3);
  CHECK(plain_rows(c.rows).size() == 4);
  CHECK(plain_rows(c.rows)[0]->width == 4);
}

TEST_CASE(
    "size-only: the loss along x0 falls where neurons of use are let in, and sorting brings them in first") {
  const Toy toy;
  const Landscape l = cut_everywhere(std::vector<Layers>{toy.network, toy.network}, 4, {.task = toy.task});
  REQUIRE(l.of.size() == kNeuronOrders);
  CHECK(l.x0 == std::vector<double>{0, 1, 2, 3, 4});
  REQUIRE(l.loss[0].size() == 5);
  const auto loss = [&](NeuronOrder o, std::size_t i) { return l.loss[static_cast<std::size_t>(o)][i].mean; };
  for (std::size_t i = 1; i < 5; ++i)
    CHECK(loss(NeuronOrder::trained, i) < loss(NeuronOrder::trained, i - 1));
  for (const NeuronOrder o : {NeuronOrder::rise, NeuronOrder::greedy}) {
    CHECK(loss(o, 2) < loss(NeuronOrder::trained, 2));
    CHECK(loss(o, 4) < loss(NeuronOrder::trained, 4));  // the last gate is half open: it is another neuron's
  }
  CHECK(l.accuracy[0].back().mean == 1.0);
  CHECK(landscape_records(l).size() == 15);
  CHECK(cut_everywhere({}, 4, {.task = toy.task}).of.empty());
}

TEST_CASE("size-only: the size of sorted networks is trained on their own weights") {
  const Toy toy;
  SizeOnlySpec s = small();
  s.neurons = 4, s.penalties = {10.0, 0.0};
  RunSpec base;
  base.epochs = 12;
  base.models = {ModelSpec{}};
  base.models[0].hidden = {4}, base.models[0].batch = 4;
  const std::vector<Layers> networks{toy.network, toy.network};
  const CutTask task{.task = toy.task};
  const Landscape l = cut_everywhere(networks, 4, task);
  const RunSpec run = sorted_run(s, base, 2);
  CHECK(run.models.size() == 4);
  CHECK(run.epochs == 10);
  const std::vector<SizeOnlyRow> rows = train_sorted(s, base, task, networks, l);
  REQUIRE(rows.size() == 2);
  const auto dear = by_penalty(s, rows, SizeTraining::sorted);
  REQUIRE(dear.size() == 2);
  // Ten steps of 1 from the middle: down where a neuron costs 10, and up where it costs nothing and is of
  // use.
  CHECK(dear[1]->size.mean < -5);
  CHECK(dear[0]->size.mean > 2);
  CHECK(dear[0]->test_accuracy.mean == 1.0);
  CHECK(train_sorted(s, base, task, {}, {}).empty());
}

TEST_CASE("size-only: a network cut at x0 is the network with the gates in its weights") {
  const Toy toy;
  const Layers cut = fold_size_gate(toy.network, 1.0, 1.0);
  CHECK(cut[0].weight == toy.network[0].weight);
  CHECK(cut[1].weight[0] == doctest::Approx(-4 / (1 + std::exp(-1.0))));
  CHECK(cut[1].weight[3] == doctest::Approx(4 / (1 + std::exp(2.0))));
}

TEST_CASE("size-only: basins and what is enough") {
  const std::vector<double> x0{0, 10, 20, 30, 40};
  const CutCurve curve{{2.0, 1.0, 1.2, 0.5, 0.4}, {0.1, 0.8, 0.7, 0.95, 0.96}};
  const Basin free = basin_of(x0, curve, 0.0, 40), dear = basin_of(x0, curve, 0.06, 40);
  CHECK(free.lowest_at == 40);
  CHECK(free.minima == 2);
  CHECK(dear.lowest_at == 10);
  CHECK(enough_for(x0, curve, 0.02) == 30);
  CHECK(enough_for(x0, curve, 0.0) == 40);
  CHECK(enough_for(x0, curve, 1.0) == 0);
}

TEST_CASE("size-only: the verdict follows the numbers") {
  const Case c = made_up_case();
  Landscape l;
  l.x0 = {0, 20, 40};
  const std::vector<double> losses[] = {{2, 0.5, 0.1}, {2, 0.2, 0.1}, {2, 0.1, 0.1}},
                            accuracies[] = {{0.1, 0.6, 0.98}, {0.1, 0.7, 0.98}, {0.1, 0.979, 0.98}};
  for (int order = 0; order < kNeuronOrders; ++order) {
    l.of.push_back({{losses[order], accuracies[order]}, {losses[order], accuracies[order]}});
    l.loss.emplace_back(), l.accuracy.emplace_back();
    for (std::size_t i = 0; i < 3; ++i) {
      l.loss.back().push_back(summarize(std::vector<double>{losses[order][i], losses[order][i]}));
      l.accuracy.back().push_back(summarize(std::vector<double>{accuracies[order][i], accuracies[order][i]}));
    }
  }
  const std::vector<std::string> said = size_only_verdict(small(), c.rows, l);
  CHECK(
      says(said, "In part: x0 ends at 10 ± 1 from 0, 20 ± 1 from 20, 30 ± 1 from 40; 0.50 of a difference"));
  CHECK(says(said, "none of 2 lambdas still move it"));
  CHECK(says(said, "no neuron of a network that was trained without it knows its place"));
  CHECK(says(said, "No: at 2 of 2 lambdas it is worse than a plain network"));
  CHECK(size_only_verdict(small(), {}, {}).empty());
  CHECK(size_only_figures(small(), c.rows, l, "made up").size() == 3);
  CHECK(size_only_figures(small(), c.rows, {}, "made up").size() == 2);
  CHECK(size_only_figures(small(), {}, {}, "nothing").empty());
}
