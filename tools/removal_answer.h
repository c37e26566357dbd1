// What `shoal remove` answers, found by enumeration or by sampling.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/subset_distribution.h"
#include "analysis/subset_sampling.h"
#include "analysis/subset_values.h"
#include "analysis/subsets.h"
#include "tools/removal_problem.h"

namespace shoal {

/// Errors of estimates are 0 where all subsets were counted.
struct RemovalMoments {
  std::string quantity;  // "loss" or "log_loss"
  double keep = 0.5;
  Estimate mean, sd;
  std::vector<Estimate> quantiles;  // of RemovalSettings::quantiles
  /// Enumerated only.
  double skewness = 0, kurtosis = 0;
  NormalFit normal = {};
};

/// At keep 1/2. Gradients by b_i, the factor on the node's output; values of having the node.
struct RemovalNode {
  Estimate mean_gradient, sd_gradient;          // of the loss
  Estimate mean_log_gradient, sd_log_gradient;  // of the log loss
  Estimate shapley, banzhaf;                    // of the loss
};

struct RemovalAnswer {
  bool exact = false;
  std::int64_t samples = 0;  // of each keep probability, where sampled
  double full_loss = 0, full_accuracy = 0, none_loss = 0, none_accuracy = 0;
  std::vector<RemovalMoments> moments;
  std::vector<RemovalNode> nodes;
  std::vector<Estimate> covariance;  // of the log loss, [Hamming distance], at keep 1/2
  /// Enumerated only.
  std::vector<double> interactions;      // of the log loss, [order] variance
  std::vector<SizeRecord> sizes;         // of the loss
  std::optional<ExpectedChange> change;  // of the mean loss, from keep 1/4 to 3/4
  SubsetTable table;
};

struct RemovalSettings {
  std::vector<double> keep, quantiles;
  SubsetPrecision precision = SubsetPrecision::float64;
  std::int64_t samples = 2000;
  std::uint64_t seed = 1;
  MachineSpec machine;
  std::function<void(double share)> progress;
  const std::atomic<bool>* stop = nullptr;
};

/// Every subset of at most 24 nodes of the last hidden layer. Nothing when stopped. DataError for losses that
/// have no logarithm; UsageError, DeviceError.
std::optional<RemovalAnswer> enumerate_removals(const RemovalProblem&, const RemovalSettings&);

/// Random subsets of any nodes. Nothing when stopped. Errors likewise.
std::optional<RemovalAnswer> sample_removals(const RemovalProblem&, const RemovalSettings&);

}  // namespace shoal
