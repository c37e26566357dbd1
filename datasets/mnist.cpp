#include "datasets/mnist.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdlib>
#include <string>

#include "datasets/idx.h"
#include "datasets/take.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 28, kClasses = 10;

/// The four files, in this order everywhere below; also spelt with a dot before idx, and gzipped.
constexpr std::array<std::string_view, 4> kFiles = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

struct KnownSet {
  std::string_view name, torchvision_folder;
  std::array<std::string_view, 4> sha256;  // of the uncompressed files, in kFiles' order
};

constexpr std::array<KnownSet, 2> kKnown = {{
    {"mnist",
     "MNIST/raw",
     {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
    {"fashion-mnist",
     "FashionMNIST/raw",
     {"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}},
}};

const KnownSet& known_set(std::string_view name) {
  for (const KnownSet& set : kKnown)
    if (set.name == name) return set;
  throw DataError(
      fmt::format("there is no MNIST-like data set called '{}'; there are mnist and fashion-mnist", name));
}

std::optional<fs::path> existing_file(const fs::path& folder, std::string_view name) {
  std::string dotted(name);
  dotted[dotted.rfind("-idx")] = '.';
  std::error_code error;
  for (const std::string& stem : {std::string(name), dotted})
    for (const char* end : {"", ".gz"})
      if (const fs::path file = folder / (stem + end); fs::is_regular_file(file, error)) return file;
  return std::nullopt;
}

bool has_all_files(const fs::path& folder) {
  for (const std::string_view name : kFiles)
    if (!existing_file(folder, name)) return false;
  return true;
}

/// What a checksum that is not the expected one tells: another known set is an error, a stranger a warning.
void check_sum(const KnownSet& wanted, std::size_t which, const Checksum& sum, const fs::path& folder,
               Dataset& data) {
  if (sum.sha256 == wanted.sha256[which]) return;
  const std::string file = (folder / sum.file).string();
  for (const KnownSet& set : kKnown)
    for (std::size_t i = 0; i < kFiles.size(); ++i)
      if (set.sha256[i] == sum.sha256)
        throw DataError(fmt::format("{}: this is {} of {}, not {} of {}", file, kFiles[i], set.name,
                                    kFiles[which], wanted.name));
  data.warnings.push_back(
      fmt::format("{}: not the published file of {} (its SHA-256 is {}); it is used as it is", file,
                  wanted.name, sum.sha256));
}

[[noreturn]] void not_found(const KnownSet& set, const std::vector<fs::path>& folders) {
  std::string missing;  // of a folder that has some of the files
  std::vector<std::string> searched;
  for (const fs::path& folder : folders) {
    searched.push_back(folder.string());
    std::vector<std::string_view> absent;
    for (const std::string_view name : kFiles)
      if (!existing_file(folder, name)) absent.push_back(name);
    if (absent.size() < kFiles.size() && missing.empty())
      missing = fmt::format(" ({} lacks {})", folder.string(), fmt::join(absent, " and "));
  }
  throw DataError(fmt::format("{} was not found{}: put {} (.gz or not) into one of these folders: {}",
                              set.name, missing, fmt::join(kFiles, ", "), fmt::join(searched, ", ")));
}

}  // namespace

std::vector<fs::path> dataset_folders(std::string_view name, const DatasetSpec& spec) {
  const KnownSet& set = known_set(name);
  std::vector<fs::path> roots;
  if (!spec.data_dir.empty()) {
    roots.push_back(spec.data_dir);
  } else {
    const auto add = [&](const char* variable, const char* below) {
      const char* value = std::getenv(variable);
      if (value != nullptr && *value != '\0') roots.push_back(fs::path(value) / below);
      return value != nullptr && *value != '\0';
    };
    add("SHOAL_DATA", "");
    roots.emplace_back("datasets/data");
    if (!add("XDG_DATA_HOME", "shoal")) add("HOME", ".local/share/shoal");
  }
  std::vector<fs::path> folders;
  for (const fs::path& root : roots)
    for (const fs::path& folder : {root / set.name, root / set.torchvision_folder, root})
      folders.push_back(folder);
  return folders;
}

std::optional<fs::path> find_dataset(std::string_view name, const DatasetSpec& spec) {
  for (const fs::path& folder : dataset_folders(name, spec))
    if (has_all_files(folder)) return folder;
  return std::nullopt;
}

Dataset load_mnist_like(const DatasetSpec& spec) {
  const KnownSet& set = known_set(spec.name);
  const std::optional<fs::path> folder = find_dataset(spec.name, spec);
  if (!folder) not_found(set, dataset_folders(spec.name, spec));

  Dataset data{.name = spec.name,
               .source = folder->string(),
               .features = kSide * kSide,
               .classes = kClasses,
               .image_width = kSide};
  for (Split* split : {&data.train, &data.test}) {
    const std::size_t first = split == &data.train ? 0 : 2;
    const fs::path images = *existing_file(*folder, kFiles[first]),
                   labels = *existing_file(*folder, kFiles[first + 1]);
    int height = 0, width = 0;
    *split = read_idx_split(images, labels, kClasses, &height, &width, data.checksums);
    if (height != kSide || width != kSide)
      throw DataError(fmt::format("{}: holds images of {} x {} pixels; those of {} have {} x {}",
                                  images.string(), height, width, spec.name, kSide, kSide));
  }
  for (std::size_t i = 0; i < kFiles.size(); ++i) check_sum(set, i, data.checksums[i], *folder, data);
  take_first(data, spec);
  return data;
}

}  // namespace shoal
