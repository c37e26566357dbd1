#include "datasets/registry.h"

#include <fmt/core.h>

#include <array>
#include <string>
#include <vector>

#include "datasets/circle.h"
#include "datasets/digits.h"
#include "datasets/file_data.h"
#include "datasets/mnist.h"
#include "datasets/nearest.h"
#include "datasets/take.h"

namespace shoal {
namespace {

constexpr std::array<DatasetInfo, 5> kDatasets = {{
    {"mnist", "handwritten digits, 60,000 + 10,000 images of 28 x 28, read from files", load_mnist_like},
    {"fashion-mnist", "pictures of clothes, 60,000 + 10,000 images of 28 x 28, read from files",
     load_mnist_like},
    {"digits", "drawn digits, 60,000 + 10,000 images of 28 x 28, built in: no files needed", draw_digits},
    {"circle", "points of the square, inside or outside a circle, 1,000 + 1,000, built in", draw_circle},
    {"circle-published", "the same with the radius of the published toy network, built in", draw_circle},
}};

}  // namespace

std::span<const DatasetInfo> list_datasets() { return kDatasets; }

namespace {

Dataset load_whole(const DatasetSpec& spec) {
  std::vector<std::string_view> names;
  for (const DatasetInfo& info : kDatasets) {
    if (info.name == spec.name) return info.load(spec);
    names.push_back(info.name);
  }
  if (names_a_file(spec.name)) return load_data_file(spec);

  const std::string_view near = nearest_name(spec.name, names);
  std::string known;
  for (const std::string_view name : names) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  throw DataError(
      fmt::format("there is no data set called '{}'{}; there are {}, and files (.npz, .csv, .tsv, IDX)",
                  spec.name, near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), known));
}

}  // namespace

Dataset load_dataset(const DatasetSpec& spec) {
  Dataset data = load_whole(spec);
  hold_out_last(data, spec);
  return data;
}

}  // namespace shoal
