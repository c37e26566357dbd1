// Loss and accuracy of outputs, and a file for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "kernels/ops.h"

namespace shoal {

/// Means over samples; the formulas of kernels/ops.h, in double precision.
struct Score {
  double loss = 0.0, accuracy = 0.0;
};

/// `logits` [count][classes], `labels` [count]. A label is hit when its logit is the first largest.
Score score_of(std::span<const float> logits, std::span<const std::int32_t> labels, int classes, LossKind);

/// .npy of float32 [rows][columns]. OutputError.
void write_matrix(const std::filesystem::path&, std::span<const float> values, std::int64_t rows,
                  std::int64_t columns);

}  // namespace shoal
