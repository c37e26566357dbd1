#include "analysis/walsh_hadamard.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace shoal {
namespace {

/// Ranges of tiles a thread gets, where there are as many: the last one to end does not keep others waiting.
constexpr std::int64_t kRangesPerThread = 4;

void run_pass(const Calculator& calculator, WalshHadamard op, std::int64_t tiles) {
  if (calculator.device()) {
    op.first = 0, op.last = tiles;
    return calculator.ops().walsh_hadamard(op, calculator.stream());
  }
  const std::int64_t ranges =
      calculator.threads() == 1 ? 1 : std::min(tiles, calculator.threads() * kRangesPerThread);
  calculator.for_each(static_cast<int>(ranges), [&](int range) {
    WalshHadamard part = op;
    part.first = tiles * range / ranges, part.last = tiles * (range + 1) / ranges;
    calculator.ops().walsh_hadamard(part, nullptr);
  });
}

}  // namespace

void walsh_hadamard(const Calculator& calculator, std::span<double> values) {
  if (!std::has_single_bit(values.size()))
    throw std::invalid_argument("a Walsh-Hadamard transform needs 2^n values: there are " +
                                std::to_string(values.size()));
  const int n = std::countr_zero(values.size());
  const bool device = calculator.device() != nullptr;
  const int tile = device ? kWalshTileDevice : kWalshTileCpu;
  const Output<double> placed(calculator, values);
  for (int first = 0; first < n;) {
    // The first pass's tiles are contiguous as they are.
    const int strip = first == 0 ? 0 : device ? kWalshStripDevice : kWalshStripCpu;
    const int last = std::min(n, first + tile - strip);
    run_pass(calculator, {placed.get(), first, last, strip, 0, 0},
             std::int64_t{1} << (n - (last - first) - strip));
    first = last;
  }
  placed.fetch();
}

}  // namespace shoal
