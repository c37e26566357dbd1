// A network without some of its nodes, from the definition: logits added up, softmax, its logarithm, and the
// gradients by the chain rule, all in long double.
#pragma once

#include <cstdint>
#include <vector>

namespace reference {

struct SubsetNetwork {
  int nodes = 0, classes = 0;
  std::vector<double> outputs;  // [point][node]
  std::vector<double> weights;  // [node][class]
  std::vector<double> base;     // [point][class]
  std::vector<int> labels;      // [point]
};

/// Sums over the points.
struct SubsetResult {
  long double loss = 0;
  int hits = 0;
  int doubtful = 0;  // points that a relative error of 1e-5 in exp(logit - label's) may turn
  std::vector<long double> gradients;   // [node] d loss / d b_i
  std::vector<long double> magnitudes;  // [node] the same with every term's absolute value
};
SubsetResult at_subset(const SubsetNetwork&, std::uint32_t subset);

}  // namespace reference
