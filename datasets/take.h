#pragma once
// What every loader of finished data does last.
#include "datasets/dataset.h"

namespace shoal {

/// Keeps the first spec.train_count and spec.test_count samples (0: all). Asking for more than there are, or
/// for fewer than none, is a DataError.
void take_first(Dataset&, const DatasetSpec&);

/// Cuts one lump of samples in two: the last seventh (n / 7, rounded down, but at least one sample) becomes
/// the test part, the rest the training part, as 70,000 becomes 60,000 and 10,000. The order is kept. Needs
/// two samples.
void split_last_seventh(Split all, Dataset&);

/// Classes: the largest label of both parts + 1, at least 2.
int classes_of(const Split& train, const Split& test);

}  // namespace shoal
