// Samples of subsets: the designs are what they say, and estimates are unbiased with honest errors, against a
// function of subsets whose every expectation is known.
#include "analysis/subset_sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace shoal {
namespace {

constexpr int kNodes = 7;

/// Positive, with interactions of all orders, and different for every node.
double value_of(unsigned subset) {
  double x = 1.0;
  for (int i = 0; i < kNodes; ++i)
    if (subset >> i & 1) x *= 0.6 + 0.07 * i;
  return x + 0.1 * static_cast<double>((subset * 2654435761u) >> 27) / 32.0;
}

unsigned number_of(const NodeMask& mask) {
  unsigned s = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) s |= static_cast<unsigned>(mask[i]) << i;
  return s;
}

std::vector<double> values_of(std::span<const NodeMask> masks) {
  std::vector<double> values;
  for (const NodeMask& mask : masks) values.push_back(value_of(number_of(mask)));
  return values;
}

struct Exact {
  double mean = 0, sd = 0;
};
Exact exact_at(double keep) {
  double mean = 0, square = 0;
  for (unsigned s = 0; s < 1u << kNodes; ++s) {
    double w = 1;
    for (int i = 0; i < kNodes; ++i) w *= s >> i & 1 ? keep : 1 - keep;
    mean += w * value_of(s), square += w * value_of(s) * value_of(s);
  }
  return {mean, std::sqrt(square - mean * mean)};
}

/// Distances in standard errors, of many seeds: none absurd, and their mean square near that of Student's t
/// with 19 degrees of freedom, 19/17.
struct Distances {
  double square = 0;
  int count = 0;
  void see(const Estimate& e, double truth) {
    REQUIRE(e.error > 0);
    const double z = (e.value - truth) / e.error;
    CHECK(std::abs(z) < 8);
    square += z * z, ++count;
  }
  double mean_square() const { return square / count; }
};

TEST_CASE("sampling: masks are mirrored, stratified by size, and uniform within a size") {
  const SamplingSpec spec{.nodes = kNodes, .samples = 4000, .seed = 3};
  const auto masks = moment_masks(spec, 0.5);
  REQUIRE(masks.size() == 4000);
  std::vector<int> sizes(kNodes + 1), kept(kNodes);
  for (std::size_t i = 0; i < masks.size(); i += 2)
    for (std::size_t n = 0; n < kNodes; ++n) CHECK(masks[i][n] != masks[i + 1][n]);  // complements at 1/2
  for (const NodeMask& mask : masks) {
    ++sizes[static_cast<std::size_t>(std::accumulate(mask.begin(), mask.end(), 0))];
    for (std::size_t n = 0; n < kNodes; ++n) kept[n] += mask[n];
  }
  double ways = 1;
  for (int k = 0; k <= kNodes; ++k) {
    // Strata: the counts of a size differ from what is expected by less than two a group.
    CHECK(std::abs(sizes[static_cast<std::size_t>(k)] - 4000 * ways / 128) <= 2.0 * kSamplingGroups);
    ways *= static_cast<double>(kNodes - k) / (k + 1);
  }
  for (const int n : kept) CHECK(n == 2000);  // complements
  for (const NodeMask& mask : moment_masks(spec, 0.0)) CHECK(number_of(mask) == 0);
  for (const NodeMask& mask : moment_masks(spec, 1.0)) CHECK(number_of(mask) == (1u << kNodes) - 1);
  CHECK(moment_masks(spec, 0.3) == moment_masks(spec, 0.3));
  CHECK(moment_masks(spec, 0.3) != moment_masks({.nodes = kNodes, .samples = 4000, .seed = 4}, 0.3));
}

