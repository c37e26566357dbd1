// The host side of tables of all subsets: which arithmetic points get, many networks in one call, ranges of
// gradients, stops and refusals. The op itself: tests/kernels/subsets_test.cpp.
#include "analysis/subsets.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/analysis/calculators.h"
#include "tests/reference/random.h"
#include "tests/reference/subsets.h"

namespace shoal::test {
namespace {

/// Points whose nodes reach very different distances: some for floats, some for doubles, some for neither.
reference::SubsetNetwork mixed_network(int nodes, int classes, int points, std::uint64_t seed) {
  reference::Draws draws(seed);
  reference::SubsetNetwork n{nodes, classes, {}, {}, {}, {}};
  for (int i = 0; i < nodes * classes; ++i) n.weights.push_back(draws.uniform(-1.0, 1.0));
  for (int p = 0; p < points; ++p) {
    const double size = p % 5 == 0 ? 2000.0 : p % 3 == 0 ? 40.0 : 1.0;
    for (int i = 0; i < nodes; ++i) n.outputs.push_back(std::max(0.0, draws.uniform(-size, size)));
    for (int c = 0; c < classes; ++c) n.base.push_back(draws.uniform(-1.0, 1.0));
    n.labels.push_back(draws.below(classes));
  }
  return n;
}

struct Given {
  std::vector<std::int32_t> labels;
  SubsetNetwork network;
  explicit Given(const reference::SubsetNetwork& n)
      : labels(n.labels.begin(), n.labels.end()), network{n.nodes,   n.classes, n.outputs,
                                                          n.weights, n.base,    labels} {}
};

TEST_CASE("subsets: networks of many sizes and reaches in one call, in both precisions") {
  const std::vector<reference::SubsetNetwork> networks{mixed_network(8, 2, 60, 1), mixed_network(3, 4, 40, 2),
                                                       mixed_network(1, 2, 1, 3), mixed_network(7, 3, 50, 4)};
  std::vector<Given> given(networks.begin(), networks.end());
  std::vector<SubsetNetwork> views;
  for (const Given& g : given) views.push_back(g.network);
  for (const auto& calculator : calculators())
    for (const auto precision : {SubsetPrecision::float32, SubsetPrecision::float64}) {
      CAPTURE(calculator->name());
      const auto tables = evaluate_subsets(*calculator, views, {.precision = precision});
      REQUIRE(tables.size() == networks.size());
      const double bound = precision == SubsetPrecision::float32 ? 1e-5 : 1e-12;
      for (std::size_t m = 0; m < networks.size(); ++m) {
        REQUIRE(tables[m].loss.size() == std::size_t{1} << networks[m].nodes);
        CHECK(tables[m].points == std::ssize(networks[m].labels));
        for (std::uint32_t s = 0; s < tables[m].loss.size(); ++s) {
          const auto expected = at_subset(networks[m], s);
          const auto loss = static_cast<double>(expected.loss) / static_cast<double>(tables[m].points);
          if (!(std::abs(tables[m].loss[s] - loss) <= bound * loss))
            FAIL_CHECK("network ", m, " subset ", s, ": ", tables[m].loss[s], " instead of ", loss);
          CHECK(std::abs(tables[m].hits[s] - expected.hits) <= expected.doubtful);
        }
      }
    }
}

TEST_CASE("subsets: tiny losses keep their digits") {
  // Every point is right by a margin of 30: losses of 1e-13.
  const std::vector<double> outputs(20, 1.0), weights{30.0, 0.0}, base(40, 0.0);
  const std::vector<std::int32_t> labels(20, 0);
  const SubsetNetwork network{1, 2, outputs, weights, base, labels};
  const Calculator calculator;
  for (const auto precision : {SubsetPrecision::float32, SubsetPrecision::float64}) {
    const auto table = evaluate_subsets(calculator, {&network, 1}, {.precision = precision}).front();
    const double bound = precision == SubsetPrecision::float32 ? 1e-5 : 1e-13,
                 loss = std::log1p(std::exp(-30.0));
    CHECK(std::abs(table.loss[1] / loss - 1) <= bound);
    CHECK(std::abs(table.loss[0] / std::log(2.0) - 1) <= bound);
  }
}

TEST_CASE("subsets: gradients come in ascending ranges, with the table's losses") {
  const reference::SubsetNetwork n = mixed_network(9, 3, 30, 5);
  const Given given(n);
  for (const auto& calculator : calculators()) {
    CAPTURE(calculator->name());
    std::int64_t next = 0, last_done = 0;
    SubsetSpec spec;
    spec.progress = [&](std::int64_t done, std::int64_t all) {
      CHECK(done >= last_done);
      CHECK(all == 2 * 512 * 30);
      last_done = done;
    };
    const SubsetTable table =
        for_subset_gradients(*calculator, given.network, spec, [&](const SubsetGradientRange& r) {
          CHECK(r.first == next);
          next += std::ssize(r.losses);
          REQUIRE(r.gradients.size() == 9 * r.losses.size());
          for (std::size_t s = 0; s < r.losses.size(); s += 7) {
            const auto expected =
                at_subset(n, static_cast<std::uint32_t>(r.first) + static_cast<std::uint32_t>(s));
            CHECK(std::abs(r.losses[s] * 30 - static_cast<double>(expected.loss)) <=
                  1e-12 * static_cast<double>(expected.loss));
            for (std::size_t i = 0; i < 9; ++i)
              CHECK(std::abs(r.gradients[i * r.losses.size() + s] * 30 -
                             static_cast<double>(expected.gradients[i])) <=
                    1e-11 * static_cast<double>(expected.magnitudes[i]) + 1e-300);
          }
        });
    CHECK(next == 512);
    CHECK(last_done == 2 * 512 * 30);
    CHECK(table.loss == evaluate_subsets(*calculator, {&given.network, 1}).front().loss);
  }
}

TEST_CASE("subsets: a stop leaves nothing") {
  const Given given(mixed_network(6, 2, 10, 6));
  std::atomic<bool> stop{true};
  for (const auto& calculator : calculators()) {
    CHECK(evaluate_subsets(*calculator, {&given.network, 1}, {.stop = &stop}).empty());
    CHECK(for_subset_gradients(*calculator, given.network, {.stop = &stop}, [](const auto&) {
            FAIL("called");
          }).loss.empty());
  }
}

TEST_CASE("subsets: what is refused, and in which words") {
  const reference::SubsetNetwork good = mixed_network(3, 2, 4, 7);
  const Calculator calculator;
  const auto refuses = [&](const char* words, const auto& change) {
    reference::SubsetNetwork n = good;
    change(n);
    const Given given(n);
    CHECK_THROWS_WITH_AS(evaluate_subsets(calculator, {&given.network, 1}), doctest::Contains(words),
                         std::invalid_argument);
  };
  refuses("25 nodes", [](auto& n) { n.nodes = 25; });
  refuses("0 nodes", [](auto& n) { n.nodes = 0; });
  refuses("1 classes", [](auto& n) { n.classes = 1; });
  refuses("no points", [](auto& n) { n.labels.clear(); });
  refuses("shapes", [](auto& n) { n.outputs.pop_back(); });
  refuses("label 2", [](auto& n) { n.labels[1] = 2; });
  refuses("label -1", [](auto& n) { n.labels[0] = -1; });
  refuses("not finite", [](auto& n) { n.outputs[2] = std::nan(""); });
  refuses("not finite", [](auto& n) { n.base[0] = std::numeric_limits<double>::infinity(); });
}

}  // namespace
}  // namespace shoal::test
