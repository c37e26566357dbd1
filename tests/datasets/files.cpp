// Names and files: what load_dataset makes of what people write.
#include <doctest/doctest.h>

#include "datasets/file_data.h"
#include "datasets/idx.h"
#include "datasets/nearest.h"
#include "datasets/npz.h"
#include "datasets/registry.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;
namespace fs = std::filesystem;

namespace {

void put_images(const fs::path& images, const fs::path& labels, std::size_t count, std::int32_t label) {
  write_idx_images(images, Bytes(count * 6, 1), 2, 3);
  write_idx_labels(labels, std::vector<std::int32_t>(count, label));
}

Dataset loaded(const fs::path& file, std::int64_t train = 0) {
  return load_dataset({.name = file.string(), .train_count = train});
}

}  // namespace

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("mnist", "MNIST") == 0);
  CHECK(edit_distance("mnsit", "mnist") == 1);  // a swap of neighbours is one slip
  CHECK(edit_distance("ca", "abc") == 3);       // but a swapped pair is not edited again
  const std::vector<std::string_view> choices = {"train", "stats", "start"};
  CHECK(nearest_name("trian", choices) == "train");
  CHECK(nearest_name("stat", choices) == "stats");
  CHECK(nearest_name("completion", choices).empty());
  CHECK(nearest_name("x", {}).empty());
}

TEST_CASE("unknown names are answered with the nearest") {
  CHECK(has(error_of([] { load_dataset({.name = "mnits"}); }), "(did you mean 'mnist'?)"));
  CHECK(has(error_of([] { load_dataset({.name = "Digits"}); }), "(did you mean 'digits'?)"));
  CHECK(has(error_of([] { load_dataset({.name = "fashion_mnist"}); }), "'fashion-mnist'"));
  const std::string far = error_of([] { load_dataset({.name = "imagenet"}); });
  CHECK_FALSE(has(far, "did you mean"));
  CHECK(has(far, "there are mnist, fashion-mnist, digits, circle"));
  CHECK(has(error_of([] { load_dataset({.name = ""}); }), "called ''"));
  CHECK(has(error_of([] { load_dataset({.name = "nowhere/data.csv"}); }), "nowhere/data.csv: no such file"));
  CHECK(has(error_of([] { load_dataset({.name = "absent.npz"}); }), "absent.npz: no such file"));
}

TEST_CASE("every data set of the table has a name of its own and a line about it") {
  for (const DatasetInfo& info : list_datasets()) {
    CHECK_FALSE(info.description.empty());
    int same = 0;
    for (const DatasetInfo& other : list_datasets()) same += info.name == other.name;
    CHECK(same == 1);
  }
  CHECK(load_dataset({.name = "digits", .train_count = 3, .test_count = 2}).train.count == 3);
  CHECK(load_dataset({.name = "circle", .train_count = 3, .test_count = 2}).test.count == 2);
}

TEST_CASE("a file's kind is known by its content") {
  const TempFolder folder;
  const std::vector<float> x = {1, 2, 3, 4};
  const std::vector<std::int32_t> y = {0, 1};
  NpzWriter writer(folder / "a.data");
  writer.add<float>("x", {2, 2}, x);
  writer.add<std::int32_t>("y", {2}, y);
  writer.finish();
  CHECK(loaded(folder / "a.data").features == 2);
  put_text(folder / "b.txt", "1,2,3,0\n4,5,6,1\n");
  CHECK(loaded(folder / "b.txt").features == 3);
  put_images(folder / "c-images.gz", folder / "c-labels.gz", 14, 3);
  const Dataset images = loaded(folder / "c-images.gz");
  CHECK(images.features == 6);
  CHECK(images.image_width == 3);
  CHECK(images.classes == 4);
  CHECK(images.train.count == 12);
  CHECK(images.test.count == 2);
  CHECK(loaded(folder / "c-images.gz", 5).train.count == 5);
  write_npy(folder / "d.npy", DType::f4, {4}, raw_bytes(std::span<const float>(x)));
  CHECK(has(error_of([&] { loaded(folder / "d.npy"); }), "is one array"));
  put_text(folder / "e.bin", std::string_view("\x01\x02\x00\x03", 4));
  CHECK(has(error_of([&] { loaded(folder / "e.bin"); }), "no known kind"));
  put_text(folder / "f.csv", "");
  CHECK(has(error_of([&] { loaded(folder / "f.csv"); }), "is empty"));
  CHECK(has(error_of([&] { loaded(folder.path); }), "is a folder"));
}

TEST_CASE("labels and test images lie beside the images") {
  const TempFolder folder;
  put_images(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte.gz", 7, 1);
  CHECK(loaded(folder / "train-images-idx3-ubyte").test.count == 1);  // the last seventh
  put_images(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte", 4, 5);
  const Dataset data = loaded(folder / "train-images-idx3-ubyte");
  CHECK(data.train.count == 7);
  CHECK(data.test.count == 4);
  CHECK(data.classes == 6);
  CHECK(data.checksums.size() == 4);
  write_idx_images(folder / "t10k-images-idx3-ubyte.gz", Bytes(4 * 6, 1), 3, 2);
  CHECK(has(error_of([&] { loaded(folder / "train-images-idx3-ubyte"); }), "holds images of 3 x 2 pixels"));
  put_images(folder / "mine-images", folder / "mine-labels", 4, 1);
  fs::remove(folder / "mine-labels");
  CHECK(
      has(error_of([&] { loaded(folder / "mine-images"); }), "its labels were not found; they should be in"));
  fs::rename(folder / "mine-images", folder / "pictures");
  CHECK(has(error_of([&] { loaded(folder / "pictures"); }), "must have 'images' in it"));
}
