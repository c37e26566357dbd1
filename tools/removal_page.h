// A page that shows a small network and its subsets of nodes: one HTML file that opens offline and computes
// everything it shows from the weights (tools/removal_page/, docs/removal-page.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/given_models.h"

namespace shoal {

/// Two inputs, two classes, one or more hidden layers. Every hidden node can be switched in the page; nodes
/// are numbered layer by layer from the first, and bit i of a subset is node i.
struct RemovalPage {
  std::string title = {};                     // "" : made from data_name and the widths
  std::string data_name = {};                 // "circle"
  Layers layers = {};                         // hidden layers first; the last one has two outputs
  float scale = 1.0f, shift = 0.0f;           // the network reads x * scale + shift
  std::span<const float> points = {};         // [n][2], as they are drawn
  std::span<const std::int32_t> labels = {};  // [n], 0 or 1
  std::optional<double> radius = {};          // of the circle around 0 that tells the classes apart
  int inside = 1;                             // the label within it
  std::vector<std::string> classes = {};      // names of labels 0 and 1; empty: "outside", "inside"
                                              // with a circle, "class 0", "class 1" without
  std::vector<std::pair<std::string, std::string>> provenance = {};  // shown in this order: {"seed", "3"}
};

/// The most nodes and points of a page: more buttons than anyone would press, more text than a mail takes.
inline constexpr int kMostPageNodes = 128;
inline constexpr std::int64_t kMostPagePoints = 100'000;

/// The page's text. SpecError, in one sentence, for a network or data that it cannot show. Bytes of texts
/// that are no UTF-8 are replaced.
std::string removal_page(const RemovalPage&);

/// The same into a file, by way of a temporary name. SpecError before anything is written; OutputError.
void write_removal_page(const std::filesystem::path&, const RemovalPage&);

}  // namespace shoal
