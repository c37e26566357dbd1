// Every subset of a network's nodes against sums by definition in long double: losses, hits and gradients, in
// each of the three arithmetics.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "kernels/subsets.h"
#include "tests/kernels/arena.h"
#include "tests/reference/random.h"
#include "tests/reference/subsets.h"

namespace shoal::test {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// A random network; `scale` sets how far its logits reach. Some points are silent in every node, so that
/// ties and equal losses occur.
reference::SubsetNetwork random_network(int nodes, int classes, int points, double scale, std::uint64_t seed,
                                        bool with_base = true) {
  reference::Draws draws(seed);
  reference::SubsetNetwork n{nodes, classes, {}, {}, {}, {}};
  for (int i = 0; i < nodes * classes; ++i) n.weights.push_back(draws.uniform(-scale, scale));
  for (int p = 0; p < points; ++p) {
    for (int i = 0; i < nodes; ++i)
      n.outputs.push_back(p % 7 == 3 ? 0.0 : std::max(0.0, draws.uniform(-1.0, 2.0)));
    for (int c = 0; c < classes; ++c)
      n.base.push_back(with_base && p % 7 != 3 ? draws.uniform(-scale, scale) : 0.0);
    n.labels.push_back(draws.below(classes));
  }
  return n;
}

/// A network on a machine, its points in groups of one arithmetic.
struct Placed {
  SubsetModel model;
  double reach = 0;  // the largest sum of |base| and |contributions|
  int groups = 0;

  Placed(Arena& arena, const reference::SubsetNetwork& n, SubsetArithmetic arithmetic, int longest) {
    const auto nodes = size(n.nodes), classes = size(n.classes);
    std::vector<double> base, contributions;
    std::vector<unsigned char> before;
    for (std::size_t p = 0; p < n.labels.size(); ++p)
      for (std::size_t c = 0; c < classes; ++c) {
        const auto label = size(n.labels[p]);
        if (c == label) continue;
        base.push_back(n.base[p * classes + c] - n.base[p * classes + label]);
        before.push_back(c < label);
        double sum = std::abs(base.back());
        for (std::size_t i = 0; i < nodes; ++i) {
          contributions.push_back(n.outputs[p * nodes + i] *
                                  (n.weights[i * classes + c] - n.weights[i * classes + label]));
          sum += std::abs(contributions.back());
        }
        reach = std::max(reach, sum);
      }
    const int others = n.classes - 1, most = std::max(1, std::min(longest, kSubsetEntries / others));
    std::vector<SubsetGroup> list;
    for (std::int64_t p = 0; p < std::ssize(n.labels); p += most)
      list.push_back(
          {p, static_cast<std::int32_t>(std::min<std::int64_t>(most, std::ssize(n.labels) - p)), arithmetic});
    groups = static_cast<int>(list.size());
    const bool logs = arithmetic == SubsetArithmetic::logs;
    const auto exponentials = [&](const std::vector<double>& of) {
      std::vector<double> e;
      for (const double x : of) e.push_back(logs ? NAN : std::exp(x));
      return e;
    };
    model = {n.nodes,
             others,
             groups,
             arena.put(list, "groups"),
             arena.put(base, "base"),
             arena.put(contributions, "contributions"),
             arena.put(exponentials(base), "base_factor"),
             arena.put(exponentials(contributions), "factors"),
             arena.put(before, "before")};
  }
};

std::vector<SubsetBlock> blocks_of(int model, int nodes) {
  std::vector<SubsetBlock> blocks;
  for (std::int64_t s = 0; s < subsets_of(nodes); s += kSubsetBlock) blocks.push_back({model, s});
  return blocks;
}

/// Relative error of a positive sum of e: table entries are n products of exponentials, their arguments off
/// by a rounding of the reach each; then a product, a sum over classes, two operations a point of a group,
/// and a logarithm, in the group's arithmetic; then a sum over groups in doubles.
double tolerance(SubsetArithmetic arithmetic, int nodes, int classes, int groups, double reach) {
  const double wide = 0x1p-53, own = arithmetic == SubsetArithmetic::float32 ? 0x1p-24 : wide;
  return own * (3 + classes + 2 * kSubsetEntries + 8) + wide * (2 * nodes + 4 * reach + groups + 8);
}

double* scratch_of(Arena& arena, const TestMachine& machine, int others) {
  return machine.is_device ? nullptr : arena.room<double>(size(subset_scratch(others)), "scratch");
}

struct Case {
  int nodes, classes, points, longest;
  double scale;
  SubsetArithmetic arithmetic;
};
using enum SubsetArithmetic;

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {1, 2, 9, 32, 1.0, float32},  {3, 2, 20, 3, 1.0, float64},  {6, 4, 15, 32, 0.5, float32},
      {7, 2, 40, 32, 0.5, float32}, {8, 3, 20, 32, 0.5, float64}, {9, 2, 40, 32, 0.7, float64},
      {8, 2, 8, 2, 300.0, logs},    {7, 5, 6, 32, 200.0, logs},   {13, 2, 12, 5, 1.0, float32},
      {12, 3, 6, 32, 0.5, float64}, {6, 40, 3, 1, 0.5, float64},  {7, 36, 2, 1, 100.0, logs},
      {8, 2, 33, 4, 0.01, float32}, {5, 2, 10, 4, 2e-5, float64},
  };
  return all;
}

