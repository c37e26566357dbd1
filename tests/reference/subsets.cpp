#include "tests/reference/subsets.h"

#include <algorithm>
#include <cmath>

namespace reference {
namespace {

using Real = long double;

}  // namespace

SubsetResult at_subset(const SubsetNetwork& n, std::uint32_t subset) {
  const auto nodes = static_cast<std::size_t>(n.nodes), classes = static_cast<std::size_t>(n.classes);
  SubsetResult result;
  result.gradients.assign(nodes, 0);
  result.magnitudes.assign(nodes, 0);
  for (std::size_t p = 0; p < n.labels.size(); ++p) {
    const auto label = static_cast<std::size_t>(n.labels[p]);
    std::vector<Real> z(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      z[c] = n.base[p * classes + c];
      for (std::size_t i = 0; i < nodes; ++i)
        if (subset >> i & 1) z[c] += Real{n.outputs[p * nodes + i]} * n.weights[i * classes + c];
    }
    const Real largest = *std::max_element(z.begin(), z.end());
    Real others = 0, sum = 0;  // others: relative to the label's own exponential
    for (std::size_t c = 0; c < classes; ++c) {
      sum += std::exp(z[c] - largest);
      if (c != label) others += std::exp(z[c] - z[label]);
    }
    // log(1 + x) keeps the digits of small losses, the other form is finite for large ones.
    result.loss += others < 1 ? std::log1p(others) : std::log(sum) + largest - z[label];
    result.hits += std::max_element(z.begin(), z.end()) - z.begin() == static_cast<std::ptrdiff_t>(label);
    bool doubtful = false;
    for (std::size_t c = 0; c < classes; ++c)
      doubtful = doubtful || (c != label && z[c] != z[label] && std::abs(z[c] - z[label]) < 1e-5L);
    result.doubtful += doubtful;
    for (std::size_t i = 0; i < nodes; ++i)
      for (std::size_t c = 0; c < classes; ++c) {
        // d loss / d z_c = softmax_c - [c = label]; of the label itself: minus the sum of the others.
        if (c == label) continue;
        const Real share = std::exp(z[c] - largest) / sum;
        const Real term = share * Real{n.outputs[p * nodes + i]} *
                          (Real{n.weights[i * classes + c]} - n.weights[i * classes + label]);
        result.gradients[i] += term;
        result.magnitudes[i] += std::abs(term);
      }
  }
  return result;
}

}  // namespace reference
