// Bootstrap confidence intervals of any statistic: Efron & Tibshirani 1993, chapters 13 (percentile) and 14
// (bias-corrected and accelerated, BCa).
//
// Which observations a resample takes is a function of (seed, replicate, place in the resample) by Philox, so
// the results have the same bits on any number of threads, and two statistics of samples of one size, asked
// with one seed, see the same resamples: their replicates are paired.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/calculator.h"

namespace shoal {

struct BootstrapSpec {
  std::int64_t replicates = 2000;  // 1 .. 2^31-1
  double level = 0.95;             // of the intervals, between 0 and 1
  std::uint64_t seed = 1;
};

/// The statistic of the observations chosen: places 0 .. n-1, some of them several times. Called from several
/// threads at once. NaN where the statistic is not defined (the correlation of a resample of equal values).
using ResampledStatistic = std::function<double(std::span<const std::int32_t> chosen)>;

struct Interval {
  double low = 0, high = 0;
};

struct Bootstrap {
  double estimate = 0;        // of the sample itself
  double standard_error = 0;  // sd of the replicates, divided by their number - 1
  Interval percentile;
  Interval bca;     // NaN where all replicates lie on one side of the estimate: it has no bias to correct by
  double bias = 0;  // z0: the normal quantile of the share of replicates below the estimate
  double acceleration = 0;     // from the jackknife
  std::int64_t undefined = 0;  // replicates without a value; they are left out
};

/// Everything is NaN where the estimate is, or where fewer than two replicates have a value. Quantiles of the
/// replicates are linear between order statistics. The jackknife leaves out one observation at a time, or,
/// beyond 2000 observations, one of 2000 random groups of (nearly) equal size.
/// The threads are the calculator's; resamples are taken on the CPU whatever it is.
/// std::invalid_argument: n < 1 or beyond 2^31-1, a spec outside its ranges.
Bootstrap bootstrap(const Calculator&, std::int64_t n, const ResampledStatistic&, const BootstrapSpec& = {});

/// A statistic of one sample.
using SampleStatistic = std::function<double(std::span<const double>)>;
Bootstrap bootstrap(const Calculator&, std::span<const double> sample, const SampleStatistic&,
                    const BootstrapSpec& = {});

/// A statistic of pairs (x[i], y[i]), which are drawn together. Equal lengths, else std::invalid_argument.
using PairStatistic = std::function<double(std::span<const double> x, std::span<const double> y)>;
Bootstrap bootstrap_pairs(const Calculator&, std::span<const double> x, std::span<const double> y,
                          const PairStatistic&, const BootstrapSpec& = {});

/// The rank correlations, quicker than by way of bootstrap_pairs: the order is found once, not in every
/// resample.
Bootstrap bootstrap_spearman(const Calculator&, std::span<const double> x, std::span<const double> y,
                             const BootstrapSpec& = {});
Bootstrap bootstrap_kendall(const Calculator&, std::span<const double> x, std::span<const double> y,
                            const BootstrapSpec& = {});

/// What a resample takes: place i of replicate r holds observation floor(n w / 2^32), w the word i of stream
/// r. A probability is off by less than n / 2^32 of itself.
void draw_resample(std::span<std::int32_t> chosen, std::uint64_t seed, std::int64_t replicate);

}  // namespace shoal
