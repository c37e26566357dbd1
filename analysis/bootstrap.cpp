#include "analysis/bootstrap.h"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>

#include "analysis/rank.h"
#include "analysis/summary.h"
#include "kernels/philox.h"

namespace shoal {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostGroups = 2000;                      // of the jackknife
constexpr std::uint64_t kGroupStream = std::uint64_t{1} << 63;  // beyond every replicate's

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// -inf and +inf at 0 and 1.
double normal_quantile(double p) {
  if (!(p > 0)) return -std::numeric_limits<double>::infinity();
  if (!(p < 1)) return std::numeric_limits<double>::infinity();
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p);
}

void check(std::int64_t n, const BootstrapSpec& spec) {
  if (n < 1 || n > kLargest) throw std::invalid_argument("a bootstrap takes 1 to 2^31-1 observations");
  if (spec.replicates < 1 || spec.replicates > kLargest)
    throw std::invalid_argument("a bootstrap takes 1 to 2^31-1 replicates");
  if (!(spec.level > 0 && spec.level < 1))
    throw std::invalid_argument("the level of a confidence interval lies between 0 and 1");
}

/// 0 .. n-1 in an order drawn from the seed, so that the jackknife's groups do not follow the file's order.
std::vector<std::int32_t> shuffled(std::int64_t n, std::uint64_t seed) {
  std::vector<std::pair<std::uint32_t, std::int32_t>> keyed(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < keyed.size(); ++i)
    keyed[i] = {philox_word(seed, kGroupStream, i), static_cast<std::int32_t>(i)};
  std::ranges::sort(keyed);
  std::vector<std::int32_t> order;
  order.reserve(keyed.size());
  for (const auto& [key, i] : keyed) order.push_back(i);
  return order;
}

std::vector<double> replicates_of(const Calculator& calculator, std::int64_t n,
                                  const ResampledStatistic& statistic, const BootstrapSpec& spec) {
  std::vector<double> values(static_cast<std::size_t>(spec.replicates));
  calculator.for_each(static_cast<int>(spec.replicates), [&](int replicate) {
    std::vector<std::int32_t> chosen(static_cast<std::size_t>(n));
    draw_resample(chosen, spec.seed, replicate);
    values[static_cast<std::size_t>(replicate)] = statistic(chosen);
  });
  return values;
}

/// The statistic without each group in turn.
std::vector<double> jackknife_of(const Calculator& calculator, std::int64_t n,
                                 const ResampledStatistic& statistic, std::uint64_t seed) {
  const std::int64_t groups = std::min(n, kMostGroups);
  const std::vector<std::int32_t> order = shuffled(n, seed);
  std::vector<double> values(static_cast<std::size_t>(groups));
  calculator.for_each(static_cast<int>(groups), [&](int g) {
    std::vector<std::int32_t> kept(order.begin(), order.begin() + n * g / groups);
    kept.insert(kept.end(), order.begin() + n * (g + 1) / groups, order.end());
    values[static_cast<std::size_t>(g)] = statistic(kept);
  });
  return values;
}

/// Efron & Tibshirani 1993, equation 14.15: a sixth of the skewness of what the groups add.
double acceleration_of(std::span<const double> left_out) {
  const double mean = summarize(left_out).mean;
  double squares = 0, cubes = 0;
  for (const double value : left_out) {
    const double d = mean - value;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares == 0 ? 0.0 : cubes / (6 * std::pow(squares, 1.5));
}

/// The share of replicates below the estimate; equal ones count half.
double share_below(std::span<const double> ascending, double estimate) {
  const auto [first, last] = std::ranges::equal_range(ascending, estimate);
  const double below = static_cast<double>(first - ascending.begin());
  const double up_to = static_cast<double>(last - ascending.begin());
  return 0.5 * (below + up_to) / static_cast<double>(ascending.size());
}

/// Equation 14.10.
Interval bca_interval(std::span<const double> ascending, const Bootstrap& b, double level) {
  const auto end = [&](double p) {
    const double z = b.bias + normal_quantile(p);
    const double corrected = normal_cdf(b.bias + z / (1 - b.acceleration * z));
    return std::isfinite(b.bias) && std::isfinite(corrected) ? quantile(ascending, corrected) : kNan;
  };
  return {end(0.5 * (1 - level)), end(0.5 * (1 + level))};
}

}  // namespace

