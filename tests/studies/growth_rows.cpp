// The growth study: courses, signals at the edge against differences, and numbers of made-up results.
#include "tools/studies/growth_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/initialize.h"
#include "tests/engine/small_task.h"
#include "tools/studies/growth_figures.h"

using namespace shoal;

namespace {

TEST_CASE("growth: courses cost what they may, exactly, with an epoch at every width") {
  CHECK(*course_of(8, 64, 24 * 64, Schedule::even) == Course{{8, 32}, {16, 16}, {32, 8}, {64, 12}});
  CHECK(*course_of(8, 64, 24 * 64, Schedule::early) == Course{{8, 16}, {16, 8}, {32, 4}, {64, 18}});
  CHECK(*course_of(256, 64, 24 * 64, Schedule::even) == Course{{256, 2}, {128, 2}, {64, 12}});
  for (const int epochs : {6, 7, 24, 31, 60})
    for (const auto& [from, to] : {std::pair(8, 64), {4, 8}, {1, 32}, {256, 64}, {32, 16}}) {
      int last = 1 << 30;
      for (const Schedule s : kSchedules) {
        const auto course = course_of(from, to, static_cast<std::int64_t>(to) * epochs, s);
        if (!course) continue;
        CHECK(cost_of(*course) == static_cast<std::int64_t>(to) * epochs);
        CHECK(course->front().width == from);
        CHECK(course->back().width == to);
        CHECK(std::ranges::all_of(*course, [](const Stage& stage) { return stage.epochs >= 1; }));
        CHECK(course->back().epochs <= last);
        last = course->back().epochs;
      }
    }
  CHECK(!course_of(256, 64, 6 * 64, Schedule::early));
  CHECK(!course_of(8, 64, 64, Schedule::even));
}

TEST_CASE("growth: restarts are where the growing arms have spent as much") {
  CHECK(restarts_of({{8, 32}, {16, 16}, {32, 8}, {64, 12}}, 64) ==
        Course{{64, 4}, {64, 4}, {64, 4}, {64, 12}});
  CHECK(restarts_of({{8, 2}, {16, 1}, {32, 1}, {64, 5}}, 64) == Course{{64, 1}, {64, 5}});
  CHECK(cost_of(restarts_of({{8, 2}, {16, 1}, {32, 1}, {64, 5}}, 64)) == 6 * 64);
}

TEST_CASE("growth: all arms cost the same, have names of their own, and begin with the yardstick") {
  const GrowthSpec spec;
  const std::vector<Arm> arms = growth_arms(spec);
  std::set<std::string> names, words;
  for (const Arm& arm : arms) {
    names.insert(name_of(arm)), words.insert(words_of(arm));
    if (arm.kind != ArmKind::gate) CHECK(cost_of(arm.course) == budget_of(spec));
  }
  CHECK(names.size() == arms.size());
  CHECK(words.size() == arms.size());
  CHECK(name_of(arms[0]) == "fixed-64");
  CHECK(names.contains("grow-twin-even"));
  CHECK(names.contains("shrink-late"));
  CHECK(growing_widths(spec) == std::vector<int>{8, 16, 32});
  GrowthSpec poor = spec;
  poor.epochs = 5;
  CHECK_THROWS_AS(growth_arms(poor), SpecError);
  double epochs = 0;
  for (const auto& [width, count] : epochs_by_width(spec)) epochs += width * count;
  CHECK(cost_of_phases(spec, 5) == 5 * epochs);
}

TEST_CASE("growth: what a gate pays for") {
  CHECK(open_to_one_percent(8, 64) == 13);  // sigma(8 - 12) = 1.8 %, sigma(8 - 13) = 0.7 %
  CHECK(open_to_one_percent(-100, 64) == 1);
  CHECK(open_to_one_percent(100, 64) == 64);
}

TEST_CASE("growth: the half of the neurons that is kept is the one that matters") {
  const auto small = test::small_task();
  RunSpec spec;
  spec.models = {test::model({8})}, spec.epochs = 20;  // untrained neurons may do harm
  Layers layers = test::train(spec, small.task).weights[0];
  for (int c = 0; c < 4; ++c)
    for (const int n : {1, 2, 5, 7}) layers[1].weight[static_cast<std::size_t>(c * 8 + n)] *= 1e-4f;
  const std::vector<Layers> halves = halve({&layers, 1}, small.task, {});
  REQUIRE(halves.size() == 1);
  REQUIRE(halves[0][0].outputs == 4);
  const int expected[] = {0, 3, 4, 6};
  for (std::size_t n = 0; n < 4; ++n)
    CHECK(halves[0][0].bias[n] == layers[0].bias[static_cast<std::size_t>(expected[n])]);
}

double loss_of(const Layers& layers, const Task& task) {
  return evaluate_models({&layers, 1}, task.train, task.scale, task.shift, LossKind::cross_entropy)[0].loss;
}

TEST_CASE("growth: the signals at the edge are the loss's derivatives") {
  const auto small = test::small_task(5000, 20);  // more than one part
  const Task& task = small.task;
  const ModelSpec model = test::model({5}, 3), grown = test::model({10}, 3);
  const Layers layers = initial_weights(test::model({5}), task.shape);
  const EdgeSignals s = edge_signals(layers, model, LossKind::cross_entropy, task, {});
  CHECK(s.loss == doctest::Approx(loss_of(layers, task)).epsilon(1e-6));
  // Silent candidates: differences by each of their outgoing weights.
  const Layers silent = grow(layers, grown, task.shape, Growth::silent);
  double squares = 0;
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t n = 5; n < 10; ++n) {
      constexpr float kStep = 0.01f;
      Layers up = silent, down = silent;
      up[1].weight[c * 10 + n] = kStep, down[1].weight[c * 10 + n] = -kStep;
      const double slope = (loss_of(up, task) - loss_of(down, task)) / (2.0 * static_cast<double>(kStep));
      squares += slope * slope;
    }
  const double silent_norm = std::sqrt(squares / 5);
  REQUIRE(silent_norm > 0);
  CHECK(std::abs(s.silent - silent_norm) <= 2e-3 * silent_norm);
  // The gate: the same network with its gates at x0 = 5 +- a step, fresh neurons behind the edge.
  const Layers fresh = grow(layers, grown, task.shape, Growth::fresh);
  const auto at = [&](double x0) {
    Layers gated = fresh;
    for (std::size_t i = 0; i < gated[1].weight.size(); ++i) {
      const double n = static_cast<double>(i % 10), gate = 1 / (1 + std::exp(n - x0)),
                   before = n < 5 ? 1 / (1 + std::exp(n - 5.0)) : 1.0;
      gated[1].weight[i] = static_cast<float>(static_cast<double>(gated[1].weight[i]) * gate / before);
    }
    return loss_of(gated, task);
  };
  const double opening = -(at(5.05) - at(4.95)) / 0.1;
  REQUIRE(opening != 0);
  CHECK(std::abs(s.gate - opening) <= 2e-3 * std::abs(opening));
}

