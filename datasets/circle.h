#pragma once
#include <optional>
#include <string_view>

#include "datasets/dataset.h"

namespace shoal {

/// sqrt(2 / pi): the circle covers half of the square [-1, 1]^2, so both classes are equally likely.
inline constexpr double kBalancedRadius = 0.7978845608028654;

/// (2 / pi)^(1/4), about 0.893: the radius of the published toy network whose nodes were removed. Its code
/// compares the squared distance with sqrt(2 / pi), so 62.7 % of the points are inside although half were
/// meant to be.
inline constexpr double kPublishedRadius = 0.8932438417380023;

/// Samples of each part when the spec says 0. The publication gives no number.
inline constexpr std::int64_t kCircleCount = 1000;

/// The data set of that radius by name: "circle-published".
inline constexpr const char* kPublishedCircle = "circle-published";

/// The radius of a data set with a circle by its name and the spec's radius; nothing for any other.
std::optional<double> circle_radius(std::string_view name, double radius);

/// Points of [-1, 1]^2, uniform and independent: two features; label 1 inside the circle, 0 outside. A
/// function of (spec.seed, part, index): a longer part begins with the shorter one. spec.radius 0 means
/// kBalancedRadius (kPublishedRadius for the data set of that name, which takes no other); it must be below
/// sqrt(2), beyond which no point is outside. DataError otherwise.
Dataset draw_circle(const DatasetSpec&);

}  // namespace shoal
