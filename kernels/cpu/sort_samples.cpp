// SortSamples on the CPU (kernels/sort_samples.h): values become integers of the same order, and are sorted
// by their leading digits from the last of these to the first; what the digits leave in disorder is little
// and insertion mends it. Where it is much (most values share their leading digits), all digits are sorted
// by.
#include "kernels/cpu/statistics_level.h"

namespace shoal::SHOAL_LEVEL {
namespace {

constexpr int kDigitBits = 8;
constexpr int kBuckets = 1 << kDigitBits;
constexpr int kMostDigits = 8;
constexpr std::int64_t kShort = 24;  // up to here insertion alone is as fast
/// Moves that insertion may make per value before digits are the better way.
constexpr std::int64_t kMovesPerValue = 8;

template <class T>
struct Bits;
template <>
struct Bits<float> {
  typedef std::uint32_t __attribute__((may_alias)) Key;
};
template <>
struct Bits<double> {
  typedef std::uint64_t __attribute__((may_alias)) Key;
};

/// Bits of a floating-point number <-> an unsigned integer of the same order.
template <class Key>
SHOAL_INLINE Key to_key(Key bits) {
  constexpr int kSign = sizeof(Key) * 8 - 1;
  const Key negative = Key(0) - (bits >> kSign);
  return bits ^ (negative | Key(1) << kSign);
}
template <class Key>
SHOAL_INLINE Key from_key(Key key) {
  constexpr int kSign = sizeof(Key) * 8 - 1;
  const Key negative = (key >> kSign) - Key(1);
  return key ^ (negative | Key(1) << kSign);
}

/// False when it took more than `budget` moves; the keys are then a permutation all the same.
template <class Key>
bool insertion(Key* keys, std::int64_t n, std::int64_t budget) {
  for (std::int64_t i = 1; i < n; ++i) {
    const Key key = keys[i];
    if (keys[i - 1] <= key) continue;
    std::int64_t j = i;
    for (; j > 0 && keys[j - 1] > key; --j) keys[j] = keys[j - 1];
    keys[j] = key;
    if ((budget -= i - j) < 0) return false;
  }
  return true;
}

/// Keys sorted by `digits` digits of (key - low), the lowest of which begins at bit `shift`: stable, from
/// `keys` to `keys`, with `spare` of the same length.
template <class Key>
void by_digits(Key* keys, Key* spare, std::int64_t n, Key low, int shift, int digits) {
  std::int64_t begin[kMostDigits][kBuckets];
  for (int d = 0; d < digits; ++d)
    for (int b = 0; b < kBuckets; ++b) begin[d][b] = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    Key rest = static_cast<Key>(keys[i] - low) >> shift;
    for (int d = 0; d < digits; ++d, rest >>= kDigitBits) ++begin[d][rest % kBuckets];
  }
  Key *from = keys, *to = spare;
  for (int d = 0; d < digits; ++d, shift += kDigitBits) {
    std::int64_t* place = begin[d];
    std::int64_t sum = 0;
    for (int b = 0; b < kBuckets; ++b) {
      const std::int64_t count = place[b];
      place[b] = sum;
      sum += count;
    }
    for (std::int64_t i = 0; i < n; ++i)
      to[place[(static_cast<Key>(from[i] - low) >> shift) % kBuckets]++] = from[i];
    Key* done = to;
    to = from;
    from = done;
  }
  if (from != keys)
    for (std::int64_t i = 0; i < n; ++i) keys[i] = from[i];
}

/// Digits that leave few neighbours in disorder among n values that are spread like most samples.
SHOAL_INLINE int leading_digits(std::int64_t n) { return n <= 1 << 13 ? 3 : n <= 1 << 18 ? 4 : 5; }

template <class Key>
void sort_keys(Key* keys, Key* spare, std::int64_t n) {
  if (n <= kShort) {
    insertion(keys, n, n * n);
    return;
  }
  Key low = keys[0], high = keys[0];
  for (std::int64_t i = 1; i < n; ++i) {
    low = keys[i] < low ? keys[i] : low;
    high = keys[i] > high ? keys[i] : high;
  }
  if (low == high) return;
  const int bits = 64 - __builtin_clzll(static_cast<unsigned long long>(high - low));
  const int all = (bits + kDigitBits - 1) / kDigitBits, leading = leading_digits(n);
  if (all > leading) {
    by_digits(keys, spare, n, low, bits - leading * kDigitBits, leading);
    if (insertion(keys, n, n * kMovesPerValue)) return;
  }
  by_digits(keys, spare, n, low, 0, all);
}

template <class T>
void sort_samples_of(const T* values, T* sorted, T* scratch, const SortSamples& op) {
  using Key = typename Bits<T>::Key;
  for (std::int64_t s = 0; s < op.samples; ++s) {
    const std::int64_t begin = op.offsets[s], n = op.offsets[s + 1] - begin;
    const Key* in = reinterpret_cast<const Key*>(values + begin);
    Key* keys = reinterpret_cast<Key*>(sorted + begin);
    for (std::int64_t i = 0; i < n; ++i) keys[i] = to_key<Key>(in[i]);
    sort_keys(keys, reinterpret_cast<Key*>(scratch + begin), n);
    for (std::int64_t i = 0; i < n; ++i) keys[i] = from_key<Key>(keys[i]);
  }
}

}  // namespace

void sort_samples(const SortSamples& op, void*) {
  if (op.floats) sort_samples_of(op.floats, op.sorted_floats, static_cast<float*>(op.scratch), op);
  else sort_samples_of(op.doubles, op.sorted_doubles, static_cast<double*>(op.scratch), op);
}

}  // namespace shoal::SHOAL_LEVEL
