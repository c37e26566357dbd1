#include "datasets/file_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "datasets/bytes.h"
#include "datasets/csv.h"
#include "datasets/idx.h"
#include "datasets/npz_data.h"
#include "datasets/take.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

bool starts_with(const Bytes& bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// `text` with the last `from` in it replaced; nothing if it holds none.
std::optional<std::string> replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.rfind(from);
  if (at == std::string::npos) return std::nullopt;
  return text.replace(at, from.size(), to);
}

/// The file of that name in the folder, or the same gzipped, or not gzipped.
std::optional<fs::path> there(const fs::path& folder, const std::string& name) {
  const bool packed = name.ends_with(".gz");
  const std::string other = packed ? name.substr(0, name.size() - 3) : name + ".gz";
  std::error_code error;
  for (const std::string& each : {name, other})
    if (fs::is_regular_file(folder / each, error)) return folder / each;
  return std::nullopt;
}

fs::path labels_beside(const fs::path& images) {
  const std::optional<std::string> labels = replaced(images.filename().string(), "images", "labels");
  if (!labels)
    throw DataError(
        fmt::format("{}: to find the labels beside it, the name of an IDX file must have 'images' in it",
                    images.string()));
  const std::string name = replaced(*labels, "idx3", "idx1").value_or(*labels);
  const std::optional<fs::path> file = there(images.parent_path(), name);
  if (!file)
    throw DataError(fmt::format("{}: its labels were not found; they should be in {}", images.string(),
                                (images.parent_path() / name).string()));
  return *file;
}

std::optional<fs::path> test_images_beside(const fs::path& train) {
  for (const char* word : {"t10k", "test"})
    if (const auto name = replaced(train.filename().string(), "train", word))
      if (const auto file = there(train.parent_path(), *name)) return file;
  return std::nullopt;
}

Dataset load_idx(const fs::path& images) {
  Dataset data{.name = images.stem().string(), .source = images.string()};
  int height = 0;
  Split split = read_idx_split(images, labels_beside(images), 0, &height, &data.image_width, data.checksums);
  data.features = split.features;
  if (const auto test = test_images_beside(images)) {
    int test_height = 0, test_width = 0;
    data.test = read_idx_split(*test, labels_beside(*test), 0, &test_height, &test_width, data.checksums);
    if (test_height != height || test_width != data.image_width)
      throw DataError(fmt::format("{}: holds images of {} x {} pixels, but {} of {} x {}", test->string(),
                                  test_height, test_width, images.string(), height, data.image_width));
    data.train = std::move(split);
  } else {
    split_last_seventh(std::move(split), data);
  }
  data.classes = classes_of(data.train, data.test);
  return data;
}

Dataset load_by_content(const fs::path& path) {
  const Bytes start = read_first_bytes(path, 1 << 16);
  if (start.empty()) throw DataError(fmt::format("{}: is empty", path.string()));
  if (starts_with(start, "PK")) return load_npz(path);
  if (is_gzip(start) || (start.size() >= 3 && start[0] == 0 && start[1] == 0)) return load_idx(path);
  if (starts_with(start, "\x93NUMPY"))
    throw DataError(
        fmt::format("{}: is one array; put samples and labels into an .npz, as x and y", path.string()));
  if (std::ranges::find(start, 0) != start.end())
    throw DataError(
        fmt::format("{}: is of no known kind; known are .npz, IDX images, .csv and .tsv", path.string()));
  return load_csv(path);
}

}  // namespace

bool names_a_file(std::string_view name) {
  std::error_code error;
  if (fs::is_regular_file(fs::path(name), error) || name.find('/') != std::string_view::npos) return true;
  constexpr std::array<std::string_view, 6> kEndings = {".npz", ".csv", ".tsv", ".gz", "ubyte", ".npy"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

Dataset load_data_file(const DatasetSpec& spec) {
  Dataset data = load_by_content(spec.name);
  take_first(data, spec);
  return data;
}

}  // namespace shoal
