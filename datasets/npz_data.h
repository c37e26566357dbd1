#pragma once
#include <filesystem>

#include "datasets/dataset.h"

namespace shoal {

/// A data set from an .npz file with the arrays x_train, y_train, x_test and y_test (as Keras has them), or x
/// and y, or images and labels; of the last two kinds the last seventh becomes the test part. x is [samples,
/// features], [samples, height, width] or [samples, height, width, 1], of uint8 (which stays so) or of
/// float32 or float64 (finite); y is [samples] or [samples, 1] of whole numbers from 0 on. Anything else:
/// DataError.
Dataset load_npz(const std::filesystem::path&);

}  // namespace shoal
