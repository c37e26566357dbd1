#include "tools/evaluation.h"

#include <algorithm>
#include <cmath>

#include "datasets/npy.h"
#include "tools/exit_codes.h"

namespace shoal {
namespace {

double cross_entropy(std::span<const float> row, std::int32_t label) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0.0;
  for (const float logit : row) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(row[static_cast<std::size_t>(label)]);
}

double squared_error(std::span<const float> row, std::int32_t label) {
  double sum = 0.0;
  for (std::size_t c = 0; c < row.size(); ++c) {
    const double error = static_cast<double>(row[c]) - (static_cast<std::int32_t>(c) == label ? 1.0 : 0.0);
    sum += error * error;
  }
  return 0.5 * sum;
}

}  // namespace

Score score_of(std::span<const float> logits, std::span<const std::int32_t> labels, int classes,
               LossKind kind) {
  Score score;
  const auto width = static_cast<std::size_t>(classes);
  for (std::size_t b = 0; b < labels.size(); ++b) {
    const auto row = logits.subspan(b * width, width);
    score.loss +=
        kind == LossKind::cross_entropy ? cross_entropy(row, labels[b]) : squared_error(row, labels[b]);
    score.accuracy += std::max_element(row.begin(), row.end()) - row.begin() == labels[b];
  }
  const auto count = static_cast<double>(labels.size());
  return {score.loss / count, score.accuracy / count};
}

void write_matrix(const std::filesystem::path& path, std::span<const float> values, std::int64_t rows,
                  std::int64_t columns) {
  try {
    write_npy(path, dtype_of<float>(), {rows, columns}, raw_bytes(values));
  } catch (const DataError& e) { throw OutputError(e.what()); }
}

}  // namespace shoal
