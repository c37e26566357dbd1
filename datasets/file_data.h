#pragma once
#include <filesystem>
#include <string_view>

#include "datasets/dataset.h"

namespace shoal {

/// A data set from a file of one's own, whose kind its content tells: .npz (npz_data.h), IDX images (gzipped
/// or not), or a table in text (csv.h). Beside IDX images must lie their labels: the same name with `labels`
/// for `images` and `idx1` for `idx3`. If the name holds `train` and the same with `t10k` or `test` for it
/// exists beside, that is the test part; otherwise the last seventh is.
Dataset load_data_file(const DatasetSpec&);

/// Does this name mean a file rather than a data set? It exists as a file, or has a folder or a known ending
/// in it.
bool names_a_file(std::string_view name);

}  // namespace shoal
