// Op: many samples sorted in one call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal {

/// Every sample ascending, out of place: outputs hold sample s at offsets[s] .. offsets[s + 1], as values do.
/// The order is that of the numbers, with NaN outside: with the sign bit set before -infinity, else behind
/// +infinity. So a sample holds something that is not finite exactly if its first or its last value is not.
/// Zeros of either sign count as equal: which comes first is not promised.
struct SortSamples {
  const float* floats;  // one of the two pairs; the other is null
  float* sorted_floats;
  const double* doubles;
  double* sorted_doubles;
  const std::int64_t* offsets;  // [samples + 1] counted from the arrays' beginnings
  std::int64_t samples;
  std::int64_t values;        // length of the arrays
  void* scratch;              // aligned to 16 bytes
  std::size_t scratch_bytes;  // see DeviceMachine::sort_scratch; on the CPU as large as the values
};

}  // namespace shoal
