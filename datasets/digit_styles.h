#pragma once
#include <cstdint>
#include <span>

namespace shoal {

/// A point that the pen passes, in hundredths of the digit's box: x from the left, y from the top. The pen
/// runs smoothly through its points; a point given twice is a corner, and kLift starts a new stroke.
struct PenPoint {
  std::int8_t x, y;
};

inline constexpr PenPoint kLift{-1, -1};

/// The ways to write a digit (0..9), each a list of points.
std::span<const std::span<const PenPoint>> digit_styles(int digit);

}  // namespace shoal
