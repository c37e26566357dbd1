// Statistics of gradients over subsets, against all of them at once.
#include "analysis/subset_gradients.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "tests/analysis/calculators.h"
#include "tests/analysis/subsets.h"

namespace shoal::test {
namespace {

struct Case {
  int nodes;
  std::vector<double> losses, gradients;  // gradients: [node][2^nodes]
  GradientStatisticsSpec spec;
};

Case made_up_case(int nodes) {
  Case c{nodes, made_up_table(nodes), {}, {}};
  reference::Draws draws(9);
  for (int i = 0; i < nodes; ++i)
    for (std::size_t s = 0; s < c.losses.size(); ++s)
      c.gradients.push_back(0.1 * (i + 1) * draws.uniform(-1.0, 0.5) * (s >> i & 1 ? 1.0 : 2.0));
  c.spec.nodes = nodes, c.spec.keep = {0.3, 0.5};
  c.spec.loss_bins = {-1.5, 1.5, 300}, c.spec.log_loss_bins = {-2, 2, 100};
  return c;
}

/// Blocks of `size` subsets, in order.
GradientStatistics added_in_blocks(const Calculator& calculator, const Case& c, std::size_t size) {
  GradientStatistics all(c.spec);
  const std::size_t count = c.losses.size();
  for (std::size_t first = 0; first < count; first += size) {
    const std::size_t end = std::min(first + size, count);
    std::vector<double> block;
    for (int i = 0; i < c.nodes; ++i)
      for (std::size_t s = first; s < end; ++s)
        block.push_back(c.gradients[static_cast<std::size_t>(i) * count + s]);
    all.add(calculator, static_cast<std::int64_t>(first), std::span(c.losses).subspan(first, end - first),
            block);
  }
  return all;
}

/// The gradients that a choice means, with their weights.
struct Values {
  std::vector<double> x;
  std::vector<Real> w;
};
Values values_of(const Case& c, const GradientChoice& choice) {
  Values v;
  const std::vector<double> keep(static_cast<std::size_t>(c.nodes),
                                 c.spec.keep[static_cast<std::size_t>(choice.keep)]);
  for (int i = 0; i < c.nodes; ++i)
    for (unsigned s = 0; s < c.losses.size(); ++s) {
      const bool on = s >> i & 1;
      if ((choice.node && *choice.node != i) || (choice.state == NodeState::on && !on) ||
          (choice.state == NodeState::off && on))
        continue;
      const double g = c.gradients[static_cast<std::size_t>(i) * c.losses.size() + s];
      v.x.push_back(choice.of == GradientOf::loss ? g : g / c.losses[s]), v.w.push_back(weight_of(s, keep));
    }
  return v;
}

std::vector<GradientChoice> choices(int nodes) {
  std::vector<GradientChoice> all;
  for (const GradientOf of : {GradientOf::loss, GradientOf::log_loss})
    for (const int keep : {0, 1})
      for (const NodeState state : {NodeState::off, NodeState::on, NodeState::either}) {
        all.push_back({of, keep, std::nullopt, state});
        for (int node = 0; node < nodes; ++node) all.push_back({of, keep, node, state});
      }
  return all;
}

TEST_CASE("moments of gradients by node, state and probability") {
  for (const auto& calculator : calculators())
    for (const int n : {1, 3, 6}) {
      const Case c = made_up_case(n);
      const GradientStatistics all = added_in_blocks(*calculator, c, 5);
      for (const GradientChoice& choice : choices(n)) {
        const Values v = values_of(c, choice);
        Real total = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;
        for (std::size_t i = 0; i < v.x.size(); ++i) total += v.w[i], mean += v.w[i] * v.x[i];
        mean /= total;
        for (std::size_t i = 0; i < v.x.size(); ++i) {
          const Real d = v.x[i] - mean;
          m2 += v.w[i] * d * d, m3 += v.w[i] * d * d * d, m4 += v.w[i] * d * d * d * d;
        }
        const ShapeMoments m = all.moments(choice);
        CHECK(near(m.count, total, total));
        CHECK(near(m.mean, mean, 1));
        CHECK(near(m.m2, m2, 2 * total));
        CHECK(near(m.m3, m3, 4 * total));
        CHECK(near(m.m4, m4, 8 * total));
        CHECK(m.min == *std::ranges::min_element(v.x));
        CHECK(m.max == *std::ranges::max_element(v.x));
      }
    }
}

TEST_CASE("histograms of gradients hold all weight, quantiles are right to a bin, densities to its blur") {
  const Calculator calculator;
  const Case c = made_up_case(6);
  const GradientStatistics all = added_in_blocks(calculator, c, 64);
  for (const GradientChoice& choice : choices(6)) {
    const Values v = values_of(c, choice);
    const WeightedHistogram h = all.histogram(choice);
    Real total = 0, outside = 0;
    std::vector<Real> expected(h.weights.size());
    for (std::size_t i = 0; i < v.x.size(); ++i) {
      total += v.w[i];
      if (v.x[i] < h.from || v.x[i] > h.to) outside += v.w[i];
      else
        expected[std::min(static_cast<std::size_t>((v.x[i] - h.from) / h.bin_width()),
                          expected.size() - 1)] += v.w[i];
    }
    CHECK(near(h.total(), total, total));
    CHECK(near(h.below + h.above, outside, total));
    Real apart = 0;  // a value on a bin's edge may count on either side of it
    for (std::size_t i = 0; i < expected.size(); ++i) apart += std::abs(expected[i] - h.weights[i]);
    CHECK(apart < 0.02L * total);
    for (const double share : {0.1, 0.5, 0.9}) {
      const double q = quantile_of(h, share);
      if (!std::isfinite(q)) continue;
      Real below = 0, up_to = 0;
      for (std::size_t i = 0; i < v.x.size(); ++i) {
        below += v.x[i] <= q - h.bin_width() ? v.w[i] : 0;
        up_to += v.x[i] <= q + h.bin_width() ? v.w[i] : 0;
      }
      CHECK(below <= share * total + 1e-12L);
      CHECK(up_to >= share * total - 1e-12L);
    }
    const Density d = smoothed(h, {.from = -1, .to = 1, .points = 41, .bandwidth = 0.2});
    for (std::size_t p = 0; p < d.x.size(); ++p) {
      Real sum = 0;
      for (std::size_t i = 0; i < v.x.size(); ++i)
        sum += v.w[i] * std::exp(-std::pow((d.x[p] - v.x[i]) / 0.2L, 2.0L) / 2);
      const auto exact = static_cast<double>(sum / total) / (0.2 * std::sqrt(2 * std::numbers::pi));
      // A value may be half a bin from the middle; the kernel's slope is at most 0.25 / bandwidth^2.
      CHECK(std::abs(d.y[p] - exact) <=
            0.5 * h.bin_width() * 0.25 / 0.04 + static_cast<double>(outside / total) * 2);
    }
  }
}

TEST_CASE("gradients: blocks of any sizes, threads, and merging") {
  const Case c = made_up_case(13);
  std::vector<GradientStatistics> all;
  for (const auto& calculator : calculators())
    for (const std::size_t size : {std::size_t{4096}, std::size_t{8192}})
      all.push_back(added_in_blocks(*calculator, c, size));
  for (const GradientChoice& choice : choices(2)) {
    const ShapeMoments first = all[0].moments(choice);
    for (const GradientStatistics& other : all) {
      const ShapeMoments m = other.moments(choice);
      CHECK(std::memcmp(&m, &first, sizeof m) == 0);
      CHECK(other.histogram(choice).weights == all[0].histogram(choice).weights);
    }
  }
  GradientStatistics low(c.spec), high(c.spec);
  for (int half = 0; half < 2; ++half) {
    std::vector<double> block;
    for (std::size_t i = 0; i < 13; ++i)
      block.insert(
          block.end(),
          c.gradients.begin() + static_cast<std::ptrdiff_t>((2 * i + static_cast<std::size_t>(half)) * 4096),
          c.gradients.begin() +
              static_cast<std::ptrdiff_t>((2 * i + static_cast<std::size_t>(half) + 1) * 4096));
    (half ? high : low)
        .add(Calculator(), half * 4096,
             std::span(c.losses).subspan(static_cast<std::size_t>(half) * 4096, 4096), block);
  }
  low.merge(high);
  for (const GradientChoice& choice : choices(13)) {
    const ShapeMoments m = low.moments(choice), expected = all[0].moments(choice);
    CHECK(near(m.mean, expected.mean, 1, 8));
    CHECK(near(m.m2, expected.m2, expected.m2, 64));
  }
}

TEST_CASE("gradients: what makes no sense is refused") {
  const Calculator calculator;
  CHECK_THROWS_AS(GradientStatistics({.nodes = 0}), std::invalid_argument);
  CHECK_THROWS_AS(GradientStatistics({.nodes = 3, .keep = {}}), std::invalid_argument);
  CHECK_THROWS_AS(GradientStatistics({.nodes = 3, .keep = {2}}), std::invalid_argument);
  CHECK_THROWS_AS(GradientStatistics({.nodes = 3, .loss_bins = {1, -1, 5}}), std::invalid_argument);
  CHECK_THROWS_AS(GradientStatistics({.nodes = 3, .loss_bins = {-1, 1, 0}}), std::invalid_argument);
  GradientStatistics s({.nodes = 2});
  const std::vector<double> losses{1, 2}, gradients{1, 2, 3, 4};
  CHECK_THROWS_AS(s.add(calculator, 3, losses, gradients), std::invalid_argument);
  CHECK_THROWS_AS(s.add(calculator, -1, losses, gradients), std::invalid_argument);
  CHECK_THROWS_AS(s.add(calculator, 0, losses, std::vector<double>{1, 2, 3}), std::invalid_argument);
  CHECK_THROWS_AS(s.add(calculator, 0, std::vector<double>{1, 0}, gradients), std::invalid_argument);
  CHECK_THROWS_AS(s.add(calculator, 0, losses, std::vector<double>{1, 2, NAN, 4}), std::invalid_argument);
  CHECK_THROWS_AS(s.moments({.node = 2}), std::invalid_argument);
  CHECK_THROWS_AS(s.moments({.keep = 1}), std::invalid_argument);
  CHECK_THROWS_AS(s.merge(GradientStatistics({.nodes = 3})), std::invalid_argument);
  CHECK(s.moments({}).count == 0);
  CHECK(std::isnan(quantile_of(s.histogram({}), 0.5)));
  CHECK(smoothed(s.histogram({}), {.bandwidth = 0.1}).y.empty());
  s.add(calculator, 1, losses, std::vector<double>{5, 0.5, -7, 1});
  CHECK(s.histogram({.node = 0}).above == 0.25);
  CHECK(s.histogram({.node = 1}).below == 0.25);
  CHECK(quantile_of(s.histogram({.node = 0}), 1) == std::numeric_limits<double>::infinity());
  CHECK(quantile_of(s.histogram({.node = 1}), 0.1) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("bins for a largest value") {
  const GradientBins b = bins_for(0.5, 0.01);
  CHECK((b.from == -0.5 && b.to == 0.5 && b.count == 100));
  CHECK(bins_for(1e9, 1e-9).count == 1 << 20);
  CHECK_THROWS_AS(bins_for(0, 1), std::invalid_argument);
}

}  // namespace
}  // namespace shoal::test