/// Outcomes of three seeds: accuracy 0.9 + seed / 1000 + plus, loss 0.3 - plus.
ArmOutcomes made_up(const Arm& arm, double plus) {
  ArmOutcomes a{arm, {}};
  for (int seed = 0; seed < 3; ++seed) {
    Outcome o;
    o.cost = 1536, o.epochs = epochs_of(arm.course), o.size = 64;
    o.test_accuracy = 0.9 + seed / 1000.0 + plus * (1 + 0.01 * seed);
    o.test_loss = 0.3 - plus * (1 + 0.01 * seed), o.train_loss = 0.2 - plus * (1 + 0.01 * seed);
    for (int e = 1; e <= 4; ++e) o.curve.push_back({384.0 * e, 0.3 / e, 0.9});
    a.seeds.push_back(o);
  }
  return a;
}

GrowthResults made_up_results(double plus) {
  GrowthResults r;
  r.where = "MNIST, 3 seeds";
  for (const Arm& arm : growth_arms(r.spec)) r.arms.push_back(made_up(arm, r.arms.empty() ? 0 : plus));
  for (const int width : {8, 16, 32})
    for (const std::uint64_t seed : {1, 2, 3})
      for (const int epoch : r.spec.moments) {
        const double signal = (1.0 + 0.1 * static_cast<double>(seed)) / (epoch * width);
        r.moments.push_back({width,
                             epoch,
                             seed,
                             0.5 / epoch + 0.01 * static_cast<double>(seed),
                             signal,
                             1e-3 - signal,
                             {},
                             {}});
        r.moments.back().train_gain.assign(4, 0.3 * signal - 1e-4);
        r.moments.back().test_gain.assign(4, signal);
      }
  r.rows = growth_rows(r.arms);
  r.gains = gain_rows(r.moments, r.spec);
  r.signals = signal_rows(Calculator(), r.moments, r.spec);
  return r;
}

