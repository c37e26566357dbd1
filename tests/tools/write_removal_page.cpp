// Writes a removal page of the network and the data in a JSON file, and says what the program itself thinks
// of that network, as JSON on stdout: write_removal_page IN.json OUT.html
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/given_models.h"
#include "tools/evaluation.h"
#include "tools/exit_codes.h"
#include "tools/removal_page.h"

namespace {

int write(const char* in, const char* out) {
  const auto given = nlohmann::json::parse(std::ifstream(in));
  const auto points = given.at("points").get<std::vector<float>>();
  const auto labels = given.at("labels").get<std::vector<std::int32_t>>();
  shoal::RemovalPage page{.title = given.value("title", ""),
                          .data_name = given.value("data", ""),
                          .scale = given.value("scale", 1.0f),
                          .shift = given.value("shift", 0.0f),
                          .points = points,
                          .labels = labels,
                          .inside = given.value("inside", 1)};
  for (const auto& layer : given.at("layers"))
    page.layers.push_back({layer.at("inputs"), layer.at("outputs"), layer.at("weight"), layer.at("bias")});
  if (given.contains("radius")) page.radius = given.at("radius").get<double>();
  if (given.contains("provenance")) page.provenance = given.at("provenance");
  shoal::write_removal_page(out, page);
  const shoal::DataView view{.count = static_cast<std::int64_t>(labels.size()),
                             .features = 2,
                             .values = points.data(),
                             .labels = labels.data()};
  const auto outputs = shoal::logits(page.layers, view, page.scale, page.shift);
  const shoal::Score score = shoal::score_of(outputs, labels, 2, shoal::LossKind::cross_entropy);
  fmt::print("{}\n", nlohmann::json{{"loss", score.loss}, {"accuracy", score.accuracy}}.dump());
  return shoal::kExitOk;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 3) throw shoal::UsageError("write_removal_page IN.json OUT.html");
    return write(arguments[1], arguments[2]);
  } catch (...) {
    const shoal::Failure failure = shoal::failure_of(std::current_exception());
    fmt::print(stderr, "error: {}\n", failure.message);
    return failure.code;
  }
}