void draw_resample(std::span<std::int32_t> chosen, std::uint64_t seed, std::int64_t replicate) {
  const auto n = static_cast<std::uint64_t>(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); i += 4) {
    const PhiloxWords words = philox_quad(seed, static_cast<std::uint64_t>(replicate), i / 4);
    for (std::size_t k = 0; k < std::min<std::size_t>(4, chosen.size() - i); ++k)
      chosen[i + k] = static_cast<std::int32_t>((words.word[k] * n) >> 32);
  }
}

Bootstrap bootstrap(const Calculator& calculator, std::int64_t n, const ResampledStatistic& statistic,
                    const BootstrapSpec& spec) {
  check(n, spec);
  Bootstrap result{kNan, kNan, {kNan, kNan}, {kNan, kNan}, kNan, kNan, 0};
  std::vector<std::int32_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  result.estimate = statistic(all);
  std::vector<double> values = replicates_of(calculator, n, statistic, spec);
  result.undefined = std::erase_if(values, [](double v) { return std::isnan(v); });
  if (std::isnan(result.estimate) || values.size() < 2) return result;
  result.standard_error = summarize(values).sd;  // before sorting: the order of the sum is the replicates'
  std::ranges::sort(values);
  result.percentile = {quantile(values, 0.5 * (1 - spec.level)), quantile(values, 0.5 * (1 + spec.level))};
  result.bias = normal_quantile(share_below(values, result.estimate));
  result.acceleration = n < 2 ? 0.0 : acceleration_of(jackknife_of(calculator, n, statistic, spec.seed));
  result.bca = bca_interval(values, result, spec.level);
  return result;
}

Bootstrap bootstrap(const Calculator& calculator, std::span<const double> sample,
                    const SampleStatistic& statistic, const BootstrapSpec& spec) {
  const auto resampled = [&](std::span<const std::int32_t> chosen) {
    std::vector<double> values;
    values.reserve(chosen.size());
    for (const std::int32_t i : chosen) values.push_back(sample[static_cast<std::size_t>(i)]);
    return statistic(values);
  };
  return bootstrap(calculator, static_cast<std::int64_t>(sample.size()), resampled, spec);
}

Bootstrap bootstrap_pairs(const Calculator& calculator, std::span<const double> x, std::span<const double> y,
                          const PairStatistic& statistic, const BootstrapSpec& spec) {
  if (x.size() != y.size()) throw std::invalid_argument("pairs need as many values of x as of y");
  const auto resampled = [&](std::span<const std::int32_t> chosen) {
    std::vector<double> xs, ys;
    xs.reserve(chosen.size());
    ys.reserve(chosen.size());
    for (const std::int32_t i : chosen) {
      xs.push_back(x[static_cast<std::size_t>(i)]);
      ys.push_back(y[static_cast<std::size_t>(i)]);
    }
    return statistic(xs, ys);
  };
  return bootstrap(calculator, static_cast<std::int64_t>(x.size()), resampled, spec);
}

namespace {

RankCodes codes_of(const RankCodes& codes, std::span<const std::int32_t> chosen) {
  RankCodes taken{{}, codes.levels, codes.ordered};
  if (!codes.ordered) return taken;
  taken.code.reserve(chosen.size());
  for (const std::int32_t i : chosen) taken.code.push_back(codes.code[static_cast<std::size_t>(i)]);
  return taken;
}

Bootstrap bootstrap_ranks(const Calculator& calculator, std::span<const double> x, std::span<const double> y,
                          double (*correlation)(const RankCodes&, const RankCodes&),
                          const BootstrapSpec& spec) {
  if (x.size() != y.size()) throw std::invalid_argument("pairs need as many values of x as of y");
  const RankCodes a = rank_codes(x), b = rank_codes(y);
  const auto resampled = [&](std::span<const std::int32_t> chosen) {
    return correlation(codes_of(a, chosen), codes_of(b, chosen));
  };
  return bootstrap(calculator, static_cast<std::int64_t>(x.size()), resampled, spec);
}

}  // namespace

Bootstrap bootstrap_spearman(const Calculator& calculator, std::span<const double> x,
                             std::span<const double> y, const BootstrapSpec& spec) {
  return bootstrap_ranks(calculator, x, y, &spearman, spec);
}

Bootstrap bootstrap_kendall(const Calculator& calculator, std::span<const double> x,
                            std::span<const double> y, const BootstrapSpec& spec) {
  return bootstrap_ranks(calculator, x, y, &kendall_tau_b, spec);
}

}  // namespace shoal
