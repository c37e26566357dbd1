#include "tools/figures/colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal {
namespace {

using Rgb = std::array<double, 3>;

constexpr std::array<Rgb, 16> kViridis{{{68, 1, 84},
                                        {72, 26, 108},
                                        {71, 47, 125},
                                        {65, 68, 135},
                                        {57, 86, 140},
                                        {49, 104, 142},
                                        {42, 120, 142},
                                        {35, 136, 142},
                                        {31, 152, 139},
                                        {34, 168, 132},
                                        {53, 183, 121},
                                        {84, 197, 104},
                                        {122, 209, 81},
                                        {165, 219, 54},
                                        {210, 226, 27},
                                        {253, 231, 37}}};

}  // namespace

std::string viridis(double t) {
  const double position = std::clamp(t, 0.0, 1.0) * (kViridis.size() - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(position), kViridis.size() - 2);
  Rgb mixed;
  for (std::size_t c = 0; c < 3; ++c) {
    mixed[c] = std::lerp(kViridis[below][c], kViridis[below + 1][c], position - static_cast<double>(below));
  }
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(mixed[0]), std::lround(mixed[1]),
                     std::lround(mixed[2]));
}

}  // namespace shoal