TEST_CASE("sampling: moments are unbiased and their errors honest") {
  for (const double keep : {0.2, 0.5, 0.9}) {
    CAPTURE(keep);
    const Exact exact = exact_at(keep);
    Distances means, sds;
    double independent = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const SamplingSpec spec{.nodes = kNodes, .samples = 800, .seed = seed};
      const auto values = values_of(moment_masks(spec, keep));
      const SampledMoments m = sampled_moments(values, std::vector{0.5});
      means.see(m.mean, exact.mean);
      sds.see(m.sd, exact.sd);
      independent += m.mean.error / (exact.sd / std::sqrt(800.0)) / 60;
    }
    // The mean square of 60 such distances has an sd of about 0.25.
    CHECK(means.mean_square() < 2.2);
    CHECK(means.mean_square() > 0.4);
    CHECK(sds.mean_square() < 2.5);
    CHECK(independent < 0.8);  // of the error that as many independent subsets would have
  }
}

TEST_CASE("sampling: paths give covariances, Banzhaf and Shapley values") {
  constexpr unsigned kAll = 1u << kNodes;
  double mean = 0;
  std::vector<double> logs;
  for (unsigned s = 0; s < kAll; ++s) logs.push_back(std::log(value_of(s))), mean += logs.back() / kAll;
  std::vector<double> covariance(kNodes + 1), pairs(kNodes + 1), banzhaf(kNodes), shapley(kNodes);
  for (unsigned s = 0; s < kAll; ++s) {
    for (unsigned t = 0; t < kAll; ++t) {
      const auto d = static_cast<std::size_t>(__builtin_popcount(s ^ t));
      covariance[d] += (logs[s] - mean) * (logs[t] - mean), ++pairs[d];
    }
    for (std::size_t i = 0; i < kNodes; ++i)
      if (!(s >> i & 1)) {
        const double change = value_of(s | 1u << i) - value_of(s);
        const int size = __builtin_popcount(s);
        banzhaf[i] += change / (kAll / 2);
        shapley[i] +=
            change * std::tgamma(size + 1.0) * std::tgamma(kNodes - size) / std::tgamma(kNodes + 1.0);
      }
  }
  Distances covariances, values;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const PathValues p = sampled_paths({.nodes = kNodes, .samples = 3200, .seed = seed}, values_of);
    REQUIRE(p.covariance.size() == kNodes + 1);
    for (std::size_t d = 0; d <= kNodes; ++d) covariances.see(p.covariance[d], covariance[d] / pairs[d]);
    double sum = 0;
    for (std::size_t i = 0; i < kNodes; ++i) {
      values.see(p.banzhaf[i], banzhaf[i]);
      values.see(p.shapley[i], shapley[i]);
      sum += p.shapley[i].value;
    }
    CHECK(std::abs(sum - (value_of(kAll - 1) - value_of(0))) < 1e-12);
  }
  // Many correlated distances: wide bounds.
  CHECK(covariances.mean_square() < 2.5);
  CHECK(values.mean_square() < 1.8);
  CHECK(values.mean_square() > 0.7);
}

TEST_CASE("sampling: columns, stops and refusals") {
  std::vector<double> values;
  for (int i = 0; i < 2 * kSamplingGroups; ++i) values.insert(values.end(), {static_cast<double>(i), 5.0});
  const ColumnEstimates c = grouped_columns(values, 2);
  CHECK(c.mean[0].value == doctest::Approx(19.5));
  CHECK(c.mean[1].value == 5.0);
  CHECK(c.mean[1].error == 0.0);
  CHECK(c.sd[0].value == doctest::Approx(std::sqrt((40.0 * 40.0 - 1) / 12)));
  CHECK(sampled_paths({.nodes = 3}, [](std::span<const NodeMask>) {
          return std::vector<double>();
        }).covariance.empty());
  CHECK_THROWS_AS(moment_masks({.nodes = 0}, 0.5), std::invalid_argument);
  CHECK_THROWS_AS(moment_masks({.nodes = 3, .samples = 39}, 0.5), std::invalid_argument);
  CHECK_THROWS_AS(moment_masks({.nodes = 3}, 1.5), std::invalid_argument);
  CHECK_THROWS_AS(
      sampled_paths({.nodes = 3},
                    [](std::span<const NodeMask> masks) { return std::vector<double>(masks.size()); }),
      std::invalid_argument);
}

}  // namespace
}  // namespace shoal
