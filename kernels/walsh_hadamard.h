// WalshHadamard: the transform W[t] = sum_s (-1)^popcount(s & t) f(s) of a table of 2^n doubles, in place and
// not normalised: twice in a row it is the table times 2^n.
//
// One level a bit: with bit b, the two values whose indices differ in b alone become their sum and their
// difference (Fino & Algazi 1976, Unified matrix treatment of the fast Walsh-Hadamard transform). Levels are
// done in the order of their bits, so all machines, and all ways of cutting the table into passes and tiles,
// give the same bits. Each level rounds once: a result is off by at most n 2^-53 sum |f|, to first order.
//
// One call does the levels of some bits, for some tiles. A tile holds all values whose indices differ in
// these bits, for 2^strip neighbours:
//
//   index = above << last_bit | row << first_bit | below << strip | neighbour,     row < 2^(last_bit -
//   first_bit)
//
// and tile = above << (first_bit - strip) | below.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace shoal {

struct WalshHadamard {
  double* values;            // [2^n], in place
  int first_bit, last_bit;   // levels of the bits first_bit .. last_bit - 1
  int strip;                 // 0 .. first_bit
  std::int64_t first, last;  // tiles first .. last - 1 of all 2^(n - (last_bit - first_bit) - strip)
};

/// Bits of a tile's values, last_bit - first_bit + strip: a device's tile has to fit its shared memory, the
/// CPU's should fit its first-level cache. And a good strip: what memory moves as one.
constexpr int kWalshTileDevice = 11, kWalshTileCpu = 12;
constexpr int kWalshStripDevice = 2, kWalshStripCpu = 6;

/// Where the first value of a tile stands.
SHOAL_INLINE std::int64_t walsh_tile_begin(const WalshHadamard& op, std::int64_t tile) {
  const int below_bits = op.first_bit - op.strip;
  const std::int64_t above = tile >> below_bits, below = tile & ((std::int64_t{1} << below_bits) - 1);
  return (above << op.last_bit) | (below << op.strip);
}

}  // namespace shoal
