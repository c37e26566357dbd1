// Files cut off at every length and files with bytes changed at random: the answer is a data set or a
// DataError, never a crash (the sanitizer build watches), another exception, or an allocation beyond reason
// (std::bad_alloc would show).
#include <doctest/doctest.h>

#include <functional>
#include <numeric>

#include "datasets/csv.h"
#include "datasets/idx.h"
#include "datasets/npz.h"
#include "datasets/npz_data.h"
#include "datasets/number_table.h"
#include "datasets/random.h"
#include "helpers.h"

using namespace shoal;
using namespace shoal::test;
namespace fs = std::filesystem;

namespace {

using Load = std::function<void(const fs::path&)>;

void check_every_cut(const Bytes& good, const Load& load) {
  const TempFolder folder;
  const fs::path file = folder / "damaged";
  write_bytes(file, good);
  REQUIRE(error_of([&] { load(file); }) == "no error");
  for (std::size_t length = 0; length < good.size(); ++length) {
    write_bytes(file, std::span(good).first(length));
    const std::string message = error_of([&] { load(file); });
    CAPTURE(length);
    CHECK(has(message, file.string()));
  }
}

/// `whole`: the format has a checksum over everything that matters, so a change may go unseen only in unused
/// fields.
void check_random_changes(const Bytes& good, const Load& load, int rounds) {
  const TempFolder folder;
  const fs::path file = folder / "damaged";
  SampleRandom random(1, 0, good.size());
  for (int round = 0; round < rounds; ++round) {
    Bytes bad = good;
    for (int change = random.below(4); change >= 0; --change)
      bad[static_cast<std::size_t>(random.below(static_cast<int>(bad.size())))] =
          static_cast<std::uint8_t>(random.word());
    write_bytes(file, bad);
    CAPTURE(round);
    CHECK_NOTHROW(error_of([&] { load(file); }));
  }
}

Bytes idx_images() {
  Bytes bytes = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 5};
  for (int i = 0; i < 60; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 37));
  return bytes;
}

Bytes npy_of(DType type, const Shape& shape, const Bytes& data) {
  Bytes bytes = npy_header(type, shape);
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::vector<std::pair<std::string, Bytes>> members() {
  Bytes pixels(8 * 6);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  return {{"x.npy", npy_of(DType::u1, {8, 2, 3}, pixels)},
          {"y.npy", npy_of(DType::u1, {8}, {0, 1, 2, 3, 0, 1, 2, 3})}};
}

Bytes own_npz() {
  const TempFolder folder;
  const std::vector<float> x(16, 0.5f);
  const std::vector<std::int64_t> y(8, 1);
  NpzWriter writer(folder / "a.npz");
  writer.add<float>("x", {8, 2}, x);
  writer.add<std::int64_t>("y", {8}, y);
  writer.finish();
  return read_bytes(folder / "a.npz");
}

const Load kLoadImages = [](const fs::path& file) { read_idx_images(file); };
const Load kLoadNpz = [](const fs::path& file) { load_npz(file); };
const Load kLoadCsv = [](const fs::path& file) { load_csv(file); };
/// The last array and its first column, if there is one.
const Load kLoadTable = [](const fs::path& file) {
  read_number_table(file, {[](std::span<const std::string> arrays) { return arrays.back(); },
                           [](std::span<const std::string>) { return std::vector<std::size_t>{0}; }});
};

}  // namespace

TEST_CASE("IDX files cut off anywhere") {
  check_every_cut(idx_images(), kLoadImages);
  check_every_cut(gzip(idx_images()), kLoadImages);
  check_every_cut({0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 2}, [](const fs::path& file) { read_idx_labels(file); });
}

TEST_CASE("npz files cut off anywhere") {
  check_every_cut(zip_of(members(), false), kLoadNpz);
  check_every_cut(zip_of(members(), true), kLoadNpz);
  check_every_cut(own_npz(), kLoadNpz);
}

TEST_CASE("npy files cut off anywhere") {
  check_every_cut(npy_of(DType::i2, {3}, Bytes(6)), [](const fs::path& file) { read_npy(file); });
  check_every_cut(own_npz(), kLoadTable);
  check_every_cut(gzip(npy_of(DType::f4, {3, 2}, Bytes(24))), kLoadTable);
}

TEST_CASE("a csv file cut off anywhere is a shorter table or an error") {
  const std::string text = "\"a, b\",label\n1.5,0\n-2e3,1\n7,1\n";
  const TempFolder folder;
  for (std::size_t length = 0; length < text.size(); ++length) {
    put_text(folder / "a.csv", std::string_view(text).substr(0, length));
    CAPTURE(length);
    CHECK_NOTHROW(error_of([&] { kLoadCsv(folder / "a.csv"); }));
  }
}

TEST_CASE("random changes") {
  check_random_changes(idx_images(), kLoadImages, 1000);
  check_random_changes(gzip(idx_images()), kLoadImages, 1000);
  check_random_changes(zip_of(members(), false), kLoadNpz, 1000);
  check_random_changes(zip_of(members(), true), kLoadNpz, 1000);
  check_random_changes(own_npz(), kLoadNpz, 1000);
  check_random_changes(
      npy_of(DType::i2, {3}, Bytes(6)), [](const fs::path& file) { read_npy(file); }, 1000);
  check_random_changes(own_npz(), kLoadTable, 1000);
  check_random_changes(npy_of(DType::f4, {3, 2}, Bytes(24)), kLoadTable, 1000);
  check_random_changes(bytes_of("\"a, b\",label\n1.5,0\n-2e3,1\n7,1\n"), kLoadCsv, 1000);
}