TEST_CASE("subsets: losses and hits of every subset, in every arithmetic") {
  for (const TestMachine& machine : machines())
    for (const Case& c : cases()) {
      CAPTURE(machine.name);
      CAPTURE(c.nodes);
      CAPTURE(c.classes);
      CAPTURE(static_cast<int>(c.arithmetic));
      Arena arena(machine);
      const reference::SubsetNetwork n = random_network(c.nodes, c.classes, c.points, c.scale, 7);
      const Placed placed(arena, n, c.arithmetic, c.longest);
      const auto blocks = blocks_of(0, c.nodes);
      double* loss = arena.room<double>(size(subsets_of(c.nodes)), "loss");
      std::int32_t* hits = arena.room<std::int32_t>(size(subsets_of(c.nodes)), "hits");
      machine.statistics.subsets(
          {arena.put(std::vector{placed.model}, "models"), arena.put(blocks, "blocks"),
           static_cast<int>(blocks.size()), arena.put(std::vector{loss}, "losses"),
           arena.put(std::vector{hits}, "all hits"), scratch_of(arena, machine, c.classes - 1)},
          arena.stream());
      const auto losses = arena.get(loss);
      const auto counts = arena.get(hits);
      const double relative = tolerance(c.arithmetic, c.nodes, c.classes, placed.groups, placed.reach);
      for (std::uint32_t s = 0; s<losses.size(); s += losses.size()> 512 ? 37 : 1) {
        const reference::SubsetResult expected = at_subset(n, s);
        const auto error = static_cast<double>(std::abs(losses[s] - expected.loss));
        REQUIRE(std::isfinite(losses[s]));
        if (!(error <= relative * static_cast<double>(expected.loss)))
          FAIL_CHECK("subset ", s, ": ", losses[s], " instead of ", static_cast<double>(expected.loss));
        if (!(std::abs(counts[s] - expected.hits) <= expected.doubtful))
          FAIL_CHECK("subset ", s, ": ", counts[s], " hits instead of ", expected.hits);
      }
      CHECK(arena.touched() == "");
    }
}

TEST_CASE("subsets: a tie goes to the first class, as where the largest logit is looked for") {
  for (const TestMachine& machine : machines())
    for (const auto arithmetic : {float32, float64, logs}) {
      CAPTURE(machine.name);
      Arena arena(machine);
      // No node speaks and there is no base: every logit is 0.
      reference::SubsetNetwork n{2,
                                 3,
                                 std::vector<double>(12, 0.0),
                                 std::vector<double>(6, 1.0),
                                 std::vector<double>(18, 0.0),
                                 {0, 1, 2, 0, 0, 1}};
      const Placed placed(arena, n, arithmetic, 32);
      std::int32_t* hits = arena.room<std::int32_t>(4, "hits");
      machine.statistics.subsets(
          {arena.put(std::vector{placed.model}, "models"), arena.put(blocks_of(0, 2), "blocks"), 1, nullptr,
           arena.put(std::vector{hits}, "all hits"), scratch_of(arena, machine, 2)},
          arena.stream());
      for (const std::int32_t h : arena.get(hits)) CHECK(h == 3);
      CHECK(arena.touched() == "");
    }
}