TEST_CASE("growth: differences are taken seed by seed, and who diverged is left out") {
  GrowthResults r = made_up_results(0.01);
  const auto accuracy = static_cast<std::size_t>(Score::test_accuracy);
  CHECK(r.rows[1].against[accuracy].mean == doctest::Approx(0.0101));
  CHECK(r.rows[1].against[accuracy].low > 0.009);  // the spread of the seeds has gone
  CHECK(sign_of(r.rows[1].against[accuracy], Score::test_accuracy) == Sign::better);
  CHECK(sign_of(r.rows[1].against[static_cast<std::size_t>(Score::train_loss)], Score::train_loss) ==
        Sign::better);
  CHECK(sign_of({0, -1, 1}, Score::test_loss) == Sign::none);
  CHECK(sign_of({1, 0.5, 2}, Score::test_loss) == Sign::worse);
  CHECK(sign_of({1, NAN, NAN}, Score::test_loss) == Sign::none);
  r.arms[1].seeds[0].diverged = true;
  r.arms[1].seeds[0].test_accuracy = NAN;
  const std::vector<GrowthRow> rows = growth_rows(r.arms);
  CHECK(rows[1].models == 2);
  CHECK(rows[1].diverged == 1);
  CHECK(rows[1].against[accuracy].mean == doctest::Approx(0.01015));
}

TEST_CASE("growth: curves are means over all seeds, as far as all of them go") {
  ArmOutcomes arm = made_up(growth_arms({}).front(), 0);
  CHECK(curve_of(arm).size() == 4);
  CHECK(curve_of(arm)[1].cost == 768);
  CHECK(curve_of(arm)[1].test_loss.mean == doctest::Approx(0.15));
  arm.seeds[2].curve.resize(3);
  CHECK(curve_of(arm).size() == 3);
  arm.seeds[2].diverged = true;
  CHECK(curve_of(arm).size() == 4);
  for (Outcome& o : arm.seeds) o.diverged = true;
  CHECK(curve_of(arm).empty());
}

TEST_CASE("growth: a signal that orders the gains has the correlation 1, within widths and over all") {
  const GrowthResults r = made_up_results(0);
  REQUIRE(r.signals.size() == 4 * 5 * std::size(kSignals));  // horizons, groups of widths
  for (const SignalRow& s : r.signals) {
    CHECK(s.moments == (s.width <= 0 ? 36 : 12));
    CHECK(s.networks == (s.width <= 0 ? 9 : 3));
    if (s.signal == Signal::silent) CHECK(s.train.estimate == doctest::Approx(1.0));
    if (s.signal == Signal::gate) CHECK(s.train.estimate == doctest::Approx(-1.0));
    if (s.signal == Signal::silent) CHECK(s.test.estimate == doctest::Approx(1.0));
  }
  CHECK(r.gains.size() == 12 * 4);
  CHECK(r.gains[0].models == 3);
  CHECK(r.gains[0].train.mean == doctest::Approx(0.3 * 1.2 / 8 - 1e-4));
  CHECK(signal_rows(Calculator(), {}, r.spec).empty());
  CHECK(horizons_of(r.spec) == std::vector<int>{1, 2, 4, 8});
}

TEST_CASE("growth: what differs between widths alone is not taken for a signal") {
  GrowthResults r = made_up_results(0);
  // Signal and gain are larger in narrower layers; within a layer they run against each other.
  for (Moment& m : r.moments) {
    m.silent = 1.0 / m.width + 1e-3 * m.epoch;
    m.train_gain.assign(4, 1.0 / m.width - 1e-4 * m.epoch);
  }
  for (const SignalRow& s : signal_rows(Calculator(), r.moments, r.spec)) {
    if (s.signal != Signal::silent) continue;
    if (s.width == kAllWidths) CHECK(s.train.estimate > 0.5);
    else CHECK(s.train.estimate == doctest::Approx(-1.0));
  }
}

TEST_CASE("growth: the verdict and the figures of made-up results hold no NaN, and answer both ways") {
  for (const double plus : {0.01, -0.01}) {
    const GrowthResults r = made_up_results(plus);
    const std::vector<std::string> sentences = growth_verdict(r);
    CHECK(sentences.size() == 12);
    std::string all;
    for (const std::string& s : sentences) all += s + "\n";
    CHECK(all.find("nan") == std::string::npos);
    CHECK(all.find(plus > 0 ? "at equal cost? Yes, in every way"
                            : "at equal cost? No: it is worse in every way") != std::string::npos);
    CHECK(all.find("That of silent candidates tells something, the gate's runs against it.") !=
          std::string::npos);
    CHECK(all.find("Not told apart in test accuracy. Split minus silent") != std::string::npos);
    for (const std::size_t sets : {1, 2}) {
      const std::vector<GrowthResults> both(sets, r);
      const std::vector<Figure> figures = growth_figures(both);
      REQUIRE(figures.size() == 3);
      for (const Figure& f : figures) {
        CHECK(f.panels.size() % sets == 0);
        CHECK(figure_data(f).find("nan") == std::string::npos);
      }
    }
  }
  GrowthResults none = made_up_results(0);
  for (Outcome& o : none.arms[0].seeds) o.diverged = true;
  none.rows = growth_rows(none.arms);
  CHECK(growth_verdict(none).size() == 1);
  CHECK(growth_figures({}).empty());
}

}  // namespace
