// SortSamples for the emulation, where device memory is host memory: CUB cannot be emulated. As CUB does it:
// by the bits, taken as sign and magnitude, so NaN stands outside by its sign.
#include <algorithm>
#include <bit>
#include <limits>

#include "kernels/cuda/launchers.h"
#include "kernels/simt/host.h"

namespace shoal::emu {
namespace {

template <class Integer, class T>
void sort(const T* values, T* sorted, const SortSamples& op) {
  const auto key = [](T x) {
    const auto bits = std::bit_cast<Integer>(x);
    return bits < 0 ? std::numeric_limits<Integer>::min() - bits - 1 : bits;
  };
  for (std::int64_t s = 0; s < op.samples; ++s) {
    T *begin = sorted + op.offsets[s], *end = sorted + op.offsets[s + 1];
    std::copy(values + op.offsets[s], values + op.offsets[s + 1], begin);
    std::sort(begin, end, [&](T a, T b) { return key(a) < key(b); });
    simt::mark_initialised(begin, static_cast<std::size_t>(end - begin) * sizeof(T));
  }
}

}  // namespace

std::size_t sort_scratch(std::int64_t, std::int64_t, int) { return 0; }

void sort_samples(const SortSamples& op, void*) {
  if (op.floats) sort<std::int32_t>(op.floats, op.sorted_floats, op);
  else sort<std::int64_t>(op.doubles, op.sorted_doubles, op);
}

}  // namespace shoal::emu