TEST_CASE("subsets: the same bits alone, beside other networks, and with losses or hits only") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const std::vector<reference::SubsetNetwork> networks{
        random_network(5, 2, 11, 1.0, 1), random_network(8, 3, 9, 0.5, 2), random_network(13, 2, 5, 0.5, 3)};
    const std::vector<SubsetArithmetic> arithmetic{float64, float32, float32};
    const auto run = [&](std::vector<std::size_t> chosen, int schedule) {
      Arena arena(machine);
      const Schedule order(machine, schedule);
      std::vector<SubsetModel> models;
      std::vector<SubsetBlock> blocks;
      std::vector<double*> losses;
      for (const std::size_t i : chosen) {
        for (const SubsetBlock& b : blocks_of(static_cast<int>(models.size()), networks[i].nodes))
          blocks.push_back(b);
        models.push_back(Placed(arena, networks[i], arithmetic[i], 32).model);
        losses.push_back(arena.room<double>(size(subsets_of(networks[i].nodes)), "loss"));
      }
      machine.statistics.subsets(
          {arena.put(models, "models"), arena.put(blocks, "blocks"), static_cast<int>(blocks.size()),
           arena.put(losses, "losses"), nullptr, scratch_of(arena, machine, 2)},
          arena.stream());
      std::vector<std::vector<double>> all;
      for (const double* l : losses) all.push_back(arena.get(l));
      CHECK(arena.touched() == "");
      return all;
    };
    const auto together = run({0, 1, 2}, 0);
    for (int schedule = 0; schedule < (machine.is_emulated ? kSchedules : 1); ++schedule)
      for (std::size_t i = 0; i < networks.size(); ++i) CHECK(run({i}, schedule).front() == together[i]);
  }
}

TEST_CASE("subset gradients: of every node at every subset, in every arithmetic") {
  for (const TestMachine& machine : machines())
    for (const Case& c : cases()) {
      CAPTURE(machine.name);
      CAPTURE(c.nodes);
      CAPTURE(c.classes);
      CAPTURE(static_cast<int>(c.arithmetic));
      Arena arena(machine);
      const reference::SubsetNetwork n = random_network(c.nodes, c.classes, c.points, c.scale, 9);
      const Placed placed(arena, n, c.arithmetic, c.longest);
      // The last block alone, with room beside it: first and stride are used.
      const std::vector<SubsetBlock> blocks{blocks_of(0, c.nodes).back()};
      const std::int64_t first = blocks[0].first, count = subsets_of(c.nodes) - first, stride = count + 5;
      double* gradients = arena.room<double>(size(c.nodes * stride), "gradients");
      machine.statistics.subset_gradients(
          {arena.put(std::vector{placed.model}, "models"), arena.put(blocks, "blocks"), 1, gradients, stride,
           first, scratch_of(arena, machine, c.classes - 1)},
          arena.stream());
      const auto actual = arena.get(gradients);
      // e / (1 + sum e) has the relative errors of e twice; a product and sums over entries come on top.
      const double relative = 3 * tolerance(c.arithmetic, c.nodes, c.classes, placed.groups, placed.reach);
      for (std::int64_t s = 0; s<count; s += count> 512 ? 37 : 1) {
        const reference::SubsetResult expected = at_subset(n, static_cast<std::uint32_t>(first + s));
        for (std::size_t i = 0; i < size(c.nodes); ++i) {
          const double value = actual[i * size(stride) + size(s)];
          const auto error = static_cast<double>(std::abs(value - expected.gradients[i]));
          if (!(error <= relative * static_cast<double>(expected.magnitudes[i]) + 1e-300))
            FAIL_CHECK("node ", i, " at subset ", s, ": ", value, " instead of ",
                       static_cast<double>(expected.gradients[i]));
        }
      }
      for (std::size_t i = 0; i < size(c.nodes); ++i)
        for (std::int64_t s = count; s < stride; ++s) CHECK(std::isnan(actual[i * size(stride) + size(s)]));
      CHECK(arena.touched() == "");
    }
}

}  // namespace
}  // namespace shoal::test
