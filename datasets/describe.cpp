#include "datasets/describe.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal {
namespace {

template <class T>
int count_constant(const std::vector<T>& values, std::size_t features) {
  std::vector<char> varies(features, 0);
  for (std::size_t at = 0; at < values.size(); at += features)
    for (std::size_t f = 0; f < features; ++f)
      varies[f] = static_cast<char>(varies[f] | (values[at + f] != values[f]));
  return static_cast<int>(std::ranges::count(varies, 0));
}

template <class T>
void describe_values(const std::vector<T>& values, double scale, int features, SplitDescription& d) {
  const auto [least, largest] = std::ranges::minmax(values);
  d.least = static_cast<double>(least) * scale;
  d.largest = static_cast<double>(largest) * scale;
  d.zero_share = static_cast<double>(std::ranges::count(values, T{0})) / static_cast<double>(values.size());
  d.constant_features = count_constant(values, static_cast<std::size_t>(features));
}

SplitDescription describe_split(const Split& split, int classes) {
  SplitDescription d{.count = split.count,
                     .class_counts = std::vector<std::int64_t>(static_cast<std::size_t>(classes))};
  for (const std::int32_t label : split.labels) ++d.class_counts.at(static_cast<std::size_t>(label));
  const PixelScale scale = pixel_scale(split);
  d.mean = scale.mean;
  d.sd = scale.sd;
  if (!split.bytes.empty()) describe_values(split.bytes, 1 / 255.0, split.features, d);
  if (!split.values.empty()) describe_values(split.values, 1, split.features, d);
  return d;
}

std::string split_text(const char* part, const SplitDescription& d) {
  return fmt::format(
      "{}: {} samples; values {:.6g} to {:.6g}, mean {:.4f}, sd {:.4f}, {:.1f} % zeros; {} constant "
      "features\n"
      "  of each class: {}\n",
      part, d.count, d.least, d.largest, d.mean, d.sd, 100 * d.zero_share, d.constant_features,
      fmt::join(d.class_counts, " "));
}

}  // namespace

PixelScale pixel_scale(const Split& split) {
  if (!split.bytes.empty()) {
    std::array<std::int64_t, 256> times{};
    for (const std::uint8_t byte : split.bytes) ++times[byte];
    const auto n = static_cast<double>(split.bytes.size());
    std::int64_t sum = 0;
    for (int v = 0; v < 256; ++v) sum += v * times[static_cast<std::size_t>(v)];
    const double mean = static_cast<double>(sum) / n;
    double squares = 0;
    for (int v = 0; v < 256; ++v)
      squares += static_cast<double>(times[static_cast<std::size_t>(v)]) * (v - mean) * (v - mean);
    return {mean / 255, std::sqrt(squares / n) / 255};
  }
  if (split.values.empty()) return {};
  const auto n = static_cast<double>(split.values.size());
  double sum = 0, squares = 0;
  for (const float value : split.values) sum += value;
  const double mean = sum / n;
  for (const float value : split.values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / n)};
}

Description describe(const Dataset& data) {
  return {data.features, data.classes, describe_split(data.train, data.classes),
          describe_split(data.test, data.classes)};
}

std::string description_text(const Dataset& data, const Description& d) {
  std::string text = fmt::format("{} ({}): {} features", data.name, data.source, d.features);
  if (data.image_width > 0)
    text += fmt::format(" ({} x {})", d.features / data.image_width, data.image_width);
  text +=
      fmt::format(", {} classes\n{}{}", d.classes, split_text("train", d.train), split_text("test", d.test));
  for (const Checksum& sum : data.checksums) text += fmt::format("sha256 {}  {}\n", sum.sha256, sum.file);
  for (const std::string& warning : data.warnings) text += fmt::format("warning: {}\n", warning);
  return text;
}

}  // namespace shoal
