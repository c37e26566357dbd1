#pragma once
#include <span>
#include <string_view>

#include "datasets/dataset.h"

namespace shoal {

/// A data set that has a name.
struct DatasetInfo {
  std::string_view name;
  std::string_view description;  // one line
  Dataset (*load)(const DatasetSpec&);
};

/// All of them, in the order in which people should see them.
std::span<const DatasetInfo> list_datasets();

}  // namespace shoal
