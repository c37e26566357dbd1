#include "datasets/circle.h"

#include <fmt/core.h>

#include "datasets/random.h"

namespace shoal {
namespace {

constexpr double kFarthest = 1.4142135623730951;  // the square's corners
constexpr std::int64_t kMostPoints = 100'000'000;

/// An odd multiple of 2^-24 in (-1, 1): exact in a float, and as often below zero as above.
float coordinate(SampleRandom& random) {
  const auto k = static_cast<std::int64_t>(random.word() >> 40);
  return static_cast<float>(2 * k + 1 - (std::int64_t{1} << 24)) * 0x1p-24f;
}

Split draw(std::uint64_t seed, std::uint64_t stream, std::int64_t count, double radius) {
  if (count < 0 || count > kMostPoints)
    throw DataError(
        fmt::format("{} points of circle were asked for; 1 to {} can be drawn", count, kMostPoints));
  Split split{.count = count, .features = 2};
  split.values.reserve(2 * static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    SampleRandom random(seed, stream, static_cast<std::uint64_t>(i));
    const float x = coordinate(random), y = coordinate(random);
    split.values.insert(split.values.end(), {x, y});
    split.labels.push_back(double{x} * x + double{y} * y < radius * radius);
  }
  return split;
}

}  // namespace

std::optional<double> circle_radius(std::string_view name, double radius) {
  if (name == kPublishedCircle) return kPublishedRadius;
  if (name == "circle") return radius == 0 ? kBalancedRadius : radius;
  return std::nullopt;
}

Dataset draw_circle(const DatasetSpec& spec) {
  const bool published = spec.name == kPublishedCircle;
  if (published && spec.radius != 0)
    throw DataError(fmt::format("{} has its own radius, {:.4f}: leave --radius out, or take circle",
                                spec.name, kPublishedRadius));
  const double radius = *circle_radius(published ? kPublishedCircle : "circle", spec.radius);
  if (!(radius > 0 && radius < kFarthest))
    throw DataError(fmt::format(
        "the radius of circle is {}; it must be above 0 and below sqrt(2), or 0 for {:.4f}, which "
        "puts half of the points inside",
        spec.radius, kBalancedRadius));
  Dataset data{.name = published ? kPublishedCircle : "circle",
               .source = fmt::format("built in, seed {}, radius {}", spec.seed, radius),
               .features = 2,
               .classes = 2};
  data.train = draw(spec.seed, 0, spec.train_count == 0 ? kCircleCount : spec.train_count, radius);
  data.test = draw(spec.seed, 1, spec.test_count == 0 ? kCircleCount : spec.test_count, radius);
  return data;
}

}  // namespace shoal
