// The plateau study's numbers on made-up results.
#include "tools/studies/plateau_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/initialize.h"
#include "kernels/gate_integral.h"
#include "tools/studies/plateau_figures.h"

using namespace shoal;

namespace {

constexpr TaskShape kShape{4, 3};

PlateauSpec small() {
  return {.neurons = 100, .starts = {1, 50}, .coupled = {1e-5, 1e-3}, .decoupled = {1e-3}};
}

double end_of(const ModelSpec& m) {
  const double kept = m.optimizer.l2 == 1e-3 ? 20 : m.optimizer.l2 > 0 ? 30 : 40;
  return m.gates[0].start / 2 + kept + static_cast<double>(m.seed % 2);
}

/// x0 rises to its end by the last epoch but one without L2, in the first epoch with it.
ModelResult made_up(const ModelSpec& m, int epochs) {
  ModelResult r;
  GateResult g;
  g.kind = GateKind::size, g.size = end_of(m);
  for (int i = 0; i < m.hidden[0]; ++i)
    g.gates.push_back(static_cast<float>(gate::logistic(g.size - static_cast<double>(i))));
  for (int e = 1; e <= epochs; ++e)
    g.epoch_size.push_back(m.optimizer.l2 > 0 ? g.size : g.size - 2.0 * (epochs - e));
  r.gates = {g}, r.train_accuracy = 0.99, r.test_accuracy = 0.98;
  return r;
}

/// Three times the level of the beginning inside; beyond that nothing with L2, the beginning's without.
std::vector<double> outgoing(const ModelSpec& m) {
  std::vector<double> of = outgoing_of(initial_weights(m, kShape));
  const double level = summarize(of).mean;
  for (std::size_t i = 0; i < of.size(); ++i)
    of[i] = level * (static_cast<double>(i) < end_of(m) ? 3 : m.optimizer.l2 > 0 ? 0 : 1);
  return of;
}

struct Case {
  RunSpec run;
  RunResult result;
  std::vector<std::vector<double>> weights;
  std::vector<PlateauRow> rows;
};

Case made_up_case(int diverged = -1) {
  Case c;
  c.run.models = plateau_models(small(), ModelSpec{}, {1, 2, 3, 4});
  for (const ModelSpec& m : c.run.models) {
    c.result.models.push_back(made_up(m, 8));
    c.weights.push_back(outgoing(m));
  }
  if (diverged >= 0) {
    c.result.models[static_cast<std::size_t>(diverged)] = {};
    c.result.models[static_cast<std::size_t>(diverged)].status = ModelStatus::diverged;
    c.weights[static_cast<std::size_t>(diverged)].clear();
  }
  c.rows = plateau_rows(c.run, c.result, kShape, c.weights);
  return c;
}

bool says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::ranges::any_of(sentences, [&](const std::string& s) { return s.find(words) != s.npos; });
}

}  // namespace

TEST_CASE("plateau: models of every decay and start, alike otherwise") {
  const std::vector<ModelSpec> models = plateau_models(small(), ModelSpec{}, {7, 8});
  REQUIRE(models.size() == 4 * 2 * 2);
  for (const ModelSpec& m : models) {
    CHECK(m.hidden == std::vector<int>{100});
    CHECK(m.gates.front().penalty == 0.0);
    CHECK((m.optimizer.l2 == 0.0 || m.optimizer.weight_decay == 0.0));
  }
}

TEST_CASE("plateau: absolute outgoing weights are summed over the classes") {
  const std::vector<LayerWeights> layers = {{1, 2, {0, 0}, {0, 0}}, {2, 3, {1, -2, -3, 4, 5, -6}, {9, 9, 9}}};
  CHECK(outgoing_of(layers) == std::vector<double>{9, 12});
}

TEST_CASE("plateau: rows hold sizes, growth, and weights by their distance from x0") {
  const Case c = made_up_case(0);
  REQUIRE(c.rows.size() == 8);
  const PlateauRow *none = find_row(c.rows, Decay::none, 0, 1),
                   *l2 = find_row(c.rows, Decay::coupled, 1e-3, 1);
  REQUIRE((none && l2));
  CHECK(none->models == 3);
  CHECK(none->diverged == 1);
  CHECK(l2->size.mean == doctest::Approx(21));
  CHECK(none->growth.mean == doctest::Approx(2));
  CHECK(l2->growth.mean == doctest::Approx(0));
  CHECK(none->inside.mean == doctest::Approx(3));
  CHECK(none->far.mean == doctest::Approx(1));
  CHECK(l2->far.mean == 0.0);
  CHECK(l2->outgoing.size() == 100);
  CHECK(find_row(c.rows, Decay::decoupled, 0.5, 1) == nullptr);
  CHECK(csv_of(plateau_neuron_records(c.rows)).find("coupled,0.001,50,99,") != std::string::npos);
}

TEST_CASE("plateau: the verdict follows the numbers") {
  Case c = made_up_case();
  std::vector<std::string> said = plateau_verdict(small(), c.rows);
  CHECK(says(said, "\"With L2 outgoing weights beyond the gate are zero\": yes"));
  CHECK(says(said, "\"Without L2 weights beyond the gate keep their initial level\": yes"));
  CHECK(says(said, "\"L2 causes the plateau\", from x0 = 1: yes"));
  CHECK(says(said, "coupled 1e-05 takes 50 %, decoupled 0.001 takes 0 %"));
  for (std::vector<double>& w : c.weights)
    for (double& of : w) of *= 0.5;
  c.rows = plateau_rows(c.run, c.result, kShape, c.weights);
  CHECK(says(plateau_verdict(small(), c.rows), "keep their initial level\": no"));
  for (ModelResult& r : c.result.models) r.gates[0].size = 33;
  c.rows = plateau_rows(c.run, c.result, kShape, c.weights);
  CHECK(says(plateau_verdict(small(), c.rows), "\"L2 causes the plateau\", from x0 = 50: not seen"));
  CHECK(plateau_verdict(small(), {}).empty());
}

TEST_CASE("plateau: figures for each start, and none of nothing") {
  const Case c = made_up_case();
  const std::vector<Figure> figures = plateau_figures(small(), c.rows, "made up");
  REQUIRE(figures.size() == 3);
  CHECK(figures[0].name == "plateau-weights");
  CHECK(figures[0].panels.size() == 4);
  CHECK(figures[2].panels.size() == 2);
  CHECK(plateau_figures(small(), {}, "nothing").empty());
}
