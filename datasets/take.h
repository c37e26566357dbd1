#pragma once
// What every loader of finished data does last.
#include "datasets/dataset.h"

namespace shoal {

/// Keeps the first spec.train_count and spec.test_count samples (0: all). Asking for more than there are, or
/// for fewer than none, is a DataError.
void take_first(Dataset&, const DatasetSpec&);

/// The last spec.hold_out training samples become the test part, so that settings can be chosen without a
/// look at the real one. 0: nothing changes. DataError unless a training sample is left, or when test samples
/// are counted, too.
void hold_out_last(Dataset&, const DatasetSpec&);

/// Cuts one lump of samples in two: the last seventh (n / 7, rounded down, but at least one sample) becomes
/// the test part, the rest the training part, as 70,000 becomes 60,000 and 10,000. The order is kept. Needs
/// two samples.
void split_last_seventh(Split all, Dataset&);

/// Classes: the largest label of both parts + 1, at least 2.
int classes_of(const Split& train, const Split& test);

}  // namespace shoal
