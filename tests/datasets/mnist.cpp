#include "datasets/mnist.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "datasets/describe.h"
#include "datasets/idx.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;
namespace fs = std::filesystem;

namespace {

/// Sets an environment variable (or unsets it: nullptr) and puts the old value back at the end.
struct Environment {
  std::string name;
  std::optional<std::string> old;
  Environment(const char* variable, const char* value) : name(variable) {
    if (const char* found = std::getenv(variable)) old = found;
    set(value);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { set(old ? old->c_str() : nullptr); }
  void set(const char* value) const { value ? setenv(name.c_str(), value, 1) : unsetenv(name.c_str()); }
};

/// Four files in MNIST's form: 20 training and 7 test images, all of one grey.
void put_set(const fs::path& folder, std::uint8_t grey, const char* dash = "-", const char* end = "",
             int side = 28) {
  fs::create_directories(folder);
  for (const auto& [part, count] : {std::pair<std::string, std::size_t>{"train", 20}, {"t10k", 7}}) {
    write_idx_images(folder / (part + "-images" + dash + "idx3-ubyte" + end),
                     Bytes(count * side * side, grey), side, side);
    write_idx_labels(folder / (part + "-labels" + dash + "idx1-ubyte" + end),
                     std::vector<std::int32_t>(count, 9));
  }
}

Dataset loaded(const fs::path& data_dir, std::int64_t train = 0, const char* name = "mnist") {
  return load_mnist_like({.name = name, .data_dir = data_dir, .train_count = train});
}

}  // namespace

TEST_CASE("a set is found in the folder of its name before the folder itself") {
  const TempFolder folder;
  put_set(folder.path, 10);
  CHECK(loaded(folder.path).train.bytes[0] == 10);
  put_set(folder / "MNIST/raw", 20);
  CHECK(loaded(folder.path).train.bytes[0] == 20);
  put_set(folder / "mnist", 30);
  const Dataset data = loaded(folder.path);
  CHECK(data.train.bytes[0] == 30);
  CHECK(data.train.count == 20);
  CHECK(data.test.count == 7);
  CHECK(data.classes == 10);
  CHECK(data.image_width == 28);
  CHECK(data.source == (folder / "mnist").string());
  CHECK(data.checksums.size() == 4);
  CHECK(data.warnings.size() == 4);  // not the published files
  CHECK(has(data.warnings[0], "not the published file of mnist"));
  CHECK(find_dataset("mnist", {.data_dir = folder.path}) == folder / "mnist");
  CHECK(find_dataset("mnist", {.data_dir = folder / "absent"}) == std::nullopt);
}

TEST_CASE("file names may have a dot, and may be gzipped") {
  const TempFolder folder;
  put_set(folder / "mnist", 1, ".", ".gz");
  CHECK(loaded(folder.path).train.bytes[0] == 1);
  put_set(folder / "fashion-mnist", 2, "-", ".gz");
  CHECK(loaded(folder.path, 0, "fashion-mnist").train.bytes[0] == 2);
}

TEST_CASE("a set that is not there: where it was sought, and what should be there") {
  const TempFolder folder;
  const std::string nothing = error_of([&] { loaded(folder.path); });
  CHECK(has(nothing, "mnist was not found: put train-images-idx3-ubyte, train-labels-idx1-ubyte"));
  CHECK(has(nothing, (folder / "mnist").string() + ", "));
  put_set(folder / "mnist", 1);
  fs::remove(folder / "mnist/t10k-labels-idx1-ubyte");
  CHECK(has(error_of([&] { loaded(folder.path); }), "mnist lacks t10k-labels-idx1-ubyte)"));
}

TEST_CASE("without a folder given, the environment tells where to look") {
  const TempFolder one, two, three;
  const Environment data("SHOAL_DATA", one.path.c_str()), xdg("XDG_DATA_HOME", two.path.c_str()),
      home("HOME", three.path.c_str());
  const auto grey = [] { return int{load_mnist_like({.name = "mnist"}).train.bytes[0]}; };
  put_set(three / ".local/share/shoal/mnist", 3);
  CHECK_FALSE(find_dataset("mnist", {}).has_value());  // XDG_DATA_HOME stands in for ~/.local/share
  xdg.set(nullptr);
  CHECK(grey() == 3);
  xdg.set(two.path.c_str());
  put_set(two / "shoal/mnist", 2);
  CHECK(grey() == 2);
  put_set(one / "mnist", 1);
  CHECK(grey() == 1);
  put_set(three / "here/mnist", 4);
  CHECK(loaded(three / "here").train.bytes[0] == 4);
  CHECK(has(error_of([&] { loaded(three / "nowhere"); }),
            "not found"));  // a folder given is the only one searched
}

TEST_CASE("other sizes and too many samples are refused") {
  const TempFolder folder;
  put_set(folder / "mnist", 1, "-", "", 14);
  CHECK(has(error_of([&] { loaded(folder.path); }),
            "holds images of 14 x 14 pixels; those of mnist have 28 x 28"));
  put_set(folder / "mnist", 1);
  const Dataset five = loaded(folder.path, 5);
  CHECK(five.train.count == 5);
  CHECK(five.train.bytes.size() == 5 * 784);
  CHECK(five.train.labels.size() == 5);
  CHECK(five.test.count == 7);
  CHECK(has(error_of([&] { loaded(folder.path, 21); }),
            "21 training samples of mnist were asked for; there are 1 to 20"));
  CHECK(has(error_of([&] { loaded(folder.path, -1); }), "-1 training samples"));
}

TEST_CASE("the real files, where SHOAL_DATA has them") {
  if (!std::getenv("SHOAL_DATA")) {
    MESSAGE("skipped: SHOAL_DATA is not set");
    return;
  }
  // Means and deviations as they are published everywhere.
  for (const auto& [name, mean, sd] :
       {std::tuple{"mnist", 0.1307, 0.3081}, {"fashion-mnist", 0.2860, 0.3530}}) {
    if (!find_dataset(name, {})) {
      MESSAGE("skipped: " << name << " is not there");
      continue;
    }
    const Dataset data = load_mnist_like({.name = name});
    CHECK(data.warnings.empty());
    CHECK(data.train.count == 60'000);
    CHECK(data.test.count == 10'000);
    const PixelScale scale = pixel_scale(data.train);
    CHECK(std::abs(scale.mean - mean) < 5e-5);
    CHECK(std::abs(scale.sd - sd) < 5e-5);
    if (data.name == "mnist") CHECK(describe(data).train.class_counts[1] == 6742);
  }
}

// zalandoresearch/fashion-mnist issue 107: a mirror served MNIST as Fashion-MNIST.
TEST_CASE("one set's files under the other's name are an error") {
  const std::optional<fs::path> fashion =
      std::getenv("SHOAL_DATA") ? find_dataset("fashion-mnist", {}) : std::nullopt;
  if (!fashion) {
    MESSAGE("skipped: SHOAL_DATA has no fashion-mnist");
    return;
  }
  const TempFolder folder;
  fs::create_directory_symlink(fs::absolute(*fashion), folder / "mnist");
  CHECK(has(error_of([&] { loaded(folder.path); }),
            "this is train-images-idx3-ubyte of fashion-mnist, not train-images-idx3-ubyte of mnist"));
}
