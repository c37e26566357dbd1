#include "datasets/idx.h"

#include <doctest/doctest.h>

#include "helpers.h"

using namespace shoal;
using namespace shoal::test;

namespace {

const Bytes kThreeImages = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 10, 11, 12, 13, 14, 255};
const Bytes kThreeLabels = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 2};

std::string image_error(const TempFolder& folder, const Bytes& bytes) {
  write_bytes(folder / "images", bytes);
  const std::string message = error_of([&] { read_idx_images(folder / "images"); });
  CHECK(has(message, (folder / "images").string()));
  return message;
}

Bytes changed(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes[at] = value;
  return bytes;
}

}  // namespace

TEST_CASE("IDX files are read as the format says, gzipped or not, whatever the name") {
  const TempFolder folder;
  write_bytes(folder / "plain.gz", kThreeImages);
  write_bytes(folder / "packed", gzip(kThreeImages));
  for (const char* name : {"plain.gz", "packed"}) {
    const IdxImages images = read_idx_images(folder / name);
    CHECK(images.count == 3);
    CHECK(images.height == 2);
    CHECK(images.width == 1);
    CHECK(images.pixels == Bytes{10, 11, 12, 13, 14, 255});
  }
  CHECK(read_idx_images(folder / "packed").sha256 == read_idx_images(folder / "plain.gz").sha256);
  write_bytes(folder / "labels", kThreeLabels);
  CHECK(read_idx_labels(folder / "labels").labels == Bytes{7, 0, 2});
}

TEST_CASE("a gzip file of two members is read as one") {
  const TempFolder folder;
  Bytes two = gzip(std::span(kThreeImages).first(9));
  const Bytes second = gzip(std::span(kThreeImages).subspan(9));
  two.insert(two.end(), second.begin(), second.end());
  write_bytes(folder / "images", two);
  CHECK(read_idx_images(folder / "images").pixels == Bytes{10, 11, 12, 13, 14, 255});
}

TEST_CASE("what is written to IDX is read back, and the bytes are the format's") {
  const TempFolder folder;
  const Bytes pixels = {10, 11, 12, 13, 14, 255};
  const std::vector<std::int32_t> labels = {7, 0, 2};
  for (const char* name : {"a-images", "a-images.gz"}) {
    write_idx_images(folder / name, pixels, 2, 1);
    CHECK(read_idx_images(folder / name).pixels == pixels);
  }
  CHECK(read_bytes(folder / "a-images") == kThreeImages);
  CHECK(is_gzip(read_bytes(folder / "a-images.gz")));
  write_idx_labels(folder / "a-labels", labels);
  CHECK(read_bytes(folder / "a-labels") == kThreeLabels);
  CHECK(has(error_of([&] { write_idx_images(folder / "x", pixels, 2, 2); }), "whole number"));
  CHECK(has(error_of([&] { write_idx_labels(folder / "x", std::vector<std::int32_t>{256}); }), "256"));
  CHECK(has(error_of([&] { write_idx_labels(folder / "none" / "x", labels); }), "cannot be written"));
}

TEST_CASE("every defect of an IDX file has its own sentence, with the file in it") {
  const TempFolder folder;
  CHECK(has(error_of([&] { read_idx_images(folder / "absent"); }), "no such file"));
  CHECK(has(error_of([&] { read_idx_images(folder.path); }), "is a folder"));
  CHECK(has(image_error(folder, {}), "is empty"));
  CHECK(has(image_error(folder, kThreeLabels), "is an IDX file of labels"));
  CHECK(has(image_error(folder, bytes_of("P5 28 28 255 and more")), "is no IDX file"));
  CHECK(has(image_error(folder, changed(kThreeImages, 3, 4)), "4 dimensions"));
  CHECK(has(image_error(folder, changed(kThreeImages, 2, 13)), "type 0x0d"));
  CHECK(has(image_error(folder, changed(kThreeImages, 7, 0)), "no samples"));
  CHECK(has(image_error(folder, changed(kThreeImages, 11, 0)), "0 x 1 pixels"));
  CHECK(has(image_error(folder, changed(kThreeImages, 8, 1)), "16777218 x 1 pixels"));
  CHECK(has(image_error(folder, changed(kThreeImages, 7, 4)),
            "promises 4 samples, 24 bytes in all, and it holds 22"));
  CHECK(has(image_error(folder, changed(kThreeImages, 7, 2)), "left over"));
  CHECK(has(image_error(folder, Bytes(kThreeImages.begin(), kThreeImages.begin() + 12)),
            "cut off in its header"));
}

TEST_CASE("sizes that cannot be are refused before memory is taken") {
  const TempFolder folder;
  // 2^32 - 1 images of 2^14 x 2^14 pixels would be 2^60 bytes: an attempt to take them would end the test.
  Bytes huge = {0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 64, 0, 0, 0, 64, 0};
  CHECK(has(image_error(folder, huge), "is cut off: its header promises 4294967295 samples"));
  CHECK(has(image_error(folder, gzip(huge)), "is cut off: its header promises 4294967295 samples"));
}

TEST_CASE("damage to the gzip stream is told apart") {
  const TempFolder folder;
  Bytes packed = gzip(kThreeImages);
  CHECK(has(image_error(folder, Bytes(packed.begin(), packed.end() - 1)), "gzip stream is cut off"));
  Bytes wrong_sum = packed;
  wrong_sum[packed.size() - 8] ^= 1;  // the CRC; the length follows it
  CHECK(has(image_error(folder, wrong_sum), "incorrect data check"));
  Bytes wrong_length = packed;
  wrong_length[packed.size() - 4] ^= 1;
  CHECK(has(image_error(folder, wrong_length), "incorrect length check"));
  packed.push_back(0);
  CHECK(has(image_error(folder, packed), "no gzip follow"));
  Bytes longer = kThreeImages;
  longer.push_back(1);
  CHECK(has(image_error(folder, gzip(longer)), "left over"));
}

TEST_CASE("images and labels must fit each other and the classes") {
  const TempFolder folder;
  write_bytes(folder / "i", kThreeImages);
  write_bytes(folder / "l", kThreeLabels);
  write_bytes(folder / "two", Bytes{0, 0, 8, 1, 0, 0, 0, 2, 7, 0});
  std::vector<Checksum> sums;
  int height = 0, width = 0;
  const Split split = read_idx_split(folder / "i", folder / "l", 8, &height, &width, sums);
  CHECK(split.count == 3);
  CHECK(split.features == 2);
  CHECK(split.labels == std::vector<std::int32_t>{7, 0, 2});
  CHECK(split.values.empty());
  CHECK(sums.size() == 2);
  CHECK(sums[1].file == "l");
  CHECK(has(error_of([&] { read_idx_split(folder / "i", folder / "two", 8, &height, &width, sums); }),
            "holds 3 images, but"));
  CHECK(has(error_of([&] { read_idx_split(folder / "i", folder / "l", 7, &height, &width, sums); }),
            "the label of sample 0 is 7; with 7 classes it must be 0..6"));
}
