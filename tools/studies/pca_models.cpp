#include "tools/studies/pca_models.h"

#include <cmath>
#include <set>

namespace shoal {
namespace {

/// P times a matrix [d][columns] of weights, a bias and the mean, as columns of one.
struct Projected {
  std::vector<double> weights;  // [d][columns]
  std::vector<double> bias, mean;
};

Projected project(const Calculator& calculator, const Pca& p, int k, PcaProcedure procedure,
                  std::span<const double> weights, std::span<const double> bias) {
  const std::size_t rows = p.mean.size(), columns = weights.size() / rows, all = columns + 2;
  std::vector<double> joined(rows * all);
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(r * columns), columns,
                joined.begin() + static_cast<std::ptrdiff_t>(r * all));
    joined[r * all + columns] = bias.empty() ? 0.0 : bias[r];
    joined[r * all + columns + 1] = p.mean[r];
  }
  const int width = static_cast<int>(all);
  const std::vector<double> kept = keep_components(
      calculator, p, k, {joined.data(), static_cast<std::int64_t>(rows), width, width}, procedure);
  Projected result;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row = kept.begin() + static_cast<std::ptrdiff_t>(r * all);
    result.weights.insert(result.weights.end(), row, row + static_cast<std::ptrdiff_t>(columns));
    result.bias.push_back(kept[r * all + columns]);
    result.mean.push_back(kept[r * all + columns + 1]);
  }
  return result;
}

std::vector<float> rounded(std::span<const double> values) { return {values.begin(), values.end()}; }

}  // namespace

std::string_view name_of(Kept kept) {
  switch (kept) {
    case Kept::before_relu: return "before-relu";
    case Kept::after_relu: return "after-relu";
    case Kept::before_relu_journal: return "before-relu-journal";
  }
  return "?";
}

Layers keep_components(const Calculator& calculator, std::span<const LayerWeights> layers, const Pca& p,
                       int k, Kept kept) {
  Layers result(layers.begin(), layers.end());
  if (kept != Kept::after_relu) {
    LayerWeights& first = result.front();
    const bool journal = kept == Kept::before_relu_journal;
    const std::vector<double> w(first.weight.begin(), first.weight.end()),
        b(first.bias.begin(), first.bias.end());
    // A row of `weight` belongs to a neuron: as a matrix [neurons][inputs] it is W transposed.
    Projected q =
        project(calculator, p, k, journal ? PcaProcedure::journal_columns : PcaProcedure::principal, w, b);
    if (!journal)
      for (std::size_t i = 0; i < b.size(); ++i) q.bias[i] += p.mean[i] - q.mean[i];
    first.weight = rounded(q.weights);
    first.bias = rounded(q.bias);
    return result;
  }
  LayerWeights& last = result.back();
  const auto in = static_cast<std::size_t>(last.inputs), out = static_cast<std::size_t>(last.outputs);
  std::vector<double> v(in * out);  // [neurons][classes]
  for (std::size_t c = 0; c < out; ++c)
    for (std::size_t i = 0; i < in; ++i) v[i * out + c] = last.weight[c * in + i];
  const Projected q = project(calculator, p, k, PcaProcedure::principal, v, {});
  for (std::size_t c = 0; c < out; ++c) {
    double bias = last.bias[c];
    for (std::size_t i = 0; i < in; ++i) bias += v[i * out + c] * (p.mean[i] - q.mean[i]);
    last.bias[c] = static_cast<float>(bias);
    for (std::size_t i = 0; i < in; ++i) last.weight[c * in + i] = static_cast<float>(q.weights[i * out + c]);
  }
  return result;
}

std::vector<int> kept_counts(int width) {
  std::set<int> counts{width};
  for (int i = 0;; ++i) {
    const int k = static_cast<int>(std::exp2(i / 2.0));
    if (k > width) break;
    counts.insert(k);
  }
  for (int tenth = 1; tenth < 10; ++tenth)
    if (width >= 20) counts.insert(width * tenth / 10);
  return {counts.begin(), counts.end()};
}

}  // namespace shoal
