#pragma once
// What a data set looks like in numbers, for people.
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace shoal {

/// Of the values of one part; bytes count as value / 255.
struct SplitDescription {
  std::int64_t count = 0;
  std::vector<std::int64_t> class_counts;  // [classes]
  double least = 0, largest = 0, mean = 0, sd = 0;
  double zero_share = 0;      // of all values
  int constant_features = 0;  // features that have one value in all samples
};

struct Description {
  int features = 0, classes = 0;
  SplitDescription train, test;
};

Description describe(const Dataset&);

/// The same as a few lines of text, with name, source, checksums and warnings.
std::string description_text(const Dataset&, const Description&);

}  // namespace shoal
