#include "tools/removal_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/spec.h"
#include "tools/run_directory.h"

namespace shoal {

extern const std::string_view kRemovalPage;  // page.html with its style and scripts (cmake/embed_page.cmake)

namespace {

using Json = nlohmann::ordered_json;

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

std::string widths_of(const Layers& layers) {
  std::string text = layers.empty() ? "" : fmt::format("{}", layers.front().inputs);
  for (const LayerWeights& layer : layers) text += fmt::format("-{}", layer.outputs);
  return text;
}

void check_network(const Layers& layers) {
  if (layers.empty()) throw SpecError("the removal page needs a network, and none is given");
  if (layers.front().inputs != 2 || layers.back().outputs != 2)
    throw SpecError(
        fmt::format("the removal page draws networks with 2 inputs and 2 classes over the plane; this one is "
                    "{}",
                    widths_of(layers)));
  if (layers.size() < 2) throw SpecError("the network has no hidden layer, so there are no nodes to remove");
  std::int64_t nodes = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& layer = layers[l];
    const auto inputs = static_cast<std::size_t>(layer.inputs);
    const auto outputs = static_cast<std::size_t>(layer.outputs);
    if (layer.outputs < 1 || layer.weight.size() != inputs * outputs || layer.bias.size() != outputs ||
        (l > 0 && layer.inputs != layers[l - 1].outputs))
      throw SpecError(
          fmt::format("layer {} of the network does not fit its sizes, {}", l, widths_of(layers)));
    if (!all_finite(layer.weight) || !all_finite(layer.bias))
      throw SpecError(fmt::format("layer {} of the network holds a number that is not finite", l));
    if (l + 1 < layers.size()) nodes += layer.outputs;
  }
  if (nodes > kMostPageNodes)
    throw SpecError(fmt::format("the removal page has room for {} nodes; this network, {}, has {}",
                                kMostPageNodes, widths_of(layers), nodes));
}

void check_data(const RemovalPage& page) {
  const auto count = static_cast<std::int64_t>(page.labels.size());
  if (count < 1 || count > kMostPagePoints)
    throw SpecError(fmt::format("the removal page takes 1 to {} points, not {}", kMostPagePoints, count));
  if (page.points.size() != 2 * page.labels.size())
    throw SpecError(
        fmt::format("{} labels need {} coordinates of points, not {}", count, 2 * count, page.points.size()));
  if (!all_finite(page.points)) throw SpecError("a point of the data is not finite");
  for (const std::int32_t label : page.labels)
    if (label != 0 && label != 1)
      throw SpecError(fmt::format("the removal page knows the labels 0 and 1, not {}", label));
  if (!std::isfinite(page.scale) || !std::isfinite(page.shift))
    throw SpecError("the scale and shift of the inputs must be finite");
  if (page.radius && !(*page.radius > 0 && std::isfinite(*page.radius)))
    throw SpecError(fmt::format("the circle's radius must be above 0, not {}", *page.radius));
  if (page.inside != 0 && page.inside != 1)
    throw SpecError(fmt::format("the label inside the circle is 0 or 1, not {}", page.inside));
  if (!page.classes.empty() && page.classes.size() != 2)
    throw SpecError(fmt::format("two classes need two names, not {}", page.classes.size()));
}

/// Where the data lie, [x0, y0, x1, y1]: [-1, 1]^2 around a circle, otherwise the points' own range.
std::vector<double> box_of(const RemovalPage& page) {
  if (page.radius) return {-1, -1, 1, 1};
  std::vector<double> box{page.points[0], page.points[1], page.points[0], page.points[1]};
  for (std::size_t k = 0; k < page.points.size(); ++k) {
    box[k % 2] = std::min<double>(box[k % 2], page.points[k]);
    box[k % 2 + 2] = std::max<double>(box[k % 2 + 2], page.points[k]);
  }
  for (std::size_t k = 0; k < 2; ++k) {  // all points on one line, or one point
    const double least = 1e-3 * std::max(1.0, std::abs(box[k]));
    if (box[k + 2] - box[k] < least) box[k] -= 0.5 * least, box[k + 2] += 0.5 * least;
  }
  return box;
}

std::vector<std::string> class_names(const RemovalPage& page) {
  if (!page.classes.empty()) return page.classes;
  if (!page.radius) return {"class 0", "class 1"};
  return page.inside == 1 ? std::vector<std::string>{"outside", "inside"}
                          : std::vector<std::string>{"inside", "outside"};
}

/// Floats become doubles, and those are written so that reading gives the same bits.
Json data_of(const RemovalPage& page) {
  Json data;
  data["data"] = page.data_name;
  data["classes"] = class_names(page);
  data["scale"] = page.scale;
  data["shift"] = page.shift;
  data["radius"] = page.radius ? Json(*page.radius) : Json();
  data["inside"] = page.inside;
  data["box"] = box_of(page);
  data["provenance"] = Json::array();
  for (const auto& [name, value] : page.provenance) data["provenance"].push_back(Json::array({name, value}));
  for (const LayerWeights& layer : page.layers)
    data["layers"].push_back({{"inputs", layer.inputs},
                              {"outputs", layer.outputs},
                              {"weight", layer.weight},
                              {"bias", layer.bias}});
  data["points"] = std::vector<float>(page.points.begin(), page.points.end());
  data["labels"] = std::vector<std::int32_t>(page.labels.begin(), page.labels.end());
  return data;
}

/// Only "</script" and "<!--" mean something inside <script>: no "<" is left.
std::string in_script(const Json& data) {
  std::string text = data.dump(-1, ' ', true, Json::error_handler_t::replace), escaped;
  for (const char c : text) {
    if (c == '<') escaped += "\\u003c";
    else escaped += c;
  }
  return escaped;
}

std::string in_html(std::string_view text) {
  // By way of JSON: bytes that are no UTF-8 are replaced.
  const std::string clean =
      Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
  std::string escaped;
  for (const char c : clean) {
    if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else if (c == '&') escaped += "&amp;";
    else if (c == '"') escaped += "&quot;";
    else escaped += c;
  }
  return escaped;
}

}  // namespace

std::string removal_page(const RemovalPage& page) {
  check_network(page.layers);
  check_data(page);
  const std::string title = in_html(
      page.title.empty() ? fmt::format("Node removal: {} on {}", widths_of(page.layers), page.data_name)
                         : page.title);
  const std::string data = in_script(data_of(page));
  std::string text;
  std::string_view rest = kRemovalPage;
  while (true) {  // one pass: what is put in is not searched again
    const std::size_t at = std::min(rest.find("@SHOAL_TITLE@"), rest.find("@SHOAL_DATA@"));
    text += rest.substr(0, at);
    if (at == std::string_view::npos) return text;
    const bool is_title = rest.substr(at).starts_with("@SHOAL_TITLE@");
    text += is_title ? title : data;
    rest.remove_prefix(at + std::string_view(is_title ? "@SHOAL_TITLE@" : "@SHOAL_DATA@").size());
  }
}

void write_removal_page(const std::filesystem::path& path, const RemovalPage& page) {
  write_whole_file(path, removal_page(page));
}

}  // namespace shoal
